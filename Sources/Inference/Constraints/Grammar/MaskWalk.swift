import Text

/// Token masks, remembered.
struct MaskStore {
    struct Entry {
        var words: [UInt64]
        /// The distance to the end behind the permitted token that leads furthest from it.
        var furthest: UInt32
    }

    /// What a frame permits whatever surrounds it: tokens that stay within its rule, and the nodes of the vocabulary's tree
    /// where the rule may have ended.
    struct LocalEntry {
        var words: [UInt64]
        var furthest: UInt32
        var exits: [Int32]
    }

    private var entries: [StackMachine.StateID: Entry] = [:]
    private var locals: [StackMachine.Frame: LocalEntry] = [:]

    subscript(state: StackMachine.StateID) -> Entry? { entries[state] }
    subscript(local frame: StackMachine.Frame) -> LocalEntry? { locals[frame] }

    mutating func insert(_ entry: Entry, for state: StackMachine.StateID, limit: Int) {
        if entries.count >= limit { entries.removeAll(keepingCapacity: true) }
        entries[state] = entry
    }

    mutating func insert(_ entry: LocalEntry, for frame: StackMachine.Frame, limit: Int) {
        if locals.count >= limit { locals.removeAll(keepingCapacity: true) }
        locals[frame] = entry
    }
}

/// One walk over a vocabulary's tree, along an automaton.
private struct TrieWalk {
    let trie: TokenTrie
    /// Only tokens that leave at most so many tokens to the end are permitted.
    let budget: UInt32
    let bits: UnsafeMutableBufferPointer<UInt64>
    /// The least distance to the end behind any token, permitted or not, and the greatest behind a permitted one.
    private(set) var nearest = GrammarDistances.unreachable
    private(set) var furthest: UInt32 = 0
    private var path: [StackMachine.StateID]

    init(_ trie: TokenTrie, budget: UInt32, bits: UnsafeMutableBufferPointer<UInt64>) {
        self.trie = trie
        self.budget = budget
        self.bits = bits
        path = [StackMachine.StateID](repeating: StackMachine.dead, count: trie.maximumDepth + 1)
    }

    mutating func permit(_ node: TokenTrie.Node, distance: UInt32) {
        nearest = min(nearest, distance)
        guard distance <= budget else { return }
        furthest = max(furthest, distance)
        for index in Int(node.firstToken)..<Int(node.firstToken) + Int(node.tokenCount) {
            let token = Int(trie.tokens[index])
            bits[token >> 6] |= 1 << UInt64(token & 63)
        }
    }

    /// Visits `nodes`, whose parent (of depth `depth`) leads to `state`.
    mutating func visit(
        _ nodes: Range<Int>, from state: StackMachine.StateID, depth: Int, _ machine: inout StackMachine
    ) {
        path[depth] = state
        var node = nodes.lowerBound
        while node < nodes.upperBound {
            node = followKnown(node, nodes.upperBound, machine)
            guard node < nodes.upperBound else { return }
            // The transition that stopped the walk is not known yet.
            let current = trie.nodes[node]
            if machine.isOverfull, current.depth > 1 {
                node = Int(current.skip)
            } else {
                _ = machine.next(path[Int(current.depth) - 1], current.byte)
            }
        }
    }

    /// Walks along known transitions and returns the first node that needs another, or `end`.
    private mutating func followKnown(_ start: Int, _ end: Int, _ machine: StackMachine) -> Int {
        let classCount = machine.classCount
        var node = start
        machine.rows.withUnsafeBufferPointer { rows in
            trie.nodes.withUnsafeBufferPointer { nodes in
                machine.classOfByte.withUnsafeBufferPointer { classes in
                    while node < end {
                        let current = nodes[node]
                        let depth = Int(current.depth)
                        let target = rows[Int(path[depth - 1]) * classCount + Int(classes[Int(current.byte)])]
                        if target == StackMachine.dead {
                            node = Int(current.skip)
                            continue
                        }
                        if target == StackMachine.unknown { return }
                        path[depth] = target
                        if current.tokenCount > 0 { permit(current, distance: machine.distance[Int(target)]) }
                        node += 1
                    }
                }
            }
        }
        return node
    }

    /// The same for an isolated frame: where its rule may have ended, the node is noted, and where it must have, left.
    mutating func visitIsolated(from state: StackMachine.StateID, _ machine: inout StackMachine) -> [Int32] {
        var exits: [Int32] = []
        path[0] = state
        var node = 0
        while node < trie.nodes.count {
            let current = trie.nodes[node]
            let depth = Int(current.depth)
            let target = machine.next(path[depth - 1], current.byte)
            guard target != StackMachine.dead else {
                node = Int(current.skip)
                continue
            }
            path[depth] = target
            let left = machine.hasLeft(target)
            if left.may { exits.append(Int32(node)) }
            if left.must {
                node = Int(current.skip)
                continue
            }
            if current.tokenCount > 0 { permit(current, distance: machine.distance[Int(target)]) }
            node += 1
        }
        return exits
    }
}

extension StackMachine {
    /// Fills a mask with the tokens that may follow `state`.
    ///
    /// - Parameter remaining: how many tokens may yet be generated, this one included; nil: no limit. Only tokens are
    ///   permitted behind which the text can still be completed in time. Where even that is too late, those nearest to the end.
    /// - Returns: Whether the text can be completed in time.
    mutating func mask(
        of state: StateID, remaining: Int?, _ vocabulary: TokenVocabulary, into bits: UnsafeMutableBufferPointer<UInt64>
    ) -> Bool {
        let budget = remaining.map { UInt32(clamping: max($0, 1) - 1) } ?? GrammarDistances.unreachable - 1
        let plain = twin(of: state)
        let entry = masks[plain] ?? makeMask(of: plain, vocabulary)
        var fits = true
        if entry.furthest <= budget {
            entry.words.withUnsafeBufferPointer { words in _ = bits.update(fromContentsOf: words) }
        } else {
            fits = fillLimited(state, budget, vocabulary, bits)
        }
        if isAccepting(state) {
            for token in vocabulary.endOfText { bits[Int(token) >> 6] |= 1 << UInt64(token & 63) }
        }
        return fits
    }

    private mutating func fillLimited(
        _ state: StateID, _ budget: UInt32, _ vocabulary: TokenVocabulary, _ bits: UnsafeMutableBufferPointer<UInt64>
    ) -> Bool {
        let all = 0..<vocabulary.trie.nodes.count
        bits.update(repeating: 0)
        var walk = TrieWalk(vocabulary.trie, budget: budget, bits: bits)
        walk.visit(all, from: state, depth: 0, &self)
        if walk.nearest <= budget || isAccepting(state) { return true }
        var closest = TrieWalk(vocabulary.trie, budget: walk.nearest, bits: bits)
        closest.visit(all, from: state, depth: 0, &self)
        return false
    }

    private mutating func makeMask(of state: StateID, _ vocabulary: TokenVocabulary) -> MaskStore.Entry {
        var words = [UInt64](repeating: 0, count: vocabulary.maskWords)
        var stacks: [ArraySlice<Frame>] = []
        Self.forEachStack(keys[Int(state)]) { if !$0.isEmpty { stacks.append($0) } }
        let furthest = words.withUnsafeMutableBufferPointer { bits in
            guard stacks.count <= 8, stacks.contains(where: { isLeaf($0[$0.endIndex - 1]) }) else {
                return fill(state, vocabulary, bits)
            }
            var furthest: UInt32 = 0
            for stack in stacks {
                let top = stack[stack.endIndex - 1]
                let reached =
                    isLeaf(top)
                    ? fillLeaf(stack, top, vocabulary, bits)
                    : fill(number(of: [UInt64(stack.count)] + stack), vocabulary, bits)
                furthest = max(furthest, reached)
            }
            return furthest
        }
        let entry = MaskStore.Entry(words: words, furthest: furthest)
        masks.insert(entry, for: state, limit: limits.rememberedMasks)
        return entry
    }

    private mutating func fill(
        _ state: StateID, _ vocabulary: TokenVocabulary, _ bits: UnsafeMutableBufferPointer<UInt64>
    ) -> UInt32 {
        var walk = TrieWalk(vocabulary.trie, budget: GrammarDistances.unreachable - 1, bits: bits)
        walk.visit(0..<vocabulary.trie.nodes.count, from: state, depth: 0, &self)
        return walk.furthest
    }

    /// Adds what a stack permits whose top depends on nothing else until its rule ends: that part is shared by all stacks with
    /// this top, so only the tokens that reach beyond it need a walk.
    private mutating func fillLeaf(
        _ stack: ArraySlice<Frame>, _ top: Frame, _ vocabulary: TokenVocabulary,
        _ bits: UnsafeMutableBufferPointer<UInt64>
    ) -> UInt32 {
        let local = masks[local: top] ?? makeLocalMask(of: top, vocabulary)
        for (index, word) in local.words.enumerated() { bits[index] |= word }
        let outside = surroundings(of: stack)
        var furthest = GrammarDistances.sum(local.furthest, distanceToEnd(stack.dropLast()), 0)
        var walk = TrieWalk(vocabulary.trie, budget: GrammarDistances.unreachable - 1, bits: bits)
        for index in local.exits {
            let node = vocabulary.trie.nodes[Int(index)]
            if node.tokenCount > 0 { walk.permit(node, distance: distance[Int(outside)]) }
            walk.visit(Int(index) + 1..<Int(node.skip), from: outside, depth: Int(node.depth), &self)
        }
        furthest = max(furthest, walk.furthest)
        return furthest
    }

    private mutating func makeLocalMask(of top: Frame, _ vocabulary: TokenVocabulary) -> MaskStore.LocalEntry {
        var words = [UInt64](repeating: 0, count: vocabulary.maskWords)
        let start = isolated(top)
        let (exits, furthest) = words.withUnsafeMutableBufferPointer { bits in
            var walk = TrieWalk(vocabulary.trie, budget: GrammarDistances.unreachable - 1, bits: bits)
            let exits = walk.visitIsolated(from: start, &self)
            return (exits, walk.furthest)
        }
        let entry = MaskStore.LocalEntry(words: words, furthest: furthest, exits: exits)
        masks.insert(entry, for: top, limit: limits.rememberedMasks)
        return entry
    }
}
