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

extension DecoderModel {
    /// The same model with low-rank changes beside its layers, by module (`model.layers.0.self_attn.q_proj`); weights are shared.
    ///
    /// - Throws: ``AdapterError`` when a layer is missing or has another shape.
    public func adding(_ changes: [String: LowRankAdapter]) throws(AdapterError) -> DecoderModel {
        var waiting = changes
        func find(_ name: String, _ shape: Shape) throws(AdapterError) -> LowRankAdapter? {
            let module = name.hasSuffix(".weight") ? String(name.dropLast(".weight".count)) : name
            guard let adapter = waiting.removeValue(forKey: module) else { return nil }
            guard adapter.down.shape[1] == shape[1], adapter.up.shape[0] == shape[0] else {
                throw .otherShape(
                    module: module, adapter: [adapter.up.shape[0], adapter.down.shape[1]], model: shape.dimensions)
            }
            return adapter
        }
        func adding(_ projection: Projection) throws(AdapterError) -> Projection {
            do { return try projection.adding(find) } catch let error as AdapterError { throw error } catch {
                return projection
            }
        }
        var changed: [DecoderBlock] = []
        for block in blocks {
            var block = block
            block.queriesKeysValues = try adding(block.queriesKeysValues)
            block.attentionOutput = try adding(block.attentionOutput)
            do { block.feedForward = try block.feedForward.replacing(adding) } catch let error as AdapterError {
                throw error
            } catch {}
            changed.append(block)
        }
        let newHead: Projection? = if let head { try adding(head) } else { nil }
        if let missing = waiting.keys.min() { throw .noLayer(module: missing) }
        return DecoderModel(
            configuration: configuration, embedding: embedding, blocks: changed, norm: norm, head: newHead,
            rotary: rotary)
    }
}

/// Why an adapter doesn't fit a model.
public enum AdapterError: Error, Sendable, Hashable, CustomStringConvertible {
    case noLayer(module: String)
    case otherShape(module: String, adapter: [Int], model: [Int])

    public var description: String {
        switch self {
        case .noLayer(let module): "The adapter changes the layer \(module), which the model lacks."
        case .otherShape(let module, let adapter, let model):
            "The adapter is made for a layer \(module) of \(adapter); the model's is \(model)."
        }
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
