import Tensors

/// Simple preference optimisation (Meng et al. 2024, equation 6): no reference, rewards per token, a target margin γ:
///
///     -log σ(β (mean log π(y_w) - mean log π(y_l)) - γ)
public struct SimPO: PreferenceObjective {
    public var beta: Double
    /// γ, in units of the reward β · mean log π.
    public var margin: Double

    public init(beta: Double = 2, margin: Double = 1) throws {
        try TrainingError.demandPositive(beta, "beta")
        try TrainingError.demandNotNegative(margin, "margin")
        self.beta = beta
        self.margin = margin
    }

    public var name: String { "simpo" }

    public func loss(of batch: ObjectiveBatch<PreferencePair>, policy: Policy) throws -> ObjectiveLoss {
        loss(means: policy.logProbabilities(batch.texts, together: 2).means)
    }

    /// - Parameter means: mean log π of each answer, chosen and rejected in turn: [2 · pairs].
    public func loss(means: Tensor) -> ObjectiveLoss {
        let (chosen, rejected) = (means * Float(beta)).chosenAndRejected
        return ObjectiveLoss(
            logSigmoid(chosen - rejected - Float(margin)).sum() * -1,
            sums: preferenceFigures(chosen: chosen.detached(), rejected: rejected.detached()))
    }
}
