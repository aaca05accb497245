import Tensors

/// Attention over a packed batch: the rows of several sequences one after another, each row seeing itself and what comes before it in
/// its own sequence, and nothing of the others. Differentiable; keeps no keys.
public final class PackedAttentionContext: AttentionContext, Sendable {
    public let sequences: PackedSequences
    private let shape: AttentionShape

    /// - Parameter shape: of the model; capped scores (Gemma 2) have no gradient here and trap.
    public init(_ sequences: PackedSequences, shape: AttentionShape) {
        precondition(shape.softcap == 0, "attention with capped scores is not trained")
        self.sequences = sequences
        self.shape = shape
    }

    public func attend(layer: Int, queries: Tensor, keys: Tensor, values: Tensor, window: Int?) -> Tensor {
        let rows = queries.shape[0]
        // [rows, heads · headSize] → [rows, heads, headSize]
        func heads(_ x: Tensor, _ count: Int) -> Tensor { x.reshaped([rows, count, shape.headSize]) }
        return attention(
            heads(queries, shape.heads), heads(keys, shape.keyValueHeads), heads(values, shape.keyValueHeads),
            sequences: sequences, scale: shape.scale, window: window
        ).reshaped([rows, shape.heads * shape.headSize])
    }
}
