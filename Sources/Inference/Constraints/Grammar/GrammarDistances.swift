/// How far every position of a grammar is from the end of its rule, counted in tokens of a vocabulary.
///
/// The distance of a position is the number of tokens in one particular way to the end, so it bounds the fewest tokens from
/// above, and following it lowers the distance by one with each token: a text with that many tokens left can always be
/// completed. Single bytes are tokens where the vocabulary has them; along literal text, longer tokens count as well.
struct GrammarDistances: Sendable {
    static let unreachable = UInt32.max

    /// Per position, as if the loop of its rule had reached its minimum.
    private(set) var toEnd: [UInt32]
    /// Per rule, the distance of its start.
    private(set) var ofRule: [UInt32]
    /// Per rule, the distance that one missing turn of its loop adds; 0 without a loop.
    private(set) var ofTurn: [UInt32]
    /// Per position, how many frames of recursive rules its shortest way to the end needs on top of its own.
    private(set) var height: [UInt16]
    /// Rules that can call themselves through others; only these count towards the recursion depth.
    private(set) var isRecursive: [Bool]
    private(set) var ruleHeight: [UInt16]

    private let grammar: ByteGrammar
    /// Bytes that are tokens by themselves.
    private let singles: [Bool]

    /// - Throws: `LeftRecursion` when a rule can call itself without consuming anything.
    init(_ grammar: ByteGrammar, vocabulary: TokenVocabulary) throws {
        self.grammar = grammar
        singles = Self.singleBytes(of: vocabulary)
        toEnd = [UInt32](repeating: Self.unreachable, count: grammar.positionCount)
        ofRule = [UInt32](repeating: Self.unreachable, count: grammar.rules.count)
        ofTurn = [UInt32](repeating: 0, count: grammar.rules.count)
        height = [UInt16](repeating: .max, count: grammar.positionCount)
        ruleHeight = [UInt16](repeating: .max, count: grammar.rules.count)
        let graph = RuleGraph(grammar)
        isRecursive = graph.recursiveRules()
        if let rule = graph.leftRecursiveRule() { throw LeftRecursion(rule: rule) }
        measure(trie: vocabulary.trie)
        measureHeights()
    }

    private static func singleBytes(of vocabulary: TokenVocabulary) -> [Bool] {
        var singles = [Bool](repeating: false, count: 256)
        var node = 0
        while node < vocabulary.trie.nodeCount {
            if vocabulary.trie.hasToken(node) { singles[Int(vocabulary.trie.byte[node])] = true }
            node = Int(vocabulary.trie.skip[node])
        }
        return singles
    }

    // MARK: distances

    /// A way into a position from another one that costs a known number of tokens.
    private struct Incoming {
        var source: Int32
        var cost: UInt32
        /// The rule called on the way, whose distance is added; -1 without a call.
        var callee: Int32
    }

    /// Knuth's generalisation of Dijkstra's algorithm to grammars.
    private mutating func measure(trie: TokenTrie) {
        let (offsets, incoming) = reversedEdges(trie: trie)
        var callers = [[(source: Int32, target: Int32)]](repeating: [], count: grammar.rules.count)
        var loopUsers = [[Int32]](repeating: [], count: grammar.rules.count)
        for position in 0..<grammar.positionCount {
            for edge in grammar.edges(of: position) where edge.kind == .call {
                callers[Int(edge.callee)].append((Int32(position), edge.target))
            }
        }
        for (index, rule) in grammar.rules.enumerated() {
            guard let loop = rule.loop else { continue }
            if let item = loop.item { loopUsers[Int(item)].append(Int32(index)) }
            ofTurn[index] = loop.item == nil ? 1 : Self.unreachable
        }
        var queue = DistanceQueue()
        func improve(_ position: Int32, _ distance: UInt32, _ toEnd: inout [UInt32], _ queue: inout DistanceQueue) {
            guard distance < toEnd[Int(position)] else { return }
            toEnd[Int(position)] = distance
            queue.push(position, distance)
        }
        for position in 0..<grammar.positionCount where grammar.isFinal[position] {
            improve(Int32(position), 0, &toEnd, &queue)
        }
        while let (position, distance) = queue.pop() {
            guard distance == toEnd[Int(position)] else { continue }
            for step in incoming[Int(offsets[Int(position)])..<Int(offsets[Int(position) + 1])] {
                let extra = step.callee < 0 ? 0 : ofRule[Int(step.callee)]
                improve(step.source, Self.sum(distance, step.cost, extra), &toEnd, &queue)
            }
            var changed: [Int32] = []
            let owner = grammar.ruleOfPosition[Int(position)]
            if grammar.rules[Int(owner)].start == position { changed.append(owner) }
            while let rule = changed.popLast() {
                let start = toEnd[Int(grammar.rules[Int(rule)].start)]
                let turns = grammar.rules[Int(rule)].loop?.minimum ?? 0
                let whole = Self.sum(start, Self.product(turns, ofTurn[Int(rule)]), 0)
                guard whole < ofRule[Int(rule)] else { continue }
                ofRule[Int(rule)] = whole
                for (source, target) in callers[Int(rule)] {
                    improve(source, Self.sum(whole, toEnd[Int(target)], 0), &toEnd, &queue)
                }
                for user in loopUsers[Int(rule)] {
                    ofTurn[Int(user)] = Self.sum(whole, 1, 0)
                    changed.append(user)
                }
            }
        }
    }

    private func reversedEdges(trie: TokenTrie) -> ([Int32], [Incoming]) {
        var list: [(target: Int32, incoming: Incoming)] = []
        for position in 0..<grammar.positionCount {
            let edges = grammar.edges(of: position)
            for edge in edges {
                switch edge.kind {
                case .byte, .countingByte, .closingByte:
                    guard isSingleToken(edge) else { continue }
                    list.append((edge.target, Incoming(source: Int32(position), cost: 1, callee: -1)))
                case .call:
                    list.append((edge.target, Incoming(source: Int32(position), cost: 0, callee: edge.callee)))
                case .silent:
                    list.append((edge.target, Incoming(source: Int32(position), cost: 0, callee: -1)))
                }
            }
            for target in literalJumps(from: position, trie: trie) {
                list.append((target, Incoming(source: Int32(position), cost: 1, callee: -1)))
            }
        }
        var offsets = [Int32](repeating: 0, count: grammar.positionCount + 1)
        for entry in list { offsets[Int(entry.target) + 1] += 1 }
        for index in 1..<offsets.count { offsets[index] += offsets[index - 1] }
        var cursor = offsets
        var sorted = [Incoming](repeating: Incoming(source: -1, cost: 0, callee: -1), count: list.count)
        for entry in list {
            sorted[Int(cursor[Int(entry.target)])] = entry.incoming
            cursor[Int(entry.target)] += 1
        }
        return (offsets, sorted)
    }

    private func isSingleToken(_ edge: ByteGrammar.Edge) -> Bool {
        singles[Int(edge.low)...Int(edge.high)].contains(true)
    }

    /// Where the tokens of several bytes lead along positions with a single way on.
    private func literalJumps(from position: Int, trie: TokenTrie) -> [Int32] {
        var targets: [Int32] = []
        var node = -1
        var current = position
        while true {
            let edges = grammar.edges(of: current)
            guard edges.count == 1, let edge = edges.first, edge.kind == .byte, edge.low == edge.high,
                !grammar.isFinal[current], let child = trie.child(of: node, edge.low)
            else { return targets }
            node = child
            current = Int(edge.target)
            if trie.hasToken(node), trie.depth[node] > 1 { targets.append(Int32(current)) }
        }
    }

    // MARK: recursion

    private mutating func measureHeights() {
        let order = (0..<grammar.positionCount).filter { toEnd[$0] != Self.unreachable }
            .sorted { toEnd[$0] < toEnd[$1] }
        var isSettled = false
        while !isSettled {
            isSettled = true
            for position in order {
                let value = tightHeight(of: position)
                if value < height[position] {
                    height[position] = value
                    isSettled = false
                }
                let owner = Int(grammar.ruleOfPosition[position])
                guard Int(grammar.rules[owner].start) == position else { continue }
                if height[position] < ruleHeight[owner] {
                    ruleHeight[owner] = height[position]
                    isSettled = false
                }
            }
        }
    }

    /// The least height among the ways that have the position's distance. Where a loop must turn, its item counts as well.
    private func tightHeight(of position: Int) -> UInt16 {
        if grammar.isFinal[position] { return 0 }
        var floor: UInt16 = 0
        let owner = Int(grammar.ruleOfPosition[position])
        if let loop = grammar.rules[owner].loop, loop.minimum > 0, let item = loop.item {
            floor = frames(of: Int(item))
        }
        var least = UInt16.max
        for edge in grammar.edges(of: position) {
            let target = Int(edge.target)
            guard toEnd[target] != Self.unreachable else { continue }
            switch edge.kind {
            case .byte, .countingByte, .closingByte:
                // Longer tokens only occur along literal text, where every position has one way on.
                let isOnlyWay = edge.kind == .byte && grammar.edges(of: position).count == 1
                if isOnlyWay || toEnd[target] < toEnd[position] && isSingleToken(edge) {
                    least = min(least, height[target])
                }
            case .silent:
                if toEnd[target] == toEnd[position] { least = min(least, height[target]) }
            case .call:
                let callee = Int(edge.callee)
                if Self.sum(ofRule[callee], toEnd[target], 0) == toEnd[position] {
                    least = min(least, max(height[target], frames(of: callee)))
                }
            }
        }
        return max(least, floor)
    }

    /// Frames of recursive rules that a call needs, its own included.
    func frames(of rule: Int) -> UInt16 {
        let inner = ruleHeight[rule]
        return inner == .max || !isRecursive[rule] ? inner : inner + 1
    }

    static func sum(_ a: UInt32, _ b: UInt32, _ c: UInt32) -> UInt32 {
        guard a != unreachable, b != unreachable, c != unreachable else { return unreachable }
        let total = UInt64(a) + UInt64(b) + UInt64(c)
        return total >= UInt64(unreachable) ? unreachable : UInt32(total)
    }

    static func product(_ a: UInt32, _ b: UInt32) -> UInt32 {
        if a == 0 { return 0 }
        guard b != unreachable else { return unreachable }
        let value = UInt64(a) * UInt64(b)
        return value >= UInt64(unreachable) ? unreachable : UInt32(value)
    }

    /// Tokens from a position to the end of its rule, with `turns` turns of the loop already made.
    func distance(from position: Int32, turns: UInt32) -> UInt32 {
        let owner = Int(grammar.ruleOfPosition[Int(position)])
        guard let loop = grammar.rules[owner].loop, turns < loop.minimum else { return toEnd[Int(position)] }
        return Self.sum(toEnd[Int(position)], Self.product(loop.minimum - turns, ofTurn[owner]), 0)
    }
}

/// A rule that calls itself before consuming anything.
struct LeftRecursion: Error {
    var rule: Int
}

/// A binary heap of positions by distance.
struct DistanceQueue {
    private var heap: [(position: Int32, distance: UInt32)] = []

    mutating func push(_ position: Int32, _ distance: UInt32) {
        heap.append((position, distance))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].distance < heap[parent].distance else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> (position: Int32, distance: UInt32)? {
        guard let top = heap.first else { return nil }
        let tail = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = tail
            var parent = 0
            while true {
                var child = 2 * parent + 1
                guard child < heap.count else { break }
                if child + 1 < heap.count, heap[child + 1].distance < heap[child].distance { child += 1 }
                guard heap[child].distance < heap[parent].distance else { break }
                heap.swapAt(child, parent)
                parent = child
            }
        }
        return top
    }
}
