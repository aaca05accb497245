import Tensors

/// Odds-ratio preference optimisation (Hong et al. 2024, equations 6 and 7): the chosen answer's mean -log p, and λ times an odds ratio, in
/// one step without a reference:
///
///     -mean log π(y_w) - λ log σ(log odds(y_w) - log odds(y_l)),   odds(y) = p / (1 - p), p = exp(mean log π(y))
public struct ORPO: PreferenceObjective {
    /// λ
    public var strength: Double

    public init(strength: Double = 0.1) throws {
        try TrainingError.demandNotNegative(strength, "strength")
        self.strength = strength
    }

    public var name: String { "orpo" }

    public func loss(of batch: ObjectiveBatch<PreferencePair>, policy: Policy) throws -> ObjectiveLoss {
        loss(means: policy.logProbabilities(batch.texts, together: 2).means)
    }

    /// - Parameter means: mean log π of each answer, chosen and rejected in turn: [2 · pairs].
    public func loss(means: Tensor) -> ObjectiveLoss {
        let (chosen, rejected) = means.chosenAndRejected
        // log odds = m - log(1 - eᵐ); the mean of log p is below 0, a hair below where all tokens are certain.
        func logOdds(_ mean: Tensor) -> Tensor {
            let below = minimum(mean, Tensor(-1e-6))
            return below - log(1 - exp(below))
        }
        let ratio = logOdds(chosen) - logOdds(rejected)
        let losses = chosen * -1 - logSigmoid(ratio) * Float(strength)
        return ObjectiveLoss(
            losses.sum(), sums: preferenceFigures(chosen: chosen.detached(), rejected: rejected.detached()))
    }
}
