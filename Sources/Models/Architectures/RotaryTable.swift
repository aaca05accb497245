import Tensors

/// The rotary position embedding of a model's layers: which numbers of a head turn, and how fast.
///
/// Source: Su et al. 2021; pair i of a head at position p turns by p · frequency[i].
public struct RotaryTable: Sendable {
    private let frequencies: [Float]
    private let pairing: RotaryConfiguration.Pairing
    private let factor: Float
    private let headSize: Int

    public init(_ configuration: RotaryConfiguration, headSize: Int, local: Bool) {
        frequencies = configuration.frequencies(local: local)
        pairing = configuration.pairing
        factor = configuration.attentionFactor
        self.headSize = headSize
    }

    /// The cosines and sines of a pass's rows, computed once for all layers.
    public func angles(at positions: [Int32]) -> RotaryAngles {
        let half = frequencies.count
        var cosines = [Float](repeating: 0, count: positions.count * half)
        var sines = cosines
        for (row, position) in positions.enumerated() {
            for pair in 0..<half {
                // The angle is a single-precision product, as in training.
                let angle = Double(Float(position) * frequencies[pair])
                cosines[row * half + pair] = Float(cosine(angle)) * factor
                sines[row * half + pair] = Float(sine(angle)) * factor
            }
        }
        return RotaryAngles(
            cosines: Tensor(cosines, [positions.count, half]),
            sines: Tensor(sines, [positions.count, half]), isInterleaved: pairing == .neighbours,
            headSize: headSize)
    }
}

/// The turns of one forward pass's rows.
public struct RotaryAngles {
    /// [rows, dimension / 2]
    let cosines: Tensor
    let sines: Tensor
    let isInterleaved: Bool
    let headSize: Int

    /// Turns x [rows, heads · headSize].
    func rotate(_ x: Tensor) -> Tensor {
        rope(x, headSize: headSize, cosines: cosines, sines: sines, interleaved: isInterleaved)
    }
}
