import Text

/// A question with the form of its answer and what counts as right: what every reasoning strategy is given.
public struct Question: Sendable, Hashable {
    public var id: String
    /// The question alone, without its options.
    public var text: String
    /// The options in the order of their letters; empty where the answer is free.
    public var options: [String]
    public var kind: AnswerKind
    /// Every answer that is right; of options the letter. No strategy looks at it.
    public var golds: [String]
    /// What it is about (`arithmetic`), where the data say so.
    public var subject: String?
    /// Judges answers instead of `golds`; these are then examples of right answers.
    public var check: AnswerCheck?

    public init(
        id: String, _ text: String, options: [String] = [], kind: AnswerKind, golds: [String], subject: String? = nil,
        check: AnswerCheck? = nil
    ) {
        self.id = id
        self.text = text
        self.options = options
        self.kind = kind
        self.golds = golds
        self.subject = subject
        self.check = check
    }

    /// Whether an answer is right. No answer is wrong.
    public func accepts(_ answer: String) -> Bool {
        check.map { $0.rule.accepts(answer) } ?? Grader(kind).isRight(answer, golds: golds)
    }

    /// The question with its options behind it: ` Answer Choices: (A) red (B) green`.
    public var prompt: String { Self.prompt(text, options: options) }

    /// A question in the layout of all questions.
    public static func prompt(_ text: String, options: [String]) -> String {
        guard !options.isEmpty else { return text }
        let letters = AnswerKind.options(options.count).letters
        return text + " Answer Choices: " + zip(letters, options).map { "(\($0)) \($1)" }.joined(separator: " ")
    }

    /// Reads `question`, `answer`, and where the record has them `options`, `subject` and `answer_type` (`number`, `options`,
    /// `yesno`, `string`, `date`, `expression`, `block`).
    ///
    /// - Parameters:
    ///   - type: the kind of all answers, when the user says so.
    ///   - shuffle: puts the options into an order drawn from it; for data that lists the right one first.
    public init(
        _ record: Record, type: AnswerType = .auto, shuffle: inout SeededGenerator?
    ) throws(DataError) {
        let read = try QuestionRecord(record)
        text = read.question.trimmingSpaces
        guard !text.isEmpty else {
            throw .wrongField(record.place, field: "question", expected: "a question", found: "an empty text")
        }
        guard let given = read.answers.first else {
            throw .missingField(record.place, field: "\"answer\"", present: record.fieldNames)
        }
        id = read.id ?? record.place.description
        subject = try record.stringIfPresent("subject")
        let kind = try Self.kind(of: record, read, answer: given, type: type)
        self.kind = kind
        guard case .options = kind else {
            options = []
            for answer in read.answers where !Grader(kind).reads(gold: answer) {
                throw .wrongField(
                    record.place, field: "answer", expected: Self.expectation(kind),
                    found: answer.prefix(60).debugDescription)
            }
            golds = read.answers
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
        options = order.map { read.choices[$0] }
        golds = [String(kind.letters[right])]
    }

    /// The questions of a data set, in its order.
    /// - Parameter generator: shuffles the options; nil: they stand as in the data.
    public static func all(
        of data: DataSet, type: AnswerType = .auto, shuffle generator: SeededGenerator? = nil
    ) throws(DataError) -> [Question] {
        var shuffle = generator
        var questions: [Question] = []
        for record in data.records { questions.append(try Question(record, type: type, shuffle: &shuffle)) }
        return questions
    }

    private static func expectation(_ kind: AnswerKind) -> String {
        switch kind {
        case .number: "a number (12, -3.5, 1,200 or 3/4)"
        case .yesNo: "yes or no"
        case .date: "a date (2021-03-05, 03/05/2021 or March 5, 2021)"
        default: "a text"
        }
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
        case .date: return .date
        case .expression: return .expression
        case .block: return .block
        case .options:
            guard !read.choices.isEmpty else {
                throw .missingField(record.place, field: "\"options\"", present: record.fieldNames)
            }
        case .auto:
            if read.choices.isEmpty {
                // Dates before numbers would be read from numbers with slashes; neither reads the other whole.
                return [AnswerKind.yesNo, .number, .date].first { Grader($0).reads(gold: answer) } ?? .text
            }
        }
        guard (2...26).contains(read.choices.count) else {
            throw .wrongField(
                record.place, field: "options", expected: "2 to 26 options", found: "\(read.choices.count)")
        }
        return .options(read.choices.count)
    }
}
