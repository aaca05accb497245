import Tensors

extension DecoderModel {
    /// The same model with other weights: `matrix` gets each matrix's name in a Hugging Face folder and the form it is held in,
    /// `vector` the same for norms and biases, and both give what stands there from now on. Everything else is shared.
    ///
    /// Numbers are those of the file that the model was read from: the query and key rows of a GGUF file in its own order,
    /// Gemma's norms with their 1 added (see ``StorageChange``).
    public func replacingWeights(
        matrix: (String, Weight) throws -> Weight, vector: (String, Tensor) throws -> Tensor
    ) rethrows -> DecoderModel {
        let names = TensorNames(family: configuration.family)
        func named(_ gguf: String, _ tensor: Tensor) throws -> Tensor {
            guard let name = names.huggingFace(for: gguf)?.name else { return tensor }
            return try vector(name, tensor)
        }
        func replacing(_ projection: Projection) throws -> Projection {
            try projection.replacing(matrix: matrix, vector: vector)
        }
        let table = names.huggingFace(for: "token_embd.weight")?.name
        return DecoderModel(
            configuration: configuration,
            embedding: try table.map { EmbeddingTable(try matrix($0, embedding.weight)) } ?? embedding,
            blocks: try blocks.enumerated().map { layer, block in
                var block = block
                let prefix = "blk.\(layer)."
                func norm(_ name: String, _ tensor: inout Tensor?) throws {
                    if let old = tensor { tensor = try named("\(prefix)\(name).weight", old) }
                }
                block.attentionNorm = try named(prefix + "attn_norm.weight", block.attentionNorm)
                block.queriesKeysValues = try replacing(block.queriesKeysValues)
                try norm("attn_q_norm", &block.queryNorm)
                try norm("attn_k_norm", &block.keyNorm)
                block.attentionOutput = try replacing(block.attentionOutput)
                try norm("post_attention_norm", &block.attentionPostNorm)
                block.feedForwardNorm = try named(prefix + "ffn_norm.weight", block.feedForwardNorm)
                block.feedForward = try block.feedForward.replacing(replacing)
                try norm("post_ffw_norm", &block.feedForwardPostNorm)
                return block
            },
            norm: try named("output_norm.weight", norm), head: try head.map(replacing), rotary: rotary)
    }
}

extension FeedForward {
    fileprivate func replacing(_ body: (Projection) throws -> Projection) rethrows -> FeedForward {
        switch self {
        case .gated(let layer): return .gated(try layer.replacing(body))
        case .experts(var layer):
            layer.router = try body(layer.router)
            layer.experts = try layer.experts.map { try $0.replacing(body) }
            if let shared = layer.shared {
                layer.shared = (try shared.layer.replacing(body), try body(shared.gate))
            }
            return .experts(layer)
        }
    }
}

extension GatedFeedForward {
    fileprivate func replacing(_ body: (Projection) throws -> Projection) rethrows -> GatedFeedForward {
        var changed = self
        changed.gateUp = try body(gateUp)
        changed.down = try body(down)
        return changed
    }
}
