import CKernels

/// Which numbers of a head turn together.
public enum RotaryPairing: Sendable {
    /// (2i, 2i + 1): the order of the original paper, and of Llama weights in GGUF files.
    case interleaved
    /// (i, i + half): the order of GPT-NeoX and of Hugging Face checkpoints.
    case halves
}

/// The cosines and sines of every position's angles, [positions, pairs] each. Whoever makes them decides the base and any scaling of
/// frequencies.
public struct RotaryTable: Sendable {
    public let cosines: Tensor
    public let sines: Tensor

    /// Tables computed elsewhere.
    public init(cosines: Tensor, sines: Tensor) {
        precondition(cosines.rank == 2 && cosines.shape == sines.shape && cosines.dtype == .f32 && sines.dtype == .f32)
        self.cosines = cosines.contiguous()
        self.sines = sines.contiguous()
    }

    /// Angles position · frequency, in radians.
    ///
    /// - Parameters:
    ///   - frequencies: one a pair, such as base^(-2i / width) with its scaling applied.
    ///   - magnitude: multiplies cosines and sines (YaRN's attention factor); usually 1.
    public init(frequencies: [Double], positions: Int, magnitude: Double = 1) {
        let pairs = frequencies.count
        let (cosines, sines) = (Tensor(unfilled: [positions, pairs]), Tensor(unfilled: [positions, pairs]))
        cosines.withMutableFloats { c in
            sines.withMutableFloats { s in
                for position in 0..<positions {
                    for pair in 0..<pairs {
                        let (sine, cosine) = sineAndCosine(Double(position) * frequencies[pair])
                        c[position * pairs + pair] = Float(cosine * magnitude)
                        s[position * pairs + pair] = Float(sine * magnitude)
                    }
                }
            }
        }
        self.cosines = cosines
        self.sines = sines
    }

    /// Positions the tables reach.
    public var positions: Int { cosines.shape[0] }
    /// Pairs of numbers that turn in each head.
    public var pairs: Int { cosines.shape[1] }

    /// The usual frequencies: base^(-2i / width) for the width / 2 pairs.
    public static func frequencies(width: Int, base: Double) -> [Double] {
        (0..<width / 2).map { power(base, -2 * Double($0) / Double(width)) }
    }
}

/// Rotary position embedding (Su et al. 2021): each pair (a, b) of a head turns by its position's angle θ into
/// (a cos θ - b sin θ, a sin θ + b cos θ).
///
/// - Parameters:
///   - x: [rows, heads, headWidth]; numbers of a head beyond the table's pairs pass unchanged.
///   - positions: i32 [rows].
public func rope(_ x: Tensor, positions: Tensor, table: RotaryTable, pairing: RotaryPairing) -> Tensor {
    precondition(
        x.rank == 3 && x.dtype == .f32 && positions.dtype == .i32 && positions.count == x.shape[0]
            && 2 * table.pairs <= x.shape[2], "rope of \(x.shape) at \(positions.shape) by \(table.cosines.shape)")
    let places = positions.contiguous()
    places.withBytes { bytes in
        for position in bytes.bindMemory(to: Int32.self) {
            precondition(
                position >= 0 && position < table.positions, "position \(position) in tables of \(table.positions)")
        }
    }
    let result = turned(x.detached(), places, table, pairing, direction: 1)
    return result.recordedIfNeeded(from: x) { [turned($0, places, table, pairing, direction: -1)] }
}

private func turned(
    _ x: Tensor, _ positions: Tensor, _ table: RotaryTable, _ pairing: RotaryPairing, direction: Float
) -> Tensor {
    let (rows, heads, width) = (x.shape[0], x.shape[1], x.shape[2])
    // A slice of a wider product is fine as it is: only its rows are apart.
    let source = x.strides[2] == 1 && x.strides[1] == width ? x : x.contiguous()
    let result = Tensor(unfilled: x.shape)
    withExtendedLifetime((source, positions, table, result)) {
        let (from, at, to) = (source.floatAddress, positions.integerAddress, result.floatAddress)
        let (c, s, stride) = (table.cosines.floatAddress, table.sines.floatAddress, source.strides[0])
        parallel(rows, grain: rowGrain(heads * width)) { part in
            let r = part.lowerBound
            ck_rope(
                from + r * stride, Int64(stride), at + r, c, s, to + r * heads * width, Int64(heads * width),
                Int64(part.count), Int64(heads), Int64(width), Int64(table.pairs), pairing == .interleaved ? 1 : 0,
                direction)
        }
    }
    return result
}
