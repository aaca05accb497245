/// What an option's value must satisfy besides its type.
public struct Rule<Value: Sendable>: Sendable {
    /// What is right, as it completes "expects …": `above 0`, `from 0 to 1`.
    public let expectation: String
    let holds: @Sendable (Value) -> Bool

    public init(_ expectation: String, _ holds: @escaping @Sendable (Value) -> Bool) {
        self.expectation = expectation
        self.holds = holds
    }
}

extension Rule where Value: Comparable & CustomStringConvertible {
    public static func atLeast(_ bound: Value) -> Rule { Rule("at least \(bound)") { $0 >= bound } }
    public static func atMost(_ bound: Value) -> Rule { Rule("at most \(bound)") { $0 <= bound } }
    public static func above(_ bound: Value) -> Rule { Rule("above \(bound)") { $0 > bound } }
    public static func below(_ bound: Value) -> Rule { Rule("below \(bound)") { $0 < bound } }
    public static func within(_ range: ClosedRange<Value>) -> Rule {
        Rule("from \(range.lowerBound) to \(range.upperBound)") { range.contains($0) }
    }
}

extension Rule where Value == String {
    /// Not empty and not only white space.
    public static var filled: Rule { Rule("not empty") { text in text.contains { !$0.isWhitespace } } }
}
