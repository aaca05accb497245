/// What each token stands for, in bytes, and which tokens are special.
struct TokenTable: Sendable {
    /// The bytes of all tokens, one after the other.
    let bytes: FrozenBuffer<UInt8>
    /// Where each token starts: `count + 1` entries.
    let offsets: FrozenBuffer<UInt32>
    private let flags: FrozenBuffer<UInt8>

    /// The properties of a token.
    private enum Flag {
        static let special: UInt8 = 1
        static let added: UInt8 = 2
        /// The spelling is no word of the model's alphabet, so the model can't produce it.
        static let unreachable: UInt8 = 4
    }

    var count: Int { offsets.count - 1 }

    /// Makes the table from spellings; `decode` writes what a spelling stands for to memory that has room for as many bytes, and
    /// returns their number, or nil when the spelling has no such meaning and stands for itself.
    init(
        _ vocabulary: ByteStrings, added: [AddedToken],
        decode: (UnsafeBufferPointer<UInt8>, UnsafeMutablePointer<UInt8>) -> Int?
    ) {
        let count = vocabulary.count
        let flags = FrozenBuffer<UInt8>(repeating: 0, count: count) { flags in
            for token in added where flags.indices.contains(Int(token.id)) {
                flags[Int(token.id)] = token.isSpecial ? Flag.added | Flag.special : Flag.added
            }
        }
        var unreachable: [Int] = []
        var used = 0
        let starts = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: count + 1)
        defer { starts.deallocate() }
        bytes = FrozenBuffer(repeating: 0, count: vocabulary.bytes.count) { output in
            vocabulary.bytes.withUnsafeBufferPointer { spellings in
                for id in 0..<count {
                    let spelling = UnsafeBufferPointer(rebasing: spellings[vocabulary.range(of: id)])
                    starts[id] = UInt32(used)
                    guard !spelling.isEmpty, let target = output.baseAddress else {
                        unreachable.append(id)
                        continue
                    }
                    if flags.base[id] == 0, let length = decode(spelling, target + used) {
                        used += length
                    } else {
                        (target + used).update(from: spelling.baseAddress.unsafelyUnwrapped, count: spelling.count)
                        used += spelling.count
                        if flags.base[id] == 0 { unreachable.append(id) }
                    }
                }
            }
            starts[count] = UInt32(used)
        }
        offsets = FrozenBuffer(repeating: 0, count: count + 1) { offsets in
            for index in 0...count { offsets[index] = starts[index] }
        }
        self.flags = FrozenBuffer(repeating: 0, count: count) { block in
            for id in 0..<count { block[id] = flags.base[id] }
            for id in unreachable { block[id] |= Flag.unreachable }
        }
    }

    func isValid(_ id: TokenID) -> Bool { id >= 0 && Int(id) < count }

    func isSpecial(_ id: TokenID) -> Bool { isValid(id) && flags.base[Int(id)] & Flag.special != 0 }

    func isAdded(_ id: TokenID) -> Bool { isValid(id) && flags.base[Int(id)] & Flag.added != 0 }

    /// Whether the model may give this token for text: user text can't become a special token.
    func isReachable(_ id: Int) -> Bool { flags.base[id] & (Flag.special | Flag.unreachable) == 0 }

    /// The bytes of a token; none for an id outside the vocabulary.
    func bytes(of id: TokenID) -> UnsafeBufferPointer<UInt8> {
        guard isValid(id) else { return UnsafeBufferPointer(start: nil, count: 0) }
        let start = Int(offsets.base[Int(id)])
        return UnsafeBufferPointer(start: bytes.base + start, count: Int(offsets.base[Int(id) + 1]) - start)
    }
}
