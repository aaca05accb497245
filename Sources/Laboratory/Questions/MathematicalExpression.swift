/// An expression of numbers and letters under + − × ÷ and whole powers, read from plain text or LaTeX: `2(x+1)`,
/// `\frac{3}{4}`, `x^2 - 1`, `1/2`.
///
/// Nothing is executed: the text is parsed into a tree and worked out in exact fractions. Reads at most 400 characters and 40
/// nested brackets; roots, functions and equations are not read.
package struct MathematicalExpression: Sendable {
    indirect enum Node: Sendable {
        case number(Rational)
        case letter(Character)
        case sum(Node, Node)
        case difference(Node, Node)
        case product(Node, Node)
        case quotient(Node, Node)
        case power(Node, Int)
        case negative(Node)
    }

    let root: Node
    package let letters: Set<Character>

    package init?(_ text: String) {
        guard text.count <= 400 else { return nil }
        var parser = ExpressionParser(text)
        guard let root = parser.whole() else { return nil }
        self.root = root
        letters = parser.letters
    }

    /// The exact value with these numbers for the letters; nil where it has none (a division by zero, a letter without a
    /// number) or where it leaves the range of exact fractions.
    package func value(_ numbers: [Character: Rational] = [:]) -> Rational? {
        Self.value(of: root, numbers)
    }

    /// Its numbers from left to right, where it is made of them by + − × ÷ alone; nil where there is a letter, a power or a sign that joins
    /// no two numbers.
    package var operands: [Rational]? { Self.operands(of: root) }

    private static func operands(of node: Node) -> [Rational]? {
        switch node {
        case .number(let value): return [value]
        case .letter, .power, .negative: return nil
        case .sum(let a, let b), .difference(let a, let b), .product(let a, let b), .quotient(let a, let b):
            guard let left = operands(of: a), let right = operands(of: b) else { return nil }
            return left + right
        }
    }

    private static func value(of node: Node, _ numbers: [Character: Rational]) -> Rational? {
        func pair(_ a: Node, _ b: Node, _ join: (Rational, Rational) -> Rational?) -> Rational? {
            guard let a = value(of: a, numbers), let b = value(of: b, numbers) else { return nil }
            return join(a, b)
        }
        switch node {
        case .number(let value): return value
        case .letter(let letter): return numbers[letter]
        case .sum(let a, let b): return pair(a, b) { $0.plus($1) }
        case .difference(let a, let b): return pair(a, b) { $0.minus($1) }
        case .product(let a, let b): return pair(a, b) { $0.times($1) }
        case .quotient(let a, let b): return pair(a, b) { $0.divided(by: $1) }
        case .power(let base, let exponent): return value(of: base, numbers)?.power(exponent)
        case .negative(let inner): return value(of: inner, numbers)?.times(Rational(-1))
        }
    }

    /// Whether both have the same value, letters included: compared at twelve points of small fractions, of which at least
    /// three must have a value on both sides. Two different fractions of polynomials agree at a point so drawn only where
    /// their difference has a root there.
    package func isEquivalent(to other: MathematicalExpression) -> Bool {
        let all = letters.union(other.letters)
        guard !all.isEmpty else { return value().flatMap { a in other.value().map { a == $0 } } ?? false }
        var generator = SeededGenerator(seed: 1, stream: "expression points")
        var compared = 0
        for _ in 0..<12 {
            var numbers: [Character: Rational] = [:]
            for letter in all.sorted() {
                numbers[letter] = Rational(2 + generator.below(29), over: 1 + generator.below(5))
            }
            guard let a = value(numbers), let b = other.value(numbers) else { continue }
            if a != b { return false }
            compared += 1
        }
        return compared >= 3
    }
}

/// Recursive descent over the characters of an expression.
struct ExpressionParser {
    private var rest: Substring
    private var depth = 0
    private(set) var letters: Set<Character> = []

    init(_ text: String) {
        var plain = text
        for (from, to) in [
            ("\\left", ""), ("\\right", ""), ("\\dfrac", "\\frac"), ("\\tfrac", "\\frac"), ("\\cdot", "*"),
            ("\\times", "*"), ("\\div", "/"), ("\\,", ""), ("\\!", ""), ("\\ ", ""), ("$", ""), ("**", "^"), ("−", "-"),
            ("×", "*"), ("·", "*"), ("÷", "/"),
        ] {
            plain = plain.replacing(from, with: to)
        }
        rest = Substring(ExpressionParser.withoutSeparators(plain.filter { !$0.isWhitespace }))
    }

    /// Commas between three digits are thousands separators.
    private static func withoutSeparators(_ text: String) -> String {
        let characters = Array(text)
        func isDigit(_ index: Int) -> Bool {
            characters.indices.contains(index) && characters[index].isASCII && characters[index].isNumber
        }
        return String(
            characters.indices.filter { index in
                !(characters[index] == "," && isDigit(index - 1) && (1...3).allSatisfy { isDigit(index + $0) }
                    && !isDigit(index + 4))
            }.map { characters[$0] })
    }

    mutating func whole() -> MathematicalExpression.Node? {
        if rest.last == "." { rest.removeLast() }
        guard let node = sum(), rest.isEmpty else { return nil }
        return node
    }

    private mutating func sum() -> MathematicalExpression.Node? {
        guard var node = product() else { return nil }
        while let sign = rest.first, sign == "+" || sign == "-" {
            rest.removeFirst()
            guard let next = product() else { return nil }
            node = sign == "+" ? .sum(node, next) : .difference(node, next)
        }
        return node
    }

    private mutating func product() -> MathematicalExpression.Node? {
        guard var node = signed() else { return nil }
        while let sign = rest.first {
            if sign == "*" || sign == "/" {
                rest.removeFirst()
                guard let next = signed() else { return nil }
                node = sign == "*" ? .product(node, next) : .quotient(node, next)
            } else if sign == "(" || sign == "{" || sign == "\\" || isLetter(sign) {
                // Side by side: 2x, 3(x + 1).
                guard let next = power() else { return nil }
                node = .product(node, next)
            } else {
                break
            }
        }
        return node
    }

    private mutating func signed() -> MathematicalExpression.Node? {
        if rest.first == "+" {
            rest.removeFirst()
            return power()
        }
        guard rest.first == "-" else { return power() }
        rest.removeFirst()
        return power().map { .negative($0) }
    }

    private mutating func power() -> MathematicalExpression.Node? {
        guard let base = atom() else { return nil }
        guard rest.first == "^" else { return base }
        rest.removeFirst()
        let isBraced = rest.first == "{" || rest.first == "("
        if isBraced { rest.removeFirst() }
        let isNegative = rest.first == "-"
        if isNegative { rest.removeFirst() }
        guard let number = number(), number.denominator == 1 else { return nil }
        if isBraced {
            guard rest.first == "}" || rest.first == ")" else { return nil }
            rest.removeFirst()
        }
        return .power(base, isNegative ? -number.numerator : number.numerator)
    }

    private mutating func atom() -> MathematicalExpression.Node? {
        guard let first = rest.first else { return nil }
        if first == "(" { return bracket(")") }
        if first == "{" { return bracket("}") }
        if rest.hasPrefix("\\frac") {
            rest.removeFirst(5)
            guard let top = fractionPart(), let bottom = fractionPart() else { return nil }
            return .quotient(top, bottom)
        }
        if isLetter(first) {
            rest.removeFirst()
            letters.insert(first)
            return .letter(first)
        }
        return number().map { .number($0) }
    }

    /// `{3}`, or the one digit of `\frac34`.
    private mutating func fractionPart() -> MathematicalExpression.Node? {
        if rest.first == "{" { return bracket("}") }
        guard let digit = rest.first, let value = digit.wholeNumberValue else { return nil }
        rest.removeFirst()
        return .number(Rational(value))
    }

    private mutating func bracket(_ closing: Character) -> MathematicalExpression.Node? {
        guard depth < 40 else { return nil }
        depth += 1
        defer { depth -= 1 }
        rest.removeFirst()
        guard let inner = sum(), rest.first == closing else { return nil }
        rest.removeFirst()
        return inner
    }

    private mutating func number() -> Rational? {
        let digits = rest.prefix { ($0.isASCII && $0.isNumber) || $0 == "." }
        guard !digits.isEmpty, let value = Rational(decimal: digits) else { return nil }
        rest.removeFirst(digits.count)
        return value
    }

    private func isLetter(_ character: Character) -> Bool { character.isASCII && character.isLetter }
}
