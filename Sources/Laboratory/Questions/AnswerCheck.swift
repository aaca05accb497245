/// Says whether an answer is right where the right answers can't be listed: the solutions of a puzzle, say.
public protocol AnswerRule: Sendable, Hashable {
    func accepts(_ answer: String) -> Bool
}

/// A rule as a question carries it.
public struct AnswerCheck: Sendable, Hashable {
    public let rule: any AnswerRule

    public init(_ rule: any AnswerRule) { self.rule = rule }

    public static func == (a: AnswerCheck, b: AnswerCheck) -> Bool { AnyHashable(a.rule) == AnyHashable(b.rule) }

    public func hash(into hasher: inout Hasher) { hasher.combine(AnyHashable(rule)) }
}
