import Tensors

// What is asked of the output projection over whole texts, without ever holding logits of all rows.
extension DecoderModel {
    /// The log-probability of each row's target token.
    /// - Parameters:
    ///   - hidden: [rows, hiddenSize], as `forward` gives it.
    ///   - targets: i32 [rows]; a negative one is ignored and gives 0.
    /// - Returns: [rows], in nats.
    public func logProbabilities(of hidden: Tensor, targets: Tensor) -> Tensor {
        let x = normalised(hidden)
        guard let matrix = outputMatrix else {
            return Tensors.logProbabilities(logits(of: hidden, rows: Array(0..<hidden.shape[0])), targets)
        }
        return linearLogProbabilities(x, matrix.tensor, targets, precision: matrix.precision)
    }

    /// Σ weights[r] · -log p(target of row r), a tensor of one number. Rows with a negative target cost nothing.
    public func crossEntropy(of hidden: Tensor, targets: Tensor, weights: [Float]) -> Tensor {
        guard let matrix = outputMatrix else {
            return (logProbabilities(of: hidden, targets: targets) * Tensor(weights)).sum() * -1
        }
        return linearCrossEntropy(
            normalised(hidden), matrix.tensor, targets, weights: weights, precision: matrix.precision)
    }

    /// The output projection as one matrix, nil where logits are more than a product with one.
    private var outputMatrix: (tensor: Tensor, precision: DType?)? {
        guard configuration.logitSoftcap == nil else { return nil }
        guard let head else { return embedding.weight.matrix }
        return head.parts.count == 1 && head.biases.allSatisfy { $0 == nil } ? head.parts[0].weight.matrix : nil
    }
}
