import Tensors

/// What attention means for the rows of one forward pass: sequences in the cache of an engine, or a packed training batch.
public protocol AttentionContext: AnyObject {
    /// Attention of each row over the keys it may see.
    /// - Parameters:
    ///   - queries: [rows, heads · headSize], after the rotary embedding.
    ///   - keys: [rows, keyValueHeads · headSize], after the rotary embedding.
    ///   - values: [rows, keyValueHeads · headSize].
    ///   - window: how many positions back are seen, or nil for all.
    /// - Returns: [rows, heads · headSize].
    func attend(layer: Int, queries: Tensor, keys: Tensor, values: Tensor, window: Int?) -> Tensor
}

/// Sees, and may change, a forward pass at its named places.
public protocol ForwardObserver: AnyObject {
    /// The token embeddings [rows, hiddenSize].
    func embedded(_ x: Tensor) -> Tensor
    /// The hidden state that enters a layer [rows, hiddenSize]; layer = layerCount: what enters the final norm.
    func entering(layer: Int, _ x: Tensor) -> Tensor
    /// Queries and keys before the rotary embedding.
    func projected(layer: Int, queries: Tensor, keys: Tensor)
    /// The concatenated head outputs [rows, heads · headSize] before the output projection.
    func attended(layer: Int, _ x: Tensor) -> Tensor
}
