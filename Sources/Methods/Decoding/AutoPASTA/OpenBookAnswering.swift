import Inference
import Laboratory
import Text

/// A way to answer an open-book question: AutoPASTA and what it is compared with.
public enum OpenBookArm: String, OptionChoice {
    public typealias Item = OpenBookArm
    /// The ordinary prompt.
    case direct
    /// The extracted evidence repeated in the prompt, nothing steered.
    case iterative
    /// The profiled heads steered towards the sentence that the model named.
    case autopasta
    /// The profiled heads steered towards all of the context.
    case wholeContext = "whole-context"
    /// The profiled heads steered towards a sentence drawn at random.
    case randomSentence = "random-sentence"
    /// The profiled heads steered towards the sentence that holds the answer: the upper bound.
    case goldEvidence = "gold-evidence"
    /// Every head of the model steered towards the sentence that the model named.
    case allHeads = "all-heads"

    static let baselines: [OpenBookArm] = [.iterative, .wholeContext, .randomSentence, .goldEvidence, .allHeads]
}

/// Answers open-book questions under all arms.
struct OpenBookAnswering: Sendable {
    var model: any OpenModel
    var style: OpenBookPrompt.Style
    /// With the profiled heads.
    var steering: AttentionSteering
    var map: SentenceMap
    var extractMaxTokens: Int
    var maxTokens: Int
    var seed: UInt64

    struct Result: Sendable {
        var item: OpenBookItem
        /// The quotation as the model wrote it.
        var extracted: String
        var matches: [SentenceMap.Match]
        /// Answers by arm; an arm that doesn't apply to the item is missing.
        var answers: [OpenBookArm: String]
        /// Whether the mapped sentences hold a gold answer or supporting sentence; nil where neither is known.
        var isHit: Bool?

        var sample: SampleTrace {
            let steps = [
                SampleTrace.Step("quotation", extracted),
                SampleTrace.Step(
                    "highlighted",
                    matches.isEmpty
                        ? "nothing: the answer is unsteered"
                        : matches.map {
                            "\($0.text) (\($0.route.rawValue), \(NumberStyle.decimals(2).text($0.similarity)), "
                                + "bytes \($0.range.lowerBound) to \($0.range.upperBound))"
                        }
                        .joined(separator: "\n")),
            ]
            return SampleTrace(
                item.id, input: item.context + "\n\n" + item.question, expected: item.answers.first ?? "",
                arms: OpenBookArm.allCases.compactMap { arm in
                    answers[arm].map { answer in
                        SampleTrace.Arm(
                            arm.rawValue, answer,
                            isCorrect: item.answers.isEmpty ? nil : AnswerMatch.exact(answer, item.answers),
                            score: item.answers.isEmpty ? nil : AnswerMatch.f1(answer, item.answers),
                            steps: arm == .autopasta ? steps : [])
                    }
                })
        }
    }

    func answer(_ item: OpenBookItem, arms: [OpenBookArm]) async throws -> Result {
        let sentences = Sentences.ranges(in: item.context)
        guard !sentences.isEmpty else { throw AutoPASTAError.noSentences(id: item.id) }
        let extracted = try await identify(item)
        let matches = try await map.sentences(for: extracted, in: item.context)
        let prompt = try OpenBookPrompt.answering(item, style: style, model: model)
        let gold = item.goldSpans(among: sentences)
        let named = matches.map(\.range)

        let answers = try await withThrowingTaskGroup(of: (OpenBookArm, String?).self) { group in
            for arm in arms {
                group.addTask {
                    switch arm {
                    case .direct:
                        return (arm, try await complete(prompt))
                    case .iterative:
                        let evidence = matches.isEmpty ? extracted : matches.map(\.text).joined(separator: " ")
                        return (
                            arm,
                            try await complete(
                                try .iterating(item, evidence: evidence, style: style, model: model))
                        )
                    case .autopasta:
                        return (arm, try await complete(prompt, highlighting: named))
                    case .wholeContext:
                        return (arm, try await complete(prompt, highlighting: [0..<item.context.utf8.count]))
                    case .randomSentence:
                        let others = sentences.filter { sentence in
                            !(gold + named).contains { $0.overlaps(sentence) }
                        }
                        var random = SeededGenerator(seed: seed, stream: "random sentence, \(item.id)")
                        guard let other = random.pick(others) else { return (arm, nil) }
                        return (arm, try await complete(prompt, highlighting: [other]))
                    case .goldEvidence:
                        return (arm, gold.isEmpty ? nil : try await complete(prompt, highlighting: gold))
                    case .allHeads:
                        return (arm, try await complete(prompt, highlighting: named, allHeads: true))
                    }
                }
            }
            var answers: [OpenBookArm: String] = [:]
            for try await (arm, answer) in group { answers[arm] = answer }
            return answers
        }
        return Result(
            item: item, extracted: extracted, matches: matches, answers: answers,
            isHit: Self.isHit(matches, item: item, gold: gold))
    }

    /// Step 1: the model's own words on which sentence holds the answer.
    func identify(_ item: OpenBookItem) async throws -> String {
        let prompt = try OpenBookPrompt.identifying(item, style: style, model: model)
        return try await model.complete(
            CompletionRequest(prompt.prompt, stop: StopRule(maxTokens: extractMaxTokens, strings: ["\n\n"]))
        ).text
    }

    /// Step 3, or a baseline: greedy decoding while spans of the context (in bytes) are highlighted; without any it is
    /// unsteered.
    func complete(
        _ prompt: OpenBookPrompt, highlighting spans: [Range<Int>] = [], allHeads: Bool = false
    ) async throws -> String {
        var request = CompletionRequest(prompt.prompt, stop: StopRule(maxTokens: maxTokens, strings: ["\n"]))
        if !spans.isEmpty {
            var steering = steering
            if allHeads { steering.heads = model.architecture.allHeads }
            let tokens = try spans.map { (span) throws(AutoPASTAError) in try prompt.tokens(ofContext: span) }
            request.interventions = [
                try steering.intervention(
                    highlighting: tokens, promptCount: prompt.ids.count, architecture: model.architecture)
            ]
        }
        return try await model.complete(request).text.trimmingSpaces
    }

    static func isHit(_ matches: [SentenceMap.Match], item: OpenBookItem, gold: [Range<Int>]) -> Bool? {
        if gold.isEmpty && item.answers.isEmpty { return nil }
        return matches.contains { match in
            gold.contains { $0.overlaps(match.range) }
                || item.answers.contains { AnswerMatch.contains(match.text, answer: $0) }
        }
    }
}
