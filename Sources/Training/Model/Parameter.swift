import Tensors

/// Numbers that train: a leaf of the gradient graph with the name it has in a file.
public struct Parameter: Sendable {
    /// The Hugging Face name of a weight, such as `model.layers.0.mlp.down_proj.weight`; of an adapter, the weight's module with
    /// `.lora_A.weight`, `.lora_B.weight` or `.lora_magnitude_vector` behind it.
    public let name: String
    /// f32, contiguous, requiring a gradient. An optimiser changes it in place.
    public let tensor: Tensor

    public init(name: String, tensor: Tensor) {
        precondition(tensor.dtype == .f32 && tensor.isContiguous, "\(name) trains in contiguous f32")
        self.name = name
        self.tensor = tensor.requiresGradient ? tensor : tensor.requiringGradient()
    }

    public var count: Int { tensor.count }
    /// A matrix, or a norm's or bias's vector.
    public var isMatrix: Bool { tensor.rank >= 2 }
}
