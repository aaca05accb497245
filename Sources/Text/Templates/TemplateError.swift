/// Why a chat template could not be read or rendered, and where.
public struct TemplateError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Sendable, Hashable {
        /// The template's source is not a valid template.
        case syntax
        /// Something undefined was used as if it had a value.
        case undefined
        /// A value has the wrong type or range for what is done with it.
        case value
        /// The template itself refused the conversation with `raise_exception`.
        case raised
        /// The template exceeds one of its `TemplateLimits`.
        case limit
        /// The template uses a part of the language that is not supported.
        case unsupported
    }

    public var kind: Kind
    /// The line of the template's source, counted from 1; 0 where no line is to blame.
    public var line: Int
    public var message: String

    public init(kind: Kind, line: Int, message: String) {
        self.kind = kind
        self.line = line
        self.message = message
    }

    public var description: String {
        switch (kind, line) {
        case (.raised, _): "the chat template refuses this conversation: \(message)"
        case (_, 0): "chat template: \(message)"
        default: "chat template, line \(line): \(message)"
        }
    }
}

/// An error before its line is known; the lexer, parser and renderer add the line.
struct TemplateFault: Error {
    var kind: TemplateError.Kind
    var message: String

    static func value(_ message: String) -> TemplateFault { TemplateFault(kind: .value, message: message) }
    static func undefined(_ message: String) -> TemplateFault { TemplateFault(kind: .undefined, message: message) }
    static func limit(_ message: String) -> TemplateFault { TemplateFault(kind: .limit, message: message) }
    static func unsupported(_ message: String) -> TemplateFault { TemplateFault(kind: .unsupported, message: message) }
}
