/// Remembers the tokens of short words: a table of fixed size in which a new word replaces an old one.
final class WordCache {
    /// Longer words are encoded afresh.
    static let maxLength = 24
    /// Words of more tokens are encoded afresh.
    static let maxTokens = 5

    /// A word's bytes, padded with zeros.
    struct Key {
        var a: UInt64
        var b: UInt64
        var c: UInt64

        @inline(__always)
        var hash: UInt64 {
            let mixed = (a ^ b &* 0x9E37_79B9_7F4A_7C15 ^ c &* 0xC2B2_AE3D_27D4_EB4F)
            return (mixed ^ mixed >> 32) &* 0xD6E8_FEB8_6659_FD93
        }

        /// The key of `length` bytes (1...24), of which 24 can be read.
        @inline(__always)
        init(readable text: UnsafePointer<UInt8>, _ length: Int) {
            let raw = UnsafeRawPointer(text)
            let first = raw.loadUnaligned(as: UInt64.self).littleEndian
            if length <= 8 {
                a = first & (UInt64.max >> UInt64(truncatingIfNeeded: 64 - length * 8))
                b = 0
                c = 0
                return
            }
            a = first
            let second = raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian
            if length <= 16 {
                b = second & (UInt64.max >> UInt64(truncatingIfNeeded: 128 - length * 8))
                c = 0
                return
            }
            b = second
            let third = raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self).littleEndian
            c = third & (UInt64.max >> UInt64(truncatingIfNeeded: 192 - length * 8))
        }

        /// The key of `length` bytes (1...24) that may be the last of the text.
        @inline(never)
        init(copying text: UnsafePointer<UInt8>, _ length: Int) {
            var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
            withUnsafeMutableBytes(of: &words) {
                $0.copyMemory(from: UnsafeRawBufferPointer(start: text, count: length))
            }
            a = words.0.littleEndian
            b = words.1.littleEndian
            c = words.2.littleEndian
        }
    }

    struct Entry: BitwiseCopyable {
        var a: UInt64 = 0
        var b: UInt64 = 0
        var c: UInt64 = 0
        /// 0: the entry is free.
        var length: UInt16 = 0
        var count: UInt16 = 0
        var ids: (TokenID, TokenID, TokenID, TokenID, TokenID) = (0, 0, 0, 0, 0)
    }

    private static let bits: UInt64 = 15
    private var entries: UnsafeMutablePointer<Entry>?

    deinit { entries?.deallocate() }

    /// The table itself, made at first use.
    @inline(__always)
    var table: UnsafeMutablePointer<Entry> {
        if let entries { return entries }
        return makeTable()
    }

    @inline(never)
    private func makeTable() -> UnsafeMutablePointer<Entry> {
        let table = UnsafeMutablePointer<Entry>.allocate(capacity: 1 << Int(Self.bits))
        table.initialize(repeating: Entry(), count: 1 << Int(Self.bits))
        entries = table
        return table
    }

    /// The two places where a key may stand: the first and its neighbour.
    @inline(__always)
    static func slot(_ key: Key, _ length: Int) -> Int {
        Int(truncatingIfNeeded: (key.hash &+ UInt64(truncatingIfNeeded: length)) >> (64 - bits))
    }

    @inline(__always)
    static func holds(_ entry: UnsafeMutablePointer<Entry>, _ key: Key, _ length: Int) -> Bool {
        entry.pointee.a == key.a && entry.pointee.b == key.b && entry.pointee.c == key.c
            && entry.pointee.length == UInt16(truncatingIfNeeded: length)
    }

    /// Stores a word, moving the one that stood there to the second place.
    func store(
        _ table: UnsafeMutablePointer<Entry>, _ slot: Int, _ key: Key, _ length: Int,
        _ symbols: UnsafeMutablePointer<EncodingScratch.Symbol>, _ count: Int
    ) {
        guard count <= Self.maxTokens else { return }
        var entry = Entry(
            a: key.a, b: key.b, c: key.c, length: UInt16(truncatingIfNeeded: length),
            count: UInt16(truncatingIfNeeded: count))
        if count > 0 { entry.ids.0 = symbols[0].id }
        if count > 1 { entry.ids.1 = symbols[1].id }
        if count > 2 { entry.ids.2 = symbols[2].id }
        if count > 3 { entry.ids.3 = symbols[3].id }
        if count > 4 { entry.ids.4 = symbols[4].id }
        table[slot ^ 1] = table[slot]
        table[slot] = entry
    }
}
