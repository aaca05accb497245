import Tensors

/// What training makes smaller: a loss over a batch of typed samples.
///
/// An objective is a small value: it says which texts of a sample go through the model, how much a sample counts, and the loss.
/// Everything else, such as packing, accumulation, schedules, checkpoints and evaluation, is the trainer's.
public protocol Objective<Sample>: Sendable {
    associatedtype Sample: Sendable

    /// The name in reports.
    var name: String { get }

    /// Whether the loss compares the model with itself before training. The trainer then scores all given texts once, before the
    /// first step.
    var usesReference: Bool { get }

    /// Whether the loss compares the samples of one pass with one another, and so depends on how a step is cut into passes. Several ranks then
    /// share whole passes instead of samples.
    var comparesSamples: Bool { get }

    /// Whether the loss packs texts of one prompt so that they share its rows (`together`), which lets a pass take more of them.
    var sharesPrompts: Bool { get }

    /// The texts of a sample that go through the model, always in the same order.
    func texts(of sample: Sample) -> [TokenSequence]

    /// What a sample counts in the mean of a step: tokens, or 1. The loss of a step is Σ totals / Σ weights, however the
    /// step is cut into passes.
    func weight(of sample: Sample) -> Double

    /// Σ over the samples of their losses, in one or several forward passes of the policy.
    func loss(of batch: ObjectiveBatch<Sample>, policy: Policy) throws -> ObjectiveLoss
}

extension Objective {
    public var usesReference: Bool { false }
    public var comparesSamples: Bool { false }
    public var sharesPrompts: Bool { false }
    public func weight(of sample: Sample) -> Double { 1 }
}

/// Samples that go through the model together.
public struct ObjectiveBatch<Sample: Sendable>: Sendable {
    public let samples: [Sample]
    /// The texts of all samples, one sample's after another's.
    public let texts: [TokenSequence]
    /// Σ weight · log p of each text under the model before training, in nats; empty where the objective asks for none.
    public let referenceSums: [Float]

    public init(samples: [Sample], texts: [TokenSequence], referenceSums: [Float] = []) {
        self.samples = samples
        self.texts = texts
        self.referenceSums = referenceSums
    }
}

/// The loss of a batch.
public struct ObjectiveLoss: Sendable {
    /// Σ over the samples: one number, in the gradient graph.
    public var total: Tensor
    /// Other figures to watch, each a sum over the samples; reports show the mean.
    public var sums: [String: Double]
    /// How many samples a figure is a sum over, where it isn't all of them.
    public var counts: [String: Double]

    public init(_ total: Tensor, sums: [String: Double] = [:], counts: [String: Double] = [:]) {
        self.total = total
        self.sums = sums
        self.counts = counts
    }
}
