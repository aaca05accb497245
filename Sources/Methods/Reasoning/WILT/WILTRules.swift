import Laboratory

/// A hidden rule of numbers.
package struct WILTRule: Sendable {
    package let id: String
    package let function: PythonExpression
    package let domain: WILTDomain

    package var text: String { function.source }

    package init(_ id: String, _ text: String, _ domain: WILTDomain = .numbers) throws {
        self.id = id
        self.domain = domain
        function = try PythonExpression(text, parameters: domain.parameters)
        guard function.parameters.count == domain.arity else {
            throw PythonError.syntax("a rule takes \(domain.arity) numbers, not \(function.parameters.count)")
        }
    }

    package func verdict(_ triple: WILTTriple) throws -> Bool {
        switch try function(triple) {
        case .bool(let verdict): verdict
        case let value: value.isTrue
        }
    }

    /// The fifty rules of the full split.
    package static func full() throws -> [WILTRule] {
        try fullTexts.enumerated().map { try WILTRule(String($0.offset + 1), $0.element) }
    }

    /// The ten easy rules.
    package static func lite() throws -> [WILTRule] {
        let texts = [0, 1, 2, 3, 8, 9, 10, 14, 15].map { fullTexts[$0] } + ["x < y and y > z"]
        return try texts.enumerated().map { try WILTRule(String($0.offset + 1), $0.element) }
    }

    private static func each(_ condition: String) -> String {
        ["x", "y", "z"].map { "(" + condition.replacing("n", with: $0) + ")" }.joined(separator: " and ")
    }

    private static let fullTexts: [String] = {
        var texts = ["x > y > z", "x < y < z", "x >= y >= z", "x <= y <= z"]
        texts += ["x < z < y", "x <= z <= y", "z < x < y", "z <= x <= y"]
        texts += ["x == y and y == z", "x != y and y != z and x != z", each("n < 0"), each("n > 0")]
        texts += [each("n % 2 == 0"), each("n % 2 != 0")]
        texts += ["x + y == z", "x * y == z", "x + z == y", "x * z == y", "y + z == x", "y * z == x"]
        for function in ["max", "min"] {
            for name in ["x", "y", "z"] { texts.append("\(function)(x, y, z) == \(name)") }
        }
        texts += ["x + y + z == 0", "x * y * z == 0"]
        texts += ["(x + y + z) % 2 == 0", "(x + y + z) % 2 == 1", "(x * y * z) % 2 == 0", "(x * y * z) % 2 == 1"]
        texts += ["(x + y) / 2 == z"]
        let boxes: [(Int, Int)] = [(-5, 5), (-10, 10), (-5, 0), (0, 5), (-2, 2), (-20, 20)]
        for (low, high) in boxes { texts.append(each("\(low) <= n <= \(high)")) }
        texts += ["x**2 + y**2 == z**2", "x**2 + z**2 == y**2", "y**2 + z**2 == x**2"]
        texts += ["(int(x) & int(y)) == int(z)", "(int(x) | int(y)) == int(z)", "(int(x) ^ int(y)) == int(z)"]
        texts.append(
            "all([m % 1 == 0 for m in [x, y, z]]) and "
                + "all(math.gcd(int(a), int(b)) == 1 for a, b in [(x, y), (y, z), (z, x)])")
        texts += ["all(int(abs(n)**0.5)**2 == n for n in (x, y, z))", each("0 < n % 1")]
        texts += ["0 < x % 1 < y % 1 < z % 1 < 1", "x < y < z and 0 < z - x <= 1"]
        return texts
    }()

    /// Distinct random rules of ten families, to stand beside the fifty as what a player may think of.
    package static func generated(_ count: Int, using generator: SeededGenerator) throws -> [WILTRule] {
        var generator = generator
        var texts: [String] = []
        while texts.count < count {
            let names = generator.shuffled(["x", "y", "z"])
            let (a, b, c) = (names[0], names[1], names[2])
            let bound = generator.below(41) - 20
            let small = 2 + generator.below(5)
            let sign = ["<", "<=", ">", ">="][generator.below(4)]
            let text =
                switch generator.below(10) {
                case 0: "\(a) \(sign) \(b)"
                case 1: "\(a) == \(b)"
                case 2: "\(a) \(sign) \(bound)"
                case 3: "x + y + z \(sign) \(bound)"
                case 4: "\(a) % \(small) == \(generator.below(small))"
                case 5: "(x + y + z) % \(small) == \(generator.below(small))"
                case 6: "abs(\(a) - \(b)) <= \(small)"
                case 7: "\(a) * \(small) == \(b)"
                case 8: "\(a) - \(b) == \(c)"
                default: "max(x, y, z) - min(x, y, z) \(sign) \(small)"
                }
            if !texts.contains(text) { texts.append(text) }
        }
        return try texts.enumerated().map { try WILTRule("generated-\($0.offset + 1)", $0.element) }
    }
}

/// The numbers of a test as a rule takes them: three, and one in the split of single numbers.
package typealias WILTTriple = [PythonValue]

/// The points on which a guess must equal the rule, and the verdicts there.
package struct WILTScorer: Sendable {
    package let points: [WILTTriple]

    /// The ten fixed triples: what only decimals can tell apart.
    package static let decimals: [WILTTriple] = [
        [.float(0.1), .float(0.2), .float(0.3)], [.float(1.1), .float(1.2), .float(1.3)],
        [.float(2.5), .float(2.6), .float(2.7)], [.float(0.1), .float(0.2), .float(0.3)],
        [.float(0.3), .float(0.6), .float(0.9)], [.float(0.1234), .float(0.5678), .float(0.9123)],
        [.int(0), .float(0.5), .int(1)], [.int(1), .float(1.5), .int(2)], [.float(2.5), .int(3), .float(3.5)],
        [.float(3.9), .float(4.2), .float(4.8)],
    ]

    init(points: [WILTTriple]) { self.points = points }

    package init(samples: Int = 5_000, radius: Int = 20, decimals: Bool = true, using generator: SeededGenerator) {
        var generator = generator
        var points: [WILTTriple] = []
        for width in [200.0, 3.0] {
            for _ in 0..<samples { points.append((0..<3).map { _ in .float((2 * generator.uniform() - 1) * width) }) }
        }
        let range = -radius...radius
        for x in range { for y in range { for z in range { points.append([.int(x), .int(y), .int(z)]) } } }
        self.points = points + (decimals ? Self.decimals : [])
    }

    /// What a function says at every point, up to the first error.
    package struct Column: Sendable, Hashable {
        /// 0 and 1: equal to False and True; 2: another value.
        package var verdicts: [UInt8] = []
        package var error: PythonError?
    }

    package func column(_ function: PythonExpression) async -> Column {
        let size = 10_000
        let chunks = stride(from: 0, to: points.count, by: size).map { $0..<min(points.count, $0 + size) }
        let parts = await withTaskGroup(of: (Int, Column).self) { group in
            for (index, chunk) in chunks.enumerated() {
                group.addTask {
                    var column = Column()
                    column.verdicts.reserveCapacity(chunk.count)
                    for point in points[chunk] {
                        do throws(PythonError) {
                            let value = try function(point)
                            column.verdicts.append(
                                PythonValue.areEqual(value, .bool(true))
                                    ? 1 : PythonValue.areEqual(value, .bool(false)) ? 0 : 2)
                        } catch {
                            column.error = error
                            break
                        }
                    }
                    return (index, column)
                }
            }
            var parts = [Column](repeating: Column(), count: chunks.count)
            for await (index, part) in group { parts[index] = part }
            return parts
        }
        var whole = Column()
        for part in parts {
            whole.verdicts += part.verdicts
            if part.error != nil {
                whole.error = part.error
                break
            }
        }
        return whole
    }

    package enum Outcome: Sendable, Hashable {
        case correct, wrong
        /// Can't be read, or raises before it differs.
        case invalid(String)
    }

    package struct Score: Sendable {
        package var outcome: Outcome
        /// |{guess true}| / |{rule true}| where one set contains the other.
        package var inclusion: Double?
        package var operators: Int?
    }

    /// Compares a guess with a rule by position of the parameters.
    package func score(_ guess: String, against rule: WILTRule) async -> Score {
        do throws(PythonError) {
            let function = try PythonExpression(guess)
            let (ours, theirs) = (await column(rule.function), await column(function))
            let differs = zip(ours.verdicts, theirs.verdicts).contains { $0 != $1 }
            if !differs, let error = theirs.error { throw error }
            var score = Score(outcome: differs ? .wrong : .correct, operators: function.operators)
            if theirs.error == nil {
                let pairs = zip(ours.verdicts, theirs.verdicts)
                let (rule, guess) = (ours.verdicts.count { $0 == 1 }, theirs.verdicts.count { $0 == 1 })
                let both = pairs.count { $0 == 1 && $1 == 1 }
                if rule > 0, both == min(rule, guess) { score.inclusion = Double(guess) / Double(rule) }
            }
            return score
        } catch {
            return Score(outcome: .invalid(error.description))
        }
    }
}
