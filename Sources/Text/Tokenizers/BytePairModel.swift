/// Byte-pair encoding: a word starts as single bytes (or characters) and the pair of neighbours with the lowest rank is joined,
/// the leftmost first, until no pair is left to join.
struct BytePairModel: Sendable {
    let index: VocabularyIndex
    let merges: MergeTable
    /// The token of each byte, or -1. In a byte-level model the byte itself, else its fall-back `<0xAB>`.
    let byteTokens: FrozenBuffer<TokenID>
    /// Whether words start as bytes; else as characters.
    let isByteLevel: Bool
    /// Whether a word that is in the vocabulary is taken whole.
    let ignoresMerges: Bool
    /// Stands for a character that is not in the vocabulary; nil: it is dropped.
    let unknown: TokenID?
    /// Whether neighbouring unknown characters become one token.
    let fusesUnknown: Bool

    /// Words beyond this many bytes are encoded in parts of it, to bound the positions.
    static let maxWord = 1 << 30
    /// Up to this many symbols the lowest rank is searched for; above, a queue finds it.
    private static let maxSearched = 64

    /// Encodes the pieces that a scanner finds in `text[start..<end]`, of which `limit` bytes can be read.
    @inline(__always)
    func encode(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, limit: Int, by scanner: some PieceScanner,
        _ scratch: EncodingScratch
    ) {
        if scratch.recordsRanges {
            var position = start
            while position < end {
                let pieceEnd = scanner.pieceEnd(text, from: position, to: end)
                encodeWithRanges(text, position, pieceEnd, scratch)
                position = pieceEnd
            }
            return
        }
        let table = scratch.cache.table
        let bytes = byteTokens.base
        var position = start
        while position < end {
            let pieceEnd = scanner.pieceEnd(text, from: position, to: end)
            let length = pieceEnd - position
            let word = text + position
            scratch.reserve(WordCache.maxTokens)
            if length == 1, isByteLevel {
                let id = bytes[Int(word[0])]
                if id >= 0 { scratch.put(id) } else if let unknown { scratch.put(unknown) }
            } else if length <= WordCache.maxLength {
                let key =
                    position + WordCache.maxLength <= limit
                    ? WordCache.Key(readable: word, length) : WordCache.Key(copying: word, length)
                let slot = WordCache.slot(key, length)
                if WordCache.holds(table + slot, key, length) {
                    put(table + slot, scratch)
                } else if WordCache.holds(table + (slot ^ 1), key, length) {
                    put(table + (slot ^ 1), scratch)
                } else {
                    let count = encodeWord(word, length, scratch)
                    scratch.cache.store(table, slot, key, length, scratch.symbols, count)
                    put(symbols: count, scratch)
                }
            } else {
                put(symbols: encodeWord(word, length, scratch), scratch)
            }
            position = pieceEnd
        }
    }

    /// Encodes one piece.
    func encodeWhole(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ scratch: EncodingScratch) {
        if scratch.recordsRanges { return encodeWithRanges(text, start, end, scratch) }
        put(symbols: encodeWord(text + start, end - start, scratch), scratch)
    }

    @inline(__always)
    private func put(_ entry: UnsafeMutablePointer<WordCache.Entry>, _ scratch: EncodingScratch) {
        scratch.put(entry.pointee.ids.0)
        let count = entry.pointee.count
        if count == 1 { return }
        if count == 0 { return scratch.takeBack() }
        scratch.put(entry.pointee.ids.1)
        if count > 2 { scratch.put(entry.pointee.ids.2) }
        if count > 3 { scratch.put(entry.pointee.ids.3) }
        if count > 4 { scratch.put(entry.pointee.ids.4) }
    }

    private func put(symbols count: Int, _ scratch: EncodingScratch) {
        scratch.reserve(count)
        for index in 0..<count { scratch.put(scratch.symbols[index].id) }
    }

    private func encodeWithRanges(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ scratch: EncodingScratch) {
        let count = encodeWord(text + start, end - start, scratch)
        var position = start
        for index in 0..<count {
            let symbol = scratch.symbols[index]
            scratch.put(symbol.id, range: position..<start + Int(symbol.end))
            position = start + Int(symbol.end)
        }
    }

    /// Leaves the tokens of a word in `scratch.symbols` and returns their number.
    @inline(never)
    private func encodeWord(_ word: UnsafePointer<UInt8>, _ length: Int, _ scratch: EncodingScratch) -> Int {
        precondition(length <= Self.maxWord, "A piece of text of more than a gigabyte can't be tokenized")
        scratch.reserveSymbols(length)
        let symbols = scratch.symbols
        if ignoresMerges, let id = index.id(of: word, length) {
            symbols[0] = EncodingScratch.Symbol(id: id, rank: MergeTable.never, result: -1, end: UInt32(length))
            return 1
        }
        let count = isByteLevel ? splitBytes(word, length, symbols) : splitCharacters(word, length, symbols)
        if count < 2 { return count }
        for position in 0..<count - 1 { rank(symbols, position, position + 1) }
        if count <= Self.maxSearched { return mergeBySearch(symbols, count) }
        return mergeByQueue(count, scratch)
    }

    @inline(__always)
    private func rank(_ symbols: UnsafeMutablePointer<EncodingScratch.Symbol>, _ left: Int, _ right: Int) {
        let found = merges.find(symbols[left].id, symbols[right].id)
        symbols[left].rank = found.rank
        symbols[left].result = found.result
    }

    private func splitBytes(
        _ word: UnsafePointer<UInt8>, _ length: Int, _ symbols: UnsafeMutablePointer<EncodingScratch.Symbol>
    ) -> Int {
        let bytes = byteTokens.base
        var writer = SymbolWriter(symbols: symbols)
        for position in 0..<length {
            let id = bytes[Int(word[position])]
            if id >= 0 {
                writer.put(id, end: position + 1)
            } else if let unknown {
                writer.putUnknown(unknown, end: position + 1, fusing: fusesUnknown)
            }
        }
        return writer.count
    }

    private func splitCharacters(
        _ word: UnsafePointer<UInt8>, _ length: Int, _ symbols: UnsafeMutablePointer<EncodingScratch.Symbol>
    ) -> Int {
        let bytes = byteTokens.base
        var writer = SymbolWriter(symbols: symbols)
        var position = 0
        while position < length {
            let size = UTF8Text.scalar(word, at: position).length
            let end = position + size
            if let id = index.id(of: word + position, size) {
                writer.put(id, end: end)
            } else if (position..<end).allSatisfy({ bytes[Int(word[$0])] >= 0 }) {
                for byte in position..<end { writer.put(bytes[Int(word[byte])], end: byte + 1) }
            } else if let unknown {
                writer.putUnknown(unknown, end: end, fusing: fusesUnknown)
            }
            position = end
        }
        return writer.count
    }

    private func mergeBySearch(_ symbols: UnsafeMutablePointer<EncodingScratch.Symbol>, _ symbolCount: Int) -> Int {
        var count = symbolCount
        while count > 1 {
            var best = 0
            var bestRank = symbols[0].rank
            for position in 1..<count - 1 where symbols[position].rank < bestRank {
                best = position
                bestRank = symbols[position].rank
            }
            if bestRank == MergeTable.never { break }
            symbols[best].id = symbols[best].result
            symbols[best].end = symbols[best + 1].end
            count -= 1
            for position in best + 1..<max(count, best + 1) { symbols[position] = symbols[position + 1] }
            if best + 1 < count { rank(symbols, best, best + 1) }
            if best > 0 { rank(symbols, best - 1, best) }
        }
        return count
    }

    /// The same in O(n log n): a heap of (rank, position), whose outdated entries are passed over.
    private func mergeByQueue(_ count: Int, _ scratch: EncodingScratch) -> Int {
        let symbols = scratch.symbols
        scratch.previous.removeAll(keepingCapacity: true)
        scratch.next.removeAll(keepingCapacity: true)
        var queue = MergeQueue(storage: scratch.queue)
        for position in 0..<count {
            scratch.previous.append(Int32(position) - 1)
            scratch.next.append(position + 1 < count ? Int32(position) + 1 : -1)
            if position + 1 < count, symbols[position].rank != MergeTable.never {
                queue.append(symbols[position].rank, position)
            }
        }
        queue.order()
        scratch.previous.withUnsafeMutableBufferPointer { previous in
            scratch.next.withUnsafeMutableBufferPointer { next in
                while let (rank, position) = queue.popFirst() {
                    // A symbol that was joined to its left has no rank; one that changed has another rank.
                    let right = Int(next[position])
                    guard right >= 0, symbols[position].rank == rank else { continue }
                    symbols[position].id = symbols[position].result
                    symbols[position].end = symbols[right].end
                    symbols[right].rank = MergeTable.never
                    let after = Int(next[right])
                    next[right] = -1
                    next[position] = Int32(after)
                    symbols[position].rank = MergeTable.never
                    if after >= 0 {
                        previous[after] = Int32(position)
                        self.rank(symbols, position, after)
                        queue.push(symbols[position].rank, position)
                    }
                    let before = Int(previous[position])
                    if before >= 0 {
                        self.rank(symbols, before, position)
                        queue.push(symbols[before].rank, before)
                    }
                }
            }
        }
        scratch.queue = queue.takeStorage()
        var written = 0
        var position = 0
        while position >= 0 {
            symbols[written] = symbols[position]
            written += 1
            position = Int(scratch.next[position])
        }
        return written
    }
}

/// Writes the first symbols of a word.
private struct SymbolWriter {
    let symbols: UnsafeMutablePointer<EncodingScratch.Symbol>
    var count = 0
    private var endsUnknown = false

    init(symbols: UnsafeMutablePointer<EncodingScratch.Symbol>) { self.symbols = symbols }

    @inline(__always)
    mutating func put(_ id: TokenID, end: Int) {
        symbols[count] = EncodingScratch.Symbol(
            id: id, rank: MergeTable.never, result: -1, end: UInt32(truncatingIfNeeded: end))
        count += 1
        endsUnknown = false
    }

    mutating func putUnknown(_ id: TokenID, end: Int, fusing: Bool) {
        if fusing, endsUnknown {
            symbols[count - 1].end = UInt32(truncatingIfNeeded: end)
        } else {
            put(id, end: end)
            endsUnknown = true
        }
    }
}
