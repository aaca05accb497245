import Foundation
import Laboratory

/// What a player knows that keeps every rule consistent with the answers: the fifty, generated ones, and what each says of a
/// pool of triples.
package struct WILTHypotheses: Sendable {
    package let rules: [WILTRule]
    let pool: [WILTTriple]
    /// One row a rule, one answer a triple of the pool.
    let answers: [[Bool]]

    package init(_ rules: [WILTRule], poolSize: Int = 2_000, integersOnly: Bool, using generator: SeededGenerator)
        throws
    {
        var generator = generator
        try self.init(
            rules,
            pool: (0..<poolSize).map { _ in integersOnly ? Self.integers(20, &generator) : Self.mixed(&generator) })
    }

    init(_ rules: [WILTRule], pool: [WILTTriple]) throws {
        self.rules = rules
        self.pool = pool
        var answers: [[Bool]] = []
        for rule in rules { answers.append(try pool.map { try rule.verdict($0) }) }
        self.answers = answers
    }

    private static func integers(_ radius: Int, _ generator: inout SeededGenerator) -> WILTTriple {
        (0..<3).map { _ in .float(Double(generator.below(2 * radius + 1) - radius)) }
    }

    /// A triple of one of eight kinds.
    private static func mixed(_ generator: inout SeededGenerator) -> WILTTriple {
        func whole(_ radius: Int) -> Double { Double(generator.below(2 * radius + 1) - radius) }
        let (a, b) = (whole(10), whole(10))
        let values: [Double]
        switch generator.below(8) {
        case 0: return integers(25, &generator)
        case 1: return integers(6, &generator)
        case 2: values = [whole(12) / 2, whole(12) / 2, whole(12) / 2]
        case 3: values = generator.shuffled([a, a, b])
        case 4: values = generator.shuffled([a, b, generator.chance(0.5) ? a + b : a * b])
        case 5: values = generator.shuffled([[3, 4, 5], [6, 8, 10], [5, 12, 13], [8, 15, 17]][generator.below(4)])
        case 6: values = (0..<3).map { _ in [0, 1, 4, 9, 16, 25][generator.below(6)] }
        default: values = (0..<3).map { _ in Double(generator.below(3)) + Double(1 + generator.below(9)) / 10 }
        }
        return values.map { .float($0) }
    }

    package struct Play: Sendable {
        package var guess: WILTRule
        package var tests: Int
    }

    /// Plays a game: each turn tests the candidate that splits what is left most evenly, or the first one drawn, until all that
    /// is left says the same of the whole pool or the tests are used up; then guesses one of what is left.
    package func play(
        _ hidden: WILTRule, maxAttempts: Int? = nil, candidates: Int, using generator: SeededGenerator
    ) throws -> Play {
        var generator = generator
        let truth = try pool.map { try hidden.verdict($0) }
        var left = Array(rules.indices)
        var tests = 0
        while tests < maxAttempts ?? hidden.domain.attempts, left.contains(where: { answers[$0] != answers[left[0]] }) {
            var best = generator.below(pool.count)
            if candidates > 1 {
                var smallest = Int.max
                for _ in 0..<candidates {
                    let candidate = generator.below(pool.count)
                    let imbalance = abs(2 * left.count { answers[$0][candidate] } - left.count)
                    if imbalance < smallest { (best, smallest) = (candidate, imbalance) }
                }
            }
            left.removeAll { answers[$0][best] != truth[best] }
            tests += 1
        }
        return Play(guess: rules[candidates > 1 ? left[0] : left[generator.below(left.count)]], tests: tests)
    }

    /// The share of the hypotheses that each test of a game rules out, and how many tests after the first rule out too little.
    package func reductions(of tests: [WILTGame.Test]) -> (gains: [Double], biased: Int) {
        var left = rules
        var gains: [Double] = []
        var biased = 0
        let total = Double(rules.count)
        for test in tests {
            let before = left.count
            left.removeAll { rule in
                guard let verdict = try? rule.verdict(rule.domain.arguments(test.triple)) else { return false }
                return verdict != test.verdict
            }
            let gain = Double(before - left.count) / total
            let explored = 1 - Double(left.count) / total
            let threshold = min(0.1, max(0.01, 1 / log(max(total, 2)))) * (1 - 0.5 * explored)
            if !gains.isEmpty, gain <= threshold { biased += 1 }
            gains.append(gain)
        }
        return (gains, biased)
    }
}
