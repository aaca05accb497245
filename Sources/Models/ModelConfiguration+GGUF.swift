import Text

extension GGUFFile {
    public func configuration() throws(WeightFileError) -> ModelConfiguration { try ModelConfiguration(gguf: self) }
}

extension ModelConfiguration {
    /// Reads and validates the configuration in a GGUF file's metadata. What the metadata leaves open (biases, tied
    /// embeddings, the vocabulary's size) is taken from the tensors that are there.
    public init(gguf file: GGUFFile) throws(WeightFileError) {
        let fields = ConfigurationFields(file)
        let architecture = try fields.text("general.architecture")
        guard var family = ModelFamily.allCases.first(where: { $0.ggufArchitecture == architecture }) else {
            let known = Set(ModelFamily.allCases.map(\.ggufArchitecture)).sorted().joined(separator: ", ")
            throw fields.fault(
                .unsupported, "general.architecture", "\"\(architecture)\" is not read; these are: \(known)")
        }
        let prefix = "\(architecture)."
        let expertCount = try fields.integer(prefix + "expert_count", in: 0...1 << 14, default: 0)
        if family == .llama, expertCount > 0 { family = .mixtral }

        let layers = try fields.integer(prefix + "block_count", in: ConfigurationRange.layers)
        let hidden = try fields.integer(prefix + "embedding_length", in: ConfigurationRange.width)
        let heads = try fields.integer(prefix + "attention.head_count", in: ConfigurationRange.heads)
        let kvHeads = try fields.integer(
            prefix + "attention.head_count_kv", in: ConfigurationRange.heads, default: heads)
        guard heads.isMultiple(of: kvHeads) else {
            throw fields.fault(
                prefix + "attention.head_count_kv", "\(kvHeads) does not divide the \(heads) attention heads")
        }
        let headSize = try Self.headSize(
            given: fields.optionalInteger(prefix + "attention.key_length", in: ConfigurationRange.headSize),
            hidden: hidden, heads: heads, fields, key: prefix + "attention.head_count")
        let valueSize = try fields.integer(
            prefix + "attention.value_length", in: ConfigurationRange.headSize, default: headSize)
        guard valueSize == headSize else {
            throw fields.fault(.unsupported, prefix + "attention.value_length", "must equal the key length \(headSize)")
        }
        let usesLayerNorm = family == .bert || family == .gpt2
        let isGemma = family == .gemma3
        let norm = NormConfiguration(
            kind: usesLayerNorm ? .layer : .rms,
            placement: family == .bert ? .after : isGemma ? .around : .before,
            epsilon: try fields.number(
                prefix + (usesLayerNorm ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon"),
                in: ConfigurationRange.epsilon))
        // Gemma 3's largest model alone scales attention by its hidden size per head.
        let isLargestGemma = isGemma && layers == 62
        let naturalScale = 1 / Double(isLargestGemma ? hidden / heads : headSize).squareRoot()
        self.init(
            family: family, layers: layers, hiddenSize: hidden, heads: heads, kvHeads: kvHeads, headSize: headSize,
            feedForwardSize: try fields.integer(prefix + "feed_forward_length", in: ConfigurationRange.width),
            vocabularySize: try Self.vocabularySize(file, hidden: hidden),
            contextLength: try fields.integer(prefix + "context_length", in: ConfigurationRange.context),
            rotary: family.usesRotaryPositions
                ? try Self.rotary(file, fields, prefix, family: family, headSize: headSize) : nil,
            norm: norm, activation: isGemma || family == .gpt2 ? .geluTanh : usesLayerNorm ? .gelu : .silu,
            isGated: !usesLayerNorm, tiesEmbeddings: file.info("output.weight") == nil,
            hasQueryKeyValueBias: file.info("blk.0.attn_q.bias") != nil || file.info("blk.0.attn_qkv.bias") != nil,
            hasAttentionOutputBias: file.info("blk.0.attn_output.bias") != nil,
            hasFeedForwardBias: file.info("blk.0.ffn_up.bias") != nil, queryKeyNorm: Self.queryKeyNorm(family),
            attentionScale: try fields.number(prefix + "attention.scale", in: 1e-6...1e6, default: naturalScale),
            embeddingScale: isGemma ? Double(hidden).squareRoot() : 1,
            attentionSoftcap: try fields.optionalNumber(
                prefix + "attn_logit_softcapping", in: ConfigurationRange.factor),
            logitSoftcap: try fields.optionalNumber(prefix + "final_logit_softcapping", in: ConfigurationRange.factor),
            slidingWindow: try Self.slidingWindow(fields, prefix, isGemma: isGemma, layers: layers),
            experts: expertCount > 0
                ? try Self.experts(file, fields, prefix, family: family, count: expertCount, layers: layers) : nil,
            isCausal: try fields.flag(prefix + "attention.causal", default: family != .bert),
            tokenTypes: file.info("token_types.weight")?.shape.first ?? 0)
        if family.hasExperts, experts == nil {
            throw fields.fault(.missing, prefix + "expert_count", "is missing or 0 in a mixture of experts")
        }
    }

    private static func vocabularySize(_ file: GGUFFile, hidden: Int) throws(WeightFileError) -> Int {
        let name = "token_embd.weight"
        let shape = try file.requiredInfo(name).shape
        guard shape.count == 2, shape[1] == hidden else {
            throw WeightFileError(
                .invalidValue, file: file.path, field: name, "has the shape \(shape); expected [tokens, \(hidden)]")
        }
        guard ConfigurationRange.vocabulary.contains(shape[0]) else {
            throw WeightFileError(.invalidValue, file: file.path, field: name, "embeds \(shape[0]) tokens")
        }
        return shape[0]
    }

    private static func rotary(
        _ file: GGUFFile, _ fields: ConfigurationFields, _ prefix: String, family: ModelFamily, headSize: Int
    ) throws(WeightFileError) -> RotaryConfiguration {
        let dimension = try fields.integer(prefix + "rope.dimension_count", in: 2...headSize, default: headSize)
        guard dimension.isMultiple(of: 2) else {
            throw fields.fault(prefix + "rope.dimension_count", "is \(dimension); it must be even")
        }
        var scaling = try Self.scaling(fields, prefix)
        if let info = file.info("rope_freqs.weight") {
            let factors = try file.floats(of: info.name)
            guard factors.count == dimension / 2, factors.allSatisfy({ $0.isFinite && $0 > 0 }) else {
                throw fields.fault(info.name, "must hold \(dimension / 2) positive numbers")
            }
            scaling = .factors(factors)
        }
        let isGemma = family == .gemma3
        return RotaryConfiguration(
            theta: try fields.number(
                prefix + "rope.freq_base", in: ConfigurationRange.theta, default: isGemma ? 1_000_000 : 10_000),
            dimension: dimension, pairing: family.ggufArchitecture == "llama" ? .neighbours : .halves,
            scaling: scaling,
            localTheta: isGemma
                ? try fields.number(prefix + "rope.freq_base_swa", in: ConfigurationRange.theta, default: 10_000) : nil)
    }

    private static func scaling(
        _ fields: ConfigurationFields, _ prefix: String
    ) throws(WeightFileError) -> RotaryConfiguration.Scaling {
        let key = prefix + "rope.scaling."
        let type = try fields.optionalText(key + "type")
        let factor = try fields.optionalNumber(key + "factor", prefix + "rope.scale_linear", in: 0...1e9)
        switch type ?? (factor == nil ? "none" : "linear") {
        case "none": return .none
        case "linear":
            guard let factor, factor > 0, factor != 1 else { return .none }
            return .linear(factor: factor)
        case "yarn":
            let context = try fields.integer(prefix + "context_length", in: ConfigurationRange.context)
            return .yarn(
                factor: try fields.number(key + "factor", in: ConfigurationRange.factor),
                originalContext: try fields.integer(
                    key + "original_context_length", in: ConfigurationRange.context, default: context),
                betaFast: try fields.number(key + "yarn_beta_fast", in: ConfigurationRange.factor, default: 32),
                betaSlow: try fields.number(key + "yarn_beta_slow", in: ConfigurationRange.factor, default: 1),
                attentionFactor: nil)
        case let other:
            throw fields.fault(.unsupported, key + "type", "\"\(other)\" is not read; none, linear and yarn are")
        }
    }

    private static func slidingWindow(
        _ fields: ConfigurationFields, _ prefix: String, isGemma: Bool, layers: Int
    ) throws(WeightFileError) -> SlidingWindow? {
        let key = prefix + "attention.sliding_window"
        let size = try fields.integer(key, in: 0...ConfigurationRange.context.upperBound, default: 0)
        guard size > 0 else { return nil }
        var local = (0..<layers).map { !isGemma || ($0 + 1) % 6 != 0 }
        if let pattern = fields.lookup(key + "_pattern") {
            if let flags = pattern.arrayValue?.compactMap(\.boolValue), flags.count == layers {
                local = flags
            } else {
                let period = try fields.integer(key + "_pattern", in: 1...4096)
                local = (0..<layers).map { ($0 + 1) % period != 0 }
            }
        }
        return local.contains(true) ? SlidingWindow(size: size, localLayers: local) : nil
    }

    private static func experts(
        _ file: GGUFFile, _ fields: ConfigurationFields, _ prefix: String, family: ModelFamily, count: Int, layers: Int
    ) throws(WeightFileError) -> ExpertConfiguration {
        let perToken = try fields.integer(prefix + "expert_used_count", in: ConfigurationRange.experts)
        guard perToken <= count else {
            throw fields.fault(prefix + "expert_used_count", "is \(perToken), more than the \(count) experts there are")
        }
        let width = try fields.integer(prefix + "feed_forward_length", in: ConfigurationRange.width)
        let shared = try fields.optionalInteger(
            prefix + "expert_shared_feed_forward_length", in: 0...ConfigurationRange.width.upperBound)
        let isQwen = family == .qwen2MoE || family == .qwen3MoE
        return ExpertConfiguration(
            count: count, perToken: perToken,
            feedForwardSize: try fields.integer(
                prefix + "expert_feed_forward_length", in: ConfigurationRange.width,
                default: isQwen ? max(1, width / perToken) : width),
            normalisesWeights: try fields.flag(
                prefix + "expert_weights_norm", default: family == .mixtral || family == .qwen3MoE),
            sharedFeedForwardSize: shared == 0 ? nil : shared ?? file.info("blk.0.ffn_gate_shexp.weight")?.shape.first,
            denseLayers: Set((0..<layers).filter { file.info("blk.\($0).ffn_gate_inp.weight") == nil }))
    }
}
