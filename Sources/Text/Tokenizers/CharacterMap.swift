/// SentencePiece's compiled table of replacements (`precompiled_charsmap`): a double-array trie from byte strings to places in a
/// list of replacements, each ended by a zero.
public struct CharacterMap: Sendable {
    let units: [UInt32]
    let replacements: [UInt8]

    /// Longer clusters of characters are replaced character by character.
    private static let longestCluster = 5
    /// Longer replacements are damage: Unicode's longest compatibility form has 33 bytes.
    private static let longestReplacement = 256

    /// Reads a table: the size of the trie in bytes (32 bits, little-endian), the trie, and the replacements.
    ///
    /// - Throws: `TokenizerError` when the size does not fit the data.
    public init(_ data: [UInt8], field: String = "precompiled_charsmap") throws(TokenizerError) {
        guard data.count >= 4 else { throw TokenizerError(field, "has \(data.count) bytes, too few for its header") }
        func word(_ offset: Int) -> UInt32 {
            UInt32(data[offset]) | UInt32(data[offset + 1]) << 8 | UInt32(data[offset + 2]) << 16
                | UInt32(data[offset + 3]) << 24
        }
        let size = Int(word(0))
        guard size % 4 == 0, size <= data.count - 4 else {
            throw TokenizerError(field, "claims a table of \(size) bytes, but has \(data.count)")
        }
        units = (0..<size / 4).map { word(4 + 4 * $0) }
        replacements = Self.repaired(Array(data[(4 + size)...]))
    }

    /// The bytes with question marks for what is not UTF-8, so that places stay where they are.
    private static func repaired(_ bytes: [UInt8]) -> [UInt8] {
        var repaired = bytes
        bytes.withUnsafeBufferPointer { bytes in
            var position = 0
            while position < bytes.count {
                switch UTF8Text.sequence(bytes, at: position) {
                case .character(let length):
                    position += length
                case .invalid(let length), .incomplete(let length):
                    for _ in 0..<length {
                        repaired[position] = UInt8(ascii: "?")
                        position += 1
                    }
                }
            }
        }
        return repaired
    }

    func apply(_ text: UnsafeBufferPointer<UInt8>, to output: inout EditedText.Builder) {
        guard let base = text.baseAddress else { return }
        var position = 0
        for cluster in String(decoding: text, as: UTF8.self) {
            let end = position + cluster.utf8.count
            if end - position <= Self.longestCluster, let replacement = replacement(of: text, position, end) {
                output.write(replacement, from: position..<end)
                position = end
                continue
            }
            while position < end {
                let next = position + UTF8Text.scalar(base, at: position).length
                if let replacement = replacement(of: text, position, next) {
                    output.write(replacement, from: position..<next)
                } else {
                    output.copy(text, position..<next)
                }
                position = next
            }
        }
    }

    /// The replacement of the shortest prefix of `text[start..<end]` that has one.
    private func replacement(of text: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int) -> ArraySlice<UInt8>? {
        guard let root = units.first else { return nil }
        var node = Self.offset(root)
        for position in start..<end {
            let byte = text[position]
            if byte == 0 { return nil }
            node ^= Int(byte)
            guard units.indices.contains(node), Self.label(units[node]) == UInt32(byte) else { return nil }
            let unit = units[node]
            node ^= Self.offset(unit)
            if unit >> 8 & 1 == 1 {
                guard units.indices.contains(node) else { return nil }
                let place = Int(units[node] & 0x7FFF_FFFF)
                guard place < replacements.count, replacements[place] & 0xC0 != 0x80 else { return nil }
                let rest = replacements[place...].prefix(Self.longestReplacement)
                guard let end = rest.firstIndex(of: 0) else { return nil }
                return rest[place..<end]
            }
        }
        return nil
    }

    private static func offset(_ unit: UInt32) -> Int { Int((unit >> 10) << ((unit & 0x200) >> 6)) }

    private static func label(_ unit: UInt32) -> UInt32 { unit & 0x8000_00FF }
}
