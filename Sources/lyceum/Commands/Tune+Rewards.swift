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
            "What earns 1: number, text, expression, yesno or date (as the record's answer says), regex:PATTERN, or python:FILE, which reads the reply from its standard input and exits with 0.",
            valueName: "reward"))
    var reward: String?

    @Option(help: "Texts written for each prompt; --batch prompts a round.")
    var samples = 8

    @Option(help: "The most tokens of a written text.")
    var answerTokens = 64

    @Option(help: "How often a round's texts are learnt from.")
    var innerEpochs = 1

    @Option(help: "Steps that go once through a round's texts.")
    var innerSteps = 1

    @Option(help: "How strongly the model is held to what it was (else the objective's usual strength).")
    var divergence: Double?

    func validate() throws {
        guard divergence.map({ $0 >= 0 && $0.isFinite }) ?? true else {
            throw ValidationError("--divergence must be 0 or more.")
        }
    }
}

extension Tune {
    /// Writes, checks and learns, round after round.
    func trainOnRewards(_ algorithm: PolicyAlgorithm) async throws -> TrainingSummary {
        try training.settings.check()
        let spelling = rewards.reward ?? ""
        let reward = try VerifiableReward(spelling: spelling)
        let sandbox: Sandbox? = if case .program = reward { try await Sandbox() } else { nil }
        let path = try ModelReference(model).localPath()
        let encoder = try SampleEncoder(ModelText(path: path), limit: .max)
        let questions = try DataSet(path: data).records.map { record in
            let question = try QuestionRecord(record)
            if reward.needsAnswers, question.answers.isEmpty {
                // Reading the field says which record of which file lacks it.
                _ = try record.string("answer")
            }
            return (
                prompt: try Self.sample(of: record) { try encoder.prompt(question.prompt) }, answers: question.answers
            )
        }
        guard !questions.isEmpty else { throw ValidationError("\(data) has no records.") }
        let prompts = questions.map(\.prompt)
        let golds: [[String]] = questions.map(\.answers)
        let compute = training.precision.compute
        var run = OnPolicyRun(
            model: path, algorithm: algorithm, parameterisation: try parameterisation(),
            optimisation: try optimisation(), prompts: prompts, output: out, rewardKey: "\(reward) \(golds)"
        ) { model, source in
            try EngineSampler(model, from: source, precision: compute) { texts in
                let right = try await reward.areRight(
                    texts.map(\.text), golds: texts.map { golds[$0.promptIndex] }, sandbox: sandbox)
                return zip(texts, right).map { Reward($1 ? 1 : 0, for: $0) }
            }
        }
        run.precision = compute
        run.settings.promptsPerRound = training.batch
        run.settings.samplesPerPrompt = rewards.samples
        run.settings.longest = rewards.answerTokens
        run.settings.epochs = rewards.innerEpochs
        run.settings.stepsPerEpoch = rewards.innerSteps
        run.settings.rounds =
            training.steps
            ?? max(1, Int((Double(prompts.count) * training.epochs / Double(training.batch)).rounded(.up)))
        run.settings.tokensPerPass = training.tokensPerPass
        run.settings.recomputes = training.recompute
        run.settings.seed = training.seed
        run.settings.roundsPerCheckpoint = training.checkpointEvery
        let console = Console.standardError()
        console.tell(
            "\(algorithm.name): \(prompts.count) prompts, \(run.settings.rounds) rounds of \(training.batch) × \(rewards.samples) texts"
        )
        let record = record(algorithm.name, model: path, counts: [("prompts", prompts.count)])
        let finished = try await record.kept { [run] in
            try await Interrupts.cancelling {
                let progress = TrainingProgress(on: console)
                return try await run.followed(onEvent: { progress.show($0) })
            }
        }
        Output.table(Self.table(of: finished.history))
        Output.line("\(finished.outcome.rawValue): \(out)")
        return finished
    }
}
