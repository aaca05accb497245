import Text

/// How the public formats hold what is said: as a text, as one message, as a list of messages or as a transcript.
extension Record {
    static let conversationFields = ["messages", "conversations", "conversation"]
    static let answerFields = ["completion", "response", "output"]
    private static let promptFields =
        ["prompt", "question", "query", "problem", "instruction", "input"] + conversationFields

    /// The field that the record's sample begins with; errors about the whole sample name it.
    public var leadingField: String {
        first(
            of: Self.promptFields + ["chosen", "text", "content", "tokens", "words", "anchor", "premise", "sentence1"])?
            .name ?? "prompt"
    }

    /// The turns that ask for an answer, or nil where no field holds them. Alpaca's `input` (or `context`) follows its
    /// instruction; `system` goes first.
    func prompt() throws(DataError) -> [ChatMessage]? {
        guard let found = first(of: Self.promptFields) else { return nil }
        var turns = try turns(found.value, found.name, by: .user)
        if found.name == "instruction", let input = first(of: ["input", "context"]) {
            let text = try text(input.value, input.name)
            if !text.isEmpty { turns[turns.count - 1].content += "\n\n" + text }
        }
        // A transcript may end by naming the assistant.
        if turns.count > 1, turns.last == .assistant("") { turns.removeLast() }
        return try withSystem(turns)
    }

    /// What the last turn of an answer follows: the prompt and the answer's other turns, or those alone where the answer repeats
    /// the whole conversation; nil where nothing asks.
    /// - Parameter turns: the answer's, without the last.
    func prompt(before turns: [ChatMessage]) throws(DataError) -> [ChatMessage]? {
        if let opener = turns.first, opener.role == .user || opener.role == .system { return try withSystem(turns) }
        if let prompt = try prompt() { return prompt + turns }
        return turns.isEmpty ? nil : try withSystem(turns)
    }

    /// The turns of the first of these fields that the record has; the last is the assistant's.
    func answer(_ fields: [String]) throws(DataError) -> [ChatMessage] {
        guard let found = first(of: fields) else { throw missing(anyOf: fields) }
        let turns = try turns(found.value, found.name, by: .assistant)
        guard turns.last?.role == .assistant else {
            throw .wrongField(
                place, field: found.name, expected: "turns of which the last is the assistant's",
                found: "ones that end with the \(turns.last?.role.name ?? "user")'s")
        }
        return turns
    }

    /// A field's turns; a text without speakers is said by this one.
    func turns(_ value: JSONValue, _ field: String, by speaker: Role) throws(DataError) -> [ChatMessage] {
        if value.arrayValue != nil { return try messages(value, field) }
        if value.objectValue != nil { return [try message(value, field)] }
        let text = try text(value, field)
        return Transcript.turns(text) ?? [ChatMessage(role: speaker, content: text)]
    }

    /// A list of messages: `role` and `content`, or ShareGPT's `from` and `value`.
    func messages(_ value: JSONValue, _ field: String) throws(DataError) -> [ChatMessage] {
        guard let turns = value.arrayValue else { throw wrong(field, "an array of messages, not empty", value) }
        guard !turns.isEmpty else {
            throw .wrongField(place, field: field, expected: "an array of messages", found: "an empty one")
        }
        var messages: [ChatMessage] = []
        for (index, turn) in turns.enumerated() { messages.append(try message(turn, "\(field)[\(index)]")) }
        return messages
    }

    private func message(_ value: JSONValue, _ field: String) throws(DataError) -> ChatMessage {
        guard value.objectValue != nil else { throw wrong(field, "a message: an object with role and content", value) }
        let turn = Record(value, at: place)
        guard let speaker = turn.first(of: ["role", "from"]) else { throw missing("\(field) role (or from)") }
        let name = try text(speaker.value, "\(field).\(speaker.name)")
        guard let role = Self.roles[name.lowercased()] else {
            throw .wrongField(
                place, field: "\(field).\(speaker.name)", expected: "system, user, assistant or tool",
                found: name.debugDescription)
        }
        let calls = try toolCalls(turn, field)
        let content = turn.first(of: ["content", "value"])
        // A turn that calls functions may say nothing.
        guard content != nil || !calls.isEmpty else { throw missing("\(field) content (or value)") }
        return ChatMessage(
            role: role,
            content: try content.map { (content) throws(DataError) in
                try self.content(content.value, "\(field).\(content.name)")
            } ?? "", toolCalls: calls, toolCallID: try turn.stringIfPresent("tool_call_id"),
            name: try turn.stringIfPresent("name"))
    }

    /// A text, or OpenAI's list of parts where all are texts.
    private func content(_ value: JSONValue, _ field: String) throws(DataError) -> String {
        guard let parts = value.arrayValue else { return try text(value, field) }
        var texts: [String] = []
        for (index, part) in parts.enumerated() {
            guard let text = part["text"]?.stringValue else {
                throw .wrongField(
                    place, field: "\(field)[\(index)]", expected: "a part with a text",
                    found: part["type"]?.stringValue.map { "one of type \($0.debugDescription)" } ?? part.kindName)
            }
            texts.append(text)
        }
        return texts.joined()
    }

    /// The functions that a turn calls: OpenAI's list, its arguments an object or the text of one.
    private func toolCalls(_ turn: Record, _ field: String) throws(DataError) -> [ToolCall] {
        guard let given = turn["tool_calls"] else { return [] }
        guard let list = given.arrayValue else { throw wrong("\(field).tool_calls", "an array of calls", given) }
        var calls: [ToolCall] = []
        for (index, call) in list.enumerated() {
            let function = call["function"] ?? call
            guard let name = function["name"]?.stringValue else {
                throw wrong("\(field).tool_calls[\(index)]", "a call: a function with name and arguments", call)
            }
            let arguments = function["arguments"] ?? [:]
            calls.append(
                ToolCall(
                    id: call["id"]?.stringValue ?? "call_\(index)", name: name,
                    arguments: arguments.stringValue.flatMap { try? JSONValue(parsing: $0) } ?? arguments))
        }
        return calls
    }

    /// Refuses functions where nothing learns to call them.
    func demandNoTools() throws(DataError) {
        guard try tools().isEmpty else {
            throw .unusableField(
                place, field: "tools", reason: "only conversations (sft, distillation) learn to call functions")
        }
    }

    /// The functions of the record's `tools`: a list, or the text of one.
    func tools() throws(DataError) -> [JSONValue] {
        guard let given = self["tools"], given.stringValue?.isEmpty != true else { return [] }
        let value = given.stringValue.flatMap { try? JSONValue(parsing: $0) } ?? given
        guard let tools = value.arrayValue, tools.allSatisfy({ $0.objectValue != nil }) else {
            throw wrong("tools", "an array of functions", given)
        }
        return tools
    }

    /// The turns with the record's `system` in front, where they have none of their own.
    func withSystem(_ turns: [ChatMessage]) throws(DataError) -> [ChatMessage] {
        guard turns.first?.role != .system, let system = first(of: ["system", "system_prompt"]) else { return turns }
        let text = try text(system.value, system.name)
        return text.isEmpty ? turns : [.system(text)] + turns
    }

    /// The speakers by the names that public data has for them.
    private static let roles: [String: Role] = [
        "system": .system, "developer": .system, "user": .user, "human": .user, "assistant": .assistant,
        "gpt": .assistant, "bot": .assistant, "model": .assistant, "chatgpt": .assistant, "tool": .tool,
        "function": .tool, "observation": .tool,
    ]
}
