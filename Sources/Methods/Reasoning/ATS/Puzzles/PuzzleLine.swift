import Laboratory

/// A solution line as a model writes it, `Summary: [1, 3] -> (1 + 3 = 4) -> [4]`, cut into its parts. Nothing in it is ever evaluated as a
/// program.
package enum PuzzleLine {
    /// Longer lines are no solutions.
    static let maximumLength = 2_000

    package enum Part: Sendable, Hashable {
        case state(String)
        /// Without its brackets.
        case operation(String)
    }

    /// What stands behind the last colon, without marks around it.
    package static func body(of line: String) -> String {
        let behind = line.split(separator: ":", omittingEmptySubsequences: false).last ?? ""
        let marks = " \t.`*\"'$"
        var text = behind[...]
        while let first = text.first, marks.contains(first) { text.removeFirst() }
        while let last = text.last, marks.contains(last) { text.removeLast() }
        return String(text)
    }

    /// The states and operations between the arrows; nil where the line is no such chain.
    package static func parts(of line: String) -> [Part]? {
        guard line.utf8.count <= maximumLength else { return nil }
        var parts: [Part] = []
        for piece in body(of: line).replacing("→", with: "->").split(separator: "->", omittingEmptySubsequences: false)
        {
            var text = piece.trimmingSpaces
            if parts.isEmpty { text = opening(text) }
            guard !text.isEmpty else { return nil }
            if text.hasPrefix("(") {
                guard let close = text.firstIndex(of: ")") else { return nil }
                parts.append(.operation(text[text.index(after: text.startIndex)..<close].trimmingSpaces))
                text = text[text.index(after: close)...].trimmingSpaces
                if text.isEmpty { continue }
            }
            guard !text.contains(where: { "()".contains($0) }) else { return nil }
            parts.append(.state(text))
        }
        return parts
    }

    /// The states alone, whatever the operations between them say.
    package static func states(of line: String) -> [String]? {
        parts(of: line).map { parts in
            parts.compactMap { part in if case .state(let text) = part { text } else { nil } }
        }
    }

    /// The first state without the words before it.
    private static func opening(_ text: String) -> String {
        if let bracket = text.firstIndex(of: "[") { return String(text[bracket...]) }
        return text.split(whereSeparator: \.isWhitespace).last.map(String.init) ?? ""
    }

    /// The numbers of a list in square brackets or without any; nil where something else stands in it.
    package static func list(_ text: String) -> PuzzleState? {
        var inner = text[...]
        if inner.first == "[" {
            guard inner.last == "]" else { return nil }
            inner = inner.dropFirst().dropLast()
        }
        return numbers(inner.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingSpaces })
    }

    static func numbers(_ texts: [String]) -> PuzzleState? {
        var numbers: PuzzleState = []
        for text in texts {
            guard let number = number(text) else { return nil }
            numbers.append(number)
        }
        return numbers
    }

    /// A number in digits with an optional sign and fraction: no exponents, no names.
    package static func number(_ text: some StringProtocol) -> Double? {
        guard !text.isEmpty, text.utf8.count <= 18, text.allSatisfy({ "0123456789.-".contains($0) }) else {
            return nil
        }
        return Double(text)
    }

    /// `a op b = c`, read without evaluating anything else.
    package static func equation(_ text: String) -> (first: Double, symbol: Character, second: Double, result: Double)?
    {
        let sides = text.split(separator: "=", omittingEmptySubsequences: false)
        guard sides.count == 2, let result = number(sides[1].trimmingSpaces) else { return nil }
        let left = sides[0].trimmingSpaces
        // The operator is the first sign behind a digit, so that a leading minus belongs to its number.
        guard let digit = left.firstIndex(where: \.isNumber),
            let place = left[digit...].firstIndex(where: { !$0.isNumber && $0 != "." && $0 != " " }),
            let first = number(left[..<place].trimmingSpaces),
            let second = number(left[left.index(after: place)...].trimmingSpaces)
        else { return nil }
        let symbols: [Character: Character] = ["×": "*", "x": "*", "·": "*", "÷": "/", "−": "-"]
        let symbol = symbols[left[place]] ?? left[place]
        return "+-*/".contains(symbol) ? (first, symbol, second, result) : nil
    }

    /// A number as puzzles show it: whole, or with at most three decimals.
    package static func text(_ value: Double) -> String {
        let rounded = (value * 1000).rounded() / 1000
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? String(Int(rounded)) : String(rounded)
    }
}
