import Laboratory
import Text

/// How a user names the kind of answers.
public enum AnswerType: String, OptionChoice {
    /// Each record's own `answer_type`, else what its options and answer look like.
    case auto
    case number, options, yesno, string
}

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

    /// Reads `question`, `answer`, and where the record has them `options` and `answer_type` (`number`, `options`, `yesno`,
    /// `string`).
    ///
    /// - Parameters:
    ///   - type: the kind of all answers, when the user says so.
    ///   - shuffle: puts the options into an order drawn from it; for data that lists the right one first.
    package init(
        _ record: Record, type: AnswerType = .auto, shuffle: inout SeededGenerator?
    ) throws(DataError) {
        let read = try QuestionRecord(record)
        let text = read.question.trimmingSpaces
        guard !text.isEmpty else {
            throw .wrongField(record.place, field: "question", expected: "a question", found: "an empty text")
        }
        guard let given = read.answers.first else {
            throw .missingField(record.place, field: "\"answer\"", present: record.fieldNames)
        }
        id = read.id ?? record.place.description
        let kind = try Self.kind(of: record, read, answer: given, type: type)
        self.kind = kind
        guard case .options = kind else {
            question = text
            guard let gold = AnswerExtractor(kind).gold(given) else {
                throw .wrongField(
                    record.place, field: "answer",
                    expected: kind == .number
                        ? "a number (12, -3.5 or 1,200)" : kind == .yesNo ? "yes or no" : "a text",
                    found: given.prefix(60).debugDescription)
            }
            self.gold = gold
            return
        }
        var order = Array(read.choices.indices)
        if var generator = shuffle {
            order = generator.shuffled(order)
            shuffle = generator
        }
        guard let right = read.answerIndex.flatMap({ order.firstIndex(of: $0) }) else {
            throw .missingField(record.place, field: "\"answer\"", present: record.fieldNames)
        }
        let letters = kind.letters
        question =
            text + " Answer Choices: "
            + zip(letters, order).map { "(\($0)) \(read.choices[$1])" }.joined(separator: " ")
        gold = String(letters[right])
    }

    private static func kind(
        of record: Record, _ read: QuestionRecord, answer: String, type: AnswerType
    ) throws(DataError) -> AnswerKind {
        var type = type
        if type == .auto, let named = try record.stringIfPresent("answer_type") {
            guard let known = AnswerType(rawValue: named.lowercased()) else {
                throw .wrongField(
                    record.place, field: "answer_type", expected: AnswerType.expectation, found: named.debugDescription)
            }
            type = known
        }
        switch type {
        case .number: return .number
        case .yesno: return .yesNo
        case .string: return .text
        case .options:
            guard !read.choices.isEmpty else {
                throw .missingField(record.place, field: "\"options\"", present: record.fieldNames)
            }
        case .auto:
            if read.choices.isEmpty {
                if AnswerExtractor(.yesNo).gold(answer) != nil { return .yesNo }
                return AnswerExtractor(.number).gold(answer) != nil ? .number : .text
            }
        }
        guard (2...26).contains(read.choices.count) else {
            throw .wrongField(
                record.place, field: "options", expected: "2 to 26 options", found: "\(read.choices.count)")
        }
        return .options(read.choices.count)
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
