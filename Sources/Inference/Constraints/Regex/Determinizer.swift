/// The subset construction from `ScalarNFA` to `ScalarDFA`, with bounded states and work.
struct Determinizer {
    private let nfa: ScalarNFA
    private let limits: ConstraintLimits
    private let segmentStarts: [UInt32]
    private let segmentClass: [Int]
    private let classCount: Int
    /// Classes that make up each set of the NFA.
    private let classesOfSet: [[Int]]
    private var work = 0
    /// The last search that saw each state of the NFA.
    private var visited: [Int]
    private var round = 0

    init(_ nfa: ScalarNFA, limits: ConstraintLimits) throws {
        self.nfa = nfa
        visited = [Int](repeating: 0, count: nfa.steps.count)
        self.limits = limits
        var starts: Set<UInt32> = [0]
        for set in nfa.sets {
            for range in set.ranges {
                starts.insert(range.lowerBound)
                if range.upperBound < ScalarSet.last { starts.insert(range.upperBound + 1) }
            }
        }
        segmentStarts = starts.sorted()
        guard segmentStarts.count * nfa.sets.count <= limits.automatonWork else {
            throw TooComplex(what: "too many different character classes")
        }
        // Segments with the same membership in all sets share a class.
        var classOfSignature: [[UInt64]: Int] = [:]
        var memberSets: [[Int]] = []
        let words = (nfa.sets.count + 63) / 64
        var signature = [UInt64](repeating: 0, count: words)
        var cursors = [Int](repeating: 0, count: nfa.sets.count)
        var classes: [Int] = []
        for start in segmentStarts {
            for (index, set) in nfa.sets.enumerated() {
                while cursors[index] < set.ranges.count, set.ranges[cursors[index]].upperBound < start {
                    cursors[index] += 1
                }
                let isMember = cursors[index] < set.ranges.count && set.ranges[cursors[index]].lowerBound <= start
                let bit = UInt64(1) << UInt64(index % 64)
                if isMember { signature[index / 64] |= bit } else { signature[index / 64] &= ~bit }
            }
            if let known = classOfSignature[signature] {
                classes.append(known)
            } else {
                classOfSignature[signature] = memberSets.count
                classes.append(memberSets.count)
                memberSets.append(
                    nfa.sets.indices.filter { signature[$0 / 64] >> UInt64($0 % 64) & 1 == 1 })
            }
        }
        segmentClass = classes
        classCount = memberSets.count
        var classesOfSet = [[Int]](repeating: [], count: nfa.sets.count)
        for (index, members) in memberSets.enumerated() {
            for set in members { classesOfSet[set].append(index) }
        }
        self.classesOfSet = classesOfSet
    }

    /// The states reached silently, sorted; the flag says whether the text has just begun.
    private mutating func closure(_ seeds: [Int32], atStart: Bool) throws -> [Int32] {
        round += 1
        var found: [Int32] = []
        for seed in seeds { visit(seed, &found) }
        var next = 0
        while next < found.count {
            for step in nfa.steps[Int(found[next])] {
                switch step {
                case .silent(let to): visit(Int32(to), &found)
                case .atStart(let to): if atStart { visit(Int32(to), &found) }
                case .consume, .atEnd: break
                }
            }
            next += 1
        }
        work += found.count
        guard work <= limits.automatonWork else { throw TooComplex(what: "too many overlapping alternatives") }
        found.sort()
        return found
    }

    private mutating func visit(_ state: Int32, _ found: inout [Int32]) {
        guard visited[Int(state)] != round else { return }
        visited[Int(state)] = round
        found.append(state)
    }

    /// Whether the text may end in one of these states.
    private mutating func accepts(_ states: [Int32], atStart: Bool) -> Bool {
        round += 1
        var found: [Int32] = []
        for state in states { visit(state, &found) }
        var next = 0
        while next < found.count {
            if Int(found[next]) == nfa.accept { return true }
            for step in nfa.steps[Int(found[next])] {
                switch step {
                case .silent(let to), .atEnd(let to): visit(Int32(to), &found)
                case .atStart(let to): if atStart { visit(Int32(to), &found) }
                case .consume: break
                }
            }
            next += 1
        }
        work += found.count
        return false
    }

    mutating func automaton() throws -> ScalarDFA {
        // The state before any character is kept apart: anchors hold there that hold nowhere else.
        let first = try closure([Int32(nfa.start)], atStart: true)
        var numbers: [[Int32]: Int] = [:]
        var remembered = 0
        var members = [first]
        var accepting = [accepts(first, atStart: true)]
        var transitions: [Int32] = []
        var current = 0
        while current < members.count {
            var targets = [[Int32]](repeating: [], count: classCount)
            for state in members[current] {
                for step in nfa.steps[Int(state)] {
                    guard case .consume(let set, let to) = step else { continue }
                    for index in classesOfSet[set] { targets[index].append(Int32(to)) }
                    work += classesOfSet[set].count
                }
            }
            work += classCount
            for seeds in targets {
                if seeds.isEmpty {
                    transitions.append(-1)
                    continue
                }
                let states = try closure(seeds, atStart: false)
                if let known = numbers[states] {
                    transitions.append(Int32(known))
                    continue
                }
                guard members.count < limits.automatonStates else {
                    throw TooComplex(what: "more than \(limits.automatonStates) states")
                }
                numbers[states] = members.count
                transitions.append(Int32(members.count))
                members.append(states)
                accepting.append(accepts(states, atStart: false))
                remembered += states.count
                guard remembered <= limits.automatonWork / 8 else {
                    throw TooComplex(what: "too many overlapping alternatives")
                }
            }
            current += 1
        }
        return ScalarDFA(
            segmentStarts: segmentStarts, segmentClass: segmentClass, classCount: classCount,
            transitions: transitions, accepting: accepting, start: 0
        ).minimized()
    }
}
