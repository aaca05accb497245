import Inference
import Laboratory
import Text
import Training

/// GRPO on an instruction whose keeping can be checked: a remark of at most eight words that names what it is about. The reward is 1 or 0.
package struct RewardedLearning {
    private static let most = 8
    private static let longest = 24

    private static let topics = [
        "the sea", "the moon", "a garden", "a horse", "a bridge", "winter", "a river", "music", "bread", "a castle",
        "the desert", "a train", "coffee", "a forest", "the sun", "a violin", "rain", "a library", "a mountain", "snow",
        "a ship", "a farm", "the city", "a lion", "a kitchen", "glass", "a school", "the wind", "an island", "a doctor",
        "gold", "a market", "a dog", "the night", "a road", "tea", "a tower", "paper", "a bird", "a lake", "fire",
        "a clock", "a song", "wood", "a village", "milk", "a valley", "a painter", "summer", "a cat", "a window",
        "salt", "a queen", "a beach", "stone", "a teacher", "a wolf", "honey", "a tree", "the sky",
    ]

    private let bench: LearningBench
    private let learnt: [String]
    private let heldOut: [String]

    init(in lab: Lab) throws {
        bench = try LearningBench(in: lab)
        var generator = lab.random("topics")
        let topics = generator.shuffled(Self.topics)
        (heldOut, learnt) = (Array(topics.prefix(20)), Array(topics.dropFirst(20)))
    }

    private static func question(_ topic: String) -> String { "Say something about \(topic) in at most \(most) words." }

    /// Whether a remark is whole, has two to eight words, and names its topic.
    package static func isKept(_ text: WrittenText, _ topic: String) -> Bool {
        let words = text.text.lowercased().split { !$0.isLetter && $0 != "'" }
        let noun = topic.split(separator: " ").last ?? ""
        return text.isFinished && (2...most).contains(words.count) && words.contains { $0.hasPrefix(noun) }
    }

    func demonstration() async throws -> Demonstration {
        let topics = learnt
        let algorithm = try PolicyAlgorithm.grpo()
        var run = OnPolicyRun(
            model: bench.path, objective: algorithm, parameterisation: try LowRankAdaptation(rank: 16, alpha: 32),
            optimisation: try Optimisation(rate: 2e-4, schedule: LearningRateSchedule(.constant, warmUp: 3)),
            prompts: try topics.map { try bench.words.prompt(asking: Self.question($0)) },
            output: try bench.lab.modelFolder("trained"), rewardKey: "remark"
        ) { model, source in
            try EngineSampler(model, from: source, precision: .bf16) { texts in
                texts.map { Reward(Self.isKept($0, topics[$0.promptIndex]) ? 1 : 0, for: $0) }
            }
        }
        run.settings.rounds = 40
        run.settings.promptsPerRound = 4
        run.settings.samplesPerPrompt = 8
        run.settings.longest = Self.longest
        run.settings.seed = bench.lab.seed("training")
        let before = try await remarks(of: bench.subject)
        let summary = try await bench.lab.train("GRPO", run)
        let after = try await remarks(of: bench.lab.open(run.output, base: bench.path))
        let percent = NumberStyle.percent
        var report = Report(
            "GRPO on remarks of eight words",
            summary:
                "Mean reward on \(heldOut.count) held-out topics, \(Self.samples) remarks each: \(percent.text(before.reward)) before, "
                + "\(percent.text(after.reward)) after \(run.settings.rounds) rounds.")
        report.add(LearningBench.plot(summary, "reward"))
        report.add(
            heldOut.prefix(8).enumerated().map { index, topic in
                SampleTrace(
                    "\(index + 1)", input: Self.question(topic),
                    arms: [("before", before), ("after", after)].map { name, found in
                        let first = found.texts[index][0]
                        return .init(name, first.text, isCorrect: Self.isKept(first, topic))
                    })
            })
        return Demonstration(
            report,
            checks: [
                Check("reward before", before.reward, .atMost(0.5)),
                Check("reward gained", after.reward - before.reward, .atLeast(0.3)),
            ],
            controls: [
                .init("reward after", after.reward), .init("different remarks before", before.variety),
                .init("different remarks after", after.variety),
            ])
    }

    private static let samples = 8

    private struct Remarks {
        /// Several a topic.
        var texts: [[WrittenText]]
        var reward: Double
        /// The share of remarks that are said once: 1 where all differ.
        var variety: Double
    }

    private func remarks(of model: LocalModel) async throws -> Remarks {
        let seed = bench.lab.seed("remarks")
        let texts = try await bench.lab.forEach("Asking for remarks", Array(heldOut.enumerated())) { index, topic in
            let prompt = try bench.words.prompt(asking: Self.question(topic))
            return try await model.texts(
                RolloutRequest.samples(
                    Self.samples, promptIndex: index, prompt: prompt, limit: Self.longest, seed: seed, place: index))
        }
        let all = texts.joined()
        let kept = zip(texts, heldOut).reduce(0) { sum, pair in sum + pair.0.count { Self.isKept($0, pair.1) } }
        return Remarks(
            texts: texts, reward: Double(kept) / Double(all.count),
            variety: Double(Set(all.map(\.text)).count) / Double(all.count))
    }
}
