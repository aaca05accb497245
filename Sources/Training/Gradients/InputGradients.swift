import Models
import Tensors

extension Policy {
    /// The gradient of a loss with respect to the embedding of each input token: what would change the loss most if words could move a little.
    ///
    /// - Parameter loss: of the hidden states before the final norm; one number. Nil: the cross-entropy of what counts in the texts.
    /// - Returns: the texts as rows, their embeddings and ∂loss/∂embedding, both [rows, hiddenSize].
    public func inputGradients(
        _ texts: [TokenSequence], loss: ((_ hidden: Tensor, _ batch: PackedBatch) throws -> Tensor)? = nil
    ) rethrows -> (batch: PackedBatch, embeddings: Tensor, gradients: Tensor) {
        let batch = PackedBatch(texts)
        let tap = EmbeddingTap()
        let hidden = model.forward(
            tokens: batch.tokens, positions: batch.positions,
            attention: PackedAttentionContext(batch.sequences, shape: model.attentionShape), observer: tap)
        let total =
            try loss?(hidden, batch)
            ?? model.crossEntropy(of: hidden, targets: batch.targets, weights: batch.weights)
        let leaf = tap.leaf ?? Tensor.zeros([batch.rows, model.configuration.hiddenSize])
        return (batch, leaf.detached(), total.backward()[leaf] ?? Tensor.zeros(leaf.shape))
    }
}

/// Makes the embeddings of a forward pass into a leaf of the gradient graph.
private final class EmbeddingTap: ForwardObserver {
    private(set) var leaf: Tensor?

    func embedded(_ x: Tensor) -> Tensor {
        let own = x.detached().requiringGradient()
        leaf = own
        return own
    }

    func entering(layer: Int, _ x: Tensor) -> Tensor { x }
    func projected(layer: Int, queries: Tensor, keys: Tensor) {}
    func attended(layer: Int, _ x: Tensor) -> Tensor { x }
}
