import Inference
import Text

extension RequestEncoder {
    /// Writes a constraint in the dialect's own fields.
    func encode(_ constraint: Constraint, isChat: Bool, into body: inout Body) throws {
        let traits = endpoint.traits
        let kind: DialectTraits.ConstraintKind =
            switch constraint {
            case .jsonSchema: .jsonSchema
            case .regex: .regex
            case .choice: .choice
            }
        guard traits.constraints.contains(kind) else {
            let name = kind == .regex ? "a regular expression" : "a choice list"
            throw unsupported(
                "text that obeys \(name)",
                kind == .regex
                    ? "The dialects vllm and sglang have it, and local models do."
                    : "The dialects vllm, sglang and llama-server have it, and local models do.")
        }
        guard isChat || traits.constrainsRawText else {
            throw unsupported("a constraint on raw text", "Ask in a conversation, or use a local model.")
        }
        if case .choice(let choices) = constraint, choices.isEmpty {
            throw unsupported("a choice among nothing", "Give at least one string.")
        }
        switch endpoint.dialect.resolved(for: endpoint.url) {
        case .vllm: encodeForVLLM(constraint, into: &body)
        case .sglang: encodeForSGLang(constraint, into: &body)
        case .llamaServer: encodeForLlamaServer(constraint, isChat: isChat, into: &body)
        case .openai, .ollama, .auto:
            if case .jsonSchema(let schema) = constraint { body["response_format"] = Self.responseFormat(schema) }
        }
    }

    private static func responseFormat(_ schema: JSONValue) -> JSONValue {
        ["type": "json_schema", "json_schema": ["name": "answer", "strict": true, "schema": schema]]
    }

    private func encodeForVLLM(_ constraint: Constraint, into body: inout Body) {
        let (guided, structured, value): (String, String, JSONValue) =
            switch constraint {
            case .jsonSchema(let schema): ("guided_json", "json", schema)
            case .regex(let pattern): ("guided_regex", "regex", .string(pattern))
            case .choice(let choices): ("guided_choice", "choice", .array(choices.map { .string($0) }))
            }
        if endpoint.vllmConstraints != .structuredOutputs { body[guided] = value }
        if endpoint.vllmConstraints != .guided {
            body["structured_outputs"] = .object([.init(structured, value)])
        }
    }

    private func encodeForSGLang(_ constraint: Constraint, into body: inout Body) {
        switch constraint {
        case .jsonSchema(let schema): body["response_format"] = Self.responseFormat(schema)
        case .regex(let pattern): body["regex"] = .string(pattern)
        case .choice(let choices):
            body["regex"] = .string("(" + choices.map(Self.escapedForRegex).joined(separator: "|") + ")")
        }
    }

    private func encodeForLlamaServer(_ constraint: Constraint, isChat: Bool, into body: inout Body) {
        switch constraint {
        case .jsonSchema(let schema):
            if isChat {
                body["response_format"] = Self.responseFormat(schema)
            } else {
                body["json_schema"] = schema
            }
        case .choice(let choices):
            body["grammar"] = .string("root ::= " + choices.map(Self.quotedForGrammar).joined(separator: " | "))
        case .regex: break
        }
    }

    static func escapedForRegex(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if "\\^$.|?*+()[]{}".unicodeScalars.contains(scalar) { result += "\\" }
                result.unicodeScalars.append(scalar)
            }
        }
    }

    /// A literal of llama.cpp's grammar notation.
    static func quotedForGrammar(_ text: String) -> String {
        let body = text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return "\"\(body)\""
    }
}

extension Constraint {
    /// Why a finished text breaks this constraint, as far as can be told here; nil when nothing speaks against it.
    ///
    /// Servers that don't know a constraint's field answer as if nothing had been asked. A choice is checked whole, a schema only
    /// for being JSON at all, a regular expression not.
    func violation(in text: String) -> String? {
        switch self {
        case .choice(let choices):
            choices.contains(text) ? nil : "'\(Excerpt.of(text, limit: 200))' is none of the \(choices.count) choices"
        case .jsonSchema:
            (try? JSONValue(parsing: text)) == nil
                ? "'\(Excerpt.of(text, limit: 200))' is no JSON document" : nil
        case .regex: nil
        }
    }
}
