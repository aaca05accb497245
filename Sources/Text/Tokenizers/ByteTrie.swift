/// A set of byte strings that finds all prefixes of a text in it: a trie whose edges are in one hash table.
struct ByteTrie: Sendable {
    private struct Edge: BitwiseCopyable {
        /// The node the edge leaves, times 256, plus its byte; `free` where the slot is empty.
        var key: UInt64
        var node: UInt32
        /// The token that ends at the edge's end, or -1.
        var token: TokenID
    }

    private static let free = UInt64.max
    private let edges: FrozenBuffer<Edge>
    private let mask: Int

    /// - Parameter include: Which tokens can be found.
    init(_ tokens: TokenTable, include: (Int) -> Bool) {
        var size = 0
        for id in 0..<tokens.count where include(id) { size += tokens.bytes(of: TokenID(id)).count }
        var capacity = 16
        while capacity < size * 2 { capacity *= 2 }
        let mask = capacity - 1
        self.mask = mask
        edges = FrozenBuffer(
            repeating: Edge(key: Self.free, node: 0, token: -1), count: capacity
        ) { edges in
            var nodes: UInt32 = 0
            for id in 0..<tokens.count where include(id) {
                var node: UInt32 = 0
                var last = -1
                for byte in tokens.bytes(of: TokenID(id)) {
                    let key = UInt64(node) << 8 | UInt64(byte)
                    var slot = Self.slot(key, mask)
                    while edges[slot].key != Self.free, edges[slot].key != key { slot = (slot + 1) & mask }
                    if edges[slot].key == Self.free {
                        nodes += 1
                        edges[slot] = Edge(key: key, node: nodes, token: -1)
                    }
                    node = edges[slot].node
                    last = slot
                }
                if last >= 0 { edges[last].token = TokenID(id) }
            }
        }
    }

    @inline(__always)
    private static func slot(_ key: UInt64, _ mask: Int) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 24) & mask
    }

    /// Calls `body` with the token and the end of every entry that starts at `start`, the shortest first.
    @inline(__always)
    func forEachPrefix(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ body: (TokenID, Int) -> Void) {
        var node: UInt32 = 0
        var position = start
        while position < end {
            let key = UInt64(node) << 8 | UInt64(text[position])
            var slot = Self.slot(key, mask)
            while edges.base[slot].key != key {
                if edges.base[slot].key == Self.free { return }
                slot = (slot + 1) & mask
            }
            position += 1
            node = edges.base[slot].node
            if edges.base[slot].token >= 0 { body(edges.base[slot].token, position) }
        }
    }
}
