import Synchronization
import Tensors

/// The gradients of a batch sample by sample, without making them: their norms, and their sum with each one's norm bounded (what differentially
/// private training adds noise to).
///
/// One backward pass keeps what each linear layer's gradient is made of, the inputs x and ∂loss/∂outputs g, whose rows belong to one sample each. A
/// sample's norm then is Σ (x_r·x_r')(g_r·g_r') over its rows (Goodfellow 2015; Li et al. 2022, ghost clipping), and the bounded sum is
/// (c ⊙ g)ᵀ x with each row's factor c, so no second backward pass is needed (Bu et al. 2023).
///
/// Everything that trains must be a linear layer's weight: adapters, or matrices chosen by name without embeddings, heads and norms. The
/// objective must send the batch's texts through the model once, in their order, and its loss must be a sum in which samples don't meet.
public struct SampleGradients: Sendable {
    /// What the gradient of one weight is made of.
    private struct Layer: Sendable {
        let parameter: Int
        /// [rows, in]
        let input: Tensor
        /// [rows, out]
        let gradient: Tensor
    }

    /// √ Σ g² over all parameters, of each sample.
    public let norms: [Double]
    public let parameters: [Parameter]
    /// The batch's loss.
    public let loss: ObjectiveLoss
    private let layers: [Layer]
    /// Rows of each sample.
    private let lengths: [Int]

    /// - Complexity: one pass forward and back, n² (in + out) multiplications a layer for a sample of n rows, and the memory of all layers' inputs and
    ///   output gradients.
    public init<Training: Objective>(
        of objective: Training, batch: ObjectiveBatch<Training.Sample>, model: TrainableModel, recomputes: Bool = false
    ) throws {
        let places = Dictionary(
            model.parameters.enumerated().map { (ObjectIdentifier($1.tensor.storage), $0) }, uniquingKeysWith: { $1 })
        let found = Mutex<[Layer]>([])
        loss = try objective.loss(of: batch, policy: Policy(model.model, recomputes: recomputes, sharesPrompts: false))
        let gradients = loss.total.backward { weight, input, gradient in
            guard let parameter = places[ObjectIdentifier(weight.storage)] else { return }
            let layer = Layer(parameter: parameter, input: input.cast(to: .f32), gradient: gradient.cast(to: .f32))
            found.withLock { $0.append(layer) }
        }
        layers = found.withLock { $0 }
        lengths = batch.samples.map { objective.texts(of: $0).reduce(0) { $0 + $1.count } }
        parameters = model.parameters
        let seen = Dictionary(grouping: layers, by: \.parameter).mapValues(\.count)
        for (index, parameter) in parameters.enumerated() where gradients[parameter.tensor] != nil {
            guard seen[index] == 1 else {
                throw TrainingError.untrainable(
                    "\(parameter.name) is no weight of a linear layer that is used once, so its gradients have no parts by sample; "
                        + "train an adapter, or choose linear layers by name")
            }
        }
        let rows = lengths.reduce(0, +)
        guard layers.allSatisfy({ $0.input.shape[0] == rows && $0.gradient.shape[0] == rows }) else {
            throw TrainingError.badSetting(
                "objective", reason: "must send the texts of its samples through the model once, in their order")
        }
        let sequences = PackedSequences(lengths: lengths)
        var squares = [Double](repeating: 0, count: lengths.count)
        for layer in layers {
            let own = squaredGradientNorms(input: layer.input, outputGradient: layer.gradient, sequences: sequences)
            for (sample, square) in own.enumerated() { squares[sample] += Double(square) }
        }
        norms = squares.map { max(0, $0).squareRoot() }
    }

    /// What each sample's gradient is multiplied by so that its norm is at most `bound`.
    public func factors(bound: Double) -> [Double] { norms.map { $0 > bound ? bound / $0 : 1 } }

    /// Σ over the samples of factor · gradient, one tensor a parameter; nil for a parameter that the loss doesn't reach.
    public func sum(weightedBy factors: [Double]) -> [Tensor?] {
        precondition(factors.count == lengths.count, "\(factors.count) factors for \(lengths.count) samples")
        let column = Tensor(
            zip(factors, lengths).flatMap { [Float](repeating: Float($0), count: $1) }, [lengths.reduce(0, +), 1])
        var sums = [Tensor?](repeating: nil, count: parameters.count)
        for layer in layers {
            sums[layer.parameter] = matmul((layer.gradient * column).transposed(), layer.input)
        }
        return sums
    }

    /// Σ over the samples of their gradients, each scaled down to a norm of at most `bound`.
    public func sum(clippedTo bound: Double) -> [Tensor?] { sum(weightedBy: factors(bound: bound)) }
}
