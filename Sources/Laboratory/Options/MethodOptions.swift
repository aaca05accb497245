import Text

/// The options of a method: a struct whose properties hold the values (their initial values are the defaults) and a table
/// that names them. The table is at once the command line's flags, the keys of the configuration file and what the
/// run store records.
///
/// ```swift
/// struct Options: MethodOptions {
///     var alpha = 0.01
///     var sentences = 1
///     static let fields: [Field<Self>] = [
///         Field("alpha", \.alpha, "scale of the attention outside the span", .above(0), .atMost(1)),
///         Field("sentences", \.sentences, "sentences to highlight", .atLeast(1)),
///     ]
/// }
/// ```
public protocol MethodOptions: Sendable {
    /// The defaults.
    init()
    static var fields: [Field<Self>] { get }
    /// Checks what no single field can: rules over several of them. Throws `OptionError.conflict`.
    func validate() throws(OptionError)
}

extension MethodOptions {
    public func validate() throws(OptionError) {}

    /// The defaults with some values changed, checked.
    public init(_ change: (inout Self) -> Void) throws(OptionError) {
        self.init()
        change(&self)
        try checkAll()
    }

    /// Checks every field and the rules between them.
    public func checkAll() throws(OptionError) {
        for field in Self.fields { try field.check(self) }
        try validate()
    }

    /// All values by name, as the run store keeps them.
    public var json: JSONValue {
        .object(Self.fields.map { JSONValue.Member($0.name, $0.read(self)) })
    }

    /// What help texts and catalogues say about the options.
    public static var descriptions: [OptionDescription] {
        let defaults = Self()
        return fields.map { field in
            OptionDescription(
                name: field.name, summary: field.summary, expectation: field.expectation,
                placeholder: field.placeholder, initial: Self.typed(field.read(defaults)), isSwitch: field.isSwitch)
        }
    }

    private static func typed(_ value: JSONValue) -> String {
        switch value {
        case .null: "none"
        case .string(let text): text
        case .array(let values): values.map(typed).joined(separator: ",")
        default: value.text()
        }
    }

    static func field(named name: String) -> Field<Self>? { fields.first { $0.name == name } }
}

/// Options of a method that has none.
public struct NoOptions: MethodOptions {
    public init() {}
    public static let fields: [Field<Self>] = []
}
