import Laboratory

/// Which part of a kind's puzzles.
public enum PuzzleSplit: String, OptionChoice { case training, validation }

extension PuzzleKind {
    /// Every instance of the paper's generator, each once, in a fixed order.
    package func enumerated() -> [[Int]] {
        switch self {
        case .dropWater: Self.jugs()
        case .numberPath: Self.paths()
        case .arithmetic: Self.sums()
        case .numberSplit: Self.triples(1...16)
        }
    }

    /// The instances of a split, in an order drawn once and for all: no run's seed moves an instance from one split to the other.
    ///
    /// Validation is one in eight (arithmetic: one in five); of number-split, whose ranges differ, 100 triples from 2 to 16, and training are
    /// the triples from 1 to 15 that hold other numbers.
    package func instances(_ split: PuzzleSplit) -> [[Int]] {
        var generator = SeededGenerator(seed: 0, stream: "ats \(rawValue)")
        guard self != .numberSplit else {
            let validation = Array(generator.shuffled(Self.triples(2...16)).prefix(100))
            guard split == .training else { return validation }
            let known = Set(validation.map { $0.sorted() })
            return generator.shuffled(Self.triples(1...15)).filter { !known.contains($0.sorted()) }
        }
        let all = generator.shuffled(enumerated())
        let count = all.count / (self == .arithmetic ? 5 : 8)
        return Array(split == .validation ? all.prefix(count) : all.dropFirst(count))
    }

    package func puzzles(_ split: PuzzleSplit, count: Int? = nil) throws(PuzzleError) -> [any Puzzle] {
        var puzzles: [any Puzzle] = []
        for numbers in instances(split).prefix(count ?? .max) { puzzles.append(try puzzle(numbers)) }
        return puzzles
    }

    /// Two jugs from 5 to 29 litres and the amounts first reached in 2 to 4 steps, with that many steps.
    private static func jugs() -> [[Int]] {
        var found: [[Int]] = []
        for a in 5..<29 {
            for b in a + 1...29 {
                var depths: [Int: Int] = [0: 0]
                var layer: Set<[Int]> = [[0, 0]]
                var seen = layer
                for depth in 1...4 {
                    var next: Set<[Int]> = []
                    for state in layer {
                        let (x, y) = (state[0], state[1])
                        let (there, back) = (min(x, b - y), min(y, a - x))
                        next.formUnion([
                            [a, y], [x, b], [0, y], [x, 0], [x - there, y + there], [x + back, y - back],
                        ])
                    }
                    layer = next.subtracting(seen)
                    seen.formUnion(layer)
                    for amount in layer.joined() where depths[amount] == nil { depths[amount] = depth }
                }
                found += depths.filter { $0.value >= 2 }.sorted { $0.key < $1.key }.map { [a, b, $0.key, $0.value] }
            }
        }
        return found
    }

    private static func paths() -> [[Int]] {
        var found: [[Int]] = []
        for start in 1...20 {
            var layer: Set<Int> = [start]
            for steps in 1...4 {
                layer = Set(layer.flatMap { [2 * $0, $0 + 1] }.filter { $0 <= 100 })
                if steps >= 3 { found += layer.sorted().map { [steps, start, $0] } }
            }
        }
        return found
    }

    private static func sums() -> [[Int]] {
        var found: [[Int]] = []
        for goal in [6, 8, 12, 16, 18, 24] {
            for i in 1...12 {
                for j in i...12 {
                    for k in j...12 where (try? ArithmeticPuzzle([i, j, k, goal])) != nil {
                        found.append([i, j, k, goal])
                    }
                }
            }
        }
        return found
    }

    private static func triples(_ range: ClosedRange<Int>) -> [[Int]] {
        range.flatMap { a in range.flatMap { b in range.map { [a, b, $0] } } }
    }
}
