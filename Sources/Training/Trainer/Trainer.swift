import Foundation
import Models
import Tensors

/// Trains a model on samples with an objective: the loop, and nothing of any method.
///
/// A step takes its samples, divides them into passes, sums the gradients of the objective's loss over the passes, and lets the optimiser
/// move the parameters. With a folder, checkpoints are written there, and a trainer over the same folder goes on from the latest one
/// with the same results to the bit.
///
/// Several processes may train together, each with a trainer of the same run: every rank takes its share of a step's samples, and the
/// reports are those of the whole step. Only the first rank reads and writes the folder.
///
/// Not thread-safe: one caller at a time, who lets nobody read the model during `run`.
public final class Trainer<Training: Objective> {
    let model: TrainableModel
    let objective: Training
    private(set) var samples: [Training.Sample]
    let heldOut: [Training.Sample]
    let settings: TrainerSettings
    let ranks: any Communicator
    let checkpoints: CheckpointFolder?
    /// Which model the run starts from, for keys of files.
    let modelKey: String
    /// Makes each step's samples, where they aren't given beforehand.
    let source: SampleSource<Training.Sample>?
    /// Tokens of each sample.
    private var lengths: [Int]
    /// The prompt of each sample, where samples are made as the run goes: several to a prompt.
    private var prompts: [SharedPrompt?] = []
    private let heldOutLengths: [Int]
    private var order: DataOrder
    private var optimiser: OptimiserRun
    /// Where there are several ranks.
    private let exchange: GradientExchange?
    var referenceSums: [[Float]] = []
    var heldOutReferenceSums: [[Float]] = []
    private var history = TrainingHistory()
    private var evaluationsWithoutBest = 0
    private var lastCheckpoint: String?

    /// - Parameters:
    ///   - heldOut: samples to evaluate on.
    ///   - folder: of checkpoints; nil: none are written.
    ///   - modelKey: a fingerprint of the model before training.
    ///   - source: makes the samples of each step as the run goes; `settings.steps` then says how many there are.
    ///   - ranks: those that train together.
    /// - Throws: where a setting or a sample makes no sense.
    public init(
        _ model: TrainableModel, objective: Training, optimisation: Optimisation, samples: [Training.Sample],
        heldOut: [Training.Sample] = [], settings: TrainerSettings = TrainerSettings(), folder: String? = nil,
        modelKey: String = "", source: SampleSource<Training.Sample>? = nil,
        over ranks: any Communicator = SingleProcess()
    ) throws {
        try settings.check()
        // Samples that are made on the way bring what they need of the model before training themselves.
        guard source == nil || !objective.usesReference || objective is any OnPolicyObjective else {
            throw TrainingError.badSetting(
                objective.name, reason: "compares given texts with the model before training")
        }
        guard source == nil || settings.steps != nil else {
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
        self.ranks = ranks
        checkpoints = folder.map { CheckpointFolder(path: $0, kept: settings.checkpointsKept) }
        order = DataOrder(
            count: max(1, samples.count), perStep: settings.samplesPerStep, seed: settings.seed,
            shuffles: settings.shuffles, epochs: settings.steps == nil && source == nil ? settings.epochs : nil)
        try optimisation.rule.check(model.parameters)
        optimiser = OptimiserRun(settings: optimisation)
        exchange = ranks.size > 1 ? GradientExchange(model.parameters, over: ranks) : nil
        if let folder, ranks.isFirst { try makeFolder(folder) }
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
    public var totalSteps: Int { settings.steps ?? order.steps ?? 0 }

    /// What the optimiser tells of each parameter's last step, by name; of several ranks, those that this one owns.
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
        guard try prepareReference(stop, onEvent) else {
            return TrainingSummary(outcome: .interrupted, history: history)
        }
        let first = max(try resume(onEvent), history.steps.last?.step ?? 0) + 1
        var outcome = isStale ? TrainingSummary.Outcome.stoppedEarly : .completed
        let total = totalSteps
        try onEvent(.began(after: first - 1, of: total))
        for step in stride(from: first, through: outcome == .completed ? total : 0, by: 1) {
            let report = try take(step, of: total)
            history.steps.append(report)
            try onEvent(.step(report))
            if let every = settings.stepsPerEvaluation, step % every == 0 || step == total {
                try evaluate(after: step, onEvent)
            }
            // A round of samples that were made together is gone through before the run may end.
            let endsRound = step % (source?.stepsPerRound ?? 1) == 0
            let isDue = endsRound && (settings.stepsPerCheckpoint.map { step % $0 == 0 } ?? false)
            let isStopped = try endsRound && ranks.any(stop.isRequested)
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
        summary.optimiserBytes = Int(try ranks.sum([Double(optimiser.byteCount)])[0])
        try onEvent(.finished(summary))
        return summary
    }

    /// Whether evaluations have stopped improving.
    private var isStale: Bool { settings.patience.map { evaluationsWithoutBest >= $0 } ?? false }

    /// One step of the optimiser.
    private func take(_ step: Int, of total: Int) throws -> StepReport {
        let clock = ContinuousClock()
        let start = clock.now
        let (chosen, made) = try chosenSamples(ofStep: step)
        let rate = optimiser.settings.rate * optimiser.settings.schedule.factor(step: step, of: total)
        guard !chosen.isEmpty else {
            return StepReport(
                step: step, totalSteps: total, loss: 0, rate: rate, gradientNorm: 0, tokens: 0,
                seconds: (clock.now - start) / .seconds(1), figures: made)
        }
        let weight = chosen.reduce(0) { $0 + objective.weight(of: samples[$1]) }
        var gradients = Gradients()
        var sums = LossSums()
        let stepSeed = mixed(settings.seed, UInt64(step))
        defer { model.dropoutSeed.current = 0 }
        let own = passes(chosen, tokens: { lengths[$0] }, prompt: { prompts.isEmpty ? nil : prompts[$0] })
        for (place, pass) in own.enumerated() {
            model.dropoutSeed.current = mixed(stepSeed, UInt64(pass.number)) | 1
            let recomputes = settings.recomputes(passOf: pass.samples.map { lengths[$0] })
            let part = try objective.loss(
                of: batch(pass.samples, of: samples, referenceSums), policy: Policy(model, recomputes: recomputes))
            sums.add(part)
            // Alone; several ranks find out together, below.
            guard sums.loss.isFinite || exchange != nil else { throw notFinite("loss", step, pass.samples) }
            part.total.accumulateGradients(
                into: &gradients, final: place == own.count - 1 ? exchange?.finalGradients : nil)
        }
        // Steps without samples don't count for averages over steps.
        let update = source == nil ? step : 1 + history.steps.count { $0.tokens > 0 }
        let norm: Double
        if let exchange {
            norm = try optimiser.step(
                model.parameters, exchange, consume gradients, scale: 1 / weight, number: step, update: update,
                of: total,
                seed: mixed(stepSeed, .max))
        } else {
            norm = optimiser.step(
                model.parameters, consume gradients, scale: 1 / weight, number: step, update: update, of: total,
                seed: mixed(stepSeed, .max))
        }
        sums = try ranks.gather(sums).reduce(LossSums(), +)
        guard sums.loss.isFinite else { throw notFinite("loss", step, chosen) }
        guard norm.isFinite else { throw notFinite("gradient", step, chosen) }
        let told = try ranks.gather(optimiser.figures).reduce([:]) { $0.merging($1, uniquingKeysWith: +) }
        return StepReport(
            step: step, totalSteps: total, loss: sums.loss / weight, rate: rate, gradientNorm: norm,
            tokens: chosen.reduce(0) { $0 + lengths[$1] }, seconds: (clock.now - start) / .seconds(1),
            figures: sums.means(over: chosen.count).merging(made) { own, _ in own }
                .merging(told.mapValues(\.value)) { own, _ in own })
    }

    /// The passes of these samples that this rank makes.
    private func passes(
        _ samples: [Int], tokens: (Int) -> Int, prompt: (Int) -> SharedPrompt? = { _ in nil }
    ) -> [RankPass] {
        cut(samples, tokens: tokens, whole: objective.comparesSamples || model.usesDropout, prompt: prompt)
    }

    func cut(
        _ samples: [Int], tokens: (Int) -> Int, whole: Bool, prompt: (Int) -> SharedPrompt? = { _ in nil }
    ) -> [RankPass] {
        rankPasses(
            samples, tokens: tokens, limit: settings.tokensPerPass, rank: ranks.rank, of: ranks.size, whole: whole,
            prompt: prompt)
    }

    /// The samples of a step, and what was found when they were made.
    private func chosenSamples(ofStep step: Int) throws -> (samples: [Int], figures: [String: Double]) {
        guard let source else { return (order.samples(ofStep: step), [:]) }
        let made = try source.samples(step, history)
        samples = made.samples
        lengths = try Self.lengths(samples, objective, vocabulary: model.model.configuration.vocabularySize)
        let texts = objective.sharesPrompts ? samples.map { objective.texts(of: $0) } : []
        prompts = !texts.isEmpty && texts.allSatisfy { $0.count == 1 } ? sharedPrompts(texts.map { $0[0] }) : []
        return (Array(samples.indices), made.figures)
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

    /// The loss and figures over the held-out samples. Every rank has to ask.
    public func evaluation() throws -> (loss: Double, figures: [String: Double]) {
        guard !heldOut.isEmpty else {
            throw TrainingError.badSetting("held-out samples", reason: "there are none to evaluate on")
        }
        var sums = LossSums()
        try GradientMode.withoutGradients {
            // What is compared with one another is as many as in a step.
            let portion = objective.comparesSamples ? settings.samplesPerStep : heldOut.count
            for start in stride(from: 0, to: heldOut.count, by: portion) {
                let part = Array(start..<min(start + portion, heldOut.count))
                for pass in passes(part, tokens: { heldOutLengths[$0] }) {
                    sums.add(
                        try objective.loss(
                            of: batch(pass.samples, of: heldOut, heldOutReferenceSums), policy: Policy(model)))
                }
            }
        }
        sums = try ranks.gather(sums).reduce(LossSums(), +)
        let weight = heldOut.reduce(0) { $0 + objective.weight(of: $1) }
        return (sums.loss / weight, sums.means(over: heldOut.count))
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
            guard ranks.isFirst else { return }
            try writeTensors(
                Dictionary(uniqueKeysWithValues: model.parameters.map { ($0.name, $0.tensor) }), to: checkpoints.best)
        } else {
            bestInMemory = model.parameters.map { $0.tensor.detached().copied() }
        }
    }

    private func restoreBest() throws {
        guard history.best != nil else { return }
        if let checkpoints {
            if ranks.isFirst { try Checkpoint.fill(model.parameters, from: SafetensorsFile(path: checkpoints.best)) }
            try exchange?.spreadFromFirst()
        } else {
            for (parameter, best) in zip(model.parameters, bestInMemory) { parameter.tensor.detached().assign(best) }
        }
    }

    // MARK: Checkpoints

    /// What makes runs the same: everything that decides the numbers.
    private lazy var runKey = RunKey(
        model: modelKey + model.parameters.map { " \($0.name) \($0.tensor.shape)" }.joined(),
        data: source?.key ?? dataKey, objective: "\(objective)", optimisation: "\(optimiser.settings)",
        settings: settings)

    /// A fingerprint of the samples to learn from. Those to evaluate on may change.
    private var dataKey: String {
        var hash = Fingerprint()
        for sample in samples { hash.add(valuesOf: sample) }
        return hash.hexadecimal
    }

    /// A fingerprint of all texts.
    lazy var textsKey: String = {
        var hash = Fingerprint()
        for sample in samples + heldOut {
            for text in objective.texts(of: sample) { hash.add(text) }
        }
        return hash.hexadecimal
    }()

    private func writeCheckpoint(after step: Int, _ onEvent: (TrainingEvent) throws -> Void) throws {
        guard let checkpoints else { return }
        let path = checkpoints.file(step: step)
        let states = try exchange?.gathered(optimiser.states) ?? optimiser.states
        if ranks.isFirst {
            let checkpoint = Checkpoint(
                step: step, history: history, evaluationsWithoutBest: evaluationsWithoutBest, runKey: runKey)
            try checkpoint.write(parameters: model.parameters, states: states, to: path)
            checkpoints.prune()
        }
        lastCheckpoint = path
        try onEvent(.checkpointed(step: step, path: path))
    }

    /// Takes up the latest checkpoint, if there is one, and gives its step.
    private func resume(_ onEvent: (TrainingEvent) throws -> Void) throws -> Int {
        guard let checkpoints else { return 0 }
        var (found, states): (Checkpoint?, [String: ParameterState]) = (nil, [:])
        if ranks.isFirst {
            checkpoints.prune()
            if let path = checkpoints.files.first {
                let read = try Checkpoint.read(path, runKey: runKey, parameters: model.parameters)
                (found, states) = (read.checkpoint, read.states)
            }
        }
        guard let checkpoint = try ranks.fromFirst(found) else { return 0 }
        try exchange?.spreadFromFirst()
        optimiser.states = try exchange?.sharedOut(states) ?? states
        history = checkpoint.history
        evaluationsWithoutBest = checkpoint.evaluationsWithoutBest
        let path = checkpoints.file(step: checkpoint.step)
        lastCheckpoint = path
        try onEvent(.resumed(step: checkpoint.step, checkpoint: path))
        return checkpoint.step
    }
}

/// A seed made of two numbers.
func mixed(_ seed: UInt64, _ number: UInt64) -> UInt64 {
    var generator = SplitMixGenerator(seed: seed ^ (number &+ 1) &* 0xd6e8_feb8_6659_fd93)
    return generator.next()
}
