import Laboratory

/// A sum whose solution is a list of partial sums, a line each, and the answer alone in the last line:
///
///     3+8+5
///     3+8=11
///     11+5=16
///     16
package struct RunningTotal: Sendable, Hashable {
    package var terms: [Int]

    package init(_ terms: [Int]) { self.terms = terms }

    /// All sums of so many digits, each once.
    package static func all(terms count: Int) -> [RunningTotal] {
        (0..<count).reduce([[]]) { sums, _ in sums.flatMap { sum in (0...9).map { sum + [$0] } } }.map(
            RunningTotal.init)
    }

    package var prompt: String { terms.map(String.init).joined(separator: "+") + "\n" }
    package var answer: String { String(terms.reduce(0, +)) }

    package var lines: [String] {
        var total = terms.first ?? 0
        var lines: [String] = []
        for term in terms.dropFirst() {
            lines.append("\(total)+\(term)=\(total + term)")
            total += term
        }
        return lines + [answer]
    }

    /// Right where the last line is the answer and nothing else.
    package var question: Question { Question(id: prompt, prompt, kind: .text, golds: [answer]) }
}
