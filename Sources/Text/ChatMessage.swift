/// Who speaks in a conversation.
public struct Role: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    public var name: String

    public init(_ name: String) { self.name = name }
    public init(stringLiteral value: String) { name = value }
    public var description: String { name }

    public static let system: Role = "system"
    public static let user: Role = "user"
    public static let assistant: Role = "assistant"
    public static let tool: Role = "tool"
}

/// A function call that a model asks for.
public struct ToolCall: Sendable, Hashable {
    public var id: String
    public var name: String
    public var arguments: JSONValue

    public init(id: String, name: String, arguments: JSONValue) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }
}

/// A function that a model may call: its name, what it does, and the JSON Schema of its parameters.
public struct ToolDefinition: Sendable, Hashable {
    public var name: String
    public var summary: String
    public var parameters: JSONValue

    public init(name: String, summary: String, parameters: JSONValue) {
        self.name = name
        self.summary = summary
        self.parameters = parameters
    }

    /// The form that chat templates and OpenAI-compatible endpoints expect.
    public var json: JSONValue {
        [
            "type": "function",
            "function": ["name": .string(name), "description": .string(summary), "parameters": parameters],
        ]
    }
}

/// One turn of a conversation.
public struct ChatMessage: Sendable, Hashable {
    public var role: Role
    public var content: String
    public var toolCalls: [ToolCall]
    public var toolCallID: String?
    public var name: String?

    public init(
        role: Role, content: String, toolCalls: [ToolCall] = [], toolCallID: String? = nil, name: String? = nil
    ) {
        self.role = role
        self.content = content
        self.toolCalls = toolCalls
        self.toolCallID = toolCallID
        self.name = name
    }

    public static func system(_ content: String) -> ChatMessage { ChatMessage(role: .system, content: content) }
    public static func user(_ content: String) -> ChatMessage { ChatMessage(role: .user, content: content) }
    public static func assistant(_ content: String) -> ChatMessage { ChatMessage(role: .assistant, content: content) }
}
