/// Which pairs of tokens a byte-pair model joins, how early, and into what: a flat hash table over pairs of ids.
struct MergeTable: Sendable {
    struct Entry: BitwiseCopyable {
        /// The left id in the upper 32 bits, the right one in the lower.
        var pair: UInt64
        /// The lower, the earlier.
        var rank: UInt32
        var result: TokenID
    }

    /// The rank of a pair that is not joined.
    static let never = UInt32.max
    private static let free = UInt64.max

    let slots: FrozenBuffer<Entry>
    let shift: UInt64

    @inline(__always)
    static func pair(_ left: TokenID, _ right: TokenID) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    /// Of equal pairs the last one wins.
    init(_ entries: [Entry]) {
        var capacity = 16
        var bits: UInt64 = 4
        while capacity < entries.count * 2 {
            capacity *= 2
            bits += 1
        }
        let shift = 64 - bits
        self.shift = shift
        slots = FrozenBuffer(
            repeating: Entry(pair: Self.free, rank: Self.never, result: -1), count: capacity
        ) { slots in
            for entry in entries {
                var slot = Self.slot(entry.pair, shift)
                while slots[slot].pair != Self.free, slots[slot].pair != entry.pair {
                    slot = (slot + 1) & (capacity - 1)
                }
                slots[slot] = entry
            }
        }
    }

    @inline(__always)
    private static func slot(_ pair: UInt64, _ shift: UInt64) -> Int {
        Int(truncatingIfNeeded: ((pair ^ pair >> 29) &* 0x9E37_79B9_7F4A_7C15) >> shift)
    }

    /// The rank of a pair and what it becomes; `never` when it isn't joined.
    @inline(__always)
    func find(_ left: TokenID, _ right: TokenID) -> (rank: UInt32, result: TokenID) {
        let pair = Self.pair(left, right)
        var slot = Self.slot(pair, shift)
        while true {
            let entry = slots.base[slot]
            if entry.pair == pair { return (entry.rank, entry.result) }
            if entry.pair == Self.free { return (Self.never, -1) }
            slot = (slot + 1) & (slots.count - 1)
        }
    }
}
