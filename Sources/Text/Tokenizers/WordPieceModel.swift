/// WordPiece: the longest token that starts a word, then the longest that continues it, and so on; a word that can't be covered is
/// unknown as a whole.
struct WordPieceModel: Sendable {
    let index: VocabularyIndex
    private let prefix: [UInt8]
    private let unknown: TokenID?
    private let maxCharacters: Int
    private let longest: Int

    /// Longer tokens can't be part of any word.
    private static let longestWord = 1 << 16

    init(
        _ specification: TokenizerSpecification.WordPiece, spellings: TokenTable
    ) throws(TokenizerError) {
        guard specification.maxWordCharacters >= 0, specification.maxWordCharacters <= Self.longestWord else {
            throw TokenizerError("model.max_input_chars_per_word", "must be between 0 and \(Self.longestWord)")
        }
        prefix = Array(specification.continuingPrefix.utf8)
        unknown = specification.unknown
        maxCharacters = specification.maxWordCharacters
        index = VocabularyIndex(bytes: spellings.bytes, offsets: spellings.offsets, include: spellings.isReachable)
        longest = (0..<spellings.count).reduce(0) { max($0, spellings.bytes(of: TokenID($1)).count) }
    }

    func encodeWhole(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ scratch: EncodingScratch) {
        let characters = (start..<end).reduce(0) { text[$1] & 0xC0 == 0x80 ? $0 : $0 + 1 }
        let first = scratch.count
        if characters > maxCharacters || !cover(text, start, end, scratch) {
            scratch.removeTokens(from: first)
            if let unknown { scratch.put(unknown, range: start..<end) }
        }
    }

    private func cover(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ scratch: EncodingScratch) -> Bool {
        let length = end - start
        let room = prefix.count
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: room + length) { word in
            guard let base = word.baseAddress else { return false }
            // The prefix of a continuing token is written over the bytes before it, which are done with.
            (base + room).update(from: text + start, count: length)
            var position = 0
            while position < length {
                var tokenStart = base + room + position
                var extra = 0
                if position > 0 {
                    tokenStart -= room
                    extra = room
                    for (offset, byte) in prefix.enumerated() { tokenStart[offset] = byte }
                }
                var tokenEnd = min(length, position + longest)
                var found: TokenID?
                while tokenEnd > position {
                    if tokenEnd == length || base[room + tokenEnd] & 0xC0 != 0x80 {
                        found = index.id(of: tokenStart, extra + tokenEnd - position)
                        if found != nil { break }
                    }
                    tokenEnd -= 1
                }
                guard let found else { return false }
                scratch.put(found, range: start + position..<start + tokenEnd)
                position = tokenEnd
            }
            return true
        }
    }
}
