/// A unigram model: of all ways to cut a piece into tokens, the one with the highest sum of log-probabilities (Kudo 2018).
struct UnigramModel: Sendable {
    let index: VocabularyIndex
    private let trie: ByteTrie
    private let scores: [Double]
    private let unknown: TokenID?
    private let unknownScore: Double
    /// The token of each byte, or none when unknown characters stay unknown.
    private let byteTokens: [TokenID]?

    /// How much worse than the worst token an unknown character is.
    private static let unknownPenalty = 10.0
    /// Bounds the work at each position of a text.
    private static let longestToken = 4096

    init(
        _ specification: TokenizerSpecification.Unigram, spellings: TokenTable
    ) throws(TokenizerError) {
        guard specification.scores.count >= spellings.count else {
            throw TokenizerError("vocab", "has \(specification.scores.count) scores for \(spellings.count) tokens")
        }
        for id in 0..<spellings.count where spellings.bytes(of: TokenID(id)).count > Self.longestToken {
            throw TokenizerError("vocab[\(id)]", "is longer than \(Self.longestToken) bytes")
        }
        scores = specification.scores
        unknown = specification.unknown
        unknownScore = (specification.scores.min() ?? 0) - Self.unknownPenalty
        index = VocabularyIndex(bytes: spellings.bytes, offsets: spellings.offsets, include: spellings.isReachable)
        trie = ByteTrie(spellings, include: spellings.isReachable)
        var bytes: [TokenID] = []
        if specification.fallsBackToBytes {
            for byte in UInt8.min...UInt8.max {
                if let id = index.id(of: ByteFallback.spelling(of: byte)) { bytes.append(id) }
            }
        }
        byteTokens = bytes.count == 256 ? bytes : nil
    }

    /// The best way to reach a position.
    private struct Path {
        var score = 0.0
        var start: Int32 = -1
        /// The token that ends here, or -1 for an unknown character.
        var token: TokenID = -1
    }

    func encodeWhole(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ scratch: EncodingScratch) {
        let length = end - start
        guard length <= Int(Int32.max) else { return }
        withUnsafeTemporaryAllocation(of: Path.self, capacity: length + 1) { paths in
            paths.initialize(repeating: Path())
            let word = text + start
            var position = 0
            while position < length {
                let size = UTF8Text.scalar(word, at: position).length
                let score = paths[position].score
                var hasSingle = false
                trie.forEachPrefix(word, position, length) { token, tokenEnd in
                    let candidate = score + scores[Int(token)]
                    if paths[tokenEnd].start < 0 || candidate > paths[tokenEnd].score {
                        paths[tokenEnd] = Path(score: candidate, start: Int32(position), token: token)
                    }
                    if tokenEnd == position + size { hasSingle = true }
                }
                if !hasSingle {
                    let candidate = score + unknownScore
                    let next = position + size
                    if paths[next].start < 0 || candidate > paths[next].score {
                        paths[next] = Path(score: candidate, start: Int32(position), token: -1)
                    }
                }
                position += size
            }
            write(paths, word, length, at: start, scratch)
        }
    }

    /// Follows the best path back and writes its tokens, neighbouring unknown characters as one.
    private func write(
        _ paths: UnsafeMutableBufferPointer<Path>, _ word: UnsafePointer<UInt8>, _ length: Int, at offset: Int,
        _ scratch: EncodingScratch
    ) {
        // Turns the pointers back into pointers on; the token that ends at a position stays with it.
        var next = -1
        var position = length
        while position > 0 {
            let start = Int(paths[position].start)
            paths[position].start = Int32(next)
            next = position
            position = start
        }
        while next >= 0 {
            var end = next
            let token = paths[end].token
            next = Int(paths[end].start)
            if token >= 0 {
                scratch.put(token, range: offset + position..<offset + end)
            } else {
                while next >= 0, paths[next].token < 0 {
                    end = next
                    next = Int(paths[end].start)
                }
                writeUnknown(word, position, end, at: offset, scratch)
            }
            position = end
        }
    }

    private func writeUnknown(
        _ word: UnsafePointer<UInt8>, _ start: Int, _ end: Int, at offset: Int, _ scratch: EncodingScratch
    ) {
        let range = offset + start..<offset + end
        if let byteTokens {
            for position in start..<end {
                scratch.put(byteTokens[Int(word[position])], range: offset + position..<offset + position + 1)
            }
        } else if let unknown {
            scratch.put(unknown, range: range)
        }
    }
}
