import Tensors

/// How a number that lies between two storable ones becomes one of them.
public enum Rounding: Sendable, Hashable {
    /// The nearer one.
    case nearest
    /// The upper one with the probability that makes the mean right (stochastic rounding, Croci et al. 2022,
    /// https://doi.org/10.1098/rsos.211631): a change of weights far below a step is kept in the sum over many of them, where rounding to
    /// the nearest loses it. The same seed rounds the same way.
    case dithered(seed: UInt64)

    /// What is added to the number at a place, counted in steps, before it is rounded down.
    @inline(__always)
    func threshold(_ index: Int) -> Float {
        guard case .dithered(let seed) = self else { return 0.5 }
        var generator = SplitMixGenerator(seed: seed ^ UInt64(index) &* 0x9e37_79b9_7f4a_7c15)
        return Float(generator.next() >> 40) * 0x1p-24
    }

    /// The scale or minimum that numbers are measured by: to the nearest as it was found, as the references do; else as it is stored, or
    /// the mean would be wrong.
    @inline(__always)
    func divisor(_ found: Float) -> Float {
        self == .nearest ? found : HalfPrecision.float(f16: HalfPrecision.f16(found))
    }

    /// One of the two patterns of 16 bits that a number lies between, given the nearer one.
    @inline(__always)
    func bits(
        of value: Float, _ index: Int, nearest: (Float) -> UInt16, decoded: (UInt16) -> Float
    ) -> UInt16 {
        let near = nearest(value)
        guard self != .nearest else { return near }
        let stored = decoded(near)
        let rest = (value - stored).magnitude
        guard rest > 0, rest.isFinite else { return near }
        let other = value.magnitude > stored.magnitude ? near &+ 1 : near &- 1
        return threshold(index) < rest / (decoded(other) - stored).magnitude ? other : near
    }
}

/// The rounding of one block's numbers, which are counted from 0.
struct BlockRounding {
    let rounding: Rounding
    /// The place of the block's first number in the tensor.
    let start: Int

    @inline(__always)
    var isNearest: Bool { rounding == .nearest }

    @inline(__always)
    func threshold(_ index: Int) -> Float { rounding.threshold(start + index) }

    @inline(__always)
    func divisor(_ found: Float) -> Float { rounding.divisor(found) }
}
