extension BytePairModel {
    /// Builds the tables of a byte-pair model.
    ///
    /// - Parameters:
    ///   - spellings: The tokens as the model's words spell them: bytes in a byte-level model, characters otherwise.
    ///   - mergesField: What the merge list is called in the file, for errors.
    init(
        _ specification: TokenizerSpecification.BytePair, spellings: TokenTable, mergesField: String
    ) throws(TokenizerError) {
        let index = VocabularyIndex(bytes: spellings.bytes, offsets: spellings.offsets, include: spellings.isReachable)
        self.index = index
        isByteLevel = specification.isByteLevel
        ignoresMerges = specification.ignoresMerges
        fusesUnknown = specification.fusesUnknown
        unknown = specification.unknown
        let fallsBack = specification.fallsBackToBytes
        let isByteLevel = specification.isByteLevel
        byteTokens = FrozenBuffer(repeating: -1, count: 256) { tokens in
            for byte in 0..<256 {
                if isByteLevel {
                    tokens[byte] = index.id(of: [UInt8(byte)]) ?? -1
                } else if fallsBack {
                    tokens[byte] = index.id(of: ByteFallback.spelling(of: UInt8(byte))) ?? -1
                }
            }
        }
        let reader = MergeReader(index: index, spellings: spellings, isByteLevel: isByteLevel, field: mergesField)
        merges = MergeTable(try reader.entries(of: specification.merges))
    }
}

/// The tokens that stand for single bytes in a vocabulary of characters.
enum ByteFallback {
    private static let digits = Array("0123456789ABCDEF".utf8)

    static func spelling(of byte: UInt8) -> [UInt8] {
        Array("<0x".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)], UInt8(ascii: ">")]
    }

    /// The byte that a spelling like `<0x0A>` stands for.
    static func byte(of spelling: UnsafeBufferPointer<UInt8>) -> UInt8? {
        guard spelling.count == 6, spelling[0] == UInt8(ascii: "<"), spelling[1] == UInt8(ascii: "0"),
            spelling[2] == UInt8(ascii: "x"), spelling[5] == UInt8(ascii: ">"),
            let high = digits.firstIndex(of: spelling[3]), let low = digits.firstIndex(of: spelling[4])
        else { return nil }
        return UInt8(high << 4 | low)
    }
}

/// Resolves a merge list to ids.
struct MergeReader {
    let index: VocabularyIndex
    let spellings: TokenTable
    let isByteLevel: Bool
    let field: String
    /// Bounds the work of finding all ways to make a token, which grows with the square of its length.
    private static let longestScored = 4096

    func entries(of merges: TokenizerSpecification.Merges) throws(TokenizerError) -> [MergeTable.Entry] {
        switch merges {
        case .joined(let list):
            return try resolve(list, count: list.count) { position, bytes throws(TokenizerError) in
                let range = list.range(of: position)
                // A token may start with a space of its own, so the first byte never separates.
                var space = range.lowerBound + 1
                while space < range.upperBound, bytes[space] != UInt8(ascii: " ") { space += 1 }
                guard space + 1 < range.upperBound else {
                    throw TokenizerError(
                        "\(field)[\(position)]",
                        "must be two tokens with a space between, not '\(list.text(at: position))'")
                }
                return (range.lowerBound..<space, space + 1..<range.upperBound)
            }
        case .pairs(let list):
            guard list.count % 2 == 0 else { throw TokenizerError(field, "has a left token without a right one") }
            return try resolve(list, count: list.count / 2) { position, _ throws(TokenizerError) in
                (list.range(of: 2 * position), list.range(of: 2 * position + 1))
            }
        case .byScore(let scores):
            guard scores.count >= spellings.count else {
                throw TokenizerError(field, "has \(scores.count) scores for \(spellings.count) tokens")
            }
            return try entries(byScore: scores)
        }
    }

    private func resolve(
        _ list: ByteStrings, count: Int,
        _ parts: (Int, UnsafeBufferPointer<UInt8>) throws(TokenizerError) -> (Range<Int>, Range<Int>)
    ) throws(TokenizerError) -> [MergeTable.Entry] {
        var entries: [MergeTable.Entry] = []
        entries.reserveCapacity(count)
        let longest = (0..<list.count).reduce(0) { max($0, list.range(of: $1).count) }
        let joined = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * longest + 1)
        defer { joined.deallocate() }
        let alphabet = GPT2Alphabet.bytes
        var guess: TokenID = -1
        var specials: VocabularyIndex?
        // The result, not the closure, carries the error: closures of unsafe buffers don't rethrow typed errors everywhere.
        let failure: TokenizerError? = list.bytes.withUnsafeBufferPointer { bytes in
            for position in 0..<count {
                let pair: (Range<Int>, Range<Int>)
                do throws(TokenizerError) { pair = try parts(position, bytes) } catch { return error }
                let left = UnsafeBufferPointer(rebasing: bytes[pair.0])
                let right = UnsafeBufferPointer(rebasing: bytes[pair.1])
                let leftLength = write(left, to: joined, alphabet.base)
                let rightLength = write(right, to: joined + leftLength, alphabet.base)
                let length = leftLength + rightLength
                guard let leftID = index.id(of: joined, leftLength),
                    let rightID = index.id(of: joined + leftLength, rightLength),
                    let result = next(after: guess, joined, length) ?? index.id(of: joined, length)
                else {
                    // A merge that leads to a special token is one that text must not take.
                    let special = specials ?? specialTokens()
                    specials = special
                    if special.id(of: joined, leftLength) != nil || special.id(of: joined, length) != nil
                        || special.id(of: joined + leftLength, rightLength) != nil
                    {
                        continue
                    }
                    let text = String(decoding: left, as: UTF8.self) + " " + String(decoding: right, as: UTF8.self)
                    return TokenizerError(
                        "\(field)[\(position)]",
                        "joins '\(text)', of which one part or the result is not in the vocabulary")
                }
                guess = result
                entries.append(
                    MergeTable.Entry(
                        pair: MergeTable.pair(leftID, rightID), rank: UInt32(truncatingIfNeeded: position),
                        result: result))
            }
            return nil
        }
        if let failure { throw failure }
        return entries
    }

    /// The token after the last result, when it is the one looked for: vocabularies mostly stand in the order of their merges.
    @inline(__always)
    private func next(after id: TokenID, _ bytes: UnsafePointer<UInt8>, _ length: Int) -> TokenID? {
        let candidate = Int(id) + 1
        guard id >= 0, candidate < spellings.count, spellings.isReachable(candidate) else { return nil }
        let start = Int(spellings.offsets.base[candidate])
        guard Int(spellings.offsets.base[candidate + 1]) - start == length else { return nil }
        for position in 0..<length where spellings.bytes.base[start + position] != bytes[position] { return nil }
        return TokenID(candidate)
    }

    @inline(__always)
    private func write(
        _ spelling: UnsafeBufferPointer<UInt8>, to output: UnsafeMutablePointer<UInt8>, _ alphabet: UnsafePointer<Int16>
    ) -> Int {
        if isByteLevel, let length = GPT2Alphabet.decode(spelling, to: output, alphabet) { return length }
        for position in 0..<spelling.count { output[position] = spelling[position] }
        return spelling.count
    }

    private func specialTokens() -> VocabularyIndex {
        VocabularyIndex(bytes: spellings.bytes, offsets: spellings.offsets) { spellings.isSpecial(TokenID($0)) }
    }

    /// Every way to make a token out of two others. Pairs with the same score have the same rank, so the leftmost goes first.
    private func entries(byScore scores: [Float]) throws(TokenizerError) -> [MergeTable.Entry] {
        let order = (0..<spellings.count).filter { spellings.isReachable($0) && !isByte($0) }
            .sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] > scores[$1] }
        var entries: [MergeTable.Entry] = []
        entries.reserveCapacity(order.count * 2)
        var rank: UInt32 = 0
        var lastScore: Float?
        for id in order {
            if let lastScore, scores[id] != lastScore { rank += 1 }
            lastScore = scores[id]
            let spelling = spellings.bytes(of: TokenID(id))
            guard let base = spelling.baseAddress else { continue }
            guard spelling.count <= Self.longestScored else {
                throw TokenizerError(
                    "vocabulary[\(id)]", "has \(spelling.count) bytes; at most \(Self.longestScored) are allowed")
            }
            var cut =
                UTF8Text.validPrefix(spelling) == spelling.count ? UTF8Text.scalar(base, at: 0).length : spelling.count
            while cut < spelling.count {
                if let left = index.id(of: base, cut), let right = index.id(of: base + cut, spelling.count - cut),
                    !isByte(Int(left)), !isByte(Int(right))
                {
                    entries.append(
                        MergeTable.Entry(pair: MergeTable.pair(left, right), rank: rank, result: TokenID(id)))
                }
                cut += UTF8Text.scalar(base, at: cut).length
            }
        }
        return entries
    }

    private func isByte(_ id: Int) -> Bool { ByteFallback.byte(of: spellings.bytes(of: TokenID(id))) != nil }
}
