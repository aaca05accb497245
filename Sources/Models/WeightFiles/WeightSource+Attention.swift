import Tensors

/// The weights that turn what enters a layer into its queries and keys, as the file holds them: for recomputing from the
/// outside what a forward pass shows.
///
///     q = W_Q · (x / √(mean(x²) + ε) ⊙ norm) + bias,    k likewise
public struct QueryKeyWeights: Sendable {
    /// [hiddenSize], with the offset of architectures that store it less one.
    public var norm: [Float]
    public var epsilon: Double
    /// [heads · headSize × hiddenSize], row by row, in the file's order of rows.
    public var queries: [Float]
    /// [keyValueHeads · headSize × hiddenSize].
    public var keys: [Float]
    /// [heads · headSize]; zeros where the projection has no bias.
    public var queryBias: [Float]
    /// [keyValueHeads · headSize].
    public var keyBias: [Float]
}

extension WeightSource {
    /// Reads the weights of a layer's queries and keys in f32, quantised ones at their exact values.
    ///
    /// Throws where the model normalises queries and keys after projecting them: they are no linear maps then.
    public func queryKeyWeights(layer: Int) throws -> QueryKeyWeights {
        let c = try configuration()
        guard (0..<c.layers).contains(layer) else {
            throw WeightFileError(
                .invalidValue, file: path, field: "layer", "there is no layer \(layer); the model has \(c.layers)")
        }
        guard case .none = c.queryKeyNorm else {
            throw WeightFileError(
                .unsupported, file: path, field: "attn_q_norm",
                "the queries and keys are normalised after their projections, so weights alone don't give them")
        }
        let reader = WeightReader(self, configuration: c, precision: .f32)
        func matrix(_ name: String, rows: Int) throws -> [Float] {
            guard
                case .dense(let tensor) = try reader.weight(
                    "blk.\(layer).\(name).weight", rows: rows, columns: c.hiddenSize)
            else { throw WeightFileError(.unsupported, file: path, field: name, "could not be read in f32") }
            return tensor.floats()
        }
        func bias(_ name: String, count: Int) throws -> [Float] {
            guard c.hasQueryKeyValueBias else { return [Float](repeating: 0, count: count) }
            return try reader.vector("blk.\(layer).\(name).bias", count: count).floats()
        }
        return QueryKeyWeights(
            norm: try reader.vector(
                "blk.\(layer).attn_norm.weight", count: c.hiddenSize, offset: c.norm.weightOffset
            ).floats(), epsilon: c.norm.epsilon, queries: try matrix("attn_q", rows: c.querySize),
            keys: try matrix("attn_k", rows: c.keyValueSize), queryBias: try bias("attn_q", count: c.querySize),
            keyBias: try bias("attn_k", count: c.keyValueSize))
    }
}
