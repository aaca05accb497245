/// The printable character that GPT-2's vocabulary writes for each byte: visible Latin-1 stands for itself, the 68 others are
/// U+0100 and up, in order.
enum GPT2Alphabet {
    /// The character of each byte.
    static let scalars: [UInt32] = {
        var next: UInt32 = 0x100
        return (0..<256).map { byte in
            if isVisible(UInt32(byte)) { return UInt32(byte) }
            defer { next += 1 }
            return next
        }
    }()

    /// The same as texts.
    static let characters: [String] = scalars.compactMap { Unicode.Scalar($0).map { String(Character($0)) } }

    /// How a text is spelt, byte for byte.
    static func spelling(of text: some StringProtocol) -> String {
        text.utf8.map { characters[Int($0)] }.joined()
    }

    /// The byte of each character below U+0144, or -1.
    static let bytes: FrozenBuffer<Int16> = FrozenBuffer(repeating: -1, count: 0x144) { table in
        for (byte, scalar) in scalars.enumerated() { table[Int(scalar)] = Int16(byte) }
    }

    private static func isVisible(_ byte: UInt32) -> Bool {
        (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte)
    }

    /// Writes the bytes that a spelling stands for to `output`, which has room for `spelling.count`.
    ///
    /// - Returns: How many were written, or nil when a character is outside the alphabet.
    @inline(__always)
    static func decode(
        _ spelling: UnsafeBufferPointer<UInt8>, to output: UnsafeMutablePointer<UInt8>,
        _ table: UnsafePointer<Int16>
    ) -> Int? {
        var written = 0
        var position = 0
        while position < spelling.count {
            let first = spelling[position]
            if first < 0x80 {
                let byte = table[Int(first)]
                if byte < 0 { return nil }
                output[written] = UInt8(truncatingIfNeeded: byte)
                position += 1
            } else {
                // The alphabet's other characters are below U+0144: two bytes, the first of them C2 to C5.
                guard first >= 0xC2, first <= 0xC5, position + 1 < spelling.count else { return nil }
                let second = spelling[position + 1]
                guard second & 0xC0 == 0x80 else { return nil }
                let scalar = Int(first & 0x1F) << 6 | Int(second & 0x3F)
                guard scalar < 0x144, table[scalar] >= 0 else { return nil }
                output[written] = UInt8(truncatingIfNeeded: table[scalar])
                position += 2
            }
            written += 1
        }
        return written
    }
}
