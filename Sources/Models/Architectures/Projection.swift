import Tensors

/// A weight [out, in] in the form it is held.
public enum Weight: Sendable {
    /// Quantised, read as it is.
    case packed(PackedMatrix)
    /// f32 or bf16.
    case dense(Tensor)
}

/// What happens to activations on their way into a projection.
public enum Entrance: Sendable {
    case identity
    /// RMS normalisation with a learned scale.
    case norm(weight: Tensor, epsilon: Float)
    /// silu(gate) · up of rows that hold gate, then up.
    case swiglu
}

/// One or several linear layers over the same input: out_j = W_j · entrance(x) + b_j.
///
/// A packed weight may hold the stacked rows of several layers; dense weights stand one by one, so that each can be trained.
public struct Projection: Sendable {
    /// A weight and how its rows are shared out among layers.
    public struct Part: Sendable {
        public var weight: Weight
        public var sizes: [Int]

        public init(_ weight: Weight, sizes: [Int]) {
            self.weight = weight
            self.sizes = sizes
        }
    }

    private let parts: [Part]
    private let biases: [Tensor?]

    /// - Parameter biases: one a layer, or none at all.
    public init(_ parts: [Part], biases: [Tensor?] = []) {
        self.parts = parts
        self.biases = biases
    }

    /// Output features of each layer.
    public var sizes: [Int] { parts.flatMap(\.sizes) }

    /// The bytes the weights take.
    public var byteCount: Int {
        parts.reduce(0) { total, part in
            switch part.weight {
            case .packed(let matrix): total + matrix.byteCount
            case .dense(let tensor): total + tensor.byteCount
            }
        }
    }

    /// Applies the layers to x [rows, in] → [rows, sizes[j]] each.
    public func callAsFunction(_ x: Tensor, entrance: Entrance = .identity) -> [Tensor] {
        var outputs: [Tensor] = []
        for part in parts {
            switch part.weight {
            case .packed(let matrix):
                let made = part.sizes.map { Tensor(unfilled: [x.shape[0], $0]) }
                multiply(matrix, x, entrance: entrance, into: made, sizes: part.sizes, accumulate: false)
                for output in made { outputs.append(bias(outputs.count).map { output + $0 } ?? output) }
            case .dense(let weight):
                outputs.append(linear(enter(x, entrance), weight, bias: bias(outputs.count)))
            }
        }
        return outputs
    }

    private func bias(_ layer: Int) -> Tensor? { biases.isEmpty ? nil : biases[layer] }

    /// residual + W · entrance(x) for a single layer. The residual is the forward pass's own: without gradients it is changed in place.
    public func callAsFunction(_ x: Tensor, entrance: Entrance = .identity, addingTo residual: Tensor) -> Tensor {
        if case .packed(let matrix) = parts[0].weight, biases.allSatisfy({ $0 == nil }) {
            multiply(matrix, x, entrance: entrance, into: [residual], sizes: parts[0].sizes, accumulate: true)
            return residual
        }
        return residual + self(x, entrance: entrance)[0]
    }

    private func enter(_ x: Tensor, _ entrance: Entrance) -> Tensor {
        switch entrance {
        case .identity: x
        case .norm(let weight, let epsilon): rmsNorm(x, weight, eps: epsilon)
        case .swiglu: swiglu(x)
        }
    }

    private func multiply(
        _ matrix: PackedMatrix, _ x: Tensor, entrance: Entrance, into outputs: [Tensor], sizes: [Int],
        accumulate: Bool
    ) {
        let rows = x.shape[0]
        let stride = x.shape[1]
        x.withFloatPointer { source in
            ActivationScratch.shared.with { activations in
                switch entrance {
                case .identity:
                    activations.quantise(source, rows: rows, stride: stride, for: matrix)
                case .norm(let weight, let epsilon):
                    weight.withFloatPointer {
                        activations.quantise(
                            source, rows: rows, stride: stride, for: matrix,
                            prologue: .rmsNorm(weight: $0, epsilon: epsilon))
                    }
                case .swiglu:
                    activations.quantise(source, rows: rows, stride: stride, for: matrix, prologue: .swiglu)
                }
                let pointers = outputs.map { $0.withMutableFloatPointer { $0 } }
                matrix.multiply(activations, into: pointers, sizes: sizes, accumulate: accumulate)
            }
        }
    }
}
