import Inference
import Laboratory
import Synchronization
import Text

/// When the rounds of critique and improvement end before the last.
package enum CriticismStop: Sendable, Hashable {
    /// Never.
    case fixed
    /// Where a critique finds no problem.
    case confirmed
    /// As soon as an answer is right. It takes the right answers, by the questions' identifiers, from whoever builds the strategy, and
    /// what it measures is no accuracy of a method: see ``SelfCriticism``.
    case oracle([String: [String]])

    /// The oracle for these questions.
    package init(oracleOf questions: [Question]) {
        self = .oracle(Dictionary(questions.map { ($0.id, $0.golds) }) { first, _ in first })
    }
}

/// RCI for questions, a strategy that can be put around another one: answer, criticise, improve, in one growing conversation.
///
/// ```
/// user x | y₀ | user "Review …" | c₁ | user "Based on …" | y₁ | … | y_R
/// ```
///
/// The answer is taken from the last y by the extraction turn of zero-shot-CoT: that y goes on with "Therefore, the answer … is". Such
/// turns are beside the conversation and leave no trace in it.
///
/// An oracle's stop looks at the right answer after each round, which no user has. Its accuracy is the share of items right at any
/// round; it bears that in its name.
package struct SelfCriticism: ReasoningStrategy {
    package static let review = "Review your previous answer and find problems with your answer."
    package static let improve = "Based on the problems you found, improve your answer."

    package var rounds = 1
    package var stop = CriticismStop.fixed
    /// Gives the first answer; nil: the question is asked as it is.
    package var inner: (any ReasoningStrategy)?
    /// Put at the beginning of the first answer; nil: nothing.
    package var trigger: String?
    package var temperature = 0.0
    package var maxTokens = 256
    package var answerTokens = 32
    /// Whether an answer is taken from every y, for tables by round, or from the last one alone.
    package var extractsEveryRound = false
    /// Keeps what came about, question by question.
    package var record: CriticismRecord?

    package init() {}

    package var name: String {
        let base = inner.map { "rci:\($0.name)" } ?? "rci"
        switch stop {
        case .fixed: return base
        case .confirmed: return "\(base), confirmed stop"
        case .oracle: return "\(base), oracle stop (reads the right answers)"
        }
    }

    package var needs: Capabilities { inner?.needs ?? .completion }

    package func solve(_ inquiry: Inquiry) async throws -> Solution {
        let trace = try await converse(inquiry)
        record?.keep(trace, for: inquiry.question.id)
        return Solution(answer: trace.answers.last ?? "", text: trace.replies.last ?? "", outcome: trace.ending)
    }

    /// The conversation with what was read from it.
    package func converse(_ inquiry: Inquiry) async throws -> CriticismTrace {
        var trace = CriticismTrace()
        var messages: [ChatMessage] = [.user(inquiry.question.prompt)]
        trace.replies.append(try await first(inquiry, messages))
        messages.append(.assistant(trace.replies[0]))
        trace.ending = "round \(rounds)"
        var golds: [String]?
        if case .oracle(let all) = stop { golds = all[inquiry.question.id] ?? [] }
        for round in 0...rounds {
            if round > 0 {
                messages.append(.user(Self.review))
                let critique = try await ask("critique \(round)", messages, inquiry)
                trace.critiques.append(critique)
                messages.append(.assistant(critique))
                if stop == .confirmed, Self.findsNoProblem(critique) {
                    trace.ending = "confirmed in round \(round)"
                    break
                }
                messages.append(.user(Self.improve))
                let reply = try await ask("answer \(round)", messages, inquiry)
                trace.replies.append(reply)
                messages.append(.assistant(reply))
            }
            guard extractsEveryRound || golds != nil else { continue }
            let answer = try await extract(round, messages, inquiry)
            trace.answers.append(answer)
            if let golds, Grader(inquiry.question.kind).isRight(answer, golds: golds) {
                trace.ending = "right in round \(round)"
                break
            }
        }
        if trace.answers.isEmpty {
            trace.answers.append(try await extract(trace.replies.count - 1, messages, inquiry))
        }
        trace.conversation = messages
        return trace
    }

    private func first(_ inquiry: Inquiry, _ messages: [ChatMessage]) async throws -> String {
        if let inner { return try await inner.solve(inquiry).text }
        guard let trigger else { return try await ask("answer 0", messages, inquiry) }
        return trigger + (try await ask("answer 0", messages + [.assistant(trigger)], inquiry))
    }

    private func ask(_ step: String, _ messages: [ChatMessage], _ inquiry: Inquiry) async throws -> String {
        try await inquiry.ask(
            step, messages, maxTokens: maxTokens,
            sampling: temperature > 0 ? .random(temperature: temperature) : .greedy
        ).text
    }

    /// The conversation up to the reply of a round, which goes on with the phrase that asks for the answer alone.
    private func extract(_ round: Int, _ messages: [ChatMessage], _ inquiry: Inquiry) async throws -> String {
        // A question or a request, then a reply, and twice as much a round.
        let place = 1 + 4 * round
        let kind = inquiry.question.kind
        let begun = messages[..<place] + [.assistant("\(messages[place].content) \(AnswerPhrase.afterReasoning(kind))")]
        let completion = try await inquiry.ask("extraction", Array(begun), maxTokens: answerTokens)
        let answer = Grader(kind).first(in: completion.text)
        inquiry.note("answer of round \(round)", answer)
        return answer
    }

    /// Whether a critique says that nothing is wrong. One that also says that something is, is no confirmation.
    package static func findsNoProblem(_ critique: String) -> Bool {
        let text = critique.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let doubts = [
            "incorrect", "not correct", "isn't correct", "not right", "is wrong", "are wrong", "however", "mistake is",
        ]
        let confirmations = [
            "no problem", "no error", "no issue", "no mistake", "no flaw", "nothing wrong", "not find any problem",
            "not see any problem", "not find any error", "not find any mistake", "not find any issue", "is correct",
            "looks correct",
            "are correct", "is right",
        ]
        return confirmations.contains(where: text.contains) && !doubts.contains(where: text.contains)
    }
}

/// What a conversation of critique and improvement came to.
package struct CriticismTrace: Sendable, Hashable {
    /// y₀…y_R, as far as it went.
    package var replies: [String] = []
    /// c₁…c_R.
    package var critiques: [String] = []
    /// The answer of each round from 0 on; where only the last was asked for, that one.
    package var answers: [String] = []
    package var ending = ""
    package var conversation: [ChatMessage] = []

    /// The answer after so many rounds; a conversation that ended before keeps its last.
    package func answer(after round: Int) -> String {
        answers.indices.contains(round) ? answers[round] : answers.last ?? ""
    }
}

/// Keeps the conversations of a strategy by the identifiers of their questions.
package final class CriticismRecord: Sendable {
    private let kept = Mutex<[String: CriticismTrace]>([:])

    package init() {}

    func keep(_ trace: CriticismTrace, for question: String) { kept.withLock { $0[question] = trace } }

    package subscript(question: Question) -> CriticismTrace? { kept.withLock { $0[question.id] } }
}

/// What critique and improvement did to answers, round by round.
package struct CriticismTally: Sendable, Hashable {
    /// [rounds + 1 × questions]
    package let isRight: [[Bool]]

    package init(_ record: CriticismRecord, _ questions: [Question], rounds: Int) {
        isRight = (0...rounds).map { round in
            questions.map { question in
                question.accepts(record[question]?.answer(after: round) ?? "")
            }
        }
    }

    /// Of items right at any round: what a stop that knows the right answers reaches.
    package var rightEver: Int {
        (isRight.first ?? []).indices.count { item in isRight.contains { $0[item] } }
    }

    package func table() throws -> Table {
        var table = Table(
            "Answers by round",
            columns: [
                .text("round"), .number("accuracy"), .number("right → wrong"), .number("wrong → right"),
                .number("right → right"), .number("wrong → wrong"),
            ])
        for round in isRight.indices {
            let accuracy = NumberStyle.percent.text(try Estimate.accuracy(isRight[round]).value)
            guard round > 0 else {
                table.add("0", accuracy)
                continue
            }
            let changes = zip(isRight[round - 1], isRight[round])
            func count(_ before: Bool, _ after: Bool) -> String { "\(changes.count { $0 == (before, after) })" }
            table.add(
                "\(round)", accuracy, count(true, false), count(false, true), count(true, true), count(false, false))
        }
        return table
    }
}
