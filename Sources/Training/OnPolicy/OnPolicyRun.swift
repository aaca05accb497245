import Dispatch
import Foundation
import Models
import Synchronization
import Tensors
import Text

/// How much is written before the model learns from it, and how often.
public struct OnPolicySettings: Sendable, Hashable, Codable {
    /// Times that texts are written and learnt from.
    public var rounds = 100
    public var promptsPerRound = 8
    public var samplesPerPrompt = 8
    /// The most tokens of a completion.
    public var longest = 64
    /// How often a round's texts are gone through.
    public var epochs = 1
    /// Steps that one such pass is divided into.
    public var stepsPerEpoch = 1
    /// The most tokens of one forward pass with gradients. Decides the memory, not the result.
    public var tokensPerPass = 512
    /// Of the order of prompts and texts, of what is sampled, and of starting values.
    public var seed: UInt64 = 0
    public var recomputes = false
    /// Writes a checkpoint after every so many rounds; nil: only when a run is stopped.
    public var roundsPerCheckpoint: Int?

    public init() {}

    public var stepsPerRound: Int { epochs * stepsPerEpoch }
    public var textsPerRound: Int { promptsPerRound * samplesPerPrompt }

    func check() throws {
        for (name, value) in [
            ("rounds", rounds), ("prompts per round", promptsPerRound), ("samples per prompt", samplesPerPrompt),
            ("longest completion", longest), ("epochs", epochs), ("steps per epoch", stepsPerEpoch),
            ("rounds per checkpoint", roundsPerCheckpoint ?? 1),
        ] where value < 1 {
            throw TrainingError.badSetting(name, reason: "must be at least 1, not \(value)")
        }
        guard textsPerRound >= stepsPerEpoch else {
            throw TrainingError.badSetting(
                "steps per epoch", reason: "must be at most the round's \(textsPerRound) texts, not \(stepsPerEpoch)")
        }
    }
}

/// A whole run of learning from rewards as a value: write texts, reward them, learn from them, round after round.
///
/// Each round takes prompts in an order drawn anew for every epoch, has several texts written for each by the model as it is, scores them by
/// the reference and (where several steps follow, or values or penalties are used) by the model itself, and hands the trainer
/// the steps. The steps of a round are ``Trainer``'s, with its checkpoints (between rounds), exact resume, and records.
public struct OnPolicyRun: Sendable {
    /// Makes the sampler over the model that trains.
    public typealias MakeSampler = @Sendable (DecoderModel, any WeightSource) throws -> any RolloutSampler

    /// A GGUF file or a Hugging Face folder.
    public var model: String
    public var algorithm: PolicyAlgorithm
    /// Where values are learnt, the head `value` is added to it.
    public var parameterisation: any Parameterisation
    public var optimisation: Optimisation
    public var prompts: [[TokenID]]
    public var settings = OnPolicySettings()
    public var precision = ComputePrecision.bf16
    /// The number format of a model that is written as a whole.
    public var format = WeightFormat.bf16
    /// The folder of the result.
    public var output: String
    /// Whatever decides the rewards, for the key of checkpoints.
    public var rewardKey: String
    public var makeSampler: MakeSampler

    public init(
        model: String, algorithm: PolicyAlgorithm, parameterisation: any Parameterisation, optimisation: Optimisation,
        prompts: [[TokenID]], output: String, rewardKey: String, makeSampler: @escaping MakeSampler
    ) {
        self.model = model
        self.algorithm = algorithm
        self.parameterisation = parameterisation
        self.optimisation = optimisation
        self.prompts = prompts
        self.output = output
        self.rewardKey = rewardKey
        self.makeSampler = makeSampler
    }

    /// Trains, and writes the result unless the run was interrupted. Occupies the calling thread, which must be none of Swift's own pool, to
    /// the end.
    ///
    /// - Parameter onRound: sees the roll-outs of each round, counted from 1.
    @discardableResult
    public func run(
        stop: TrainingStop = TrainingStop(), onRound: @escaping (Int, [Rollout]) throws -> Void = { _, _ in },
        onEvent: (TrainingEvent) throws -> Void = { _ in }
    ) throws -> TrainingSummary {
        try settings.check()
        guard !prompts.isEmpty, prompts.allSatisfy({ !$0.isEmpty }) else {
            throw TrainingError.badSetting("prompts", reason: "there are none, or one has no tokens")
        }
        let source = try openWeights(at: model)
        let trained =
            algorithm.usesValues
            ? try NewHeads([.init(PolicyGradient.valueHead, deviation: 0)], on: parameterisation) : parameterisation
        let trainable = try trained.load(source, precision: precision, seed: settings.seed)
        let rounds = try Rounds(self, trainable, source: source, onRound: onRound)
        var trainer = TrainerSettings()
        trainer.steps = settings.rounds * settings.stepsPerRound
        trainer.tokensPerPass = settings.tokensPerPass
        trainer.seed = settings.seed
        trainer.recomputes = settings.recomputes
        trainer.stepsPerCheckpoint = settings.roundsPerCheckpoint.map { $0 * settings.stepsPerRound }
        let summary = try Trainer(
            trainable, objective: algorithm.loss, optimisation: optimisation, samples: [], settings: trainer,
            folder: output + "/checkpoints",
            modelKey: "\(source.fingerprint()) \(precision.rawValue) \(trained)",
            source: SampleSource(
                key: key, stepsPerRound: settings.stepsPerRound, samples: { try rounds.samples(ofStep: $0, $1) })
        ).run(stop: stop, onEvent: onEvent)
        if summary.outcome != .interrupted {
            try trainable.write(from: source, baseModel: model, format: format, to: output)
        }
        try summary.write(to: output)
        return summary
    }

    /// The same on a thread of its own. Cancelling the task asks the run to stop; it then ends with a checkpoint.
    @discardableResult
    public func followed(
        onRound: @escaping @Sendable (Int, [Rollout]) throws -> Void = { _, _ in },
        onEvent: @escaping @Sendable (TrainingEvent) throws -> Void = { _ in }
    ) async throws -> TrainingSummary {
        try await onTrainingThread { try run(stop: $0, onRound: onRound, onEvent: onEvent) }
    }

    private var key: String {
        var hash = Fingerprint()
        var settings = settings
        // What is kept may change between a run and its continuation.
        settings.roundsPerCheckpoint = nil
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        hash.add((try? encoder.encode(settings)) ?? Data())
        hash.add("\(algorithm) \(rewardKey)".utf8)
        for prompt in prompts {
            hash.add(UInt64(prompt.count))
            for token in prompt { hash.add(UInt64(UInt32(bitPattern: token))) }
        }
        return hash.hexadecimal
    }
}

/// The rounds of a run: makes what its steps learn from.
private final class Rounds {
    private let run: OnPolicyRun
    private let trainable: TrainableModel
    private let writer: ModelCopy
    private let reference: ModelCopy?
    private let sampler: any RolloutSampler
    private let onRound: (Int, [Rollout]) throws -> Void
    private var order: DataOrder
    private var experience: [Experience] = []

    init(
        _ run: OnPolicyRun, _ trainable: TrainableModel, source: any WeightSource,
        onRound: @escaping (Int, [Rollout]) throws -> Void
    ) throws {
        self.run = run
        self.trainable = trainable
        self.onRound = onRound
        writer = ModelCopy(of: trainable.model, for: .generation)
        reference = run.algorithm.usesReference ? ModelCopy(of: trainable.model, for: .reference) : nil
        sampler = try run.makeSampler(writer.model, source)
        order = DataOrder(count: run.prompts.count, perStep: run.settings.promptsPerRound, seed: run.settings.seed)
    }

    func samples(ofStep step: Int, _ history: TrainingHistory) throws -> [Experience] {
        let settings = run.settings
        let (round, place) = (step - 1).quotientAndRemainder(dividingBy: settings.stepsPerRound)
        if place == 0 { experience = try write(round: round + 1, history) }
        let (epoch, part) = place.quotientAndRemainder(dividingBy: settings.stepsPerEpoch)
        guard settings.stepsPerEpoch > 1 else { return experience }
        var texts = Array(experience.indices)
        var generator = SplitMixGenerator(seed: mixed(mixed(settings.seed, UInt64(round)), UInt64(epoch)))
        texts.shuffle(using: &generator)
        let bounds = (part...part + 1).map { $0 * texts.count / settings.stepsPerEpoch }
        return texts[bounds[0]..<bounds[1]].map { experience[$0] }
    }

    private func write(round: Int, _ history: TrainingHistory) throws -> [Experience] {
        let settings = run.settings
        var requests: [RolloutRequest] = []
        let roundSeed = mixed(settings.seed ^ 0x726f_6c6c, UInt64(round))
        for prompt in order.samples(ofStep: round) {
            for _ in 0..<settings.samplesPerPrompt {
                requests.append(
                    RolloutRequest(
                        promptIndex: prompt, prompt: run.prompts[prompt], limit: settings.longest,
                        seed: mixed(roundSeed, UInt64(requests.count))))
            }
        }
        writer.refresh()
        let rollouts = try waitFor { [sampler, requests] in
            await sampler.weightsChanged()
            let rollouts = try await sampler.rollouts(requests)
            // As they will: what was kept of these texts only takes room while the model learns.
            await sampler.weightsChanged()
            return rollouts
        }
        try onRound(round, rollouts)
        let algorithm = run.algorithm
        let needsOwn = settings.stepsPerRound > 1 || algorithm.penalty > 0 || algorithm.usesValues
        let own = needsOwn ? try score(rollouts, Policy(trainable), withValues: algorithm.usesValues) : nil
        let reference = try reference.map { try score(rollouts, Policy($0.model), withValues: false) }
        // The first step of a round reports all of its texts where it takes them all, else a part of them.
        let earlier = stride(from: 0, to: history.steps.count, by: settings.stepsPerRound).compactMap {
            history.steps[$0].figures["reward"]
        }
        return algorithm.experience(
            rollouts, group: settings.samplesPerPrompt, behaviour: own?.logProbabilities,
            reference: reference?.logProbabilities, values: own?.values, earlier: earlier)
    }

    /// The log-probability of every token of the completions, and the values of what stands before them, without gradients.
    private func score(
        _ rollouts: [Rollout], _ policy: Policy, withValues: Bool
    ) throws -> (logProbabilities: [[Float]], values: [[Float]]?) {
        let empty = [[Float]](repeating: [], count: rollouts.count)
        var (found, values) = (empty, empty)
        let texts = rollouts.map { TokenSequence(prompt: $0.prompt, completion: $0.completion) }
        try GradientMode.withoutGradients {
            let prompts = sharedPrompts(texts)
            let all = passes(
                Array(texts.indices), tokens: { texts[$0].count }, limit: run.settings.tokensPerPass,
                prompt: { prompts[$0] })
            for pass in all {
                let batch = policy.pack(pass.map { texts[$0] }, together: pass.count)
                let hidden = policy.hiddenStates(batch)
                let own = policy.model.logProbabilities(of: hidden, targets: batch.targets).floats()
                let judged =
                    withValues
                    ? try policy.outputs(
                        of: PolicyGradient.valueHead, hidden: hidden, rows: (0..<Int32(batch.rows)).map { $0 }
                    ).floats() : []
                for (place, text) in pass.enumerated() {
                    let count = rollouts[text].completion.count
                    let first = batch.firstRow(of: place, completion: count)
                    let range = first..<first + count
                    found[text] = Array(own[range])
                    if withValues { values[text] = Array(judged[range]) }
                }
            }
        }
        return (found, withValues ? values : nil)
    }
}

/// Waits on a thread of one's own for what tasks do.
private func waitFor<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
    let done = DispatchSemaphore(value: 0)
    let result = Mutex<Result<Value, any Error>>(.failure(CancellationError()))
    Task.detached {
        let found: Result<Value, any Error>
        do { found = .success(try await body()) } catch { found = .failure(error) }
        result.withLock { $0 = found }
        done.signal()
    }
    done.wait()
    return try result.withLock { $0 }.get()
}
