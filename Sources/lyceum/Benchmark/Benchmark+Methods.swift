import Decoding
import Inference
import Laboratory
import Reasoning
import Text

/// What methods ask of an engine: many samples of the same questions, and decoding that is interfered with.
extension Benchmark {
    /// Generated tokens a second while every question is sampled several times, as self-consistency does.
    /// - Parameter oneByOne: each call waits for the one before.
    static func votes(
        _ model: any LanguageModel, questions: Int, samples: Int, tokens: Int, oneByOne: Bool, rounds: Int
    ) async throws -> [Double] {
        var values: [Double] = []
        for round in 0..<rounds {
            var generator = SeededGenerator(seed: UInt64(round), stream: "votes")
            let asked = GeneratedTask.arithmetic.questions(questions, using: &generator).map(\.prompt)
            let calls = asked.enumerated().flatMap { place, question in
                (0..<samples).map { sample in
                    CompletionRequest(
                        .text("Q: \(question)\nA: Let's think step by step."),
                        sampling: .random(temperature: 0.7, seed: UInt64(place * samples + sample + 1)),
                        stop: StopRule(maxTokens: tokens, ignoresEndOfText: true))
                }
            }
            let clock = ContinuousClock()
            let start = clock.now
            let generated = try await oneByOne ? inTurn(calls, model) : together(calls, model)
            values.append(Double(generated) / (clock.now - start).seconds)
        }
        return values
    }

    private static func inTurn(_ calls: [CompletionRequest], _ model: any LanguageModel) async throws -> Int {
        var generated = 0
        for call in calls { generated += try await model.complete(call).usage.completionTokens }
        return generated
    }

    private static func together(_ calls: [CompletionRequest], _ model: any LanguageModel) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for call in calls {
                group.addTask { try await model.complete(call).usage.completionTokens }
            }
            return try await group.reduce(0, +)
        }
    }

    /// How many times as long decoding takes when 16 heads are steered towards a part of the prompt (AutoPASTA).
    func steeringCost(prompt length: Int, tokens: Int) async throws -> [Double] {
        let (layers, heads) = (model.architecture.layers, model.architecture.heads)
        let steered = Set((0..<16).map { Head(($0 * 7 + layers / 3) % layers, $0 % heads) })
        let steering = try AttentionSteering(heads: steered).intervention(
            highlighting: [length / 2..<length / 2 + 16], promptCount: length, architecture: model.architecture)
        return try await cost(prompt: length, tokens: tokens) { _ in [steering] }
    }

    /// How many times as long decoding takes when a second prompt is decoded in lock-step and subtracted (USCD).
    func contrastCost(prompt length: Int, tokens: Int) async throws -> [Double] {
        var rule = SelectiveContrast()
        rule.threshold = .none
        return try await cost(prompt: length, tokens: tokens) { prompt in
            [.companions([.tokens(Array(prompt.suffix(length * 3 / 4)))], ContrastCombiner(rule))]
        }
    }

    /// Seconds with interventions over seconds without, measured in turn.
    private func cost(
        prompt length: Int, tokens: Int, _ interventions: ([TokenID]) -> [Intervention]
    ) async throws -> [Double] {
        func seconds(_ prompt: [TokenID], _ interventions: [Intervention]) async throws -> Double {
            let clock = ContinuousClock()
            let start = clock.now
            _ = try await model.complete(
                CompletionRequest(
                    .tokens(prompt), stop: StopRule(maxTokens: tokens, ignoresEndOfText: true),
                    interventions: interventions))
            return (clock.now - start).seconds
        }
        return try await rounds { round in
            let plain = try await seconds(prompt(length, 2 * round), [])
            let other = prompt(length, 2 * round + 1)
            return try await seconds(other, interventions(other)) / plain
        }
    }
}
