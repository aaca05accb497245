import Foundation
import Models
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
/// the reference and (where several steps follow, or the objective asks for it) by the model itself, and hands the trainer
/// the steps. The steps of a round are ``Trainer``'s, with its checkpoints (between rounds), exact resume, and records. Several ranks share
/// the writing and scoring of texts as they share the steps.
public struct OnPolicyRun<Training: OnPolicyObjective>: Sendable {
    /// Makes the sampler over the model that trains.
    public typealias MakeSampler = @Sendable (DecoderModel, any WeightSource) throws -> any RolloutSampler

    /// A GGUF file or a Hugging Face folder.
    public var model: String
    public var objective: Training
    /// Where values are learnt, their head is added to it.
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
    /// Joins the processes that train together. Called on the thread that trains.
    public var join: @Sendable () throws -> any Communicator = { SingleProcess() }

    public init(
        model: String, objective: Training, parameterisation: any Parameterisation, optimisation: Optimisation,
        prompts: [[TokenID]], output: String, rewardKey: String, makeSampler: @escaping MakeSampler
    ) {
        self.model = model
        self.objective = objective
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
        return try together(join, onEvent) { ranks in
            let source = try openWeights(at: model)
            let trained =
                try objective.valueHead.map { try NewHeads([.init($0, deviation: 0)], on: parameterisation) }
                ?? parameterisation
            let trainable = try trained.load(source, precision: precision, seed: settings.seed)
            let rounds = try OnPolicyRounds(self, trainable, source: source, over: ranks, onRound: onRound)
            var trainer = TrainerSettings()
            trainer.steps = settings.rounds * settings.stepsPerRound
            trainer.tokensPerPass = settings.tokensPerPass
            trainer.seed = settings.seed
            trainer.recomputes = settings.recomputes
            trainer.stepsPerCheckpoint = settings.roundsPerCheckpoint.map { $0 * settings.stepsPerRound }
            let summary = try Trainer(
                trainable, objective: objective, optimisation: optimisation, samples: [], settings: trainer,
                folder: output + "/checkpoints",
                modelKey: "\(source.fingerprint()) \(precision.rawValue) \(trained)",
                source: SampleSource(
                    key: key, stepsPerRound: settings.stepsPerRound, samples: { try rounds.samples(ofStep: $0, $1) }),
                over: ranks
            ).run(stop: stop, onEvent: onEvent)
            guard ranks.isFirst else { return summary }
            if summary.outcome != .interrupted {
                try trainable.write(from: source, baseModel: model, format: format, to: output)
            }
            try summary.write(to: output)
            return summary
        }
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
        hash.add(rewardKey.utf8)
        for prompt in prompts {
            hash.add(UInt64(prompt.count))
            for token in prompt { hash.add(UInt64(UInt32(bitPattern: token))) }
        }
        return hash.hexadecimal
    }
}
