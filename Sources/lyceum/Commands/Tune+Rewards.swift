import ArgumentParser
import Foundation
import Laboratory
import Models
import Text
import Training

/// What `lyceum tune` asks about learning from rewards.
struct RewardArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What earns 1: number, text, expression, yesno or date (as the record's answer says), regex:PATTERN, or python:FILE, which reads the reply from its standard input and exits with 0; or what earns any number: model:FOLDER, a model that --objective reward trained.",
            valueName: "reward"))
    var reward: String?

    @Option(help: "Texts written for each prompt (else 8); --batch prompts a round.")
    var samples: Int?

    @Option(help: "The most tokens of a written text (else 64).")
    var answerTokens: Int?

    @Option(help: "How often a round's texts are learnt from (else once).")
    var innerEpochs: Int?

    @Option(help: "Steps that go once through a round's texts (else 1).")
    var innerSteps: Int?

    @Option(help: "How strongly the model is held to what it was (else the objective's usual strength).")
    var divergence: Double?

    func validate() throws {
        for (name, value) in [
            ("samples", samples), ("answer-tokens", answerTokens), ("inner-epochs", innerEpochs),
            ("inner-steps", innerSteps),
        ] where !(1...65_536).contains(value ?? 1) {
            throw ValidationError("--\(name) can't be \(value ?? 0): it expects 1 to 65536.")
        }
        guard divergence.map({ $0 >= 0 && $0.isFinite }) ?? true else {
            throw ValidationError("--divergence must be 0 or more.")
        }
    }
}

/// What a written text earns.
private enum RewardSource {
    case verifiable(VerifiableReward)
    /// A trained reward model in a folder.
    case model(String)

    init(_ spelling: String) throws {
        let prefix = "model:"
        self =
            try spelling.hasPrefix(prefix)
            ? .model(Folders.expandingHome(String(spelling.dropFirst(prefix.count))))
            : .verifiable(VerifiableReward(spelling: spelling))
    }

    var needsAnswers: Bool {
        if case .verifiable(let reward) = self { reward.needsAnswers } else { false }
    }

    /// For the key of checkpoints.
    func key() throws -> String {
        switch self {
        case .verifiable(let reward): "\(reward)"
        case .model(let folder): "\(folder) \(try TrainedFolder.fingerprint(of: folder))"
        }
    }

    /// - Parameters:
    ///   - golds: the right answers to each prompt.
    ///   - prompts: the turns that each prompt's text is made of.
    func judge(
        golds: [[String]], prompts: [[ChatMessage]], precision: ComputePrecision
    ) async throws -> EngineSampler.Judge {
        switch self {
        case .verifiable(let reward):
            let sandbox: Sandbox? = if case .program = reward { try await Sandbox() } else { nil }
            return { texts in
                let right = try await reward.areRight(
                    texts.map(\.text), golds: texts.map { golds[$0.promptIndex] }, sandbox: sandbox)
                return zip(texts, right).map { Reward($1 ? 1 : 0, for: $0) }
            }
        case .model(let folder):
            let rater = try TextRater(folder: folder, model: nil, precision: precision)
            guard [BradleyTerry.head, StepScores.head, StepScores.numberHead].contains(rater.head.name) else {
                throw ValidationError("--reward \(folder) has the head \(rater.head.name), which gives no rewards.")
            }
            return { texts in
                var encoder = try SampleEncoder(rater.words, limit: rater.contextLength)
                let whole = try texts.map {
                    let prompt = prompts[$0.promptIndex]
                    return try encoder.turns($0.text.isEmpty ? prompt : prompt + [.assistant($0.text)])
                }
                return try zip(texts, rater.rewards(of: whole)).map { Reward($1, for: $0) }
            }
        }
    }
}

extension Tune {
    /// Writes, checks and learns, round after round.
    func trainOnRewards(_ algorithm: PolicyAlgorithm) async throws -> TrainingSummary {
        try training.settings.check()
        let reward = try RewardSource(rewards.reward ?? "")
        let path = try modelPath()
        let source = try openWeights(at: path)
        let context = try source.configuration().contextLength
        let longest = rewards.answerTokens ?? 64
        let encoder = try SampleEncoder(ModelText(source), limit: context)
        let questions = try DataSet(path: data).records.map { record in
            let question = try QuestionRecord(record)
            if reward.needsAnswers, question.answers.isEmpty {
                // Reading the field says which record of which file lacks it.
                _ = try record.string("answer")
            }
            let prompt = try Self.sample(of: record) { try encoder.prompt(question.prompt) }
            guard longest <= context - prompt.count else {
                throw record.unusable(
                    "its \(prompt.count) tokens leave no room for \(longest) more in the model's \(context)")
            }
            return (prompt: prompt, turns: question.prompt, answers: question.answers)
        }
        let prompts = questions.map(\.prompt)
        let golds: [[String]] = questions.map(\.answers)
        let compute = training.precision.compute
        // Of several ranks the first one judges.
        var judge: EngineSampler.Judge = { _ in [] }
        if Ranks.own.isFirst {
            judge = try await reward.judge(golds: golds, prompts: questions.map(\.turns), precision: compute)
        }
        var run = OnPolicyRun(
            model: path, objective: algorithm, parameterisation: try parameterisation(),
            optimisation: try optimisation(), prompts: prompts, output: folder,
            rewardKey: "\(try reward.key()) \(golds)"
        ) { [judge] model, source in
            try EngineSampler(model, from: source, precision: compute, judge: judge)
        }
        run.precision = compute
        run.settings.promptsPerRound = training.batch
        run.settings.samplesPerPrompt = rewards.samples ?? 8
        run.settings.longest = longest
        run.settings.epochs = rewards.innerEpochs ?? 1
        run.settings.stepsPerEpoch = rewards.innerSteps ?? 1
        run.settings.rounds =
            training.steps
            ?? DataOrder.steps(count: prompts.count, perStep: training.batch, epochs: training.epochs ?? 1)
        run.settings.tokensPerPass = training.tokensPerPass
        run.settings.recomputes = training.recompute
        run.settings.seed = training.seed
        run.settings.roundsPerCheckpoint = training.checkpointEvery
        let console = Ranks.console
        console.tell(
            "\(algorithm.name): \(prompts.count) prompts, \(run.settings.rounds) rounds of \(training.batch) × \(run.settings.samplesPerPrompt) texts"
        )
        let record = record(algorithm.name, model: path, counts: [("prompts", prompts.count)])
        return told(try await record.kept { [run] in try await Ranks.train(run, console) })
    }
}
