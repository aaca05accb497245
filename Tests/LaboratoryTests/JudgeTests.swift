import Foundation
import Inference
import Laboratory
import Testing
import Text

/// Reports log-probabilities of its first token, by script.
private struct WeighingModel: LanguageModel {
    let identity = ModelIdentity(reference: "weighing", name: "weighing", fingerprint: "weighing", contextLength: nil)
    let capabilities: Capabilities = [.completion, .logProbs]
    let weigh: @Sendable (String) -> [(String, Float)]

    func complete(_ request: CompletionRequest) async throws -> Completion {
        let tokens = weigh(request.prompt.plainText).enumerated().map {
            TokenLogProb(id: TokenID($0.offset), text: $0.element.0, logProb: $0.element.1)
        }
        return Completion(
            text: tokens[0].text, finish: .length,
            logProbs: request.topLogProbs == 20 ? [PositionLogProbs(chosen: tokens[0], top: tokens)] : nil)
    }

    func stream(_ request: CompletionRequest) -> AsyncThrowingStream<CompletionEvent, any Error> {
        AsyncThrowingStream { $0.finish() }
    }
}

@Suite struct JudgeTests {
    /// Prefers the answer that says "good".
    private func honest(_ request: CompletionRequest) -> String {
        let prompt = request.prompt.plainText
        let parts = prompt.components(between: "Answer A:", and: "Answer B:")
        return parts.contains("good") ? "A." : "B"
    }

    @Test func bothOrdersAreAskedAndAgree() async throws {
        let model = ScriptedModel { request, _ in self.honest(request) }
        let judge = PairwiseJudge(model, rubric: "Prefer the better one.")
        let verdict = try await judge.compare(question: "Why?", first: "good", second: "poor")
        #expect(verdict.preference == 1 && verdict.shownFirst == [1, 0] && verdict.isConsistent == true)
        #expect(verdict.calls == 2 && verdict.unreadable == 0)
        let other = try await judge.compare(question: "Why?", first: "poor", second: "good")
        #expect(other.preference == 0 && other.isConsistent == true)
        let prompts = model.requests.map(\.prompt.plainText)
        #expect(prompts.allSatisfy { $0.contains("Prefer the better one.") && $0.contains("Why?") })
        #expect(model.requests.allSatisfy { $0.sampling.temperature == 0 })
    }

    @Test func aJudgeThatLooksAtThePlaceIsFoundOut() async throws {
        let judge = PairwiseJudge(ScriptedModel { _, _ in "A" })
        var verdicts: [PairVerdict] = []
        for number in 0..<4 {
            let verdict = try await judge.compare(question: "\(number)", first: "x", second: "y")
            #expect(verdict.preference == 0.5 && verdict.isConsistent == false)
            verdicts.append(verdict)
        }
        let bias = try PositionBias(verdicts)
        #expect(bias.shownFirst.value == 1 && bias.consistency.value == 0)
        let honest = PairwiseJudge(ScriptedModel { request, _ in self.honest(request) })
        let fair = try PositionBias([
            await honest.compare(question: "", first: "good", second: "poor"),
            await honest.compare(question: "", first: "poor", second: "good"),
        ])
        #expect(fair.shownFirst.value == 0.5 && fair.consistency.value == 1)
        #expect(throws: StatisticsError.self) { try PositionBias([]) }
    }

    @Test func votesAreCountedAndTheUnreadableAreTold() async throws {
        // Five votes an order, in whatever order they come: of all ten, each seed answers by itself.
        let replies = ["A", "B", "A", "neither", "A"]
        let model = ScriptedModel { request, _ in
            let isStraight = request.prompt.plainText.contains("Answer A:\nfirst")
            let seeds = (0..<5).map { SeededGenerator.derive(7, "\(isStraight ? "straight" : "swapped")-\($0)") }
            let vote = try #require(seeds.firstIndex { $0 == request.sampling.seed })
            return isStraight ? replies[vote] : "B"
        }
        let verdict = try await PairwiseJudge(model, votes: 5, seed: 7)
            .compare(question: "?", first: "first", second: "second")
        #expect(verdict.shownFirst == [0.75, 0] && verdict.preference == 0.875)
        #expect(verdict.calls == 10 && verdict.unreadable == 1)
        #expect(model.requests.allSatisfy { $0.sampling.temperature == 1 })
    }

    @Test func aJudgeThatSaysNothingPrefersNothing() async throws {
        let verdict = try await PairwiseJudge(ScriptedModel { _, _ in "Both are fine." })
            .compare(question: "?", first: "x", second: "y")
        #expect(verdict.preference == nil && verdict.isConsistent == nil && verdict.unreadable == 2)
    }

    @Test func logProbabilitiesOfTheVerdictCount() async throws {
        // exp(−1) for A in two spellings, against exp(−2) for B; the word "Both" is none of them.
        let model = WeighingModel { prompt in
            prompt.contains("Answer A:\ngood")
                ? [("A", -1), (" A", -1), ("B", -2), ("Both", -0.1)] : [("A", -3), ("B", -3), ("AB", -0.1)]
        }
        let verdict = try await PairwiseJudge(model, votes: 9).compare(question: "?", first: "good", second: "poor")
        let a = 2 * 0.36787944117144233
        let share = a / (a + 0.1353352832366127)
        #expect(abs((verdict.shownFirst[0] ?? 0) - share) < 1e-7 && verdict.shownFirst[1] == 0.5)
        #expect(abs((verdict.preference ?? 0) - (share + 0.5) / 2) < 1e-7)
        #expect(verdict.calls == 2)
    }

    @Test func scoresAreExpectations() async throws {
        let model = WeighingModel { _ in [("4", -0.6931472), ("5", -1.3862944), ("2", -1.3862944), ("7", -0.1)] }
        let verdict = try await ScoringJudge(model, rubric: "5 is right.").score(question: "?", answer: "x")
        #expect(abs((verdict.score ?? 0) - (0.5 * 4 + 0.25 * 5 + 0.25 * 2)) < 1e-6)
        #expect(verdict.probabilities?.count == 5 && verdict.calls == 1)
        let voted = ScriptedModel(["3", "5 of 5", "none", "Score: 4"])
        let mean = try await ScoringJudge(voted, rubric: "", votes: 4).score(question: "?", answer: "x")
        #expect(mean.score == 4 && mean.unreadable == 2)
        let silent = try await ScoringJudge(ScriptedModel(["?"]), rubric: "").score(question: "?", answer: "x")
        #expect(silent.score == nil && silent.probabilities == nil)
    }
}

extension String {
    /// The text between two others.
    fileprivate func components(between start: String, and end: String) -> Substring {
        guard let from = range(of: start)?.upperBound, let to = range(of: end)?.lowerBound else { return "" }
        return self[from..<to]
    }
}
