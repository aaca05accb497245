import Tensors

/// A reward learnt from pairs by the model of Bradley & Terry (Ouyang et al. 2022, equation 1), with a pull of the rewards towards 0
/// (Eisenstein et al. 2023):
///
///     -log σ(r(x, y_w) - r(x, y_l)) + c (r(x, y_w) + r(x, y_l))²
///
/// r is the output of the head `reward` at the last token of each text.
public struct BradleyTerry: PreferenceObjective {
    public static let head = "reward"

    /// c
    public var centring: Double

    public init(centring: Double = 0) throws {
        try TrainingError.demandNotNegative(centring, "centring")
        self.centring = centring
    }

    public var name: String { "reward" }

    public func loss(of batch: ObjectiveBatch<PreferencePair>, policy: Policy) throws -> ObjectiveLoss {
        let packed = policy.pack(batch.texts, together: 2)
        let rows = (0..<batch.texts.count).map { Int32(packed.rows(of: $0).upperBound - 1) }
        let rewards = try policy.outputs(of: Self.head, hidden: policy.hiddenStates(packed), rows: rows)
        return loss(rewards: rewards.reshaped([rows.count]))
    }

    /// - Parameter rewards: of each answer, chosen and rejected in turn: [2 · pairs].
    public func loss(rewards: Tensor) -> ObjectiveLoss {
        let (chosen, rejected) = rewards.chosenAndRejected
        var losses = logSigmoid(chosen - rejected) * -1
        if centring > 0 { losses = losses + square(chosen + rejected) * Float(centring) }
        return ObjectiveLoss(
            losses.sum(), sums: preferenceFigures(chosen: chosen.detached(), rejected: rejected.detached()))
    }
}
