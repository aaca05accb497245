import Synchronization
import Tensors

/// A low-rank change beside a weight W [out, in]: W x becomes W x + scale · B A x (Hu et al. 2021, LoRA), or with a magnitude m
/// V x · m / ‖V‖, V = W + scale · B A, row by row (Liu et al. 2024, DoRA).
public struct LowRankAdapter: Sendable {
    /// A [rank, in]
    public var down: Tensor
    /// B [out, rank]
    public var up: Tensor
    /// α / rank, or α / √rank where the scale is to be stable over ranks (Kalajdzievski 2023).
    public var scale: Float
    /// Zeroes some of what enters A while the adapter is trained.
    public var dropout: AdapterDropout?
    /// The length of each row of the changed weight, apart from its direction; nil: W and B A simply add up.
    public var magnitude: AdapterMagnitude?

    public init(
        down: Tensor, up: Tensor, scale: Float, dropout: AdapterDropout? = nil, magnitude: AdapterMagnitude? = nil
    ) {
        precondition(
            down.rank == 2 && up.rank == 2 && down.shape[0] == up.shape[1],
            "an adapter of \(down.shape) and \(up.shape)")
        self.down = down
        self.up = up
        self.scale = scale
        self.dropout = dropout
        self.magnitude = magnitude
    }

    /// Every tensor of the adapter through a function, such as a copy; dropout stays behind.
    public func mapped(_ body: (Tensor) -> Tensor) -> LowRankAdapter {
        LowRankAdapter(
            down: body(down), up: body(up), scale: scale,
            magnitude: magnitude.map {
                AdapterMagnitude(body($0.values), share: $0.share, squares: $0.squares)
            })
    }

    public var byteCount: Int { down.byteCount + up.byteCount + (magnitude?.values.byteCount ?? 0) }

    /// The same change, times a weight.
    public func scaled(by weight: Float) -> LowRankAdapter {
        var scaled = self
        if magnitude == nil { scaled.scale *= weight } else { scaled.magnitude?.share *= weight }
        return scaled
    }

    public var rank: Int { down.shape[0] }

    /// scale · B A x for x [rows, in]: [rows, out]. The scale meets the narrow product, where it costs least.
    /// - Parameter precision: of the products, bf16 or f32.
    func callAsFunction(_ x: Tensor, precision: DType) -> Tensor {
        let input = dropout?(x.cast(to: .f32)) ?? x
        return linear(linear(input, down, precision: precision) * scale, up, precision: precision)
    }

    /// What becomes of W x, x [rows, in]: what the change adds to it.
    /// - Parameters:
    ///   - output: W x without a bias: [rows, out].
    ///   - weight: W [out, in].
    ///   - product: gives W x for another x.
    func change(
        of x: Tensor, output: Tensor, weight: () -> Tensor, precision: DType, product: (Tensor) -> Tensor
    ) -> Tensor {
        let low = self(x, precision: precision)
        guard let magnitude else { return low }
        // As in PEFT, what is dropped is dropped before W, too.
        let own = dropout.flatMap { $0.isActive ? product($0(x.cast(to: .f32))) : nil } ?? output
        return magnitude.change(of: own, low, gains: gains(beside: weight()))
    }

    /// m / ‖W + scale · B A‖ of each row: [out]. The norm is taken as a constant (section 4.3), so only m gets a gradient. 1 without a magnitude.
    func gains(beside weight: Tensor) -> Tensor {
        guard let magnitude else { return .ones([up.shape[0]]) }
        let norms = GradientMode.withoutGradients {
            // ‖w + s b A‖² = ‖w‖² + 2 s b·(A w) + s² b (A Aᵀ) bᵀ, which needs no matrix as large as W.
            let (a, b) = (down.detached(), up.detached() * scale)
            let cross = matmul(weight, a.cast(to: weight.dtype).transposed())  // [out, rank]
            let inner = matmul(b, matmul(a, a.transposed()))
            let squares = magnitude.squares ?? square(weight.cast(to: .f32)).sum(1)
            return sqrt(squares + (b * (cross * 2 + inner)).sum(1))
        }
        return magnitude.values / norms
    }

    /// What merging adds to a weight W [out, in] of f32.
    public func change(of weight: Tensor) -> Tensor {
        let low = matmul(up.detached(), down.detached()) * scale
        guard let magnitude else { return low }
        let gains = self.gains(beside: weight).detached().reshaped([weight.shape[0], 1])
        return magnitude.change(of: weight, low, gains: gains)
    }
}

/// The magnitude of a weight's rows, which DoRA trains apart from their directions.
public struct AdapterMagnitude: Sendable {
    /// m [out]; at first the norms of W's rows.
    public var values: Tensor
    /// How much of the whole change is made, where several adapters are weighted.
    public var share: Float
    /// ‖W‖² of each row [out], where it was found once and for all.
    let squares: Tensor?

    init(_ values: Tensor, share: Float, squares: Tensor?) {
        self.values = values
        self.share = share
        self.squares = squares
    }

    public init(_ values: Tensor) { self.init(values, share: 1, squares: nil) }

    /// What is added to W, or to W x: with `low` beside it, times the gains m / ‖V‖, less itself.
    func change(of plain: Tensor, _ low: Tensor, gains: Tensor) -> Tensor {
        ((plain + low) * gains - plain) * share
    }

    /// The magnitude that changes nothing: the norms of W's rows.
    public init(of weight: Weight) {
        let squares = square(weight.bareMatrix.cast(to: .f32)).sum(1)
        self.init(sqrt(squares), share: 1, squares: squares)
    }
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
    /// Whether the pass at hand drops anything.
    var isActive: Bool { seed.current != 0 }
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
