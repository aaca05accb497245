/// Reads the parts of a `tokenizer.json`, naming the field in every error.
struct TokenizerJSONReader {
    let value: JSONValue
    /// The field's name from the root, such as `model.vocab`.
    let path: String

    init(_ value: JSONValue, path: String = "") {
        self.value = value
        self.path = path
    }

    func error(_ problem: String) -> TokenizerError { TokenizerError(path.isEmpty ? "tokenizer.json" : path, problem) }

    private func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// A member, or nil when it is absent or null.
    func member(_ key: String) -> TokenizerJSONReader? {
        guard let member = value[key], member != .null else { return nil }
        return TokenizerJSONReader(member, path: path(of: key))
    }

    func required(_ key: String) throws(TokenizerError) -> TokenizerJSONReader {
        guard let member = member(key) else { throw TokenizerError(path(of: key), "is missing") }
        return member
    }

    var text: String {
        get throws(TokenizerError) {
            guard let text = value.stringValue else { throw error("must be a text") }
            return text
        }
    }

    var integer: Int {
        get throws(TokenizerError) {
            guard let integer = value.intValue else { throw error("must be an integer") }
            return integer
        }
    }

    /// A token id below a bound.
    func id(below count: Int) throws(TokenizerError) -> TokenID {
        let id = try integer
        guard id >= 0, id < count else { throw error("is \(id), but ids go from 0 to \(count - 1)") }
        return TokenID(id)
    }

    var elements: [TokenizerJSONReader] {
        get throws(TokenizerError) {
            guard let elements = value.arrayValue else { throw error("must be an array") }
            return elements.enumerated().map { TokenizerJSONReader($0.element, path: "\(path)[\($0.offset)]") }
        }
    }

    var members: [JSONValue.Member] {
        get throws(TokenizerError) {
            guard let members = value.objectValue else { throw error("must be an object") }
            return members
        }
    }

    func text(_ key: String) throws(TokenizerError) -> String { try required(key).text }

    func optionalText(_ key: String) throws(TokenizerError) -> String? { try member(key)?.text }

    func flag(_ key: String, default standard: Bool) throws(TokenizerError) -> Bool {
        guard let member = member(key) else { return standard }
        guard let flag = member.value.boolValue else { throw member.error("must be true or false") }
        return flag
    }

    /// The `type` of a step, or an error that lists what is supported.
    func unsupported(_ kind: String) -> TokenizerError {
        TokenizerError(path(of: "type"), "is '\(kind)', which is not supported")
    }
}
