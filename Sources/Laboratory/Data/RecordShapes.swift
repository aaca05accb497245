import Text

/// A text alone: `text` or `content`.
public struct TextRecord: DataRecord, Hashable {
    public var text: String

    public init(_ record: Record) throws(DataError) {
        guard let text = record.first(of: ["text", "content"]) else { throw record.missing("text (or content)") }
        self.text = try record.text(text.value, text.name)
    }
}

/// A conversation to learn from: `messages` (role, content) or ShareGPT's `conversations` (from, value); or what asks
/// (`prompt`, `instruction` with `input`, `question`, `input`) with its answer (`completion`, `response`, `output`,
/// `answer`), each a text or a list of messages.
public struct ConversationRecord: DataRecord, Hashable {
    public var messages: [ChatMessage]
    /// The places of the turns to learn: all of the assistant's but those of `weight` 0, of a prompt with its answer the answer's.
    public var learned: Set<Int>
    /// What `tools` holds: the functions that the assistant may call, as chat templates expect them.
    public var tools: [JSONValue]

    public init(_ record: Record) throws(DataError) {
        var field = record.leadingField
        var prompt: [ChatMessage] = []
        let turns: [ChatMessage]
        var isLeftOut: (Int) -> Bool = { _ in false }
        if let whole = record.first(of: Record.conversationFields) {
            field = whole.name
            turns = try record.withSystem(record.messages(whole.value, whole.name))
            // OpenAI's mark of a turn that isn't learned. A system's turn may have been put in front.
            let given = whole.value.arrayValue ?? []
            let shift = turns.count - given.count
            isLeftOut = { $0 >= shift && given[$0 - shift]["weight"]?.doubleValue == 0 }
        } else if let asked = try record.prompt() {
            prompt = asked
            turns = try Self.answer(to: field, in: record)
        } else {
            throw record.missing("messages (or conversations, prompt, instruction, question, input)")
        }
        let learned = turns.indices.filter { turns[$0].role == .assistant && !isLeftOut($0) }.map { $0 + prompt.count }
        guard !learned.isEmpty else {
            throw .wrongField(
                record.place, field: field, expected: "a conversation with a turn of the assistant to learn",
                found: "one without")
        }
        messages = prompt + turns
        self.learned = Set(learned)
        tools = try record.tools()
    }

    /// A question's answer may also be one of its choices.
    private static func answer(to field: String, in record: Record) throws(DataError) -> [ChatMessage] {
        let isQuestion = ["question", "query", "problem"].contains(field)
        guard isQuestion, record.first(of: Record.answerFields) == nil else {
            return try record.answer(Record.answerFields + (isQuestion ? [] : ["answer"]))
        }
        guard let answer = try QuestionRecord(record).answers.first else { throw record.missing("answer") }
        return [.assistant(answer)]
    }
}

/// Two answers to a prompt, the first preferred: `chosen` and `rejected`, each a text, a message, a list of messages or a
/// transcript. What they answer stands in `prompt` (or `question`, `instruction` with `input`, `messages`), or at the
/// beginning of both, as far as they are the same.
public struct PreferenceRecord: DataRecord, Hashable {
    public var prompt: [ChatMessage]
    /// The turns behind the prompt; the last is the assistant's.
    public var chosen: [ChatMessage]
    public var rejected: [ChatMessage]

    public init(_ record: Record) throws(DataError) {
        try record.demandNoTools()
        let better = try record.answer(["chosen"])
        let worse = try record.answer(["rejected"])
        let shared = zip(better.dropLast(), worse.dropLast()).prefix { $0 == $1 }.count
        guard shared > 0 || better[0].role == .assistant && worse[0].role == .assistant else {
            throw .wrongField(
                record.place, field: "rejected", expected: "a conversation that begins as \"chosen\" does",
                found: "another one")
        }
        guard let prompt = try record.prompt(before: Array(better[..<shared])) else { throw record.missing("prompt") }
        self.prompt = prompt
        chosen = Array(better[shared...])
        rejected = Array(worse[shared...])
    }
}

/// An answer that is wanted or not: `prompt` with `completion` (or `response`, `output`), or `messages` that end with the
/// answer, and `label`, true or 1 where it is wanted.
public struct JudgedRecord: DataRecord, Hashable {
    public var prompt: [ChatMessage]
    public var completion: String
    public var isDesirable: Bool

    public init(_ record: Record) throws(DataError) {
        let answers = Record.answerFields + ["answer"]
        let isWhole = record.first(of: answers) == nil && record.first(of: Record.conversationFields) != nil
        try record.demandNoTools()
        var turns = try record.answer(isWhole ? Record.conversationFields : answers)
        guard turns.allSatisfy({ $0.toolCalls.isEmpty }) else {
            throw .unusableField(
                record.place, field: record.leadingField, reason: "an answer that is judged can't call functions")
        }
        completion = turns.removeLast().content
        guard let prompt = try isWhole ? record.withSystem(turns) : record.prompt(before: turns) else {
            throw record.missing("prompt")
        }
        self.prompt = prompt
        isDesirable = try record.bool("label")
    }
}
