import Foundation
import Synchronization

/// What happens in a run, as it happens.
public enum TrainingEvent: Sendable, Hashable {
    /// Several processes train together, this one with so many threads.
    case joined(rank: Int, of: Int, threads: Int)
    /// The texts are scored by the model before training: so many of so many.
    case scoringReference(done: Int, of: Int)
    /// The run goes on after a step of an earlier one.
    case resumed(step: Int, checkpoint: String)
    /// Steps follow, the first one after this many of so many.
    case began(after: Int, of: Int)
    case step(StepReport)
    case evaluated(EvaluationReport)
    case checkpointed(step: Int, path: String)
    case finished(TrainingSummary)
}

/// One step of the optimiser.
public struct StepReport: Sendable, Hashable, Codable {
    /// From 1.
    public var step: Int
    public var totalSteps: Int
    /// The mean over the step's samples (or tokens, as the objective weighs); 0 where there were none.
    public var loss: Double
    public var rate: Double
    /// √ Σ g² over all parameters, before clipping.
    public var gradientNorm: Double
    /// Rows that went through the model.
    public var tokens: Int
    public var seconds: Double
    /// The objective's other figures, means over the step's samples, and what was found when these were made.
    public var figures: [String: Double]

    public var tokensPerSecond: Double { seconds > 0 ? Double(tokens) / seconds : 0 }
}

/// What held-out samples say.
public struct EvaluationReport: Sendable, Hashable, Codable {
    public var step: Int
    public var loss: Double
    public var figures: [String: Double]
    public var isBest: Bool
}

/// How a run ended, with its curves.
public struct TrainingSummary: Sendable, Hashable, Codable {
    public enum Outcome: String, Sendable, Hashable, Codable {
        case completed
        /// Evaluations stopped improving.
        case stoppedEarly = "stopped early"
        /// On request; a checkpoint was written.
        case interrupted
    }

    public var outcome: Outcome
    /// The steps of this run and of those it went on from.
    public var history: TrainingHistory
    /// What the optimiser remembered at the end, in bytes.
    public var optimiserBytes: Int?

    /// Writes `run.json` into a folder.
    func write(to folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try writeFile([UInt8](encoder.encode(self)), to: folder + "/run.json")
    }
}

/// The curves of a run.
public struct TrainingHistory: Sendable, Hashable, Codable {
    public var steps: [StepReport] = []
    public var evaluations: [EvaluationReport] = []

    public init() {}

    public var best: EvaluationReport? { evaluations.last { $0.isBest } }
}

/// Asks a run to end after the step it is at, with a checkpoint to go on from.
public final class TrainingStop: Sendable {
    private let requested = Atomic<Bool>(false)

    public init() {}

    public func request() { requested.store(true, ordering: .relaxed) }

    public var isRequested: Bool { requested.load(ordering: .relaxed) }
}
