import Text

/// One option of a method: a flag, a key of the configuration file and an entry of the run store, all by one name.
public struct Field<Options: Sendable>: Sendable {
    /// The flag without its dashes, in kebab case: `top-sentences`.
    public let name: String
    /// What it does, in a phrase.
    public let summary: String
    /// What a right value is, rules included.
    public let expectation: String
    public let placeholder: String
    public let isSwitch: Bool
    public let isList: Bool

    let read: @Sendable (Options) -> JSONValue
    let writeFlag: @Sendable (inout Options, String, _ adding: Bool) throws(OptionError) -> Void
    let writeJSON: @Sendable (inout Options, JSONValue) throws(OptionError) -> Void
    let check: @Sendable (Options) throws(OptionError) -> Void

    /// Declares an option.
    ///
    /// - Parameters:
    ///   - name: the flag without dashes, in kebab case.
    ///   - path: the property that holds the value; its initial value is the default.
    ///   - summary: what it does, in a phrase.
    ///   - rules: what the value, or each element of a list, must satisfy.
    public init<Value: OptionValue>(
        _ name: String, _ path: any WritableKeyPath<Options, Value> & Sendable, _ summary: String,
        _ rules: Rule<Value.Item>...
    ) {
        let expectation = ([Value.expectation] + rules.map(\.expectation)).joined(separator: ", ")
        self.name = name
        self.summary = summary
        self.expectation = expectation
        placeholder = Value.placeholder
        isSwitch = Value.isSwitch
        isList = Value.isList

        let violation: @Sendable (Value) -> Bool = { value in
            value.items.contains { item in rules.contains { !$0.holds(item) } }
        }
        read = { $0[keyPath: path].json }
        writeFlag = { (options, text, adding) throws(OptionError) in
            guard let value = Value(flag: text), !violation(value) else {
                throw .wrongValue(option: name, value: text, expectation: expectation)
            }
            options[keyPath: path] = adding ? options[keyPath: path].adding(value) : value
        }
        writeJSON = { (options, json) throws(OptionError) in
            guard let value = Value(json: json), !violation(value) else {
                throw .wrongValue(option: name, value: json.text(), expectation: expectation)
            }
            options[keyPath: path] = value
        }
        check = { (options) throws(OptionError) in
            let value = options[keyPath: path]
            if violation(value) {
                throw .wrongValue(option: name, value: value.json.text(), expectation: expectation)
            }
        }
    }
}

/// One option as help texts, catalogues and reports describe it.
public struct OptionDescription: Sendable, Hashable, Codable {
    public var name: String
    public var summary: String
    public var expectation: String
    public var placeholder: String
    /// The default as it would be typed.
    public var initial: String
    public var isSwitch: Bool

    /// `--alpha <number>`, `--[no-]protect-first`.
    public var usage: String { isSwitch ? "--[no-]\(name)" : "--\(name) <\(placeholder)>" }
}
