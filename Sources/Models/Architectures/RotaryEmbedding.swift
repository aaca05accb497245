import Tensors

/// The rotary position embedding of a model's layers: which numbers of a head turn, and how fast.
///
/// Source: Su et al. 2021; pair i of a head at position p turns by p · frequency[i].
public struct RotaryEmbedding: Sendable {
    private let frequencies: [Float]
    private let pairing: RotaryPairing
    private let magnitude: Float
    private let headSize: Int

    public init(_ configuration: RotaryConfiguration, headSize: Int, local: Bool) {
        frequencies = configuration.frequencies(local: local)
        pairing = configuration.pairing == .neighbours ? .interleaved : .halves
        magnitude = configuration.attentionFactor
        self.headSize = headSize
    }

    /// The turns of a forward pass's rows, computed once for all layers.
    public func turns(at positions: [Int32]) -> RotaryTurns {
        let pairs = frequencies.count
        let cosines = Tensor(unfilled: [positions.count, pairs])
        let sines = Tensor(unfilled: [positions.count, pairs])
        cosines.withMutableFloatPointer { cosines in
            sines.withMutableFloatPointer { sines in
                for (row, position) in positions.enumerated() {
                    for pair in 0..<pairs {
                        // The angle is a single-precision product, as in training.
                        let turn = cosineAndSine(Float(position) * frequencies[pair])
                        cosines[row * pairs + pair] = turn.cosine * magnitude
                        sines[row * pairs + pair] = turn.sine * magnitude
                    }
                }
            }
        }
        return RotaryTurns(
            rows: Tensor((0..<positions.count).map(Int32.init)),
            table: RotaryTable(cosines: cosines, sines: sines), pairing: pairing, headSize: headSize)
    }
}

/// The turns of one forward pass's rows.
public struct RotaryTurns: Sendable {
    /// 0, 1, …: the table has a line for each row of the pass.
    let rows: Tensor
    let table: RotaryTable
    let pairing: RotaryPairing
    let headSize: Int

    /// Turns x [rows, heads · headSize].
    func callAsFunction(_ x: Tensor) -> Tensor {
        let width = x.shape[1]
        return rope(
            x.reshaped([x.shape[0], width / headSize, headSize]), positions: rows, table: table, pairing: pairing
        ).reshaped([x.shape[0], width])
    }
}
