/// A deterministic automaton over Unicode scalars, minimal and without dead states.
///
/// The scalars are cut into segments, and segments that no transition tells apart share a class.
struct ScalarDFA: Sendable {
    /// First scalar of each segment; the first segment starts at 0.
    private(set) var segmentStarts: [UInt32]
    /// The class of each segment.
    private(set) var segmentClass: [Int]
    private(set) var classCount: Int
    /// [states, classes]: the next state, or -1.
    private(set) var transitions: [Int32]
    private(set) var accepting: [Bool]
    private(set) var start: Int

    var stateCount: Int { accepting.count }

    /// Accepts nothing.
    static let none = ScalarDFA(
        segmentStarts: [0], segmentClass: [0], classCount: 1, transitions: [-1], accepting: [false], start: 0)

    init(
        segmentStarts: [UInt32], segmentClass: [Int], classCount: Int, transitions: [Int32], accepting: [Bool],
        start: Int
    ) {
        self.segmentStarts = segmentStarts
        self.segmentClass = segmentClass
        self.classCount = classCount
        self.transitions = transitions
        self.accepting = accepting
        self.start = start
    }

    /// Accepts nothing, however its tables look.
    var isEmpty: Bool {
        !accepting[start] && transitions[start * classCount..<(start + 1) * classCount].allSatisfy { $0 < 0 }
    }

    func next(_ state: Int, _ scalar: UInt32) -> Int? {
        var low = 0
        var high = segmentStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if segmentStarts[middle] <= scalar { low = middle } else { high = middle }
        }
        let target = transitions[state * classCount + segmentClass[low]]
        return target < 0 ? nil : Int(target)
    }

    func matches(_ text: String) -> Bool {
        var state = start
        for scalar in text.unicodeScalars {
            guard let following = next(state, scalar.value) else { return false }
            state = following
        }
        return accepting[state]
    }

    /// The transitions of a state as disjoint ranges in ascending order, neighbours with one target joined.
    func ranges(from state: Int) -> [(range: ClosedRange<UInt32>, target: Int)] {
        var result: [(range: ClosedRange<UInt32>, target: Int)] = []
        for (segment, first) in segmentStarts.enumerated() {
            let target = transitions[state * classCount + segmentClass[segment]]
            guard target >= 0 else { continue }
            let last = segment + 1 < segmentStarts.count ? segmentStarts[segment + 1] - 1 : ScalarSet.last
            for piece in ScalarSet([first...last]).ranges {
                if let tail = result.last, tail.target == Int(target), tail.range.upperBound + 1 == piece.lowerBound {
                    result[result.count - 1].range = tail.range.lowerBound...piece.upperBound
                } else {
                    result.append((piece, Int(target)))
                }
            }
        }
        return result
    }
}

extension ScalarDFA {
    /// The automaton of a regular expression that matches the whole text.
    ///
    /// - Throws: `ConstraintError` (syntax, with its offset) or, past the limits, one that says what to simplify.
    static func compile(
        _ pattern: String, searched: Bool = false, limits: ConstraintLimits = ConstraintLimits()
    ) throws -> ScalarDFA {
        let node = try RegexParser.parse(pattern, limits: limits)
        do {
            return try ScalarDFA(searched ? node.searched : node, limits: limits)
        } catch let excess as TooComplex {
            throw ConstraintError(
                .regex(pattern: pattern, offset: 0),
                "too complex (\(excess.what)); use smaller repetition counts or fewer overlapping alternatives")
        }
    }

    /// - Throws: `TooComplex`.
    init(_ node: RegexNode, limits: ConstraintLimits) throws {
        var determinizer = try Determinizer(ScalarNFA(node, stateLimit: limits.regexStates), limits: limits)
        self = try determinizer.automaton()
    }
}
