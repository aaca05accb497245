/// Sees, during a backward pass, what the gradient of each trained linear weight is made of: the weight as it was given to
/// `linear`, the layer's input [rows, in] (in the precision it was multiplied in) and ∂loss/∂output [rows, out]. The
/// weight's gradient is outputGradientᵀ · input; parts of it, such as one sample's, can be had without making it whole.
public typealias LinearObserver = @Sendable (_ weight: Tensor, _ input: Tensor, _ outputGradient: Tensor) -> Void

/// ‖∂loss/∂W‖² of each sequence of a packed batch for one linear layer, from what its observer sees, without making any
/// sequence's gradient: Σ_{r, r'} (x_r · x_r') (g_r · g_r') over the rows r, r' of the sequence.
///
/// - Complexity: for a sequence of n rows, n² (in + out) multiplications and n² floats of memory.
public func squaredGradientNorms(
    input: Tensor, outputGradient: Tensor, sequences: PackedSequences
) -> [Float] {
    (0..<sequences.count).map { sequence in
        let range = sequences.range(sequence)
        if range.isEmpty { return 0 }
        let (x, g) = (input.detached().rows(range), outputGradient.detached().rows(range))
        return dot(matmul(x, x.transposed()), matmul(g, g.transposed()))
    }
}
