import Inference
import Laboratory
import Models
import Text
import Training

/// The sizes of the experiment on sums: how large the model is, how much it is taught, and how long it learns from rewards.
package struct TotalsPlan: Sendable {
    /// Digits that a sum has.
    package var terms = 3
    package var layers = 4
    package var hiddenSize = 128
    /// The start policy imitates traces until it answers this share of the watched sums, or to the last step of 64 traces.
    package var goal = 0.58
    package var watched = 100
    package var teachingSteps = 180
    /// The completer that labels prefixes goes on from the start policy for so many steps: as in the paper, where it is a model several
    /// times the policy's size, it is better at sums. Labels from the policy's own completions say of a harmless line what the
    /// policy can't do, not what the line is worth.
    package var completerSteps = 200
    package var teachingRate = 1e-3
    /// Sums that are only examined.
    package var examined = 200
    /// Responses a sum that the process reward model learns from.
    package var labelled = 4
    /// Completions a prefix.
    package var completions = 8
    package var rewardEpochs = 4.0
    /// Updates of PPO.
    package var rounds = 150
    package var questionsPerRound = 16
    package var samples = 4
    /// The most bytes of a response: sixteen filler lines.
    package var longest = 48
    package var rate = 1e-4
    /// How much faster the critic's head learns than the policy: it starts at nothing, and until it knows what a response is worth
    /// all of its tokens are praised and blamed alike.
    package var valueRateFactor = 20.0

    package init() {}
}

/// What the arms of the experiment share: the start policy, the reward model, and how PPO runs.
package struct TotalsStage: Sendable {
    package static let filler = "ok"

    let learning: RewardLearning
    let judge: StepJudge
    let start: StepExamination
    /// Of the model that labels, at temperature 1 on held-out questions.
    let completerAccuracy: Double
    /// Mean scores of lines that the start policy wrote for held-out questions: of filler and right lines with nothing wrong before
    /// them, and of wrong ones.
    let fillerScore: Double
    /// Of filler wherever it stands.
    let anyFillerScore: Double
    let rightScore: Double
    let wrongScore: Double

    init(_ plan: TotalsPlan, in lab: Lab) async throws {
        var generator = lab.random("sums")
        let sums = generator.shuffled(RunningTotal.all(terms: plan.terms))
        let (examined, learnt) = (sums[..<plan.examined], sums[plan.examined...])
        let untaught = try lab.newModel(
            "untaught",
            NewModel(
                .llama(
                    layers: plan.layers, hiddenSize: plan.hiddenSize, heads: plan.hiddenSize / 32, contextLength: 96),
                tokenizer: .bytes()))
        let words = try ModelText(path: untaught)
        func task(_ sums: ArraySlice<RunningTotal>) throws -> StepTask {
            try StepTask(sums.map(\.question), words: words, separator: "\n", longest: plan.longest)
        }
        let lessons = try Self.lessons(words, Array(learnt.dropFirst(plan.watched)), using: &generator)
        let model = try await Self.halfTaught(
            untaught, lessons, watched: task(learnt.prefix(plan.watched)), plan, in: lab)
        var settings = OnPolicySettings()
        settings.rounds = plan.rounds
        settings.promptsPerRound = plan.questionsPerRound
        settings.samplesPerPrompt = plan.samples
        settings.epochs = 2
        settings.tokensPerPass = 2048
        var learning = RewardLearning(
            model: model, task: try task(learnt), examined: try task(examined),
            algorithm: try .ppo(penalty: 0.02), settings: settings, parameterisation: ChosenWeights.all,
            optimisation: try Optimisation(
                rate: plan.rate, schedule: LearningRateSchedule(.linear(end: 0.1), warmUp: 5),
                groups: [
                    .init(NamePattern("heads.\(PolicyGradient.valueHead).*"), rateFactor: plan.valueRateFactor)
                ]), lab: lab)
        learning.samplesPerExamination = 4
        learning.precision = .f32
        learning.format = .f32

        let policy = try lab.open(model)
        let responses = try await learning.task.responses(
            of: policy, samples: plan.labelled, label: "Sampling the start policy", in: lab
        ).flatMap { $0 }
        let completing = try Self.teaching(
            "completer", from: model, lessons, steps: plan.completerSteps, rate: plan.teachingRate, in: lab)
        try await lab.train("Teaching the completer", completing)
        let completer = try lab.open(completing.output)
        let completed = try await learning.examined.responses(
            of: completer, label: "Sampling the completer", in: lab
        ).flatMap { $0 }
        completerAccuracy = Double(completed.count { $0.isRight }) / Double(max(1, completed.count))
        let labelled = try await StepLabels(completions: plan.completions).process(
            responses, of: learning.task, completer: { try await completer.texts($0) }, in: lab)
        var judge = StepJudge(.success, weight: 0.2)
        judge.process = try await learning.rewardModel(
            "process reward model", labelled, rate: 1e-3, epochs: plan.rewardEpochs)
        judge.threshold = try RLReward.threshold(judge(responses), percentile: 0.2)
        self.learning = learning
        self.judge = judge
        start = try await StepExamination(
            "start", of: policy, on: learning.examined, samples: 4, judge: judge, in: lab)

        var scores: [Line: [Double]] = [:]
        var anyFiller: [Double] = []
        for judged in start.sampled.joined() {
            let answers = learning.examined.questions[judged.response.question].golds
            var isRightSoFar = true
            for (step, score) in zip(judged.response.steps, judged.scores ?? []) {
                let line = Line(step.text, answers: answers)
                if line == .filler { anyFiller.append(score) }
                // After a wrong line neither filler nor what follows from that line is harmless.
                if line == .wrong || isRightSoFar { scores[line, default: []].append(score) }
                if line == .wrong { isRightSoFar = false }
            }
        }
        func mean(_ scores: [Double]?) -> Double {
            (scores ?? []).reduce(0, +) / Double(scores?.count ?? 0)
        }
        (fillerScore, anyFillerScore) = (mean(scores[.filler]), mean(anyFiller))
        (rightScore, wrongScore) = (mean(scores[.right]), mean(scores[.wrong]))
    }

    func policy(_ mode: StepReward) async throws -> LearntPolicy {
        var judge = judge
        judge.mode = mode
        return try await learning.policy(judge)
    }

    /// A model that imitates traces until it answers more than half of the sums that it is watched on, which are among those that policies
    /// learn on, not among the examined ones. It has seen all kinds of sums and is sure of few, so that right lines are drawn now and then
    /// where the most likely ones are wrong: a policy that is sure of a part and has never seen the rest finds little to be rewarded for.
    private static func halfTaught(
        _ untaught: String, _ lessons: [TokenSequence], watched: StepTask, _ plan: TotalsPlan, in lab: Lab
    ) async throws -> String {
        let run = try teaching(
            "start", from: untaught, lessons, steps: plan.teachingSteps, rate: plan.teachingRate, in: lab)
        let session = try run.open(writesCheckpoints: false)
        var options = LocalModel.Options()
        options.precision = .f32
        let policy = try LocalModel(
            session.trainable.model, from: session.source, reference: untaught, options: options)
        let progress = lab.progress("Teaching the start policy", total: nil)
        defer { progress.finish() }
        // Sooner it answers next to nothing.
        for last in stride(from: min(60, plan.teachingSteps), through: plan.teachingSteps, by: 5) {
            try await session.train(through: last)
            await policy.forgetPrefixes()
            let answers = try await policy.texts(
                watched.prompts.enumerated().map {
                    RolloutRequest(promptIndex: $0, prompt: $1, limit: watched.longest, seed: 0)
                }, temperature: 0)
            let share = Double(answers.count { watched.response($0).isRight }) / Double(answers.count)
            progress.note("step \(last): \(NumberStyle.percent.text(share)) of the watched sums")
            progress.advance()
            if share >= plan.goal { break }
        }
        try session.write()
        return run.output
    }

    /// Traces of sums, to imitate.
    private static func lessons(
        _ words: ModelText, _ sums: [RunningTotal], using generator: inout SeededGenerator
    ) throws -> [TokenSequence] {
        var encoder = try SampleEncoder(words, limit: 96)
        return (0..<4_000).map { place in
            let sum = sums[place % sums.count]
            return encoder.text(sum.prompt + trace(of: sum, using: &generator).joined(separator: "\n"))
        }
    }

    /// Imitation of traces, 64 a step.
    ///
    /// - Parameter name: of the result's folder in the run and of the order's random stream.
    private static func teaching(
        _ name: String, from start: String, _ lessons: [TokenSequence], steps: Int, rate: Double, in lab: Lab
    ) throws -> TrainingRun<Supervised> {
        var run = TrainingRun(
            model: start, objective: Supervised(), parameterisation: ChosenWeights.all,
            optimisation: try Optimisation(
                rate: rate, schedule: LearningRateSchedule(.cosine(end: 0.1), warmUp: 10)),
            samples: lessons, output: try lab.modelFolder(name))
        run.settings.samplesPerStep = 64
        run.settings.tokensPerPass = 2048
        run.settings.steps = steps
        run.settings.seed = lab.seed(name)
        run.precision = .f32
        run.format = .f32
        return run
    }

    /// The lines of a solution, before each of which one time in ten stands filler: a line, or with falling probability several, so that
    /// a line of filler after another is nothing that the policy never writes.
    package static func trace(of sum: RunningTotal, using generator: inout SeededGenerator) -> [String] {
        sum.lines.flatMap { line in
            guard generator.chance(0.1) else { return [line] }
            var count = 1
            while count < 5, generator.chance(0.5) { count += 1 }
            return [String](repeating: filler, count: count) + [line]
        }
    }

    /// What a line of a solution is.
    private enum Line: Hashable {
        case filler, right, wrong

        /// Filler, an equation that is right or wrong in itself, or an answer.
        init(_ text: String, answers: [String]) {
            let sides = text.split(separator: "=", omittingEmptySubsequences: false)
            if text == TotalsStage.filler {
                self = .filler
            } else if sides.count == 2 {
                let sum = sides[0].split(separator: "+").compactMap { Int($0) }.reduce(0, +)
                self = Int(sides[1]) == sum ? .right : .wrong
            } else {
                self = answers.contains(text) ? .right : .wrong
            }
        }
    }
}
