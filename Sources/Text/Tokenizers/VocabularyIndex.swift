/// Finds the id of a byte string: a flat hash table over the vocabulary's own bytes.
struct VocabularyIndex: Sendable {
    /// Upper 32 bits: hash. Lower 32 bits: id + 1, or 0 where the slot is free.
    private let slots: FrozenBuffer<UInt64>
    private let mask: Int
    let bytes: FrozenBuffer<UInt8>
    let offsets: FrozenBuffer<UInt32>

    /// Indexes the entries that `include` accepts. Of equal strings the last one wins, as in a JSON object.
    init(bytes: FrozenBuffer<UInt8>, offsets: FrozenBuffer<UInt32>, include: (Int) -> Bool = { _ in true }) {
        let count = offsets.count - 1
        var capacity = 16
        while capacity < count * 2 { capacity *= 2 }
        let mask = capacity - 1
        self.mask = mask
        self.bytes = bytes
        self.offsets = offsets
        slots = FrozenBuffer(repeating: 0, count: capacity) { slots in
            for id in 0..<count where include(id) {
                let start = Int(offsets.base[id])
                let length = Int(offsets.base[id + 1]) - start
                let hash = Self.hash(bytes.base + start, length)
                var slot = Int(truncatingIfNeeded: hash) & mask
                while slots[slot] != 0 {
                    let other = Int(slots[slot] & 0xFFFF_FFFF) - 1
                    if slots[slot] >> 32 == hash >> 32,
                        Self.equal(bytes.base + start, length, other, bytes.base, offsets.base)
                    {
                        break
                    }
                    slot = (slot + 1) & mask
                }
                slots[slot] = hash & 0xFFFF_FFFF_0000_0000 | UInt64(id + 1)
            }
        }
    }

    /// The id of a string, or nil.
    @inline(__always)
    func id(of string: UnsafePointer<UInt8>, _ length: Int) -> TokenID? {
        let hash = Self.hash(string, length)
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let entry = slots.base[slot]
            if entry == 0 { return nil }
            let id = Int(entry & 0xFFFF_FFFF) - 1
            if entry >> 32 == hash >> 32, Self.equal(string, length, id, bytes.base, offsets.base) {
                return TokenID(truncatingIfNeeded: id)
            }
            slot = (slot + 1) & mask
        }
    }

    func id(of string: some Collection<UInt8>) -> TokenID? {
        let copy = ContiguousArray(string)
        return copy.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return withUnsafePointer(to: 0) { id(of: $0, 0) } }
            return id(of: base, buffer.count)
        }
    }

    @inline(__always)
    private static func equal(
        _ string: UnsafePointer<UInt8>, _ length: Int, _ id: Int, _ bytes: UnsafePointer<UInt8>,
        _ offsets: UnsafePointer<UInt32>
    ) -> Bool {
        let start = Int(offsets[id])
        guard Int(offsets[id + 1]) - start == length else { return false }
        for index in 0..<length where string[index] != bytes[start + index] { return false }
        return true
    }

    /// Multiplies and folds 8 bytes at a time; overlapping loads cover the rest.
    @inline(__always)
    static func hash(_ string: UnsafePointer<UInt8>, _ length: Int) -> UInt64 {
        let raw = UnsafeRawPointer(string)
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(truncatingIfNeeded: length)
        if length >= 8 {
            var position = 0
            while position + 8 < length {
                hash = mixed(hash, raw.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                position += 8
            }
            return mixed(hash, raw.loadUnaligned(fromByteOffset: length - 8, as: UInt64.self))
        }
        var word: UInt64 = 0
        if length >= 4 {
            word = UInt64(raw.loadUnaligned(as: UInt32.self))
            word |= UInt64(raw.loadUnaligned(fromByteOffset: length - 4, as: UInt32.self)) << 32
        } else if length > 0 {
            word = UInt64(string[0]) | UInt64(string[length >> 1]) << 8 | UInt64(string[length - 1]) << 16
        }
        return mixed(hash, word)
    }

    @inline(__always)
    static func mixed(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        return product.high ^ product.low
    }
}
