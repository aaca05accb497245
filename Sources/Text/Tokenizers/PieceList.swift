/// The pieces of a text under the splitting steps.
struct PieceList {
    private(set) var bytes: [UInt8]
    /// Where the bytes came from, when asked for.
    private(set) var alignment: Alignment?
    private(set) var pieces: [Range<Int>]
    /// Whether the whole text starts with the first piece.
    let isFirst: Bool

    init(_ text: UnsafeBufferPointer<UInt8>, isFirst: Bool, recordingRanges: Bool) {
        bytes = Array(text)
        if recordingRanges {
            alignment = Alignment()
            alignment?.appendIdentity(0..<text.count)
        }
        pieces = text.isEmpty ? [] : [0..<text.count]
        self.isFirst = isFirst
    }

    /// Cuts every piece: `cut` gets a piece's bytes and adds the ranges that are left of it.
    mutating func split(_ cut: (UnsafeBufferPointer<UInt8>, (Range<Int>) -> Void) -> Void) {
        var result: [Range<Int>] = []
        result.reserveCapacity(pieces.count * 2)
        bytes.withUnsafeBufferPointer { bytes in
            for piece in pieces {
                cut(UnsafeBufferPointer(rebasing: bytes[piece])) { part in
                    if !part.isEmpty {
                        result.append(piece.lowerBound + part.lowerBound..<piece.lowerBound + part.upperBound)
                    }
                }
            }
        }
        pieces = result
    }

    /// Cuts every piece where something matches: `search` calls its argument with each match, from left to right.
    mutating func split(
        _ behavior: SplitBehavior, inverted: Bool,
        _ search: (UnsafeBufferPointer<UInt8>, (Range<Int>) -> Void) -> Void
    ) {
        split { piece, add in
            var parts: [(range: Range<Int>, isMatch: Bool)] = []
            var done = 0
            search(piece) { match in
                if match.lowerBound > done { parts.append((done..<match.lowerBound, inverted)) }
                parts.append((match, !inverted))
                done = match.upperBound
            }
            if done < piece.count { parts.append((done..<piece.count, inverted)) }
            for range in Self.arranged(parts, behavior) { add(range) }
        }
    }

    private static func arranged(_ parts: [(range: Range<Int>, isMatch: Bool)], _ behavior: SplitBehavior) -> [Range<
        Int
    >] {
        switch behavior {
        case .removed: return parts.filter { !$0.isMatch }.map(\.range)
        case .isolated: return parts.map(\.range)
        case .contiguous:
            var result: [Range<Int>] = []
            for (index, part) in parts.enumerated() {
                if index > 0, parts[index - 1].isMatch == part.isMatch {
                    result[result.count - 1] = result[result.count - 1].lowerBound..<part.range.upperBound
                } else {
                    result.append(part.range)
                }
            }
            return result
        case .mergedWithPrevious:
            var result: [Range<Int>] = []
            for (index, part) in parts.enumerated() {
                let follows = index > 0 && !parts[index - 1].isMatch
                if part.isMatch, follows {
                    result[result.count - 1] = result[result.count - 1].lowerBound..<part.range.upperBound
                } else {
                    result.append(part.range)
                }
            }
            return result
        case .mergedWithNext:
            var result: [Range<Int>] = []
            for (index, part) in parts.enumerated().reversed() {
                let precedes = index + 1 < parts.count && !parts[index + 1].isMatch
                if part.isMatch, precedes {
                    result[result.count - 1] = part.range.lowerBound..<result[result.count - 1].upperBound
                } else {
                    result.append(part.range)
                }
            }
            return result.reversed()
        }
    }

    /// Writes every piece anew: `edit` reads a piece and writes to the builder, and is told whether the whole text starts there.
    mutating func rewrite(
        _ edit: (UnsafeBufferPointer<UInt8>, _ isFirst: Bool, inout EditedText.Builder) -> Void
    ) {
        var newBytes: [UInt8] = []
        var newPieces: [Range<Int>] = []
        var newAlignment: Alignment? = alignment == nil ? nil : Alignment()
        bytes.withUnsafeBufferPointer { bytes in
            for piece in pieces {
                var builder = EditedText.Builder(recordingRanges: alignment != nil)
                edit(UnsafeBufferPointer(rebasing: bytes[piece]), isFirst && piece.lowerBound == 0, &builder)
                newPieces.append(newBytes.count..<newBytes.count + builder.bytes.count)
                newBytes += builder.bytes
                if let alignment, let edited = builder.alignment {
                    newAlignment?.append(edited, shiftedBy: piece.lowerBound, within: alignment)
                }
            }
        }
        bytes = newBytes
        pieces = newPieces.filter { !$0.isEmpty }
        alignment = newAlignment
    }

    /// Spells every byte in GPT-2's alphabet, for steps that look at the spelling.
    mutating func spellBytes() {
        rewrite { piece, _, output in
            for (position, byte) in piece.enumerated() {
                output.write(GPT2Alphabet.scalars[Int(byte)], from: position..<position + 1)
            }
        }
    }

    /// Makes bytes of spellings again.
    mutating func unspellBytes() {
        let alphabet = GPT2Alphabet.bytes
        rewrite { piece, _, output in
            guard let base = piece.baseAddress else { return }
            var position = 0
            while position < piece.count {
                let (scalar, length) = UTF8Text.scalar(base, at: position)
                let byte = Int(scalar) < alphabet.count ? alphabet.base[Int(scalar)] : -1
                output.write([UInt8(truncatingIfNeeded: Int(byte))], from: position..<position + length)
                position += length
            }
        }
    }
}
