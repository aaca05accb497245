import Synchronization
import Tensors

/// A low-rank change beside a weight W [out, in]: W x becomes W x + scale · B A x (Hu et al. 2021, LoRA).
public struct LowRankAdapter: Sendable {
    /// A [rank, in]
    public var down: Tensor
    /// B [out, rank]
    public var up: Tensor
    /// α / rank, or α / √rank where the scale is to be stable over ranks (Kalajdzievski 2023).
    public var scale: Float
    /// Zeroes some of what enters A while the adapter is trained.
    public var dropout: AdapterDropout?

    public init(down: Tensor, up: Tensor, scale: Float, dropout: AdapterDropout? = nil) {
        precondition(
            down.rank == 2 && up.rank == 2 && down.shape[0] == up.shape[1],
            "an adapter of \(down.shape) and \(up.shape)")
        self.down = down
        self.up = up
        self.scale = scale
        self.dropout = dropout
    }

    public var rank: Int { down.shape[0] }

    /// scale · B A x for x [rows, in]: [rows, out]. The scale meets the narrow product, where it costs least.
    /// - Parameter precision: of the products, bf16 or f32.
    func callAsFunction(_ x: Tensor, precision: DType) -> Tensor {
        let input = dropout?(x.cast(to: .f32)) ?? x
        return linear(linear(input, down, precision: precision) * scale, up, precision: precision)
    }

    /// scale · B A [out, in]: what merging adds to the weight.
    public var change: Tensor { matmul(up.detached(), down.detached()) * scale }
}

/// Dropout at the entrance of an adapter. Which numbers fall is decided by the pass's seed and the adapter's place, so that a layer
/// that is computed again on the way back drops the same ones.
public struct AdapterDropout: Sendable {
    /// The seed of the pass that all adapters of a model share; 0: nothing is dropped.
    public final class Seed: Sendable {
        private let value = Atomic<UInt64>(0)

        public init() {}

        public var current: UInt64 {
            get { value.load(ordering: .relaxed) }
            set { value.store(newValue, ordering: .relaxed) }
        }
    }

    public let probability: Float
    let seed: Seed
    /// Tells adapters of one model apart.
    let place: UInt64

    public init(probability: Float, seed: Seed, place: Int) {
        self.probability = probability
        self.seed = seed
        self.place = UInt64(place)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        let current = seed.current
        if current == 0 { return x }
        return dropout(x, probability: probability, seed: current &+ (place &+ 1) &* 0x9e37_79b9_7f4a_7c15)
    }
}
