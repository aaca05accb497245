import Text

extension ModelConfiguration {
    /// Reads and validates the `config.json` of a Hugging Face folder.
    public init(huggingFaceFolder folder: String) throws(WeightFileError) {
        let path = joined(folder, "config.json")
        guard fileExists(path) else {
            throw WeightFileError(.missing, file: path, "is needed beside the weights to know the model's sizes")
        }
        try self.init(huggingFace: readJSON(path), file: path)
    }

    /// Validates a parsed `config.json`, in the spelling of any transformers version from 4 on. A model of images and
    /// text is read as its text part.
    ///
    /// - Parameter file: what error messages call the document.
    public init(huggingFace document: JSONValue, file: String) throws(WeightFileError) {
        guard document.objectValue != nil else {
            throw WeightFileError(.malformed, file: file, "must be a JSON object")
        }
        var document = document
        if document["model_type"] == "gemma3", let text = document["text_config"] {
            document = text
        }
        let fields = ConfigurationFields(file: file, json: document)
        var type = try fields.text("model_type")
        if type == "gemma3" { type = "gemma3_text" }
        guard let family = ModelFamily(rawValue: type) else {
            let known = ModelFamily.allCases.map(\.rawValue).joined(separator: ", ")
            throw fields.fault(.unsupported, "model_type", "\"\(type)\" is not read; the types read are \(known)")
        }
        switch family {
        case .bert: try self.init(bert: fields)
        case .gpt2: try self.init(gpt2: fields)
        default: try self.init(decoder: fields, family: family)
        }
    }

    private init(decoder fields: ConfigurationFields, family: ModelFamily) throws(WeightFileError) {
        let isGemma = family == .gemma3
        let hidden = try fields.integer("hidden_size", in: ConfigurationRange.width, default: isGemma ? 2304 : nil)
        let heads = try fields.integer(
            "num_attention_heads", in: ConfigurationRange.heads, default: isGemma ? 8 : nil)
        let headSize = try Self.headSize(
            given: fields.optionalInteger("head_dim", in: ConfigurationRange.headSize) ?? (isGemma ? 256 : nil)
                ?? (family == .qwen3 ? 128 : nil),
            hidden: hidden, heads: heads,
            fields, key: "num_attention_heads")
        let kvHeads = try fields.integer(
            "num_key_value_heads", in: ConfigurationRange.heads, default: isGemma ? 4 : heads)
        guard heads.isMultiple(of: kvHeads) else {
            throw fields.fault("num_key_value_heads", "\(kvHeads) does not divide the \(heads) attention heads")
        }
        let layers = try fields.integer("num_hidden_layers", in: ConfigurationRange.layers, default: isGemma ? 26 : nil)
        let ties = try fields.flag("tie_word_embeddings", default: isGemma)
        let attentionBias = try fields.flag("attention_bias", default: false)
        let epsilon = try fields.number(
            "rms_norm_eps", in: ConfigurationRange.epsilon,
            default: family == .mixtral || family == .olmoe ? 1e-5 : 1e-6)
        let scale = try fields.optionalNumber("query_pre_attn_scalar", in: 1...1e6)
        if try fields.optionalNumber("clip_qkv", in: -1e9...1e9) != nil {
            throw fields.fault(.unsupported, "clip_qkv", "clipping of queries, keys and values is not supported")
        }
        let qkvBiasKey = try fields.flag("qkv_bias", default: true)
        self.init(
            family: family, layers: layers, hiddenSize: hidden, heads: heads, kvHeads: kvHeads, headSize: headSize,
            feedForwardSize: try fields.integer(
                "intermediate_size", in: ConfigurationRange.width, default: isGemma ? 9216 : nil),
            vocabularySize: try fields.integer(
                "vocab_size", in: ConfigurationRange.vocabulary, default: isGemma ? 262_208 : nil),
            contextLength: try fields.integer(
                "max_position_embeddings", in: ConfigurationRange.context, default: isGemma ? 131_072 : nil),
            rotary: try Self.rotary(fields, family: family, headSize: headSize),
            norm: NormConfiguration(
                kind: .rms, placement: isGemma ? .around : .before, epsilon: epsilon, weightOffset: isGemma ? 1 : 0),
            activation: try Self.activation(
                fields, key: isGemma ? "hidden_activation" : "hidden_act", default: isGemma ? .geluTanh : .silu),
            isGated: true, tiesEmbeddings: ties,
            hasQueryKeyValueBias: family == .qwen2 || (family == .qwen2MoE ? qkvBiasKey : attentionBias),
            hasAttentionOutputBias: family != .qwen2 && family != .qwen2MoE && attentionBias,
            hasFeedForwardBias: try fields.flag("mlp_bias", default: false),
            queryKeyNorm: Self.queryKeyNorm(family),
            attentionScale: 1 / (scale ?? (isGemma ? 256 : Double(headSize))).squareRoot(),
            embeddingScale: isGemma ? Double(hidden).squareRoot() : 1,
            attentionSoftcap: try fields.optionalNumber("attn_logit_softcapping", in: ConfigurationRange.factor),
            logitSoftcap: try fields.optionalNumber("final_logit_softcapping", in: ConfigurationRange.factor),
            slidingWindow: try Self.slidingWindow(fields, family: family, layers: layers),
            experts: family.hasExperts ? try Self.experts(fields, family: family, layers: layers) : nil,
            isCausal: try !fields.flag("use_bidirectional_attention", default: false), tokenTypes: 0)
    }

    private init(bert fields: ConfigurationFields) throws(WeightFileError) {
        let hidden = try fields.integer("hidden_size", in: ConfigurationRange.width)
        let heads = try fields.integer("num_attention_heads", in: ConfigurationRange.heads)
        let headSize = try Self.headSize(
            given: nil, hidden: hidden, heads: heads, fields, key: "num_attention_heads")
        let positions = try fields.optionalText("position_embedding_type") ?? "absolute"
        guard positions == "absolute" else {
            throw fields.fault(.unsupported, "position_embedding_type", "\"\(positions)\" is not read; \"absolute\" is")
        }
        self.init(
            family: .bert, layers: try fields.integer("num_hidden_layers", in: ConfigurationRange.layers),
            hiddenSize: hidden, heads: heads, kvHeads: heads, headSize: headSize,
            feedForwardSize: try fields.integer("intermediate_size", in: ConfigurationRange.width),
            vocabularySize: try fields.integer("vocab_size", in: ConfigurationRange.vocabulary),
            contextLength: try fields.integer("max_position_embeddings", in: ConfigurationRange.context), rotary: nil,
            norm: NormConfiguration(
                kind: .layer, placement: .after,
                epsilon: try fields.number("layer_norm_eps", in: ConfigurationRange.epsilon, default: 1e-12)),
            activation: try Self.activation(fields, key: "hidden_act", default: .gelu), isGated: false,
            tiesEmbeddings: try fields.flag("tie_word_embeddings", default: true), hasQueryKeyValueBias: true,
            hasAttentionOutputBias: true, hasFeedForwardBias: true, queryKeyNorm: .none,
            attentionScale: 1 / Double(headSize).squareRoot(), embeddingScale: 1, attentionSoftcap: nil,
            logitSoftcap: nil, slidingWindow: nil, experts: nil, isCausal: false,
            tokenTypes: try fields.integer("type_vocab_size", in: 0...1024, default: 2))
    }

    private init(gpt2 fields: ConfigurationFields) throws(WeightFileError) {
        let hidden = try fields.integer("n_embd", or: "hidden_size", in: ConfigurationRange.width)
        let heads = try fields.integer("n_head", or: "num_attention_heads", in: ConfigurationRange.heads)
        let headSize = try Self.headSize(given: nil, hidden: hidden, heads: heads, fields, key: "n_head")
        let scales = try fields.flag("scale_attn_weights", default: true)
        if try fields.flag("scale_attn_by_inverse_layer_idx", default: false) {
            throw fields.fault(.unsupported, "scale_attn_by_inverse_layer_idx", "true is not supported")
        }
        self.init(
            family: .gpt2,
            layers: try fields.integer("n_layer", or: "num_hidden_layers", in: ConfigurationRange.layers),
            hiddenSize: hidden, heads: heads, kvHeads: heads, headSize: headSize,
            feedForwardSize: try fields.integer("n_inner", in: ConfigurationRange.width, default: 4 * hidden),
            vocabularySize: try fields.integer("vocab_size", in: ConfigurationRange.vocabulary),
            contextLength: try fields.integer(
                "n_positions", or: "max_position_embeddings", in: ConfigurationRange.context), rotary: nil,
            norm: NormConfiguration(
                kind: .layer, placement: .before,
                epsilon: try fields.number("layer_norm_epsilon", in: ConfigurationRange.epsilon, default: 1e-5)),
            activation: try Self.activation(fields, key: "activation_function", default: .geluTanh), isGated: false,
            tiesEmbeddings: try fields.flag("tie_word_embeddings", default: true), hasQueryKeyValueBias: true,
            hasAttentionOutputBias: true, hasFeedForwardBias: true, queryKeyNorm: .none,
            attentionScale: scales ? 1 / Double(headSize).squareRoot() : 1, embeddingScale: 1, attentionSoftcap: nil,
            logitSoftcap: nil, slidingWindow: nil, experts: nil, isCausal: true, tokenTypes: 0)
    }
}

// MARK: Parts

extension ModelConfiguration {
    /// The given head size, or the share of the hidden size, which must then be whole.
    static func headSize(
        given: Int?, hidden: Int, heads: Int, _ fields: ConfigurationFields, key: String
    ) throws(WeightFileError) -> Int {
        if let given { return given }
        guard hidden.isMultiple(of: heads) else {
            throw fields.fault(key, "\(heads) does not divide the hidden size \(hidden)")
        }
        return hidden / heads
    }

    static func queryKeyNorm(_ family: ModelFamily) -> QueryKeyNorm {
        switch family {
        case .qwen3, .qwen3MoE, .gemma3: .perHead
        case .olmoe: .wholeProjection
        default: .none
        }
    }

    private static func activation(
        _ fields: ConfigurationFields, key: String, default standard: Activation
    ) throws(WeightFileError) -> Activation {
        guard let name = try fields.optionalText(key) else { return standard }
        switch name {
        case "silu", "swish": return .silu
        case "gelu": return .gelu
        case "gelu_new", "gelu_pytorch_tanh", "gelu_fast": return .geluTanh
        case "relu": return .relu
        default:
            throw fields.fault(
                .unsupported, key, "\"\(name)\" is not read; silu, gelu, gelu_new, gelu_pytorch_tanh and relu are")
        }
    }

    /// Transformers 5 writes all under `rope_parameters` (for Gemma 3 one object per kind of layer); before, the base
    /// stood in `rope_theta` and the rest in `rope_scaling`.
    private static func rotary(
        _ fields: ConfigurationFields, family: ModelFamily, headSize: Int
    ) throws(WeightFileError) -> RotaryConfiguration {
        let nested = fields.object("rope_parameters")
        let global = nested?.object("full_attention") ?? nested
        let standard: Double = family == .gemma3 || family == .mixtral ? 1_000_000 : 10_000
        let theta = try fields.holder(of: "rope_theta", before: global).number(
            "rope_theta", in: ConfigurationRange.theta, default: standard)
        var localTheta: Double?
        if family == .gemma3 {
            if let local = nested?.object("sliding_attention") {
                localTheta = try local.number("rope_theta", in: ConfigurationRange.theta, default: 10_000)
            } else {
                localTheta = try fields.number("rope_local_base_freq", in: ConfigurationRange.theta, default: 10_000)
            }
        }
        let share = try fields.holder(of: "partial_rotary_factor", before: global).number(
            "partial_rotary_factor", in: 0.01...1, default: 1)
        let dimension = Int(Double(headSize) * share)
        guard dimension > 0, dimension.isMultiple(of: 2) else {
            throw fields.fault("head_dim", "\(dimension) numbers of a head turn; the count must be even and above 0")
        }
        let scaling = try Self.scaling(
            fields.object("rope_scaling") ?? global,
            context: fields.integer("max_position_embeddings", in: ConfigurationRange.context, default: 131_072))
        return RotaryConfiguration(
            theta: theta, dimension: dimension, pairing: .halves, scaling: scaling, localTheta: localTheta)
    }

    private static func scaling(
        _ fields: ConfigurationFields?, context: Int
    ) throws(WeightFileError) -> RotaryConfiguration.Scaling {
        guard let fields, let key = fields.firstKey(["rope_type", "type"]) else { return .none }
        let type = try fields.text(key)
        let original = "original_max_position_embeddings"
        switch type {
        case "default": return .none
        case "linear": return .linear(factor: try fields.number("factor", in: ConfigurationRange.factor))
        case "llama3":
            let low = try fields.number("low_freq_factor", in: ConfigurationRange.factor)
            let high = try fields.number("high_freq_factor", in: ConfigurationRange.factor)
            guard low < high else { throw fields.fault("high_freq_factor", "must be above low_freq_factor") }
            return .llama3(
                factor: try fields.number("factor", in: ConfigurationRange.factor), lowFrequency: low,
                highFrequency: high, originalContext: try fields.integer(original, in: ConfigurationRange.context))
        case "yarn":
            let factor = try fields.number("factor", in: ConfigurationRange.factor)
            return .yarn(
                factor: factor,
                originalContext: try fields.integer(original, in: ConfigurationRange.context, default: context),
                betaFast: try fields.number("beta_fast", in: ConfigurationRange.factor, default: 32),
                betaSlow: try fields.number("beta_slow", in: ConfigurationRange.factor, default: 1),
                attentionFactor: try yarnAttentionFactor(fields, factor: factor))
        default:
            throw fields.fault(
                .unsupported, "rope_scaling", "the type \"\(type)\" is not read; default, linear, llama3 and yarn are")
        }
    }

    private static func slidingWindow(
        _ fields: ConfigurationFields, family: ModelFamily, layers: Int
    ) throws(WeightFileError) -> SlidingWindow? {
        let isQwen = family == .qwen2 || family == .qwen3 || family == .qwen2MoE || family == .qwen3MoE
        if isQwen, try !fields.flag("use_sliding_window", default: false) { return nil }
        let standard = family == .gemma3 ? 4096 : nil
        let size = try fields.optionalInteger("sliding_window", in: 0...ConfigurationRange.context.upperBound)
        guard let size = size ?? standard, size > 0 else { return nil }
        let local: [Bool]
        if let types = fields.lookup("layer_types")?.arrayValue {
            guard types.count == layers, types.allSatisfy({ $0 == "full_attention" || $0 == "sliding_attention" })
            else {
                throw fields.fault(
                    "layer_types", "must list \"full_attention\" or \"sliding_attention\" for each of \(layers) layers")
            }
            local = types.map { $0 == "sliding_attention" }
        } else if family == .gemma3 {
            let period = try fields.optionalInteger("sliding_window_pattern", "_sliding_window_pattern", in: 1...4096)
            local = (0..<layers).map { ($0 + 1) % (period ?? 6) != 0 }
        } else if isQwen {
            let first = try fields.integer("max_window_layers", in: 0...4096, default: 28)
            local = (0..<layers).map { $0 >= first }
        } else {
            local = [Bool](repeating: true, count: layers)
        }
        return local.contains(true) ? SlidingWindow(size: size, localLayers: local) : nil
    }

    private static func experts(
        _ fields: ConfigurationFields, family: ModelFamily, layers: Int
    ) throws(WeightFileError) -> ExpertConfiguration {
        let count = try fields.integer("num_experts", or: "num_local_experts", in: ConfigurationRange.experts)
        let perToken = try fields.integer("num_experts_per_tok", in: ConfigurationRange.experts)
        guard perToken <= count else {
            throw fields.fault("num_experts_per_tok", "is \(perToken), more than the \(count) experts there are")
        }
        let isQwen = family == .qwen2MoE || family == .qwen3MoE
        var dense: Set<Int> = []
        if isQwen {
            let step = try fields.integer("decoder_sparse_step", in: 1...4096, default: 1)
            let listed = fields.lookup("mlp_only_layers")?.arrayValue?.compactMap(\.intValue) ?? []
            dense = Set((0..<layers).filter { listed.contains($0) || ($0 + 1) % step != 0 })
        }
        let width = try fields.integer("intermediate_size", in: ConfigurationRange.width)
        return ExpertConfiguration(
            count: count, perToken: perToken,
            feedForwardSize: isQwen ? try fields.integer("moe_intermediate_size", in: ConfigurationRange.width) : width,
            normalisesWeights: try fields.flag("norm_topk_prob", default: family == .mixtral),
            sharedFeedForwardSize: family == .qwen2MoE
                ? try fields.integer("shared_expert_intermediate_size", in: ConfigurationRange.width) : nil,
            denseLayers: dense)
    }
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The factor that a configuration gives for YaRN's attention, outright or by `mscale` and `mscale_all_dim`.
private func yarnAttentionFactor(
    _ fields: ConfigurationFields, factor: Double
) throws(WeightFileError) -> Double? {
    if let given = try fields.optionalNumber("attention_factor", in: ConfigurationRange.factor) { return given }
    guard let scale = try fields.optionalNumber("mscale", in: 0...1e6), scale > 0,
        let all = try fields.optionalNumber("mscale_all_dim", in: 0...1e6), all > 0
    else { return nil }
    func magnitude(_ multiplier: Double) -> Double { factor <= 1 ? 1 : 0.1 * multiplier * log(factor) + 1 }
    return magnitude(scale) / magnitude(all)
}
