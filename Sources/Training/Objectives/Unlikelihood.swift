import Tensors

/// A text with what the model is to make unlikely in it.
public struct UnlikelihoodSample: Sendable, Hashable {
    /// What is to be learnt, with its weights.
    public var wanted: TokenSequence
    /// What is to be avoided: tokens with a weight here lose probability.
    public var unwanted: TokenSequence

    public init(wanted: TokenSequence, unwanted: TokenSequence) {
        self.wanted = wanted
        self.unwanted = unwanted
    }
}

/// Unlikelihood training (Welleck et al. 2020, equation 4), with negative texts given: the mean -log p of the wanted tokens and α times the mean
/// -log(1 - p) of the unwanted ones.
public struct Unlikelihood: Objective {
    /// α
    public var strength: Double

    public init(strength: Double = 1) throws {
        try TrainingError.demandNotNegative(strength, "strength")
        self.strength = strength
    }

    public var name: String { "unlikelihood" }

    public func texts(of sample: UnlikelihoodSample) -> [TokenSequence] { [sample.wanted, sample.unwanted] }

    public func loss(of batch: ObjectiveBatch<UnlikelihoodSample>, policy: Policy) throws -> ObjectiveLoss {
        let found = policy.logProbabilities(batch.texts, together: 2)
        var isUnwanted = [Bool](repeating: false, count: found.batch.rows)
        for text in stride(from: 1, to: batch.texts.count, by: 2) {
            for row in found.batch.rows(of: text) { isUnwanted[row] = true }
        }
        return loss(found, isUnwanted: isUnwanted)
    }

    /// - Parameter isUnwanted: [rows] whether a row's target is to be avoided.
    public func loss(_ found: TokenLogProbabilities, isUnwanted: [Bool]) -> ObjectiveLoss {
        // 1 - p of a certain token is 0; the log is taken a hair above.
        let complement = log(maximum(1 - exp(found.values), Tensor(1e-6)))
        let mask = Tensor(isUnwanted.map { Float($0 ? 1 : 0) })
        let terms = found.values * (1 - mask) + complement * mask * Float(strength)
        let means = TokenLogProbabilities(batch: found.batch, values: terms).means
        return ObjectiveLoss(means.sum() * -1)
    }
}
