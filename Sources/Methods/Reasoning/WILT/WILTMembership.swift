import Foundation
import Laboratory

/// What numbers the games of a split are about.
package struct WILTDomain: Sendable, Hashable {
    /// How many numbers a rule takes.
    package var arity = 3
    /// The whole numbers that a test may have; nil: any numbers of three digits.
    package var range: ClosedRange<Int>?

    package static let numbers = WILTDomain()
    package static let membership = WILTDomain(range: 1...100)
    package static let membershipSingle = WILTDomain(arity: 1, range: 1...100)

    package var parameters: [String] { Array(["x", "y", "z"].prefix(arity)) }
    /// Tests a game where nobody says otherwise.
    package var attempts: Int { range == nil ? 30 : 5 }

    /// Numbers as a rule is called with them.
    package func arguments(_ numbers: [Double]) -> WILTTriple {
        range == nil ? numbers.map { .float($0) } : numbers.map { .int(Int($0)) }
    }

    /// Numbers as Python writes them.
    package func text(_ numbers: [Double]) -> String {
        numbers.map { range == nil ? $0.description : String(Int($0)) }.joined(separator: ", ")
    }

    /// A number of a test; nil where the text is none of this domain's kind.
    func number(_ text: String) -> Double? {
        range == nil ? Double(text).flatMap { $0.isFinite ? $0 : nil } : Int(text).flatMap { Double(exactly: $0) }
    }

    func contains(_ number: Double) -> Bool { range.map { $0.contains(Int(number)) } ?? true }

    /// Whole numbers drawn one by one.
    func drawn(from range: ClosedRange<Int>, _ generator: inout SeededGenerator) -> WILTTriple {
        (0..<arity).map { _ in .int(range.lowerBound + generator.below(range.count)) }
    }
}

// The splits whose rules are sets of whole numbers, of which 5 tests must find the right one.
extension WILTRule {
    /// Rules that say whether all three numbers are in a set: 24 sets.
    ///
    /// The reference code writes down 26 and gives two names twice, so that squares and powers of two are never played.
    package static func membership() throws -> [WILTRule] {
        let conditions =
            ["n % 2 == 0", "n % 2 == 1", "n % 3 == 0", "n % 4 == 0", "n % 5 == 0", "n % 15 == 0"] + around("n")
        return try rules(conditions.map { "all(\($0) for n in (x, y, z))" }, .membership)
    }

    /// Rules that say whether a number is in a set: 51 sets.
    package static func membershipSingle() throws -> [WILTRule] {
        var conditions = [
            "x % 2 == 0", "x % 2 == 1", "int(abs(x)**0.5)**2 == x", "round(x ** (1/3)) ** 3 == x",
            "x > 1 and all(x % i != 0 for i in range(2, int(x**0.5) + 1))",
        ]
        conditions += (3...12).map { "x % \($0) == 0" }
        conditions.append("math.log2(x).is_integer()")
        conditions += (3...10).map { "(math.log(x) / math.log(\($0))).is_integer()" }
        conditions += (1...9).map { "(x - \($0)) % 10 == 0" }
        return try rules(conditions + around("x"), .membershipSingle)
    }

    /// Numbers near 25, 50 and 75: at most 0, 1, 2, 4, 8 or 16 away.
    private static func around(_ name: String) -> [String] {
        [0, 1, 2, 4, 8, 16].flatMap { radius in [25, 50, 75].map { "abs(\(name)-\($0)) <= \(radius)" } }
    }

    private static func rules(_ texts: [String], _ domain: WILTDomain) throws -> [WILTRule] {
        try texts.enumerated().map { try WILTRule(String($0.offset + 1), $0.element, domain) }
    }
}

extension WILTScorer {
    /// The points of a split. Of rules on any numbers: random ones, the grid and the decimals. Of one whole number: all of them. Of three:
    /// all triples in which two are the same, all within 5 of 25, 50 and 75, where the smallest sets are, and twice `samples` random ones.
    ///
    /// The reference code scores sets of 1 to 100 on the points of the other splits. There logarithms and roots of numbers below 1
    /// raise errors, so that such rules can't be guessed, and a guess that is never true equals a narrow set.
    package init(_ domain: WILTDomain, samples: Int = 5_000, using generator: SeededGenerator) {
        guard let range = domain.range else {
            self.init(samples: samples, using: generator)
            return
        }
        guard domain.arity > 1 else {
            self.init(points: range.map { [.int($0)] })
            return
        }
        var generator = generator
        var points: [WILTTriple] = range.map { [.int($0), .int($0), .int($0)] }
        for (n, m) in range.lazy.flatMap({ n in range.lazy.map { (n, $0) } }) where n != m {
            let (other, same) = (PythonValue.int(n), PythonValue.int(m))
            points += [[other, same, same], [same, other, same], [same, same, other]]
        }
        for center in [25, 50, 75] {
            let near = center - 5...center + 5
            for x in near { for y in near { for z in near { points.append([.int(x), .int(y), .int(z)]) } } }
        }
        for _ in 0..<2 * samples { points.append(domain.drawn(from: range, &generator)) }
        self.init(points: points)
    }
}

extension WILTHypotheses {
    /// What a player of the membership splits knows: the split's rules. Tests come from all numbers of one argument; of three arguments
    /// from equal ones, as one number in the set tells no less than three, or from triples drawn number by number.
    package init(membership rules: [WILTRule], _ domain: WILTDomain, equal: Bool, using generator: SeededGenerator)
        throws
    {
        var generator = generator
        let range = domain.range ?? 1...100
        let pool: [WILTTriple] =
            domain.arity == 1 || equal
            ? range.map { number in Array(repeating: PythonValue.int(number), count: domain.arity) }
            : (0..<2_000).map { _ in domain.drawn(from: range, &generator) }
        try self.init(rules, pool: pool)
    }
}
