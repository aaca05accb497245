import Foundation
import Laboratory
import Models
import Synchronization
import Tensors
import Testing
import Text

import Training

/// Learning from rewards: estimates worked out by hand, and a tiny model that learns to earn.
@Suite struct PolicyLearningTests {
    @Test func advantagesByHand() {
        #expect(Advantages.leaveOneOut([1, 0, 0, 4, 2, 0], group: 3) == [1, -0.5, -0.5, 3, 0, -3])
        let scaled = Advantages.groupNormalised([1, 3], group: 2, scales: true)
        // Mean 2, sample deviation √2.
        #expect(abs(scaled[1] - 1 / (2.0.squareRoot() + 1e-4)) < 1e-12 && scaled[0] == -scaled[1])
        #expect(Advantages.groupNormalised([1, 3], group: 2, scales: false) == [-1, 1])
        #expect(Advantages.groupNormalised([2, 2], group: 2, scales: true) == [0, 0])
        // δ = (0 + .5·2 - 1, 1 + 0 - 2) = (0, -1); A = (0 + .5·.5·-1, -1).
        let found = Advantages.generalised(rewards: [0, 1], values: [1, 2], discount: 0.5, smoothing: 0.5)
        #expect(found.advantages == [-0.25, -1] && found.returns == [0.75, 1])
        let white = Advantages.whitened([[1, 2], [3]])
        #expect(abs(white[0][0] + 1) < 1e-6 && abs(white[0][1]) < 1e-6 && abs(white[1][0] - 1) < 1e-6)
    }

    private static func experience(_ algorithm: PolicyAlgorithm, earlier: [Double] = []) -> [Experience] {
        let rollouts = [[0, 1], [0, 0], [0, 2]].map {
            Rollout(prompt: [1], completion: [2, 3], isFinished: true, rewards: $0.map(Float.init))
        }
        return algorithm.samples(
            from: OnPolicyRound(
                rollouts, samplesPerPrompt: 3, behaviour: [[-1, -1], [-1, -1], [-1, -1]],
                reference: [[-1, -3], [-1, -1], [-1, -1]], values: [[0, 0], [0, 0], [0, 0]], earlierRewards: earlier))
    }

    @Test func baselinesAndPenalties() throws {
        func first(_ algorithm: PolicyAlgorithm, earlier: [Double] = []) -> [Float] {
            Self.experience(algorithm, earlier: earlier).map { $0.advantages[1] }
        }
        #expect(first(try .reinforce(.none)) == [1, 0, 2])
        #expect(first(try .reinforce(.batchMean)) == [0, -1, 1])
        #expect(first(try .reinforce(.movingAverage(decay: 0.5))) == [0, -1, 1])
        #expect(first(try .reinforce(.movingAverage(decay: 0.5)), earlier: [4, 2]) == [-2, -3, -1])
        // The penalty takes .5 · (-1 - -3) from the first text.
        #expect(first(try .rloo(penalty: 0.5)) == [-1, -1, 2])
        // Per token, with values of 0 and λ = 1 the advantage is what is still to come.
        let ppo = try PolicyAlgorithm.ppo(smoothing: 1, penalty: 0.5, whitens: false)
        #expect(Self.experience(ppo).map(\.advantages) == [[0, 0], [0, 0], [2, 2]])
    }

    /// Two texts of two and one tokens behind prompts of one: the rows that count are 0, 1 and 3.
    private static let texts = [
        Experience(
            TokenSequence(prompt: [0], completion: [1, 2]), advantages: [1, -2], behaviour: [-1, -1],
            reference: [-1.5, -0.5], values: ([0.5, 0.5], [1, 0])),
        Experience(
            TokenSequence(prompt: [0], completion: [1]), advantages: [0.5], behaviour: [-2], reference: [-2],
            values: ([0], [1])),
    ]

    private func loss(_ objective: PolicyGradient, _ x: Tensor, values: Tensor? = nil) -> ObjectiveLoss {
        objective.loss(
            TokenLogProbabilities(batch: PackedBatch(Self.texts.map(\.text)), values: x), values: values,
            of: Self.texts)
    }

    @Test func lossesByHand() throws {
        let x = Tensor([-0.5, -1.5, 0, -2, 0] as [Float]).requiringGradient()
        let (up, down) = (exp(0.5), exp(-0.5))
        func k3(_ d: Double) -> Double { exp(d) - d - 1 }
        // Token 1: ratio e^.5 is cut at 1.2 for A = 1. Token 2: ratio e^-.5 is cut at .8 for A = -2: max of losses 2 · .8. Token 3: ratio 1.
        let grpo = try PolicyGradient(ratio: .tokens(below: 0.2, above: 0.2), mean: .overTexts, divergence: 0.1)
        let expected = (-1.2 + 1.6 + 0.1 * (k3(-1) + k3(1))) / 2 - 0.5
        let found = loss(grpo, x)
        #expect(abs(Double(found.total.item) - expected) < 1e-5)
        #expect(abs((found.sums["clipped"] ?? 0) - 1) < 1e-9)
        // Where both are cut only the third moves, by -A ρ.
        let cut = loss(try PolicyGradient(ratio: .tokens(below: 0.2, above: 0.2), mean: .overTokens), x)
        #expect(try #require(cut.total.backward()[x]).floats() == [0, 0, 0, -0.5, 0])
        // Whole texts: ratio e^(.5 - .5) = 1, advantage the text's.
        let rloo = loss(try PolicyGradient(ratio: .sequences(below: 0.2, above: 0.2), mean: .ofSums), x)
        #expect(abs(Double(rloo.total.item) - (2 - 0.5)) < 1e-5)
        let reinforce = loss(try PolicyGradient(ratio: .none, mean: .ofSums), x)
        #expect(abs(Double(reinforce.total.item) - (0.5 - 3 + 1)) < 1e-5)
        // Values (.8, .4, 1): clipped at .5 ± .2 → (.7, .4), 0 ± .2 → .2; errors max(.04, .09), .16, max(0, .64).
        let values = Tensor([0.8, 0.4, 9, 1, 9] as [Float])
        let ppo = try PolicyGradient(
            ratio: .tokens(below: 10, above: 10), mean: .overTokens, value: .init(weight: 0.5, clip: 0.2))
        let policy = -(up - 2 * down + 0.5)
        #expect(abs(Double(loss(ppo, x, values: values).total.item) - (policy + 0.25 * 0.89)) < 1e-5)
    }

    @Test func withoutBehaviourTheRatioIsOneWithAGradient() throws {
        var sample = Self.texts[1]
        sample.behaviour = nil
        let x = Tensor([-2, 0] as [Float]).requiringGradient()
        let found = try PolicyGradient(ratio: .tokens(below: 0.2, above: 0.2), mean: .overTexts).loss(
            TokenLogProbabilities(batch: PackedBatch([sample.text]), values: x), values: nil, of: [sample])
        #expect(found.total.item == -0.5)
        #expect(try #require(found.total.backward()[x]).floats() == [-0.5, 0])
    }

    @Test func badSettingsAreRefused() {
        #expect(throws: TrainingError.self) { try PolicyAlgorithm.grpo(clip: 0) }
        #expect(throws: TrainingError.self) { try PolicyAlgorithm.ppo(discount: 1.5) }
        #expect(throws: TrainingError.self) { try PolicyAlgorithm.reinforce(.movingAverage(decay: 1)) }
        #expect(throws: TrainingError.self) { try NewHeads([]) }
        #expect(throws: TrainingError.self) {
            try PolicyAlgorithm(
                "x", .generalised(discount: 1, smoothing: 1, whitens: false),
                loss: PolicyGradient(ratio: .none, mean: .ofSums))
        }
    }

    // MARK: A model that learns

    /// A model that earns 1 for each "yes" among four words, of six.
    private static func run<Training: OnPolicyObjective>(
        _ objective: Training, in folder: String, rounds: Int
    ) throws -> OnPolicyRun<Training> {
        let model = folder + "/model"
        if !FileManager.default.fileExists(atPath: model) {
            try NewModel(
                .llama(layers: 1, hiddenSize: 32, heads: 2),
                tokenizer: .words(["ask", "yes", "no", "perhaps", "never", "always"])
            ).write(to: model, seed: 3)
        }
        let tokenizer = try ModelText(path: model).tokenizer
        let yes = tokenizer.encode("yes")[0]
        var run = OnPolicyRun(
            model: model, objective: objective, parameterisation: ChosenWeights.all,
            optimisation: try Optimisation(rate: 5e-3), prompts: [tokenizer.encode("ask")],
            output: folder + "/out", rewardKey: "yes"
        ) { model, source in
            try EngineSampler(model, from: source, precision: .f32) { texts in
                texts.map { Reward(tokens: $0.completion.map { $0 == yes ? 0.25 : 0 }) }
            }
        }
        run.settings.rounds = rounds
        run.settings.promptsPerRound = 1
        run.settings.samplesPerPrompt = 16
        run.settings.longest = 4
        run.settings.seed = 5
        run.precision = .f32
        run.format = .f32
        return run
    }

    /// The documented objective of one's own.
    @Test func aTinyModelLearnsFromItsBestTexts() async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let run = try Self.run(RejectionSampling(least: 0.75), in: folder, rounds: 40)
        let rewards = try await run.followed().history.steps.map { $0.figures["reward"] ?? .nan }
        let (first, last) = (rewards.prefix(2).reduce(0, +) / 2, rewards.suffix(3).reduce(0, +) / 3)
        #expect(first < 0.45 && last > 0.85, "\(first) to \(last)")
    }

    @Test(arguments: ["grpo", "rloo", "reinforce", "ppo"])
    func aTinyModelLearnsToEarn(_ name: String) async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let algorithm: PolicyAlgorithm =
            switch name {
            case "grpo": try .grpo(divergence: 0.01)
            case "rloo": try .rloo(penalty: 0.01)
            case "reinforce": try .reinforce(.movingAverage(decay: 0.8))
            default: try .ppo(penalty: 0.01)
            }
        var run = try Self.run(algorithm, in: folder, rounds: 30)
        if name == "ppo" || name == "grpo" { (run.settings.epochs, run.settings.stepsPerEpoch) = (2, 2) }
        let history = try await run.followed().history
        let rewards = history.steps.map { $0.figures["reward"] ?? .nan }
        let perRound = run.settings.stepsPerRound
        let first = rewards.prefix(perRound * 2).reduce(0, +) / Double(perRound * 2)
        let last = rewards.suffix(perRound * 3).reduce(0, +) / Double(perRound * 3)
        #expect(first < 0.45 && last > 0.85, "\(name): \(first) to \(last)")
        // What was written is what was trained.
        #expect(try openWeights(at: run.output).parameterCount > 0)
        if name == "ppo" { #expect(try Head.read(run.output).map(\.name) == ["value"]) }
    }

    @Test func aRunGoesOnWithTheSameBits() async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let algorithm = try PolicyAlgorithm.grpo()
        var run = try Self.run(algorithm, in: folder, rounds: 6)
        run.settings.epochs = 2
        run.output = folder + "/whole"
        let whole = try await run.followed()
        run.output = folder + "/parts"
        run.settings.roundsPerCheckpoint = 2
        struct Killed: Error {}
        let killed = run
        await #expect(throws: Killed.self) {
            try await killed.followed(onEvent: { if case .step(let report) = $0, report.step == 7 { throw Killed() } })
        }
        let rest = try await run.followed()
        #expect(rest.history.steps.map(\.loss) == whole.history.steps.map(\.loss))
        #expect(rest.history.steps.map(\.figures) == whole.history.steps.map(\.figures))
        let files = try ["whole", "parts"].map { try openWeights(at: "\(folder)/\($0)").fingerprint() }
        #expect(files[0] == files[1])
    }

    /// Several ranks write the same texts, earn the same, and end with the same weights as one process, whatever they share unevenly.
    @Test(arguments: [(2, 16), (3, 5)]) func ranksWriteAndLearnTogether(_ size: Int, _ texts: Int) throws {
        try withTemporaryFolder { folder in
            var run = try Self.run(try PolicyAlgorithm.ppo(penalty: 0.01), in: folder, rounds: 4)
            (run.settings.epochs, run.settings.stepsPerEpoch, run.settings.samplesPerPrompt) = (2, 2, texts)
            run.settings.tokensPerPass = 20
            func ended(_ name: String, _ ranks: Int) throws -> (TrainingSummary, [String: [Float]], rounds: [Int]) {
                run.output = folder + "/" + name
                let rounds = Mutex<[Int]>([])
                let summaries = try ThreadRanks.run(ranks) { [run] own in
                    var run = run
                    let communicator = Shared(own)
                    run.join = { communicator.ranks }
                    return try run.run(onRound: { round, texts in rounds.withLock { $0 += [round, texts.count] } })
                }
                #expect(summaries.allSatisfy { $0.history.steps.map(\.loss) == summaries[0].history.steps.map(\.loss) })
                let source = try openWeights(at: run.output)
                let weights = try source.tensors.map { ($0.name, try source.floats(of: $0.name)) }
                return (summaries[0], Dictionary(uniqueKeysWithValues: weights), rounds.withLock { $0 })
            }
            let (one, many) = (try ended("one", 1), try ended("many", size))
            // The first rank tells of each round, with all of its texts.
            #expect(many.rounds == one.rounds && one.rounds == [1, texts, 2, texts, 3, texts, 4, texts])
            for (found, expected) in zip(many.0.history.steps, one.0.history.steps) {
                #expect(abs(found.loss - expected.loss) <= 1e-3 * max(0.1, abs(expected.loss)), "step \(found.step)")
                #expect(found.figures["reward"] == expected.figures["reward"])
            }
            for (name, weight) in one.1 {
                #expect(relativeError(try #require(many.1[name]), weight) <= 2e-3, "\(name)")
            }
        }
    }

    /// A communicator on its way into the run of its own thread.
    private struct Shared: @unchecked Sendable {
        let ranks: any Communicator
        init(_ ranks: any Communicator) { self.ranks = ranks }
    }

    /// A round whose texts teach nothing moves nothing.
    @Test func aRoundWithoutSamples() async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var run = try Self.run(RejectionSampling(least: 2), in: folder, rounds: 2)
        run.settings.stepsPerEpoch = 2
        let history = try await run.followed().history
        #expect(history.steps.map(\.loss) == [0, 0, 0, 0] && history.steps.allSatisfy { $0.figures["reward"] != nil })
        let (before, after) = (try openWeights(at: folder + "/model"), try openWeights(at: run.output))
        for info in before.tensors { #expect(try before.floats(of: info.name) == after.floats(of: info.name)) }
    }

    /// Rewards that don't fit their texts are refused.
    @Test func rewardsFitTheirTexts() throws {
        let text = WrittenText(promptIndex: 0, prompt: [1], text: "a b", completion: [2, 3], isFinished: true)
        #expect(try Rollout(text, Reward(3, for: text)).rewards == [0, 3])
        #expect(throws: TrainingError.self) { try Rollout(text, Reward(tokens: [1])) }
        #expect(throws: TrainingError.self) { try Rollout(text, Reward(.nan, for: text)) }
    }

    // MARK: Heads

    @Test func headsLearnAndSurviveTheirFile() throws {
        try withTemporaryFolder { folder in
            let heads = try NewHeads(
                [.init("reward"), .init("class", labels: ["a", "b", "c"]), .init("score")], on: ChosenWeights.all)
            let model = try TinyModel.load(heads)
            func train(_ objective: some Objective<PreferencePair>, _ samples: [PreferencePair]) throws -> Double {
                var settings = TrainerSettings()
                settings.epochs = 30
                let run = try Trainer(
                    model, objective: objective, optimisation: try Optimisation(rate: 5e-3), samples: samples,
                    settings: settings
                ).run()
                return run.history.steps.last?.figures["accuracy"] ?? 0
            }
            let pairs = (0..<4).map {
                PreferencePair(
                    chosen: TinyModel.samples[$0], rejected: TinyModel.samples[$0 + 4])
            }
            #expect(try train(BradleyTerry(centring: 0.01), pairs) == 1)
            try Head.write(model.heads, to: folder)
            let read = try Head.read(folder)
            #expect(read.map(\.name) == ["class", "reward", "score"])
            #expect(read.map(\.labels) == [["a", "b", "c"], [], []])
            let policy = Policy(model.model, heads: read)
            let texts = pairs.flatMap { [$0.chosen, $0.rejected] }
            let scores = try policy.outputs(
                of: "reward", texts, places: texts.map { [$0.count - 1] }, tokensPerPass: 20)
            for pair in 0..<4 { #expect(scores[2 * pair][0][0] > scores[2 * pair + 1][0][0]) }
            #expect(throws: TrainingError.self) { try policy.head("none") }
            let logits = try policy.outputs(of: "class", texts, places: texts.map { [1, $0.count - 1] })
            #expect(logits.allSatisfy { $0.count == 2 && $0.allSatisfy { $0.count == 3 } })
            let alone = try policy.outputs(of: "class", [texts[3]], places: [[1]])
            #expect(relativeError(alone[0][0], logits[3][0]) < 1e-4)

            var settings = TrainerSettings()
            settings.epochs = 40
            let labelled = (0..<6).map { LabelledText(TinyModel.samples[$0], label: $0 % 3) }
            let classes = try Trainer(
                model, objective: Classification(), optimisation: try Optimisation(rate: 5e-3), samples: labelled,
                settings: settings
            ).run()
            #expect(classes.history.steps.last?.figures["accuracy"] == 1)
            let scored = (0..<6).map {
                ScoredText(
                    TinyModel.samples[$0], marks: [.init(place: 2, score: Float($0 % 2)), .init(place: 4, score: 0)])
            }
            let steps = try Trainer(
                model, objective: StepScores(), optimisation: try Optimisation(rate: 5e-3), samples: scored,
                settings: settings
            ).run()
            #expect(steps.history.steps.last?.figures["accuracy"] == 1)
        }
    }

    @Test func rewardLossesByHand() throws {
        let rewards = Tensor([1, 0, -1, 1] as [Float])
        let expected = log(1 + exp(-1.0)) + log(1 + exp(2.0)) + 0.1 * 1
        #expect(abs(Double(try BradleyTerry(centring: 0.1).loss(rewards: rewards).total.item) - expected) < 1e-5)
        let outputs = Tensor([0, 2] as [Float])
        let squared = StepScores(loss: .squaredError).loss(outputs, scores: [1, 0.5])
        #expect(abs(squared.total.item - 3.25) < 1e-6)
        let crossed = StepScores().loss(outputs, scores: [1, 0.25])
        let hand = log(2.0) + 0.25 * log(1 + exp(-2.0)) + 0.75 * log(1 + exp(2.0))
        #expect(abs(Double(crossed.total.item) - hand) < 1e-5 && crossed.sums["accuracy"] == 0)
    }
}
