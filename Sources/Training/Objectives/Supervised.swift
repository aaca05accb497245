import Tensors

/// Supervised fine-tuning, and pre-training where every token counts: the mean of -log p over the tokens that have a weight.
public struct Supervised: Objective {
    public init() {}

    public var name: String { "supervised" }

    public func texts(of sample: TokenSequence) -> [TokenSequence] { [sample] }

    public func weight(of sample: TokenSequence) -> Double { sample.weight }

    public func loss(of batch: ObjectiveBatch<TokenSequence>, policy: Policy) throws -> ObjectiveLoss {
        ObjectiveLoss(policy.crossEntropy(batch.texts))
    }
}
