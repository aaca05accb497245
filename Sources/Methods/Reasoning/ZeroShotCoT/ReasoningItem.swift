import Laboratory
import Text

/// A question with the answer that is right, ready to be asked.
package struct ReasoningItem: Sendable, Hashable {
    package var id: String
    /// The question, its options spelt out behind it.
    package var question: String
    package var kind: AnswerKind
    /// The right answer, as extracted ones are compared with it.
    package var gold: String

    package init(id: String, question: String, kind: AnswerKind, gold: String) {
        self.id = id
        self.question = question
        self.kind = kind
        self.gold = gold
    }

    /// Reads a record as `Question` does; the right answer is also one by the paper's own rules, which compare strings.
    ///
    /// - Parameters:
    ///   - type: the kind of all answers, when the user says so.
    ///   - shuffle: puts the options into an order drawn from it; for data that lists the right one first.
    package init(
        _ record: Record, type: AnswerType = .auto, shuffle: inout SeededGenerator?
    ) throws(DataError) {
        let question = try Question(record, type: type, shuffle: &shuffle)
        let given = question.golds.first ?? ""
        guard let gold = AnswerExtractor(question.kind).gold(given) else {
            throw .wrongField(
                record.place, field: "answer", expected: "a number (12, -3.5 or 1,200)",
                found: given.prefix(60).debugDescription)
        }
        self.init(id: question.id, question: question.prompt, kind: question.kind, gold: gold)
    }

    /// A question as the strategies have it, its right answer left to them.
    package init(_ question: Question) {
        self.init(id: question.id, question: question.prompt, kind: question.kind, gold: question.golds.first ?? "")
    }
}

extension WorkedExample {
    /// Reads `question`, `answer` and, where there is one, `rationale` (or `explanation`, `reasoning`).
    package init(_ record: Record) throws(DataError) {
        question = try record.string("question").trimmingSpaces
        answer = try record.string("answer").trimmingSpaces
        var found = ""
        for field in ["rationale", "explanation", "reasoning"] where found.isEmpty {
            found = try record.stringIfPresent(field)?.trimmingSpaces ?? ""
        }
        rationale = found
    }
}
