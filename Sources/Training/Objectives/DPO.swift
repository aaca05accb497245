import Tensors

/// Direct preference optimisation (Rafailov et al. 2023, equation 7), with label smoothing ε:
///
///     -(1 - ε) log σ(h) - ε log σ(-h),   h = β (log π(y_w)/π_ref(y_w) - log π(y_l)/π_ref(y_l))
///
/// or, as identity preference optimisation (Azar et al. 2024, equation 17) on log-ratios per token, as the common implementations have it:
///
///     (h_mean - 1 / (2 β))²,   h_mean the difference of mean log-ratios
public struct DPO: PreferenceObjective {
    public enum Loss: Sendable, Hashable {
        case sigmoid(labelSmoothing: Double)
        case identity
    }

    public var beta: Double
    public var lossForm: Loss

    public init(beta: Double = 0.1, loss: Loss = .sigmoid(labelSmoothing: 0)) throws {
        try TrainingError.demandPositive(beta, "beta")
        if case .sigmoid(let smoothing) = loss, !(0..<0.5).contains(smoothing) {
            throw TrainingError.badSetting(
                "label smoothing", reason: "must be at least 0 and below 0.5, not \(smoothing)")
        }
        self.beta = beta
        lossForm = loss
    }

    public var name: String { lossForm == .identity ? "ipo" : "dpo" }
    public var usesReference: Bool { true }

    public func loss(of batch: ObjectiveBatch<PreferencePair>, policy: Policy) throws -> ObjectiveLoss {
        let logRatios = policy.logProbabilities(batch.texts, together: 2).sums - Tensor(batch.referenceSums)
        return loss(logRatios: logRatios, lengths: batch.texts.map(\.weight))
    }

    /// - Parameters:
    ///   - logRatios: log π/π_ref of each answer, chosen and rejected in turn: [2 · pairs].
    ///   - lengths: tokens of each answer.
    public func loss(logRatios: Tensor, lengths: [Double]) -> ObjectiveLoss {
        let (chosen, rejected) = logRatios.chosenAndRejected
        let figures = preferenceFigures(
            chosen: chosen.detached() * Float(beta), rejected: rejected.detached() * Float(beta))
        switch lossForm {
        case .sigmoid(let smoothing):
            let h = (chosen - rejected) * Float(beta)
            let losses = logSigmoid(h) * Float(smoothing - 1) - logSigmoid(-h) * Float(smoothing)
            return ObjectiveLoss(losses.sum(), sums: figures)
        case .identity:
            let means = (logRatios / Tensor(lengths.map { Float(max(1, $0)) })).chosenAndRejected
            let gap = means.chosen - means.rejected - Float(1 / (2 * beta))
            return ObjectiveLoss(square(gap).sum(), sums: figures)
        }
    }
}
