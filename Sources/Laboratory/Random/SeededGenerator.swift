import Tensors

/// A random generator that gives the same numbers for the same seed on every machine: xoshiro256** seeded through
/// SplitMix64 (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018).
///
/// Its own `below`, `uniform`, `shuffle` and `pick` are part of that promise; the standard library's use of a generator may
/// change between versions of Swift.
public struct SeededGenerator: RandomNumberGenerator, Sendable, Hashable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    public init(seed: UInt64) {
        var source = seed
        state = (
            Self.splitMix(&source), Self.splitMix(&source), Self.splitMix(&source), Self.splitMix(&source)
        )
    }

    /// An independent stream of the same seed, by name: drawing more from one never changes another.
    public init(seed: UInt64, stream name: String) {
        self.init(seed: Self.derive(seed, name))
    }

    /// The seed of a named stream, for what takes a seed itself (a sampling request).
    public static func derive(_ seed: UInt64, _ name: String) -> UInt64 {
        var hash = hashed(name)
        var source = seed ^ splitMix(&hash)
        return splitMix(&source)
    }

    public mutating func next() -> UInt64 {
        let result = Self.rotate(state.1 &* 5, 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = Self.rotate(state.3, 45)
        return result
    }

    /// A number in [0, 1) with 53 random bits.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A whole number in 0..<count, each equally likely (Lemire's multiplication with rejection). `count` is at least 1.
    public mutating func below(_ count: Int) -> Int {
        precondition(count > 0, "below(_:) needs a positive count")
        let bound = UInt64(count)
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        }
        return Int(product.high)
    }

    /// A number from the standard normal distribution (Marsaglia's polar method).
    public mutating func gaussian() -> Double {
        while true {
            let x = 2 * uniform() - 1
            let y = 2 * uniform() - 1
            let square = x * x + y * y
            if square > 0, square < 1 { return x * (-2 * Logarithm.natural(square) / square).squareRoot() }
        }
    }

    /// True with the given probability.
    public mutating func chance(_ probability: Double) -> Bool { uniform() < probability }

    /// One element, each equally likely; nil when there is none.
    public mutating func pick<Elements: RandomAccessCollection>(_ elements: Elements) -> Elements.Element? {
        guard !elements.isEmpty else { return nil }
        return elements[elements.index(elements.startIndex, offsetBy: below(elements.count))]
    }

    /// The elements in random order, all orders equally likely (Fisher-Yates).
    public mutating func shuffled<Elements: Sequence>(_ elements: Elements) -> [Elements.Element] {
        var result = Array(elements)
        guard result.count > 1 else { return result }
        for last in stride(from: result.count - 1, to: 0, by: -1) { result.swapAt(last, below(last + 1)) }
        return result
    }

    /// `count` different elements in random order; all of them when there are fewer.
    public mutating func sample<Elements: Sequence>(_ count: Int, of elements: Elements) -> [Elements.Element] {
        var result = Array(elements)
        let wanted = min(max(0, count), result.count)
        for position in 0..<wanted { result.swapAt(position, position + below(result.count - position)) }
        return Array(result.prefix(wanted))
    }

    public static func == (a: Self, b: Self) -> Bool { a.state == b.state }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(state.0)
        hasher.combine(state.1)
        hasher.combine(state.2)
        hasher.combine(state.3)
    }

    private static func splitMix(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 {
        (value << count) | (value >> (64 - count))
    }
}
