import Foundation
import Models
import Tensors

/// Trains a model on samples with an objective: the loop, and nothing of any method.
///
/// A step takes its samples, divides them into passes, sums the gradients of the objective's loss over the passes, and lets the optimiser
/// move the parameters. With a folder, checkpoints are written there, and a trainer over the same folder goes on from the latest one
/// with the same results to the bit.
///
/// Not thread-safe: one caller at a time, who lets nobody read the model during `run`.
public final class Trainer<Training: Objective> {
    let model: TrainableModel
    let objective: Training
    private(set) var samples: [Training.Sample]
    let heldOut: [Training.Sample]
    let settings: TrainerSettings
    let checkpoints: CheckpointFolder?
    /// Which model the run starts from, for keys of files.
    let modelKey: String
    /// Makes each step's samples, where they aren't given beforehand.
    private let source: SampleSource<Training.Sample>?
    /// Tokens of each sample.
    private var lengths: [Int]
    private let heldOutLengths: [Int]
    private var order: DataOrder
    private var optimiser: OptimiserRun
    private var referenceSums: [[Float]] = []
    private var heldOutReferenceSums: [[Float]] = []
    private var history = TrainingHistory()
    private var evaluationsWithoutBest = 0
    private var lastCheckpoint: String?

    /// - Parameters:
    ///   - heldOut: samples to evaluate on.
    ///   - folder: of checkpoints; nil: none are written.
    ///   - modelKey: a fingerprint of the model before training.
    ///   - source: makes the samples of each step as the run goes; `settings.steps` then says how many there are.
    /// - Throws: where a setting or a sample makes no sense.
    public init(
        _ model: TrainableModel, objective: Training, optimisation: Optimisation, samples: [Training.Sample],
        heldOut: [Training.Sample] = [], settings: TrainerSettings = TrainerSettings(), folder: String? = nil,
        modelKey: String = "", source: SampleSource<Training.Sample>? = nil
    ) throws {
        try settings.check()
        guard source == nil || settings.steps != nil && !objective.usesReference else {
            throw TrainingError.badSetting("steps", reason: "must be given where samples are made as the run goes")
        }
        guard !samples.isEmpty || source != nil else {
            throw TrainingError.badSetting("samples", reason: "there are none to train on")
        }
        let vocabulary = model.model.configuration.vocabularySize
        lengths = try Self.lengths(samples, objective, vocabulary: vocabulary)
        heldOutLengths = try Self.lengths(heldOut, objective, vocabulary: vocabulary)
        self.model = model
        self.objective = objective
        self.samples = samples
        self.source = source
        self.heldOut = heldOut
        self.settings = settings
        self.modelKey = modelKey
        checkpoints = folder.map { CheckpointFolder(path: $0, kept: settings.checkpointsKept) }
        order = DataOrder(
            count: max(1, samples.count), perStep: settings.samplesPerStep, seed: settings.seed,
            shuffles: settings.shuffles)
        try optimisation.rule.check(model.parameters)
        optimiser = OptimiserRun(settings: optimisation)
        if let folder { try makeFolder(folder) }
    }

    private static func lengths(
        _ samples: [Training.Sample], _ objective: Training, vocabulary: Int
    ) throws -> [Int] {
        try samples.enumerated().map { index, sample in
            let texts = objective.texts(of: sample)
            for text in texts {
                if let bad = text.tokens.first(where: { $0 < 0 || Int($0) >= vocabulary }) {
                    throw TrainingError.badSample(
                        index: index, reason: "the token \(bad) is outside the vocabulary of \(vocabulary)")
                }
                guard text.weight > 0 else {
                    throw TrainingError.badSample(
                        index: index, reason: "a text of \(text.count) tokens has none to predict that counts")
                }
            }
            guard !texts.isEmpty, objective.weight(of: sample) > 0 else {
                throw TrainingError.badSample(index: index, reason: "counts nothing in the loss")
            }
            return texts.reduce(0) { $0 + $1.count }
        }
    }

    /// How many steps the run has.
    public var totalSteps: Int { settings.steps ?? order.steps(epochs: settings.epochs) }

    /// What the optimiser tells of each parameter's last step, by name.
    public var optimiserFigures: [String: [String: Double]] {
        optimiser.states.mapValues(\.figures).filter { !$0.value.isEmpty }
    }

    // MARK: The run

    /// Trains to the end, or until `stop` is requested; called again after that, it goes on.
    /// - Parameter onEvent: sees every event; an error it throws ends the run at once, as a crash would.
    @discardableResult
    public func run(
        stop: TrainingStop = TrainingStop(), onEvent: (TrainingEvent) throws -> Void = { _ in }
    ) throws -> TrainingSummary {
        try prepareReference(onEvent)
        let first = max(try resume(onEvent), history.steps.last?.step ?? 0) + 1
        var outcome = TrainingSummary.Outcome.completed
        let total = totalSteps
        for step in stride(from: first, through: total, by: 1) {
            let report = try take(step, of: total)
            history.steps.append(report)
            try onEvent(.step(report))
            if let every = settings.stepsPerEvaluation, step % every == 0 || step == total {
                try evaluate(after: step, onEvent)
            }
            let isStale = settings.patience.map { evaluationsWithoutBest >= $0 } ?? false
            // A round of samples that were made together is gone through before the run may end.
            let endsRound = step % (source?.stepsPerRound ?? 1) == 0
            let isDue = endsRound && (settings.stepsPerCheckpoint.map { step % $0 == 0 } ?? false)
            let isStopped = endsRound && stop.isRequested
            if isDue || isStopped || isStale { try writeCheckpoint(after: step, onEvent) }
            if isStale || (isStopped && step < total) {
                outcome = isStale ? .stoppedEarly : .interrupted
                break
            }
        }
        if outcome == .completed, !heldOut.isEmpty, history.evaluations.last?.step != total {
            try evaluate(after: total, onEvent)
        }
        if settings.keepsBest, outcome != .interrupted { try restoreBest() }
        var summary = TrainingSummary(outcome: outcome, history: history)
        summary.optimiserBytes = optimiser.byteCount
        try onEvent(.finished(summary))
        return summary
    }

    /// One step of the optimiser.
    private func take(_ step: Int, of total: Int) throws -> StepReport {
        let clock = ContinuousClock()
        let start = clock.now
        let chosen = try chosenSamples(ofStep: step)
        let weight = chosen.reduce(0) { $0 + objective.weight(of: samples[$1]) }
        let policy = Policy(model, recomputes: settings.recomputes)
        var gradients = Gradients()
        var (loss, sums): (Double, [String: Double]) = (0, [:])
        let stepSeed = mixed(settings.seed, UInt64(step))
        defer { model.dropoutSeed.current = 0 }
        for (index, pass) in passes(chosen, tokens: { lengths[$0] }, limit: settings.tokensPerPass).enumerated() {
            model.dropoutSeed.current = mixed(stepSeed, UInt64(index)) | 1
            let part = try objective.loss(of: batch(pass, of: samples, referenceSums), policy: policy)
            let value = Double(part.total.item)
            guard value.isFinite else { throw notFinite("loss", step, pass) }
            loss += value
            sums.merge(part.sums, uniquingKeysWith: +)
            part.total.accumulateGradients(into: &gradients)
        }
        let norm = optimiser.step(
            model.parameters, gradients, scale: 1 / weight, number: step, of: total, seed: mixed(stepSeed, .max))
        guard norm.isFinite else { throw notFinite("gradient", step, chosen) }
        return StepReport(
            step: step, totalSteps: total, loss: loss / weight,
            rate: optimiser.settings.rate * optimiser.settings.schedule.factor(step: step, of: total),
            gradientNorm: norm, tokens: chosen.reduce(0) { $0 + lengths[$1] },
            seconds: (clock.now - start) / .seconds(1),
            figures: sums.mapValues { $0 / Double(chosen.count) }.merging(optimiser.figures) { own, _ in own })
    }

    private func chosenSamples(ofStep step: Int) throws -> [Int] {
        guard let source else { return order.samples(ofStep: step) }
        samples = try source.samples(step, history)
        lengths = try Self.lengths(samples, objective, vocabulary: model.model.configuration.vocabularySize)
        return Array(samples.indices)
    }

    private func notFinite(_ what: String, _ step: Int, _ samples: [Int]) -> TrainingError {
        .notFinite(what: what, step: step, samples: samples, lastCheckpoint: lastCheckpoint)
    }

    private func batch(
        _ chosen: [Int], of samples: [Training.Sample], _ reference: [[Float]]
    ) -> ObjectiveBatch<Training.Sample> {
        let part = chosen.map { samples[$0] }
        return ObjectiveBatch(
            samples: part, texts: part.flatMap { objective.texts(of: $0) },
            referenceSums: reference.isEmpty ? [] : chosen.flatMap { reference[$0] })
    }

    // MARK: Evaluation

    /// The loss and figures over the held-out samples.
    public func evaluation() throws -> (loss: Double, figures: [String: Double]) {
        guard !heldOut.isEmpty else {
            throw TrainingError.badSetting("held-out samples", reason: "there are none to evaluate on")
        }
        var (loss, weight, sums): (Double, Double, [String: Double]) = (0, 0, [:])
        try GradientMode.withoutGradients {
            let all = Array(heldOut.indices)
            for pass in passes(all, tokens: { heldOutLengths[$0] }, limit: settings.tokensPerPass) {
                let part = try objective.loss(
                    of: batch(pass, of: heldOut, heldOutReferenceSums), policy: Policy(model))
                loss += Double(part.total.item)
                weight += pass.reduce(0) { $0 + objective.weight(of: heldOut[$1]) }
                sums.merge(part.sums, uniquingKeysWith: +)
            }
        }
        return (loss / weight, sums.mapValues { $0 / Double(heldOut.count) })
    }

    private func evaluate(after step: Int, _ onEvent: (TrainingEvent) throws -> Void) throws {
        guard !heldOut.isEmpty else { return }
        let (loss, figures) = try evaluation()
        let isBest = loss.isFinite && loss < history.best?.loss ?? .infinity
        evaluationsWithoutBest = isBest ? 0 : evaluationsWithoutBest + 1
        let report = EvaluationReport(step: step, loss: loss, figures: figures, isBest: isBest)
        if isBest, settings.keepsBest { try keepBest() }
        history.evaluations.append(report)
        try onEvent(.evaluated(report))
    }

    private var bestInMemory: [Tensor] = []

    private func keepBest() throws {
        if let checkpoints {
            try writeTensors(
                Dictionary(uniqueKeysWithValues: model.parameters.map { ($0.name, $0.tensor) }), to: checkpoints.best)
        } else {
            bestInMemory = model.parameters.map { $0.tensor.detached().copied() }
        }
    }

    private func restoreBest() throws {
        guard history.best != nil else { return }
        if let checkpoints {
            try Checkpoint.fill(model.parameters, from: SafetensorsFile(path: checkpoints.best))
        } else {
            for (parameter, best) in zip(model.parameters, bestInMemory) { parameter.tensor.detached().assign(best) }
        }
    }

    // MARK: Checkpoints

    /// What makes runs the same: everything that decides the numbers.
    private lazy var runKey: String = {
        var hash = Fingerprint()
        var key = settings
        // What is kept, and how passes are cut, may change between a run and its continuation.
        key.checkpointsKept = 1
        key.stepsPerCheckpoint = nil
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        hash.add((try? encoder.encode(key)) ?? Data())
        hash.add("\(modelKey) \(objective) \(optimiser.settings)".utf8)
        for parameter in model.parameters { hash.add("\(parameter.name) \(parameter.tensor.shape)".utf8) }
        hash.add((source?.key ?? textsKey).utf8)
        return hash.hexadecimal
    }()

    /// A fingerprint of all texts.
    private lazy var textsKey: String = {
        var hash = Fingerprint()
        for sample in samples + heldOut {
            for text in objective.texts(of: sample) {
                hash.add(UInt64(text.count))
                for (token, weight) in zip(text.tokens, text.weights) {
                    hash.add(UInt64(UInt32(bitPattern: token)) << 32 | UInt64(weight.bitPattern))
                }
            }
        }
        return hash.hexadecimal
    }()

    private func writeCheckpoint(after step: Int, _ onEvent: (TrainingEvent) throws -> Void) throws {
        guard let checkpoints else { return }
        let path = checkpoints.file(step: step)
        let checkpoint = Checkpoint(
            step: step, history: history, evaluationsWithoutBest: evaluationsWithoutBest, runKey: runKey)
        try checkpoint.write(parameters: model.parameters, states: optimiser.states, to: path)
        checkpoints.prune()
        lastCheckpoint = path
        try onEvent(.checkpointed(step: step, path: path))
    }

    /// Takes up the latest checkpoint, if there is one, and gives its step.
    private func resume(_ onEvent: (TrainingEvent) throws -> Void) throws -> Int {
        guard let checkpoints else { return 0 }
        checkpoints.prune()
        guard let path = checkpoints.files.first else { return 0 }
        let (checkpoint, states) = try Checkpoint.read(path, runKey: runKey, parameters: model.parameters)
        optimiser.states = states
        history = checkpoint.history
        evaluationsWithoutBest = checkpoint.evaluationsWithoutBest
        lastCheckpoint = path
        try onEvent(.resumed(step: checkpoint.step, checkpoint: path))
        return checkpoint.step
    }

    // MARK: The reference

    /// Scores all texts by the model before training, or reads what an earlier run with the same model and texts found.
    private func prepareReference(_ onEvent: (TrainingEvent) throws -> Void) throws {
        guard objective.usesReference, referenceSums.isEmpty else { return }
        let all = samples + heldOut
        let counts = all.map { objective.texts(of: $0).count }
        let key = "\(modelKey) \(textsKey)"
        var sums = try checkpoints.flatMap { try Self.storedReference($0.reference, key: key, counts: counts) }
        if sums == nil {
            let found = try scoreReference(all, onEvent)
            if let checkpoints {
                try writeTensors(
                    ["sums": Tensor(found.flatMap { $0 })], to: checkpoints.reference, metadata: ["key": key])
            }
            sums = found
        }
        referenceSums = Array((sums ?? []).prefix(samples.count))
        heldOutReferenceSums = Array((sums ?? []).dropFirst(samples.count))
    }

    /// Scores each text once, however many samples have it.
    private func scoreReference(
        _ all: [Training.Sample], _ onEvent: (TrainingEvent) throws -> Void
    ) throws -> [[Float]] {
        let texts = all.map { objective.texts(of: $0) }
        var places: [TokenSequence: Int] = [:]
        var distinct: [TokenSequence] = []
        for text in texts.joined() where places[text] == nil {
            places[text] = distinct.count
            distinct.append(text)
        }
        var sums = [Float](repeating: 0, count: distinct.count)
        let policy = Policy(model)
        var done = 0
        for pass in passes(Array(distinct.indices), tokens: { distinct[$0].count }, limit: settings.tokensPerPass) {
            let found = GradientMode.withoutGradients {
                policy.logProbabilities(pass.map { distinct[$0] }).sums.floats()
            }
            for (text, sum) in zip(pass, found) { sums[text] = sum }
            done += pass.count
            try onEvent(.scoringReference(done: done, of: distinct.count))
        }
        return texts.map { $0.map { text in places[text].map { sums[$0] } ?? 0 } }
    }

    private static func storedReference(_ path: String, key: String, counts: [Int]) throws -> [[Float]]? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let file = try SafetensorsFile(path: path)
        guard file.metadata["key"] == key, file.info("sums")?.elementCount == counts.reduce(0, +) else { return nil }
        var values = try file.floats(of: "sums")[...]
        return counts.map { count in
            defer { values = values.dropFirst(count) }
            return Array(values.prefix(count))
        }
    }
}

/// A seed made of two numbers.
func mixed(_ seed: UInt64, _ number: UInt64) -> UInt64 {
    var generator = SplitMixGenerator(seed: seed ^ (number &+ 1) &* 0xd6e8_feb8_6659_fd93)
    return generator.next()
}
