import Foundation
import Models
import Tensors

/// A whole training run as a value: which model, on what, how, and where the result goes. What a command line or a method fills in.
///
/// The output folder receives the result, `run.json` with the curves, and the checkpoints under `checkpoints`. Adapters are written in PEFT's format,
/// changed weights in the kind of file they came from. Calling a run again over a folder with checkpoints goes on from the
/// latest one, also with another number of processes than before.
public struct TrainingRun<Training: Objective>: Sendable {
    /// A GGUF file or a Hugging Face folder.
    public var model: String
    public var objective: Training
    public var parameterisation: any Parameterisation
    public var optimisation: Optimisation
    public var samples: [Training.Sample]
    /// Samples to evaluate on.
    public var heldOut: [Training.Sample] = []
    public var settings = TrainerSettings()
    public var precision = ComputePrecision.bf16
    /// The number format of a model that is written as a whole.
    public var format = WeightFormat.bf16
    /// The folder of the result.
    public var output: String
    /// Makes what the run reads, such as the folder of a new model. Done by the first rank, while others wait.
    public var prepare: @Sendable () throws -> Void = {}
    /// Joins the processes that train together. Called on the thread that trains.
    public var join: @Sendable () throws -> any Communicator = { SingleProcess() }

    public init(
        model: String, objective: Training, parameterisation: any Parameterisation, optimisation: Optimisation,
        samples: [Training.Sample], output: String
    ) {
        self.model = model
        self.objective = objective
        self.parameterisation = parameterisation
        self.optimisation = optimisation
        self.samples = samples
        self.output = output
    }

    /// Trains, and writes the result unless the run was interrupted. Occupies the calling thread until the end.
    @discardableResult
    public func run(
        stop: TrainingStop = TrainingStop(), onEvent: (TrainingEvent) throws -> Void = { _ in }
    ) throws -> TrainingSummary {
        try together(join, onEvent) { ranks in
            if ranks.isFirst { try prepare() }
            try ranks.meet()
            let session = try open(over: ranks)
            let summary = try session.trainer.run(stop: stop, onEvent: onEvent)
            guard ranks.isFirst else { return summary }
            if summary.outcome != .interrupted { try session.write() }
            try summary.write(to: output)
            return summary
        }
    }

    /// Loads the model and makes its trainer, for whoever looks at the model between parts of the run.
    /// - Parameters:
    ///   - ranks: those that train together.
    ///   - writesCheckpoints: false: the run can't go on after its end.
    public func open(
        over ranks: any Communicator = SingleProcess(), writesCheckpoints: Bool = true
    ) throws -> TrainingSession<Training> {
        let source = try openWeights(at: model)
        let trainable = try parameterisation.load(source, precision: precision, seed: settings.seed)
        let trainer = try Trainer(
            trainable, objective: objective, optimisation: optimisation, samples: samples, heldOut: heldOut,
            settings: settings, folder: writesCheckpoints ? output + "/checkpoints" : nil,
            modelKey: "\(source.fingerprint()) \(precision.rawValue) \(parameterisation)", over: ranks)
        return TrainingSession(
            trainer: trainer, trainable: trainable, source: source, model: model, format: format, output: output)
    }

    /// The same on a thread of its own. Cancelling the task asks the run to stop; it then ends with a checkpoint.
    @discardableResult
    public func followed(
        onEvent: @escaping @Sendable (TrainingEvent) throws -> Void = { _ in }
    ) async throws -> TrainingSummary {
        try await onTrainingThread { try run(stop: $0, onEvent: onEvent) }
    }
}

/// Joins the ranks of a run, which work and leave together.
func together<Result>(
    _ join: () throws -> any Communicator, _ onEvent: (TrainingEvent) throws -> Void,
    _ work: (any Communicator) throws -> Result
) throws -> Result {
    let ranks = try join()
    do {
        if ranks.size > 1 {
            try onEvent(.joined(rank: ranks.rank, of: ranks.size, threads: ThreadPool.threads))
        }
        let result = try work(ranks)
        try ranks.leave()
        return result
    } catch {
        // What every rank has found out needs no alarm.
        if case .notFinite = error as? TrainingError { try ranks.leave() } else { ranks.abandon(error) }
        throw error
    }
}

/// Runs the body on a thread of its own, which it may occupy as long as it likes. Cancelling the task requests the stop.
func onTrainingThread<Result: Sendable>(
    _ body: @escaping @Sendable (TrainingStop) throws -> Result
) async throws -> Result {
    let stop = TrainingStop()
    return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Swift.Result { try body(stop) }) }
            thread.name = "lyceum.training"
            thread.stackSize = 8 << 20
            thread.start()
        }
    } onCancel: {
        stop.request()
    }
}

/// A run that is under way: its trainer, and the model that it changes.
public struct TrainingSession<Training: Objective> {
    public let trainer: Trainer<Training>
    public let trainable: TrainableModel
    /// The file that the model was loaded from.
    public let source: any WeightSource
    let model: String
    let format: WeightFormat
    let output: String

    /// Writes the model as it is now into the run's folder: an adapter, or the whole of it.
    public func write() throws {
        try trainable.write(from: source, baseModel: model, format: format, to: output)
    }

    /// Trains until a step is done, or to the end, on a thread of its own. Nobody may use the session meanwhile. Cancelling the task stops after the step
    /// at hand and throws.
    public func train(
        through last: Int, onEvent: @escaping @Sendable (TrainingEvent) throws -> Void = { _ in }
    ) async throws {
        // One thread at a time: the caller waits here for the other one's end.
        nonisolated(unsafe) let trainer = trainer
        try await onTrainingThread { stop in
            _ = try trainer.run(stop: stop) { event in
                try onEvent(event)
                if case .step(let report) = event, report.step >= last { stop.request() }
            }
        }
        try Task.checkCancellation()
    }
}
