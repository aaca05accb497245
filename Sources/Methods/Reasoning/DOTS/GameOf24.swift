import Laboratory
import Text

/// The game of 24: four numbers are joined by + − × ÷ so that 24 comes out, each number used once.
///
/// There are many right answers, so a question brings its rule: it reads the answer as an expression, never runs it, and reckons in exact
/// fractions, as 8 ÷ (3 − 8 ÷ 3) needs them.
package struct GameOf24: AnswerRule {
    package let numbers: [Int]

    static let goal = 24
    /// The cards' values, of which four make a game.
    static let cards = 1...13

    package init(_ numbers: [Int]) throws(GameOf24Error) {
        guard numbers.count == 4, numbers.allSatisfy({ Self.cards.contains($0) }) else {
            throw .malformed(numbers.map(String.init).joined(separator: " "))
        }
        guard Self.solution(of: numbers) != nil else {
            throw .unsolvable(numbers.map(String.init).joined(separator: " "))
        }
        self.numbers = numbers
    }

    /// Reads `4 9 10 13`.
    package init(_ instance: String) throws(GameOf24Error) {
        let fields = instance.split { $0.isWhitespace || $0 == "," }
        let numbers = fields.compactMap { Int($0) }
        guard numbers.count == fields.count else { throw .malformed(String(instance.prefix(80))) }
        try self.init(numbers)
    }

    private init(solvable numbers: [Int]) { self.numbers = numbers }

    package func accepts(_ answer: String) -> Bool {
        var text = answer.filter { !$0.isWhitespace && !"$`".contains($0) }
        while text.last == "." { text.removeLast() }
        if text.hasSuffix("=\(Self.goal)") { text.removeLast("=\(Self.goal)".count) }
        guard let expression = MathematicalExpression(text), let operands = expression.operands else { return false }
        return expression.value() == Rational(Self.goal)
            && operands.map(\.double).sorted() == numbers.map { Double($0) }.sorted()
    }

    /// The game as a question. Its example of a right answer is the first that the search of `solution(of:)` finds.
    package var question: Question {
        let shown = numbers.map(String.init)
        return Question(
            id: "game-24 " + shown.joined(separator: " "),
            "Join the numbers \(shown.dropLast().joined(separator: ", ")) and \(shown.last ?? "") by +, -, * and / into an "
                + "expression whose value is \(Self.goal). Use each of the four numbers exactly once, and brackets where needed.",
            kind: .expression, golds: Self.solution(of: numbers).map { [$0] } ?? [], subject: "game-24",
            check: AnswerCheck(self))
    }

    // MARK: Games

    /// The games that have a solution, each set of cards once, in an order drawn once and for all: one in eight is for validation.
    package static func games(_ split: PuzzleSplit) -> [GameOf24] {
        let count = shuffled.count / 8
        return (split == .validation ? shuffled.prefix(count) : shuffled.dropFirst(count))
            .map { GameOf24(solvable: $0) }
    }

    private static let shuffled: [[Int]] = {
        var generator = SeededGenerator(seed: 0, stream: "game-24")
        return generator.shuffled(solvable())
    }()

    /// All that have a solution, of the 1,820 with cards from 1 to 13.
    package static func solvable() -> [[Int]] {
        cards.flatMap { a in
            (a...13).flatMap { b in (b...13).flatMap { c in (c...13).map { [a, b, c, $0] } } }
        }.filter { solution(of: $0) != nil }
    }

    /// An expression that comes to 24 by joining two numbers at a time; nil where there is none.
    package static func solution(of numbers: [Int]) -> String? {
        func search(_ terms: [(value: Rational, text: String)]) -> String? {
            guard terms.count > 1 else { return terms.first?.value == Rational(goal) ? terms.first?.text : nil }
            for i in terms.indices {
                for j in terms.indices where j != i {
                    let rest = terms.indices.filter { $0 != i && $0 != j }.map { terms[$0] }
                    let (a, b) = (terms[i].value, terms[j].value)
                    // Sums and products are the same in both orders.
                    let joined: [(sign: String, value: Rational?)] =
                        (i < j ? [("+", a.plus(b)), ("*", a.times(b))] : [])
                        + [("-", a.minus(b)), ("/", b.isZero ? nil : a.divided(by: b))]
                    for (sign, value) in joined {
                        guard let value else { continue }
                        let text = "(\(terms[i].text) \(sign) \(terms[j].text))"
                        if let found = search(rest + [(value: value, text: text)]) { return found }
                    }
                }
            }
            return nil
        }
        // The outermost brackets say nothing.
        return search(numbers.map { (value: Rational($0), text: String($0)) }).map { String($0.dropFirst().dropLast()) }
    }
}

/// Why four numbers are no game of 24.
public enum GameOf24Error: Error, Hashable, CustomStringConvertible {
    case malformed(String)
    case unsolvable(String)

    public var description: String {
        switch self {
        case .malformed(let instance):
            "The game of 24 \(instance.debugDescription) is none: expected four whole numbers from 1 to 13."
        case .unsolvable(let instance):
            "The game of 24 \(instance.debugDescription) has no solution; give numbers that have one, as 4 9 10 13."
        }
    }
}
