/// Numbers drawn from a seed, for starting values and tests: a 64-bit counter through a mixer (SplitMix64).
public struct SplitMixGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// In (0, 1).
    public mutating func uniform() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }

    /// A standard normal number (Box and Muller).
    public mutating func normal() -> Double {
        squareRoot(-2 * naturalLogarithm(uniform())) * sineAndCosine(2 * .pi * uniform()).cosine
    }
}

/// A number for a name, the same on every machine (FNV-1a), which seeds are made of.
package func hashed(_ name: String) -> UInt64 {
    name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}

extension Tensor {
    /// Independent normal numbers.
    public static func normal(_ shape: Shape, mean: Float = 0, deviation: Float = 1, seed: UInt64) -> Tensor {
        var generator = SplitMixGenerator(seed: seed)
        return Tensor((0..<shape.count).map { _ in mean + deviation * Float(generator.normal()) }, shape)
    }

    /// Independent numbers, evenly spread over `low ..< high`.
    public static func uniform(_ shape: Shape, low: Float = 0, high: Float = 1, seed: UInt64) -> Tensor {
        var generator = SplitMixGenerator(seed: seed)
        return Tensor((0..<shape.count).map { _ in low + (high - low) * Float(generator.uniform()) }, shape)
    }
}
