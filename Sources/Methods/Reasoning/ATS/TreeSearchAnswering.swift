import Inference
import Laboratory
import Text

/// ATS-BFS, ATS-DFS or chain of thought as a strategy: one call that answers with the whole search, or several of them.
package struct TreeSearchAnswering: ReasoningStrategy {
    package let group: SearchGroup
    package let options: ATS.Options
    /// How the model is asked.
    package var form = Form.chat

    package enum Form: Sendable, Hashable {
        case chat
        /// As tuned models are: raw text, with an adapter where there is one.
        case tuned(adapter: String?)
    }

    package init(_ group: SearchGroup, _ options: ATS.Options) {
        self.group = group
        self.options = options
    }

    package var name: String {
        group.name + (options.shot > 0 ? ", \(options.shot)-shot" : "")
            + (options.consistency > 1
                ? (options.vote ? ", vote of \(options.consistency)" : ", first of \(options.consistency)") : "")
    }

    package var needs: Capabilities { form == .chat ? .completion : [.completion, .rawText] }

    package func solve(_ inquiry: Inquiry) async throws -> Solution {
        let request = try request(for: inquiry.question)
        guard options.consistency > 1 else {
            let text = try await inquiry.complete(request, as: SearchSamples.step).text
            return Solution(answer: AnswerLine.answer(in: text, to: inquiry.question), text: text)
        }
        let texts = try await inquiry.branches((1...options.consistency).map { "sample \($0)" }) { branch, _ in
            try await branch.complete(request, as: SearchSamples.step).text
        }
        let answers = texts.map { AnswerLine.answer(in: $0, to: inquiry.question) }
        let chosen = options.vote ? SampleVote.winner(of: answers, to: inquiry.question) ?? 0 : 0
        return Solution(answer: answers[chosen], text: texts[chosen])
    }

    package func request(for question: Question) throws -> CompletionRequest {
        let task = question.check?.rule is any Puzzle ? question.text : SearchPrompt.task(question)
        let temperature = options.consistency > 1 ? options.manyTemperature : options.temperature
        let sampling = temperature > 0 ? Sampling.random(temperature: temperature) : .greedy
        switch form {
        case .chat:
            let messages = SearchPrompt.messages(
                group, task: task,
                demonstrations: try SearchDemonstrations.all(options.shot, for: question, by: group.transcript))
            return CompletionRequest(.chat(messages), sampling: sampling, stop: StopRule(maxTokens: options.maxTokens))
        case .tuned(let adapter):
            let most = group == .cot ? options.tunedMaxTokensCoT : options.tunedMaxTokens
            return CompletionRequest(
                .text(SearchPrompt.tuned(task: task)), sampling: sampling, stop: StopRule(maxTokens: most),
                adapter: adapter)
        }
    }
}

/// Demonstrations written by program.
package enum SearchDemonstrations {
    /// The puzzles that are shown: of the question's own kind from its training split, never the question itself; for other
    /// questions of all kinds in turn, as they show the form.
    package static func puzzles(_ count: Int, for question: Question) throws -> [any Puzzle] {
        guard count > 0 else { return [] }
        if let kind = question.subject.flatMap(PuzzleKind.init), question.check != nil {
            return Array(try kind.puzzles(.training, count: count + 1).filter { $0.id != question.id }.prefix(count))
        }
        return try (0..<count).map { index in
            let kinds = PuzzleKind.allCases
            return try kinds[index % kinds.count].puzzles(.training, count: index / kinds.count + 1)[
                index / kinds.count]
        }
    }

    package static func all(
        _ count: Int, for question: Question, by kind: SearchTranscript.Kind
    ) throws -> [(task: String, reply: String)] {
        try puzzles(count, for: question).map { ($0.task, SearchTranscript($0).text(kind)) }
    }
}

/// What several samples of an attempt say.
package enum SearchSamples {
    /// The step of the trace that holds a reply, and the one that holds a path that a tree kept.
    package static let step = "reply"
    package static let kept = "kept"

    /// The replies of an attempt in order.
    package static func texts(of attempt: Attempt) -> [String] {
        attempt.steps.filter { $0.name.hasSuffix(step) }.map(\.text)
    }

    /// Whether any sample or kept path is right: what an oracle that knows the checker would choose. Never an accuracy.
    package static func anyCorrect(_ attempt: Attempt, of question: Question) -> Bool {
        attempt.isRight
            || texts(of: attempt).contains { question.accepts(AnswerLine.answer(in: $0, to: question)) }
            || attempt.steps.contains { $0.name.hasPrefix(kept) && question.accepts($0.text) }
    }
}

/// The majority of several answers; of equally frequent ones the number with the smaller absolute value, else the first.
package enum SampleVote {
    /// The place of an answer that most others are the same as; nil where all are empty.
    package static func winner(of answers: [String], to question: Question) -> Int? {
        let groups = Dictionary(grouping: answers.indices.filter { !answers[$0].isEmpty }) { index in
            answers.indices.first { isSame(answers[$0], answers[index], question) } ?? index
        }
        let best = groups.values.map(\.count).max() ?? 0
        let tied = groups.values.filter { $0.count == best }.map { $0[0] }.sorted()
        let sizes = tied.map { size(of: answers[$0]) }
        guard let first = tied.first, sizes.allSatisfy({ $0 != nil }) else { return tied.first }
        return zip(tied, sizes).min { ($0.1 ?? 0, $0.0) < ($1.1 ?? 0, $1.0) }?.0 ?? first
    }

    private static func isSame(_ a: String, _ b: String, _ question: Question) -> Bool {
        guard question.check != nil else { return Grader(question.kind).isSame(a, b) }
        func plain(_ text: String) -> String { PuzzleLine.body(of: text).filter { !$0.isWhitespace } }
        return plain(a) == plain(b)
    }

    /// |v| of an answer that is a number or `ans=v`; nil for chains of states.
    private static func size(of answer: String) -> Double? {
        guard !answer.contains("->") else { return nil }
        let body = PuzzleLine.body(of: answer)
        return PuzzleLine.number((body.split(separator: "=").last ?? "").trimmingSpaces).map { abs($0) }
    }
}
