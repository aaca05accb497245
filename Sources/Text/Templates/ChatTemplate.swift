/// A model's chat template: the Jinja program that turns a conversation into the prompt the model was trained on.
///
/// Renders what `apply_chat_template` of Hugging Face transformers renders: the same whitespace control (`trim_blocks`,
/// `lstrip_blocks`), the same sandbox, the same functions (`raise_exception`, `strftime_now`) and the same `tojson`. Parsed
/// once; rendering is safe from any number of tasks at once.
///
/// Templates come inside model files and conversations from anywhere, so both are bounded by `TemplateLimits`, and
/// `renderSegments` tells the template's own text from the conversation's: special tokens are to be recognised in the
/// former alone, or a user could forge the turn of another speaker.
public struct ChatTemplate: Sendable {
    /// A stretch of a rendered prompt.
    public struct Segment: Sendable, Hashable {
        public var text: String
        /// Whether the template wrote it. False for what came from messages, tools and other values.
        public var isTemplateOwn: Bool

        public init(text: String, isTemplateOwn: Bool) {
            self.text = text
            self.isTemplateOwn = isTemplateOwn
        }
    }

    public let source: String
    public let limits: TemplateLimits
    private let program: TemplateProgram
    private let specialTokens: [(name: String, text: TemplateText)]
    private let clock: @Sendable () -> TemplateDate

    /// Reads a template.
    /// - Parameters:
    ///   - bosToken: what the template prints as `bos_token`.
    ///   - eosToken: what it prints as `eos_token`.
    ///   - otherTokens: further special tokens by their variable's name, such as `pad_token`.
    ///   - clock: the date that `strftime_now` prints.
    /// - Throws: `TemplateError` for what is not a valid template, with the line.
    public init(
        source: String, bosToken: String? = nil, eosToken: String? = nil, otherTokens: [String: String] = [:],
        limits: TemplateLimits = TemplateLimits(), clock: @escaping @Sendable () -> TemplateDate = { .now }
    ) throws {
        self.source = source
        self.limits = limits
        self.clock = clock
        var tokens = otherTokens
        if let bosToken { tokens["bos_token"] = bosToken }
        if let eosToken { tokens["eos_token"] = eosToken }
        specialTokens = tokens.map { ($0.key, TemplateText($0.value, isOwn: true)) }
        program = try TemplateParser.parse(source, limits: limits)
    }

    /// Whether the template reads a variable: `mentions("tools")` says whether it can offer tools to the model.
    public func mentions(_ variable: String) -> Bool { program.indices[variable] != nil }

    /// Renders a conversation.
    /// - Parameters:
    ///   - tools: offered to the model. Templates that know no tools ignore them; see `mentions`.
    ///   - addGenerationPrompt: ends the prompt with the beginning of an answer. Ignored when the final message is continued.
    ///   - continueFinalMessage: ends the prompt where the final message's content ends, so that the model continues it.
    ///   - extra: further variables, such as `enable_thinking`.
    /// - Throws: `TemplateError`; of kind `raised` when the template refuses the conversation.
    public func render(
        messages: [ChatMessage], tools: [ToolDefinition] = [], addGenerationPrompt: Bool = true,
        continueFinalMessage: Bool = false, extra: [String: JSONValue] = [:]
    ) throws -> String {
        try rendered(
            messages: messages.map(\.json), tools: tools.map(\.json), addGenerationPrompt: addGenerationPrompt,
            continueFinalMessage: continueFinalMessage, extra: extra
        ).string
    }

    /// Renders a conversation into stretches of the template's own text and of content, neighbours being of different origin.
    /// Their concatenation is what `render` gives.
    ///
    /// A special token counts only where it lies whole in one segment of the template's own. The text between special tokens is
    /// to be tokenised in one go across the borders of segments, as the model saw it in training.
    public func renderSegments(
        messages: [ChatMessage], tools: [ToolDefinition] = [], addGenerationPrompt: Bool = true,
        continueFinalMessage: Bool = false, extra: [String: JSONValue] = [:]
    ) throws -> [Segment] {
        try renderSegments(
            messages: messages.map(\.json), tools: tools.map(\.json), addGenerationPrompt: addGenerationPrompt,
            continueFinalMessage: continueFinalMessage, extra: extra)
    }

    /// Renders messages and tools in the JSON form of OpenAI-compatible endpoints, with whatever fields they have.
    public func renderSegments(
        messages: [JSONValue], tools: [JSONValue] = [], addGenerationPrompt: Bool = true,
        continueFinalMessage: Bool = false, extra: [String: JSONValue] = [:]
    ) throws -> [Segment] {
        let text = try rendered(
            messages: messages, tools: tools, addGenerationPrompt: addGenerationPrompt,
            continueFinalMessage: continueFinalMessage, extra: extra)
        var segments: [Segment] = []
        text.forEachRun { range, isOwn in
            segments.append(
                Segment(text: String(decoding: text.bytes[range], as: UTF8.self), isTemplateOwn: isOwn))
        }
        return segments
    }

    private func rendered(
        messages: [JSONValue], tools: [JSONValue], addGenerationPrompt: Bool, continueFinalMessage: Bool,
        extra: [String: JSONValue]
    ) throws -> TemplateText {
        var input = TemplateInput()
        var variables: [(name: String, value: TemplateValue)] = []
        do {
            variables = try extra.map { ($0.key, try input.value(of: $0.value)) }
            variables.append(("messages", try input.conversation(messages, tagsFinal: continueFinalMessage)))
            variables.append(("tools", tools.isEmpty ? .null : try input.value(of: .array(tools))))
        } catch let fault as TemplateFault {
            throw TemplateError(kind: fault.kind, line: 0, message: fault.message)
        }
        let renderer = TemplateRenderer(program, limits: limits, inputBytes: input.bytes, now: clock())
        renderer.define("documents", as: .null)
        for (name, text) in specialTokens { renderer.define(name, as: .string(text)) }
        for (name, value) in variables { renderer.define(name, as: value) }
        renderer.define("add_generation_prompt", as: .bool(addGenerationPrompt && !continueFinalMessage))
        let text = try renderer.render()
        return continueFinalMessage ? try TemplateInput.cut(text) : text
    }
}

/// Turns a conversation into values for a template, counting its bytes.
struct TemplateInput {
    /// Roles that are the application's words rather than the user's. Templates build special tokens of them,
    /// `'<|' + role + '|>'`; any other role counts as content, so that none can spell a token that is no role.
    private static let roles: Set<String> = [
        "system", "user", "assistant", "tool", "developer", "function", "ipython", "model", "environment",
    ]

    /// Marks the end of the message to continue, then is cut off with all that follows. Some templates know this mark of
    /// transformers by name. The space shows whether the template trims.
    private static let mark = TemplateText("CONTINUE_FINAL_MESSAGE_TAG ", isOwn: false)

    /// The names a message's reasoning goes by. Templates read the first, older ones the second.
    private static let reasoningFields = ["reasoning_content", "thinking", "reasoning"]

    private(set) var bytes = 0

    mutating func conversation(_ messages: [JSONValue], tagsFinal: Bool) throws -> TemplateValue {
        var values: [TemplateValue] = []
        for (position, message) in messages.enumerated() {
            guard case .object(var members) = message else {
                throw TemplateFault.value("message \(position + 1) must be an object with 'role' and 'content'")
            }
            if tagsFinal, position == messages.count - 1 {
                guard let place = members.lastIndex(where: { $0.key == "content" }),
                    let tagged = Self.tagged(members[place].value)
                else { throw TemplateFault.value("the final message has no text to continue") }
                members[place].value = tagged
            }
            values.append(try object(Self.namingReasoning(members), level: 1, isMessage: true))
        }
        if tagsFinal, messages.isEmpty { throw TemplateFault.value("there is no final message to continue") }
        return .list(try TemplateList(values))
    }

    /// A message with its reasoning under the names that templates look for.
    private static func namingReasoning(_ members: [JSONValue.Member]) -> [JSONValue.Member] {
        let values = reasoningFields.lazy.compactMap { field in
            members.last { $0.key == field && $0.value != .null }?.value
        }
        guard let reasoning = values.first else { return members }
        return [.init("thinking", reasoning)] + members + [.init("reasoning_content", reasoning)]
    }

    private static func tagged(_ content: JSONValue) -> JSONValue? {
        switch content {
        case .string(let text): return .string(text + mark.string)
        case .array(var parts):
            for place in parts.indices.reversed() {
                guard case .object(var members) = parts[place],
                    let field = members.lastIndex(where: { $0.key == "text" }),
                    case .string(let text) = members[field].value
                else { continue }
                members[field].value = .string(text + mark.string)
                parts[place] = .object(members)
                return .array(parts)
            }
            return nil
        default: return nil
        }
    }

    /// The prompt up to where the final message's content ends.
    static func cut(_ text: TemplateText) throws -> TemplateText {
        let bare = mark.trimmed()
        guard let place = text.findLast(bare) else {
            throw TemplateError(
                kind: .value, line: 0,
                message: "the template drops the end of the final message, which so can't be continued")
        }
        let isTrimmed = !text[place..<text.count].hasPrefix(mark)
        let kept = text[0..<place]
        return isTrimmed ? kept.trimmed(left: false) : kept
    }

    mutating func value(of json: JSONValue) throws -> TemplateValue { try value(of: json, level: 0) }

    private mutating func value(of json: JSONValue, level: Int) throws -> TemplateValue {
        guard level < TemplateList.maximumDepth else {
            throw TemplateFault.limit(
                "the conversation's values nest more than \(TemplateList.maximumDepth) levels deep")
        }
        bytes += 8
        switch json {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .integer(let value): return .integer(value)
        case .number(let value): return .double(value)
        case .string(let text):
            bytes += text.utf8.count
            return .text(text)
        case .array(let elements):
            return .list(try TemplateList(elements.map { try value(of: $0, level: level + 1) }))
        case .object(let members): return try object(members, level: level, isMessage: false)
        }
    }

    private mutating func object(_ members: [JSONValue.Member], level: Int, isMessage: Bool) throws -> TemplateValue {
        var entries: [TemplateDictionary.Entry] = []
        entries.reserveCapacity(members.count)
        for member in members {
            bytes += member.key.utf8.count
            var value = try value(of: member.value, level: level + 1)
            if isMessage, member.key == "role", case .string(let role) = member.value, Self.roles.contains(role) {
                value = .string(TemplateText(role, isOwn: true))
            }
            entries.append(.init(key: .text(member.key), value: value))
        }
        return .dictionary(try TemplateDictionary(entries))
    }
}

extension ChatMessage {
    /// The form that chat templates expect. Fields that don't apply are left out, as templates ask whether they are there.
    package var json: JSONValue {
        var members: [JSONValue.Member] = [.init("role", .string(role.name)), .init("content", .string(content))]
        if !toolCalls.isEmpty {
            let calls: [JSONValue] = toolCalls.map { call in
                [
                    "id": .string(call.id), "type": "function",
                    "function": ["name": .string(call.name), "arguments": call.arguments],
                ]
            }
            members.append(.init("tool_calls", .array(calls)))
        }
        if let toolCallID { members.append(.init("tool_call_id", .string(toolCallID))) }
        if let name { members.append(.init("name", .string(name))) }
        return .object(members)
    }
}
