import Text

/// A type that an option of a method can have: spelt as a flag's text, as a value of a configuration file, and in the run
/// store.
public protocol OptionValue: Sendable, Hashable {
    /// What rules are checked against: the value itself, or each element of a list, or the value of an optional.
    associatedtype Item: Sendable

    /// What a right value is, as it completes "expects …": `a whole number`.
    static var expectation: String { get }
    /// The placeholder of help texts: `int`, `number`, `a|b|c`.
    static var placeholder: String { get }
    /// Whether a flag of this type stands alone (`--protect-first`) instead of taking a value.
    static var isSwitch: Bool { get }
    /// Whether a repeated flag adds to the value instead of replacing it.
    static var isList: Bool { get }

    /// Reads a flag's text; nil when it is no such value.
    init?(flag text: String)
    /// Reads a value of a configuration file or of the run store; nil when it is no such value.
    init?(json: JSONValue)
    /// The value as the run store keeps it.
    var json: JSONValue { get }
    /// What rules are checked against.
    var items: [Item] { get }
    /// This value with another one added to it; lists only.
    func adding(_ other: Self) -> Self
}

extension OptionValue {
    public static var isSwitch: Bool { false }
    public static var isList: Bool { false }
    public func adding(_ other: Self) -> Self { other }
}

extension OptionValue where Item == Self {
    public var items: [Self] { [self] }
}

extension Int: OptionValue {
    public typealias Item = Int
    public static var expectation: String { "a whole number" }
    public static var placeholder: String { "int" }
    public init?(flag text: String) { self.init(text) }
    public init?(json: JSONValue) {
        guard let value = json.intValue else { return nil }
        self = value
    }
    public var json: JSONValue { .integer(self) }
}

extension Double: OptionValue {
    public typealias Item = Double
    public static var expectation: String { "a number" }
    public static var placeholder: String { "number" }
    public init?(flag text: String) {
        guard let value = Double(text), value.isFinite else { return nil }
        self = value
    }
    public init?(json: JSONValue) {
        guard let value = json.doubleValue, value.isFinite else { return nil }
        self = value
    }
    public var json: JSONValue { .number(self) }
}

extension Bool: OptionValue {
    public typealias Item = Bool
    public static var expectation: String { "true or false" }
    public static var placeholder: String { "" }
    public static var isSwitch: Bool { true }
    public init?(flag text: String) {
        switch text.lowercased() {
        case "true", "yes", "on", "1": self = true
        case "false", "no", "off", "0": self = false
        default: return nil
        }
    }
    public init?(json: JSONValue) {
        guard let value = json.boolValue else { return nil }
        self = value
    }
    public var json: JSONValue { .bool(self) }
}

extension String: OptionValue {
    public typealias Item = String
    public static var expectation: String { "a text" }
    public static var placeholder: String { "text" }
    public init?(flag text: String) { self = text }
    public init?(json: JSONValue) {
        guard let value = json.stringValue else { return nil }
        self = value
    }
    public var json: JSONValue { .string(self) }
}

/// A file or folder given as an option. A leading `~` stands for the home folder.
public struct Path: OptionValue, CustomStringConvertible {
    public typealias Item = Path
    /// The path as typed.
    public var string: String

    public init(_ string: String) { self.string = string }

    public static var expectation: String { "a file or folder" }
    public static var placeholder: String { "path" }
    public init?(flag text: String) {
        guard !text.isEmpty else { return nil }
        string = text
    }
    public init?(json: JSONValue) {
        guard let text = json.stringValue else { return nil }
        self.init(flag: text)
    }
    public var json: JSONValue { .string(string) }
    public var description: String { string }

    /// The path with `~` replaced.
    public var expanded: String { Folders.expandingHome(string) }
}

/// An option with a closed list of names. An enum of strings conforms by saying so.
public protocol OptionChoice: OptionValue, CaseIterable, RawRepresentable where RawValue == String, Item == Self {}

extension OptionChoice {
    public static var expectation: String { "one of " + allCases.map(\.rawValue).joined(separator: ", ") }
    public static var placeholder: String { allCases.map(\.rawValue).joined(separator: "|") }
    public init?(flag text: String) { self.init(rawValue: text) }
    public init?(json: JSONValue) {
        guard let text = json.stringValue else { return nil }
        self.init(rawValue: text)
    }
    public var json: JSONValue { .string(rawValue) }
}

extension Optional: OptionValue where Wrapped: OptionValue {
    public typealias Item = Wrapped.Item
    public static var expectation: String { "\(Wrapped.expectation), or none" }
    public static var placeholder: String { Wrapped.placeholder }
    public init?(flag text: String) {
        if text == "none" {
            self = .none
        } else {
            guard let value = Wrapped(flag: text) else { return nil }
            self = value
        }
    }
    public init?(json: JSONValue) {
        if json == .null {
            self = .none
        } else {
            guard let value = Wrapped(json: json) else { return nil }
            self = value
        }
    }
    public var json: JSONValue { self?.json ?? .null }
    public var items: [Wrapped.Item] { self?.items ?? [] }
}

/// A list is typed with commas (`--layers 3,5,8`), by repeating the flag, or as a JSON array where its texts hold commas.
extension Array: OptionValue where Element: OptionValue {
    public typealias Item = Element.Item
    public static var expectation: String { "a list of values, each \(Element.expectation)" }
    public static var placeholder: String { "\(Element.placeholder),…" }
    public static var isList: Bool { true }
    public init?(flag text: String) {
        if text.hasPrefix("["), let value = try? JSONValue(parsing: text) {
            self.init(json: value)
            return
        }
        var values: [Element] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: true) {
            guard let value = Element(flag: part.trimmingSpaces) else { return nil }
            values.append(value)
        }
        self = values
    }
    public init?(json: JSONValue) {
        guard let elements = json.arrayValue else {
            guard let value = Element(json: json) else { return nil }
            self = [value]
            return
        }
        var values: [Element] = []
        for element in elements {
            guard let value = Element(json: element) else { return nil }
            values.append(value)
        }
        self = values
    }
    public var json: JSONValue { .array(map(\.json)) }
    public var items: [Element.Item] { flatMap(\.items) }
    public func adding(_ other: [Element]) -> [Element] { self + other }
}

extension StringProtocol {
    /// The text without white space at its ends.
    package var trimmingSpaces: String {
        var part = self[...]
        while let first = part.first, first.isWhitespace { part.removeFirst() }
        while let last = part.last, last.isWhitespace { part.removeLast() }
        return String(part)
    }
}
