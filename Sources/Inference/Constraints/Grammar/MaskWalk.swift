/// Token masks of states, remembered.
struct MaskStore {
    struct Entry {
        var words: [UInt64]
        /// The distance to the end behind the permitted token that leads furthest from it.
        var furthest: UInt32
    }

    private var entries: [StackMachine.StateID: Entry] = [:]

    subscript(state: StackMachine.StateID) -> Entry? { entries[state] }

    mutating func insert(_ entry: Entry, for state: StackMachine.StateID, limit: Int) {
        if entries.count >= limit { entries.removeAll(keepingCapacity: true) }
        entries[state] = entry
    }
}

extension StackMachine {
    /// Which distances to the end the permitted tokens lead to.
    struct Reach {
        var nearest = GrammarDistances.unreachable
        var furthest: UInt32 = 0
    }

    /// Sets the bits of the tokens that may follow `state` and leave at most `budget` tokens to the end. Clears nothing.
    mutating func walk(
        from state: StateID, budget: UInt32, _ vocabulary: TokenVocabulary,
        into bits: UnsafeMutableBufferPointer<UInt64>
    ) -> Reach {
        let trie = vocabulary.trie
        var reach = Reach()
        var path = [StateID](repeating: state, count: trie.maximumDepth + 1)
        trie.byte.withUnsafeBufferPointer { bytes in
            trie.depth.withUnsafeBufferPointer { depths in
                var node = 0
                while node < bytes.count {
                    let depth = Int(depths[node])
                    let from = path[depth - 1]
                    var target = Self.dead
                    if let known = known(from, bytes[node]) {
                        target = known
                    } else if depth == 1 || !isOverfull {
                        target = next(from, bytes[node])
                    }
                    guard target != Self.dead else {
                        node = Int(trie.skip[node])
                        continue
                    }
                    path[depth] = target
                    let tokens = Int(trie.tokenStart[node])..<Int(trie.tokenStart[node + 1])
                    node += 1
                    guard !tokens.isEmpty else { continue }
                    let left = distance[Int(target)]
                    reach.nearest = min(reach.nearest, left)
                    guard left <= budget else { continue }
                    reach.furthest = max(reach.furthest, left)
                    for index in tokens {
                        let token = Int(trie.tokens[index])
                        bits[token >> 6] |= 1 << UInt64(token & 63)
                    }
                }
            }
        }
        return reach
    }

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
            for (index, word) in entry.words.enumerated() { bits[index] = word }
        } else {
            bits.update(repeating: 0)
            let reach = walk(from: state, budget: budget, vocabulary, into: bits)
            if reach.nearest > budget, !isAccepting(state) {
                fits = false
                _ = walk(from: state, budget: reach.nearest, vocabulary, into: bits)
            }
        }
        if isAccepting(state) {
            for token in vocabulary.endOfText { bits[Int(token) >> 6] |= 1 << UInt64(token & 63) }
        }
        return fits
    }

    private mutating func makeMask(of state: StateID, _ vocabulary: TokenVocabulary) -> MaskStore.Entry {
        var words = [UInt64](repeating: 0, count: vocabulary.maskWords)
        let reach = words.withUnsafeMutableBufferPointer {
            walk(from: state, budget: GrammarDistances.unreachable - 1, vocabulary, into: $0)
        }
        let entry = MaskStore.Entry(words: words, furthest: reach.furthest)
        masks.insert(entry, for: state, limit: limits.rememberedMasks)
        return entry
    }
}
