import Text

/// An instruction with its answer, as Alpaca files hold it: `instruction`, `input` (may be empty), `output` or `response`.
public struct InstructionRecord: DataRecord, Hashable {
    public var instruction: String
    public var input: String
    public var output: String

    public init(_ record: Record) throws(DataError) {
        instruction = try record.string("instruction")
        let input = record.first(of: ["input", "context"])
        self.input = if let input { try record.text(input.value, input.name) } else { "" }
        guard let output = record.first(of: ["output", "response"]) else {
            throw record.missing("output (or response)")
        }
        self.output = try record.text(output.value, output.name)
    }
}

/// A text alone: `text` or `content`.
public struct TextRecord: DataRecord, Hashable {
    public var text: String

    public init(_ record: Record) throws(DataError) {
        guard let text = record.first(of: ["text", "content"]) else { throw record.missing("text (or content)") }
        self.text = try record.text(text.value, text.name)
    }
}

/// A prompt with its continuation: `prompt` and `completion` (or `response`).
public struct CompletionRecord: DataRecord, Hashable {
    public var prompt: String
    public var completion: String

    public init(_ record: Record) throws(DataError) {
        prompt = try record.string("prompt")
        guard let completion = record.first(of: ["completion", "response"]) else {
            throw record.missing("completion (or response)")
        }
        self.completion = try record.text(completion.value, completion.name)
    }
}

/// A conversation: `messages` (role, content) or ShareGPT's `conversations` (from, value); records of instructions, of
/// prompts with completions and of questions with answers are read as conversations of two turns.
public struct ConversationRecord: DataRecord, Hashable {
    public var messages: [ChatMessage]

    public init(_ record: Record) throws(DataError) {
        if let turns = record.first(of: ["messages", "conversations", "conversation"]) {
            messages = try Self.messages(turns.value, field: turns.name, in: record)
        } else if record["instruction"] != nil {
            let alpaca = try InstructionRecord(record)
            let request = alpaca.input.isEmpty ? alpaca.instruction : alpaca.instruction + "\n\n" + alpaca.input
            messages = [.user(request), .assistant(alpaca.output)]
        } else if record["prompt"] != nil {
            let pair = try CompletionRecord(record)
            messages = [.user(pair.prompt), .assistant(pair.completion)]
        } else if record["question"] != nil {
            let question = try QuestionRecord(record)
            guard let answer = question.answers.first else { throw record.missing("answer") }
            messages = [.user(question.question), .assistant(answer)]
        } else {
            throw record.missing("messages (or conversations, instruction, prompt, question)")
        }
        if let system = try record.stringIfPresent("system"), !system.isEmpty, messages.first?.role != .system {
            messages.insert(.system(system), at: 0)
        }
    }

    static func messages(_ value: JSONValue, field: String, in record: Record) throws(DataError) -> [ChatMessage] {
        guard let turns = value.arrayValue, !turns.isEmpty else {
            throw record.wrong(field, "an array of messages, not empty", value)
        }
        var messages: [ChatMessage] = []
        for (index, turn) in turns.enumerated() {
            let name = "\(field)[\(index)]"
            guard let role = (turn["role"] ?? turn["from"])?.stringValue else {
                throw record.missing("\(name) role (or from)")
            }
            guard let content = turn["content"] ?? turn["value"] else {
                throw record.missing("\(name) content (or value)")
            }
            messages.append(ChatMessage(role: Self.role(role), content: try record.text(content, "\(name).content")))
        }
        return messages
    }

    private static func role(_ name: String) -> Role {
        switch name {
        case "human": .user
        case "gpt", "bot", "model": .assistant
        case "function", "observation": .tool
        default: Role(name)
        }
    }
}

/// Two answers to a prompt, the first preferred: `prompt`, `chosen`, `rejected`, each a text or a list of messages. Without
/// `prompt`, what the two conversations share is the prompt.
public struct PreferenceRecord: DataRecord, Hashable {
    public var prompt: [ChatMessage]
    public var chosen: String
    public var rejected: String

    public init(_ record: Record) throws(DataError) {
        guard let chosen = record["chosen"] else { throw record.missing("chosen") }
        guard let rejected = record["rejected"] else { throw record.missing("rejected") }
        let better = try Self.turns(chosen, "chosen", record)
        let worse = try Self.turns(rejected, "rejected", record)
        guard let lastBetter = better.last, let lastWorse = worse.last else { throw record.missing("chosen") }
        self.chosen = lastBetter.content
        self.rejected = lastWorse.content
        if let given = record.first(of: ["prompt", "question", "instruction"]) {
            if given.value.arrayValue != nil {
                prompt = try ConversationRecord.messages(given.value, field: given.name, in: record)
            } else {
                prompt = [.user(try record.text(given.value, given.name))]
            }
        } else {
            guard better.count > 1, better.dropLast() == worse.dropLast() else {
                throw record.missing("prompt")
            }
            prompt = Array(better.dropLast())
        }
    }

    private static func turns(_ value: JSONValue, _ field: String, _ record: Record) throws(DataError) -> [ChatMessage]
    {
        if value.arrayValue != nil { return try ConversationRecord.messages(value, field: field, in: record) }
        return [.assistant(try record.text(value, field))]
    }
}
