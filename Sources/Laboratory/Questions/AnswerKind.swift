/// What form the answer to a question has.
public enum AnswerKind: Sendable, Hashable {
    case number
    /// One of this many options, lettered from A on: 2 to 26.
    case options(Int)
    case yesNo
    case text
    /// A day of the calendar.
    case date
    /// A mathematical expression, right in any equivalent form.
    case expression
    /// Lines between two fences of three back-quotes: a program, a grid.
    case block

    /// The letters of the options; empty for other kinds.
    public var letters: [Character] {
        guard case .options(let count) = self else { return [] }
        return (0..<max(0, min(count, 26))).map { Character(Unicode.Scalar(UInt8(65 + $0))) }
    }

    /// The kind as tables and records name it: `options A–E`.
    public var name: String {
        switch self {
        case .number: "number"
        case .options: "options A–\(letters.last.map(String.init) ?? "")"
        case .yesNo: "yes or no"
        case .text: "string"
        case .date: "date"
        case .expression: "expression"
        case .block: "block"
        }
    }

    /// How an instruction asks for an answer of this form: `a number in digits`.
    public var request: String {
        switch self {
        case .number: "a number in digits"
        case .options: "one letter from A to \(letters.last.map(String.init) ?? "A")"
        case .yesNo: "yes or no"
        case .text: "a word or a few words"
        case .date: "a date as month/day/year"
        case .expression: "an expression between dollar signs"
        case .block: "a block between two lines of ```"
        }
    }
}

/// How a user names the kind of answers.
public enum AnswerType: String, OptionChoice {
    /// Each record's own `answer_type`, else what its options and answer look like.
    case auto
    case number, options, yesno, string, date, expression, block
}
