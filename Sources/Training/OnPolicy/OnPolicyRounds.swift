import Dispatch
import Models
import Synchronization
import Tensors
import Text

/// The rounds of a run: makes what its steps learn from.
final class OnPolicyRounds<Training: OnPolicyObjective> {
    private let run: OnPolicyRun<Training>
    private let trainable: TrainableModel
    private let ranks: any Communicator
    private let writer: ModelCopy
    private let reference: ModelCopy?
    private let sampler: any RolloutSampler
    private let onRound: (Int, [Rollout]) throws -> Void
    private var order: DataOrder
    private var samples: [Training.Sample] = []
    private var figures: [String: Double] = [:]

    init(
        _ run: OnPolicyRun<Training>, _ trainable: TrainableModel, source: any WeightSource,
        over ranks: any Communicator, onRound: @escaping (Int, [Rollout]) throws -> Void
    ) throws {
        self.run = run
        self.trainable = trainable
        self.ranks = ranks
        self.onRound = onRound
        writer = ModelCopy(of: trainable.model, for: .generation)
        reference = run.objective.usesReference ? ModelCopy(of: trainable.model, for: .reference) : nil
        sampler = try run.makeSampler(writer.model, source)
        order = DataOrder(count: run.prompts.count, perStep: run.settings.promptsPerRound, seed: run.settings.seed)
    }

    func samples(ofStep step: Int, _ history: TrainingHistory) throws -> StepSamples<Training.Sample> {
        let settings = run.settings
        let (round, place) = (step - 1).quotientAndRemainder(dividingBy: settings.stepsPerRound)
        if place == 0 {
            let written = try write(round: round + 1, history)
            samples = try run.objective.samples(from: written)
            figures = written.figures
        }
        let (epoch, part) = place.quotientAndRemainder(dividingBy: settings.stepsPerEpoch)
        guard settings.stepsPerEpoch > 1 else { return StepSamples(samples, figures: figures) }
        var places = Array(samples.indices)
        var generator = SplitMixGenerator(seed: mixed(mixed(settings.seed, UInt64(round)), UInt64(epoch)))
        places.shuffle(using: &generator)
        let bounds = (part...part + 1).map { $0 * places.count / settings.stepsPerEpoch }
        return StepSamples(places[bounds[0]..<bounds[1]].map { samples[$0] }, figures: figures)
    }

    /// Has the texts of a round written, rewarded and scored, each rank a share of them.
    private func write(round: Int, _ history: TrainingHistory) throws -> OnPolicyRound {
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
        // The texts of a prompt stay together as far as they can: they share what was computed of it.
        let bounds = (ranks.rank...ranks.rank + 1).map { $0 * requests.count / ranks.size }
        let own = Array(requests[bounds[0]..<bounds[1]])
        writer.refresh()
        let written = try waitFor { [sampler] in
            await sampler.weightsChanged()
            let texts = try await sampler.texts(own)
            // As they will: what was kept of these texts only takes room while the model learns.
            await sampler.weightsChanged()
            return texts
        }
        let texts = try ranks.gather(written).flatMap { $0 }
        let rewards = try ranks.fromFirst(
            ranks.isFirst ? waitFor { [sampler] in try await sampler.rewards(of: texts) } : [])
        guard texts.count == requests.count, rewards.count == texts.count else {
            throw TrainingError.badSetting(
                "rewards",
                reason: "there are \(texts.count) texts and \(rewards.count) rewards for \(requests.count) requests")
        }
        let rollouts = try zip(texts, rewards).map { try Rollout($0, $1) }
        if ranks.isFirst { try onRound(round, rollouts) }
        let objective = run.objective
        let isScored = settings.stepsPerRound > 1 || objective.usesBehaviour || objective.valueHead != nil
        let before = isScored ? try scores(of: rollouts, by: Policy(trainable), head: objective.valueHead) : nil
        let start = try reference.map { try scores(of: rollouts, by: Policy($0.model), head: nil) }
        return OnPolicyRound(
            rollouts, samplesPerPrompt: settings.samplesPerPrompt, behaviour: before?.logProbabilities,
            reference: start?.logProbabilities, values: before?.values,
            earlierRewards: stride(from: 0, to: history.steps.count, by: settings.stepsPerRound).compactMap {
                history.steps[$0].figures["reward"]
            })
    }

    private struct TextScores: Codable {
        var text: Int
        var logProbabilities: [Float]
        var values: [Float]
    }

    /// The log-probability of every token of the completions, and the values of what stands before them, without gradients.
    private func scores(
        of rollouts: [Rollout], by policy: Policy, head: String?
    ) throws -> (logProbabilities: [[Float]], values: [[Float]]?) {
        let texts = rollouts.map(\.text)
        let prompts = sharedPrompts(texts)
        let own = rankPasses(
            Array(texts.indices), tokens: { texts[$0].count }, limit: run.settings.tokensPerPass, rank: ranks.rank,
            of: ranks.size, whole: true, prompt: { prompts[$0] })
        let found = try GradientMode.withoutGradients {
            try own.flatMap { pass in
                let batch = policy.pack(pass.samples.map { texts[$0] }, together: pass.samples.count)
                let hidden = policy.hiddenStates(batch)
                let likely = policy.model.logProbabilities(of: hidden, targets: batch.targets).floats()
                let judged = try head.map {
                    try policy.outputs(of: $0, hidden: hidden, rows: (0..<Int32(batch.rows)).map { $0 }).floats()
                }
                return pass.samples.enumerated().map { place, text in
                    let count = rollouts[text].completion.count
                    let first = batch.firstRow(of: place, completion: count)
                    let rows = first..<first + count
                    return TextScores(
                        text: text, logProbabilities: Array(likely[rows]), values: judged.map { Array($0[rows]) } ?? [])
                }
            }
        }
        var all = [TextScores?](repeating: nil, count: texts.count)
        for scores in try ranks.gather(found).joined() { all[scores.text] = scores }
        return (
            all.map { $0?.logProbabilities ?? [] }, head.map { _ in all.map { $0?.values ?? [] } }
        )
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
