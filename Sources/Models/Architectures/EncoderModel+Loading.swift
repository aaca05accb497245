import Tensors

extension EncoderModel {
    /// Reads a BERT encoder from a GGUF file or a Hugging Face folder.
    public convenience init(_ source: any WeightSource, precision: Precision = .standard) throws {
        let c = try source.configuration()
        guard c.family == .bert else {
            throw WeightFileError(
                .unsupported, file: source.path, field: "architecture",
                "\(c.family.rawValue) is not an encoder; all-MiniLM-L6-v2 and the BGE models are (bert)")
        }
        let reader = WeightReader(source, configuration: c, precision: precision)
        func table(_ name: String, rows: Int) throws -> EmbeddingTable {
            EmbeddingTable(try reader.weight(name, rows: rows, columns: c.hiddenSize))
        }
        self.init(
            configuration: c, embedding: try table("token_embd.weight", rows: c.vocabularySize),
            positions: try table("position_embd.weight", rows: c.contextLength),
            segments: c.tokenTypes > 0 ? try table("token_types.weight", rows: c.tokenTypes) : nil,
            norm: try LayerNormalisation(reader, "token_embd_norm"),
            blocks: try (0..<c.layers).map { try EncoderBlock(reader, layer: $0) })
    }
}

extension EncoderBlock {
    init(_ reader: WeightReader, layer: Int) throws {
        let c = reader.configuration
        let prefix = "blk.\(layer)."
        queriesKeysValues = try reader.projection(
            [
                (prefix + "attn_q.weight", c.querySize), (prefix + "attn_k.weight", c.keyValueSize),
                (prefix + "attn_v.weight", c.keyValueSize),
            ], columns: c.hiddenSize, hasBias: c.hasQueryKeyValueBias)
        attentionOutput = try reader.projection(
            [(prefix + "attn_output.weight", c.hiddenSize)], columns: c.querySize, hasBias: c.hasAttentionOutputBias)
        attentionNorm = try LayerNormalisation(reader, prefix + "attn_output_norm")
        up = try reader.projection(
            [(prefix + "ffn_up.weight", c.feedForwardSize)], columns: c.hiddenSize, hasBias: c.hasFeedForwardBias)
        down = try reader.projection(
            [(prefix + "ffn_down.weight", c.hiddenSize)], columns: c.feedForwardSize, hasBias: c.hasFeedForwardBias)
        feedForwardNorm = try LayerNormalisation(reader, prefix + "layer_output_norm")
        activation = c.activation
        headSize = c.headSize
        scale = Float(c.attentionScale)
    }
}

extension LayerNormalisation {
    fileprivate init(_ reader: WeightReader, _ name: String) throws {
        let c = reader.configuration
        weight = try reader.vector(name + ".weight", count: c.hiddenSize)
        bias = try reader.vector(name + ".bias", count: c.hiddenSize)
        epsilon = Float(c.norm.epsilon)
    }
}
