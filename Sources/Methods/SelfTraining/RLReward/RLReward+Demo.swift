import Foundation
import Inference
import Laboratory
import Models
import Text
import Training

extension RLReward {
    /// A model of 0.8 million numbers that half knows how to add three digits, from the traces of 160 sums with a harmless filler line
    /// here and there, learns on by PPO from right or wrong, with the scores of a process reward model as they are, and with Clip
    /// and Delta: from the same start, on the same questions.
    public func demo(in lab: Lab) async throws -> Demonstration {
        let stage = try await TotalsStage(in: lab)
        let start = stage.start
        let success = try await stage.policy(.success)
        let process = try await stage.policy(.process)
        let both = try await stage.policy(.clipDelta)
        let policies = [success, process, both]
        var generator = lab.random("scores")
        let exact = StepRewardExactness(using: &generator)

        let (first, one, raw, bounded) = (
            start.figure("steps"), success.examination, process.examination, both.examination
        )
        let percent = NumberStyle.percent
        let two = NumberStyle.decimals(2)
        var report = Report(
            "Sums of three digits, a line a step",
            summary:
                "Greedy accuracy \(percent.text(start.greedyAccuracy)) at the start; \(percent.text(one.greedyAccuracy)) from right or wrong alone, "
                + "\(percent.text(raw.greedyAccuracy)) with the process reward as it is (\(two.text(raw.figure("steps"))) steps instead of "
                + "\(two.text(first))), \(percent.text(bounded.greedyAccuracy)) with Clip and Delta "
                + "(\(two.text(bounded.figure("steps"))) steps).")
        let findings = RewardReport(
            start: start, policies: policies, threshold: stage.judge.threshold,
            questions: stage.learning.examined.questions)
        try findings.add(to: &report, emphasised: .clipDelta)
        report.note(
            "α is \(stage.judge.weight), large on purpose; η \(NumberStyle.decimals(3).text(stage.judge.threshold)). "
                + "\(TotalsStage.rounds) rounds of 64 responses, at most \(TotalsStage.longest) bytes each: sixteen filler lines."
        )
        try await findings.writeFiles(in: lab)
        return Demonstration(
            report,
            checks: [
                Check("accuracy at the start", start.greedyAccuracy, .between(0.5, 0.7)),
                Check("mean score of filler lines", stage.fillerScore, .atLeast(0.8)),
                Check("steps with the process reward, over the start's", raw.figure("steps") / first, .atLeast(1.5)),
                Check(
                    "accuracy from right or wrong minus with the process reward",
                    one.greedyAccuracy - raw.greedyAccuracy,
                    .atLeast(0.1)),
                Check("steps with Clip-Delta, over the start's", bounded.figure("steps") / first, .between(0.6, 1.25)),
                Check(
                    "accuracy with Clip-Delta minus from right or wrong", bounded.greedyAccuracy - one.greedyAccuracy,
                    .atLeast(-0.02)),
                Check(
                    "accuracy with Clip-Delta minus at the start", bounded.greedyAccuracy - start.greedyAccuracy,
                    .atLeast(0.08)),
                Check(
                    "Delta's returns against the scores, error", exact.telescopeError, .atMost(1e-12), role: .mechanism),
                Check("largest reward of Clip", exact.largestClip, .atMost(0), role: .mechanism),
                Check(
                    "what a filler step brings under Clip and Delta", exact.fillerError, .atMost(1e-12),
                    role: .mechanism),
                Check(
                    "what it brings under the process reward, least", exact.leastProcessGain, .atLeast(1e-12),
                    role: .mechanism),
                Check(
                    "texts where Delta of Clip isn't Clip of Delta", exact.orderMatters, .atLeast(0.5), role: .mechanism
                ),
            ],
            controls: [
                .init("steps at the start", first), .init("sampled accuracy at the start", start.sampledAccuracy),
                .init("η", stage.judge.threshold),
                .init("score of right lines", stage.rightScore), .init("score of wrong lines", stage.wrongScore),
            ]
                + policies.flatMap { policy -> [Demonstration.Control] in
                    let name = policy.mode.rawValue
                    return [
                        .init("greedy accuracy, \(name)", policy.examination.greedyAccuracy),
                        .init("sampled accuracy, \(name)", policy.examination.sampledAccuracy),
                        .init("empty steps, \(name)", policy.examination.figure("empty steps")),
                    ]
                })
    }
}

/// What the arms of the experiment share: the start policy, the reward model, and how PPO runs.
private struct TotalsStage: Sendable {
    static let filler = "ok"
    /// Sixteen filler lines.
    static let longest = 48
    static let rounds = 150

    let learning: RewardLearning
    let judge: StepJudge
    let start: StepExamination
    /// Mean scores of lines that the start policy wrote for held-out questions.
    let fillerScore: Double
    let rightScore: Double
    let wrongScore: Double

    init(in lab: Lab) async throws {
        var generator = lab.random("sums")
        let sums = generator.shuffled(RunningTotal.all(terms: 3))
        // 200 sums are examined; of the others the start policy has seen a fifth.
        let (examined, learnt) = (sums[..<200], sums[200...])
        let model = try await Self.halfTaught(Array(learnt.prefix(160)), using: &generator, in: lab)
        let words = try ModelText(path: model)
        func task(_ sums: ArraySlice<RunningTotal>) throws -> StepTask {
            try StepTask(sums.map(\.question), words: words, separator: "\n", longest: Self.longest)
        }
        var settings = OnPolicySettings()
        settings.rounds = Self.rounds
        settings.promptsPerRound = 16
        settings.samplesPerPrompt = 4
        settings.epochs = 2
        settings.stepsPerEpoch = 2
        // In runs on one division of the same sums, whose examined part overlaps with this one's, PPO at 1e-4 and above lost accuracy;
        // at 5e-5 it went from 57 to 66 % in 60 rounds.
        var learning = RewardLearning(
            model: model, task: try task(learnt), examined: try task(examined),
            algorithm: try .ppo(penalty: 0.02), settings: settings, parameterisation: ChosenWeights.all,
            optimisation: try Optimisation(rate: 5e-5, schedule: LearningRateSchedule(.constant, warmUp: 5)), lab: lab)
        learning.samplesPerExamination = 4
        learning.precision = .f32
        learning.format = .f32

        let policy = try lab.open(model)
        let responses = try await learning.task.responses(
            of: policy, samples: 2, label: "Sampling the start policy", in: lab
        ).flatMap { $0 }
        let labelled = try await StepLabels().process(
            responses, of: learning.task, completer: { try await policy.texts($0) }, in: lab)
        var judge = StepJudge(.success, weight: 0.2)
        judge.process = try await learning.rewardModel("process reward model", labelled, rate: 1e-3, epochs: 4)
        judge.threshold = try RLReward.threshold(judge(responses), percentile: 0.2)
        self.learning = learning
        self.judge = judge
        start = try await StepExamination(
            "start", of: policy, on: learning.examined, samples: 4, judge: judge, in: lab)

        var scores: [Line: [Double]] = [:]
        for judged in start.sampled.joined() {
            for (step, score) in zip(judged.response.steps, judged.scores ?? []) {
                scores[Line(step.text), default: []].append(score)
            }
        }
        func mean(_ line: Line) -> Double {
            let own = scores[line] ?? []
            return own.reduce(0, +) / Double(own.count)
        }
        (fillerScore, rightScore, wrongScore) = (mean(.filler), mean(.right), mean(.wrong))
    }

    func policy(_ mode: StepReward) async throws -> LearntPolicy {
        var judge = judge
        judge.mode = mode
        return try await learning.policy(judge)
    }

    /// A model that imitates the traces of a few sums until it is sure of them: of the facts that the others need it knows about half.
    private static func halfTaught(
        _ sums: [RunningTotal], using generator: inout SeededGenerator, in lab: Lab
    ) async throws -> String {
        let start = try lab.newModel(
            "untaught",
            NewModel(.llama(layers: 4, hiddenSize: 128, heads: 4, contextLength: 96), tokenizer: .bytes()))
        var encoder = try SampleEncoder(ModelText(path: start), limit: 96)
        let texts = (0..<4_000).map { place -> TokenSequence in
            let sum = sums[place % sums.count]
            var lines = sum.lines
            if generator.chance(0.1) { lines.insert(filler, at: generator.below(lines.count)) }
            return encoder.text(sum.prompt + lines.joined(separator: "\n"))
        }
        var run = TrainingRun(
            model: start, objective: Supervised(), parameterisation: ChosenWeights.all,
            optimisation: try Optimisation(rate: 1e-3, schedule: LearningRateSchedule(.cosine(end: 0.1), warmUp: 10)),
            samples: texts, output: try lab.modelFolder("start"))
        run.settings.samplesPerStep = 64
        run.settings.tokensPerPass = 2048
        run.settings.steps = 160
        run.settings.seed = lab.seed("start")
        run.precision = .f32
        run.format = .f32
        try await lab.train("Teaching the start policy", run)
        return run.output
    }
}

/// What a line of a solution is.
private enum Line: Hashable {
    case filler, right, wrong

    /// Filler, or an equation or number that is right or wrong in itself.
    init(_ text: String) {
        let sides = text.split(separator: "=")
        if text == TotalsStage.filler {
            self = .filler
        } else if sides.count == 2 {
            let sum = sides[0].split(separator: "+").compactMap { Int($0) }.reduce(0, +)
            self = Int(sides[1]) == sum ? .right : .wrong
        } else {
            self = .right
        }
    }
}
