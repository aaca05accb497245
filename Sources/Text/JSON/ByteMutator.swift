/// Damages bytes the way broken downloads and hostile files do, for tests of readers: the same seed gives the same
/// sequence of damages.
package struct ByteMutator: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// A copy with one to four damages. Three of four damages fall in the first `focus` bytes, where headers are.
    package mutating func mutated(_ original: [UInt8], focus: Int? = nil) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &self) { damage(&bytes, focus: focus ?? original.count) }
        return bytes
    }

    private mutating func damage(_ bytes: inout [UInt8], focus: Int) {
        guard !bytes.isEmpty else { return bytes.append(UInt8.random(in: .min ... .max, using: &self)) }
        let reach = Int.random(in: 0..<4, using: &self) > 0 ? min(max(focus, 1), bytes.count) : bytes.count
        let place = Int.random(in: 0..<reach, using: &self)
        let length = min(Int.random(in: 1...16, using: &self), bytes.count - place)
        switch Int.random(in: 0..<9, using: &self) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &self)
        case 1: bytes[place] = UInt8.random(in: .min ... .max, using: &self)
        case 2: bytes.removeSubrange(place...)
        case 3: bytes.removeSubrange(place..<place + length)
        case 4: bytes.insert(contentsOf: bytes[place..<place + length], at: place)
        case 5: write(extreme(), width: 8, at: place, in: &bytes)
        case 6: write(extreme(), width: 4, at: place, in: &bytes)
        case 7:
            let other = Int.random(in: 0...bytes.count - length, using: &self)
            for offset in 0..<length { bytes[place + offset] = bytes[other + offset] }
        default:
            let marks = Array("\"\\{}[]:,-.eE0123456789\u{0}\u{7F}\u{FF}".utf8)
            bytes[place] = marks.randomElement(using: &self) ?? 0
        }
    }

    /// Values at which sums, products and signs go wrong.
    private mutating func extreme() -> UInt64 {
        let edges: [UInt64] = [
            0, 1, 2, 255, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 32, 1 << 60, 1 << 61, 1 << 62,
            UInt64(Int64.max), 1 << 63, UInt64.max, UInt64.max - 31,
        ]
        return edges.randomElement(using: &self) ?? 0
    }

    private func write(_ value: UInt64, width: Int, at place: Int, in bytes: inout [UInt8]) {
        for offset in 0..<min(width, bytes.count - place) {
            bytes[place + offset] = UInt8(truncatingIfNeeded: value >> UInt64(8 * offset))
        }
    }
}
