import Text

/// A question with what counts as right: `question` (or `query`, `problem`, TRL's `prompt`), `answer` or `answers` (or `target`,
/// `solution`, `ground_truth`), and where there are any, `choices` (or `options`) and a `context` (or `passage`).
///
/// A prompt may be a list of messages; the question is then the last of the user's. Answers may be a text, an array of texts,
/// or SQuAD's `{"text": […]}`. Choices may be an array, ARC's `{"text": […], "label": […]}`, or an object of letters. With
/// choices, an answer that is a letter or a position (from 0) is also resolved to `answerIndex`.
public struct QuestionRecord: DataRecord, Hashable {
    public var id: String?
    public var question: String
    /// The turns that ask: the question, with what the record has before it.
    public var prompt: [ChatMessage]
    public var context: String?
    /// Every text that counts as right.
    public var answers: [String]
    public var choices: [String]
    /// The position of the right choice; nil without choices or where no answer is given.
    public var answerIndex: Int?

    public init(_ record: Record) throws(DataError) {
        id = try record.stringIfPresent("id")
        if let found = record.first(of: ["question", "query", "problem"]) {
            question = try record.text(found.value, found.name)
            prompt = try record.withSystem([.user(question)])
        } else {
            guard record["prompt"] != nil, let turns = try record.prompt() else {
                throw record.missing("question (or query, problem, prompt)")
            }
            guard let last = turns.last(where: { $0.role == .user }) else {
                throw .wrongField(
                    record.place, field: "prompt", expected: "turns with one of the user", found: "ones without")
            }
            question = last.content
            prompt = turns
        }
        context = try record.first(of: ["context", "passage", "paragraph"]).map { (found) throws(DataError) in
            if let parts = found.value.arrayValue {
                return try parts.map { (part) throws(DataError) in try record.text(part, found.name) }
                    .joined(separator: "\n")
            }
            return try record.text(found.value, found.name)
        }
        let options = try Self.choices(record)
        choices = options.texts
        let given = record.first(
            of: ["answers", "answer", "answerKey", "gold", "label", "target", "solution", "ground_truth"])
        answers = try given.map { (found) throws(DataError) in try Self.texts(found.value, found.name, record) } ?? []
        guard !choices.isEmpty, let given else { return }

        let found = Self.position(of: given.value, labels: options.labels, texts: choices)
        guard let index = found, choices.indices.contains(index) else {
            throw record.wrong(given.name, "one of the choices, its letter or its position", given.value)
        }
        answerIndex = index
        answers = [choices[index]]
    }

    private static func choices(_ record: Record) throws(DataError) -> (texts: [String], labels: [String]) {
        guard let found = record.first(of: ["choices", "options"]) else { return ([], []) }
        if let texts = found.value["text"]?.arrayValue {
            let labels = found.value["label"]?.arrayValue ?? []
            return (try spell(texts, found.name, record), try spell(labels, found.name, record))
        }
        if let members = found.value.objectValue {
            return (try spell(members.map(\.value), found.name, record), members.map(\.key))
        }
        guard let texts = found.value.arrayValue else {
            throw record.wrong(found.name, "an array of texts", found.value)
        }
        return (try spell(texts, found.name, record), [])
    }

    private static func spell(_ values: [JSONValue], _ field: String, _ record: Record) throws(DataError) -> [String] {
        var texts: [String] = []
        for value in values { texts.append(try record.text(value, field)) }
        return texts
    }

    private static func texts(_ value: JSONValue, _ field: String, _ record: Record) throws(DataError) -> [String] {
        if let inner = value["text"] { return try texts(inner, field, record) }
        if let elements = value.arrayValue { return try spell(elements, field, record) }
        return [try record.text(value, field)]
    }

    private static func position(of answer: JSONValue, labels: [String], texts: [String]) -> Int? {
        if case .integer(let index) = answer { return index }
        guard let text = answer.stringValue else { return nil }
        if let index = texts.firstIndex(of: text) ?? labels.firstIndex(of: text) { return index }
        guard let letter = text.unicodeScalars.first, text.unicodeScalars.count == 1 else { return Int(text) }
        if ("A"..."Z").contains(letter) { return Int(letter.value) - 65 }
        if ("a"..."z").contains(letter) { return Int(letter.value) - 97 }
        return Int(text)
    }
}

/// A question of the TOFU benchmark: `question`, `answer`, and where the split has them, `paraphrased_question`,
/// `paraphrased_answer` and `perturbed_answer` (several wrong ones).
public struct TOFURecord: DataRecord, Hashable {
    public var question: String
    public var answer: String
    public var paraphrasedQuestion: String?
    public var paraphrasedAnswer: String?
    public var perturbedAnswers: [String]

    public init(_ record: Record) throws(DataError) {
        question = try record.string("question")
        answer = try record.string("answer")
        paraphrasedQuestion = try record.stringIfPresent("paraphrased_question")
        paraphrasedAnswer = try record.stringIfPresent("paraphrased_answer")
        perturbedAnswers = record["perturbed_answer"] == nil ? [] : try record.strings("perturbed_answer")
    }
}
