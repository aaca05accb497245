import Text

extension ModelFamily {
    /// The class that transformers makes of a configuration of this family.
    var huggingFaceClass: String {
        switch self {
        case .llama: "LlamaForCausalLM"
        case .mistral: "MistralForCausalLM"
        case .mixtral: "MixtralForCausalLM"
        case .qwen2: "Qwen2ForCausalLM"
        case .qwen3: "Qwen3ForCausalLM"
        case .qwen2MoE: "Qwen2MoeForCausalLM"
        case .qwen3MoE: "Qwen3MoeForCausalLM"
        case .olmoe: "OlmoeForCausalLM"
        case .gemma3: "Gemma3ForCausalLM"
        case .bert: "BertModel"
        case .gpt2: "GPT2LMHeadModel"
        }
    }
}

extension ModelConfiguration {
    /// The `config.json` of this model, as transformers of version 4 and 5 read it.
    ///
    /// - Parameter format: the format of the weights beside it, for `torch_dtype`.
    public func huggingFaceDocument(format: WeightFormat = .f32) throws(WeightFileError) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("architectures", [.string(family.huggingFaceClass)]), ("model_type", .string(family.huggingFaceType)),
            ("vocab_size", .integer(vocabularySize)), ("tie_word_embeddings", .bool(tiesEmbeddings)),
        ]
        switch family {
        case .gpt2:
            members += [
                ("n_embd", .integer(hiddenSize)), ("n_layer", .integer(layers)), ("n_head", .integer(heads)),
                ("n_inner", .integer(feedForwardSize)), ("n_positions", .integer(contextLength)),
                ("layer_norm_epsilon", .number(norm.epsilon)), ("activation_function", .string(activationName)),
            ]
        case .bert:
            members +=
                commonMembers + [
                    ("layer_norm_eps", .number(norm.epsilon)), ("hidden_act", .string(activationName)),
                    ("type_vocab_size", .integer(tokenTypes)),
                ]
        default: members += commonMembers + (try decoderMembers())
        }
        members.append(("torch_dtype", .string(format == .bf16 ? "bfloat16" : format == .f16 ? "float16" : "float32")))
        return .object(members.map { JSONValue.Member($0.0, $0.1) })
    }

    private var commonMembers: [(String, JSONValue)] {
        [
            ("hidden_size", .integer(hiddenSize)), ("num_hidden_layers", .integer(layers)),
            ("num_attention_heads", .integer(heads)), ("intermediate_size", .integer(feedForwardSize)),
            ("max_position_embeddings", .integer(contextLength)),
        ]
    }

    private func decoderMembers() throws(WeightFileError) -> [(String, JSONValue)] {
        var members: [(String, JSONValue)] = [
            ("num_key_value_heads", .integer(kvHeads)), ("head_dim", .integer(headSize)),
            ("rms_norm_eps", .number(norm.epsilon)),
            (family == .gemma3 ? "hidden_activation" : "hidden_act", .string(activationName)),
        ]
        if family == .llama || family == .qwen3 || family == .qwen3MoE || family == .olmoe || family == .gemma3 {
            members.append(("attention_bias", .bool(hasAttentionOutputBias || hasQueryKeyValueBias)))
        }
        if family == .llama { members.append(("mlp_bias", .bool(hasFeedForwardBias))) }
        if let rotary {
            members.append(("rope_theta", .number(rotary.theta)))
            if let scaling = try huggingFaceScaling(rotary) { members.append(("rope_scaling", scaling)) }
            if let local = rotary.localTheta { members.append(("rope_local_base_freq", .number(local))) }
        }
        if family == .gemma3 {
            let scalar = 1 / (attentionScale * attentionScale)
            members.append(("query_pre_attn_scalar", .number(scalar.rounded())))
            members.append(("final_logit_softcapping", logitSoftcap.map { .number($0) } ?? .null))
        }
        if let slidingWindow {
            members.append(("sliding_window", .integer(slidingWindow.size)))
            if family != .mistral && family != .mixtral {
                let types = slidingWindow.localLayers.map { $0 ? "sliding_attention" : "full_attention" }
                members.append(("layer_types", .array(types.map { .string($0) })))
                members.append(("use_sliding_window", true))
            }
        } else if family == .mistral || family == .mixtral {
            members.append(("sliding_window", .null))
        }
        if let experts { members += expertMembers(experts) }
        return members
    }

    private func expertMembers(_ experts: ExpertConfiguration) -> [(String, JSONValue)] {
        var members: [(String, JSONValue)] = [
            (family == .mixtral ? "num_local_experts" : "num_experts", .integer(experts.count)),
            ("num_experts_per_tok", .integer(experts.perToken)),
        ]
        if family != .mixtral { members.append(("norm_topk_prob", .bool(experts.normalisesWeights))) }
        if family == .qwen2MoE || family == .qwen3MoE {
            members.append(("moe_intermediate_size", .integer(experts.feedForwardSize)))
            members.append(("decoder_sparse_step", 1))
            members.append(("mlp_only_layers", .array(experts.denseLayers.sorted().map { .integer($0) })))
        }
        if let shared = experts.sharedFeedForwardSize {
            members.append(("shared_expert_intermediate_size", .integer(shared)))
        }
        return members
    }

    private var activationName: String {
        switch activation {
        case .silu: "silu"
        case .gelu: "gelu"
        case .geluTanh: family == .gpt2 ? "gelu_new" : "gelu_pytorch_tanh"
        case .relu: "relu"
        }
    }

    private func huggingFaceScaling(_ rotary: RotaryConfiguration) throws(WeightFileError) -> JSONValue? {
        switch rotary.scaling {
        case .none: return nil
        case .linear(let factor): return ["rope_type": "linear", "factor": .number(factor)]
        case .llama3(let factor, let low, let high, let context):
            return [
                "rope_type": "llama3", "factor": .number(factor), "low_freq_factor": .number(low),
                "high_freq_factor": .number(high), "original_max_position_embeddings": .integer(context),
            ]
        case .yarn(let factor, let context, let betaFast, let betaSlow, let attentionFactor):
            var members: [JSONValue.Member] = [
                .init("rope_type", "yarn"), .init("factor", .number(factor)),
                .init("original_max_position_embeddings", .integer(context)), .init("beta_fast", .number(betaFast)),
                .init("beta_slow", .number(betaSlow)),
            ]
            if let attentionFactor { members.append(.init("attention_factor", .number(attentionFactor))) }
            return .object(members)
        case .factors:
            guard let named = rotary.asLlama3 else {
                throw WeightFileError(
                    .unsupported, file: "config.json", field: "rope_scaling",
                    "the file's rotation factors follow no rule that a config.json can name")
            }
            var copy = rotary
            copy.scaling = named
            return try huggingFaceScaling(copy)
        }
    }

    /// The metadata of a GGUF file of this model, without the tokenizer's.
    ///
    /// Frequencies scaled as in Llama 3.1 need the tensor `rope_freqs.weight` besides: see
    /// ``RotaryConfiguration/frequencyFactors``.
    public func ggufMetadata() -> [(key: String, value: GGUFValue)] {
        let prefix = "\(family.ggufArchitecture)."
        var values: [(String, GGUFValue)] = []
        func add(_ key: String, _ value: Int) { values.append((prefix + key, .uint32(UInt32(clamping: value)))) }
        func add(_ key: String, _ value: Double) { values.append((prefix + key, .float32(Float(value)))) }
        add("vocab_size", vocabularySize)
        add("context_length", contextLength)
        add("embedding_length", hiddenSize)
        add("block_count", layers)
        add("feed_forward_length", feedForwardSize)
        add("attention.head_count", heads)
        add("attention.head_count_kv", kvHeads)
        add(norm.kind == .rms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon", norm.epsilon)
        if !isCausal { values.append((prefix + "attention.causal", .bool(false))) }
        if tokenTypes > 0 { values.append(("tokenizer.ggml.token_type_count", .uint32(UInt32(tokenTypes)))) }
        if let rotary {
            add("attention.key_length", headSize)
            add("attention.value_length", headSize)
            add("rope.dimension_count", rotary.dimension)
            add("rope.freq_base", rotary.theta)
            if let local = rotary.localTheta { add("rope.freq_base_swa", local) }
            switch rotary.scaling {
            case .none, .llama3, .factors: break
            case .linear(let factor):
                values.append((prefix + "rope.scaling.type", .string("linear")))
                add("rope.scaling.factor", factor)
            case .yarn(let factor, let context, let betaFast, let betaSlow, _):
                values.append((prefix + "rope.scaling.type", .string("yarn")))
                add("rope.scaling.factor", factor)
                add("rope.scaling.original_context_length", context)
                add("rope.scaling.yarn_beta_fast", betaFast)
                add("rope.scaling.yarn_beta_slow", betaSlow)
            }
        }
        // Readers take one over the root of the head size for granted.
        let natural = 1 / Double(headSize).squareRoot()
        if abs(attentionScale - natural) > 1e-6 * natural { add("attention.scale", attentionScale) }
        if let logitSoftcap { add("final_logit_softcapping", logitSoftcap) }
        if let attentionSoftcap { add("attn_logit_softcapping", attentionSoftcap) }
        if let slidingWindow {
            add("attention.sliding_window", slidingWindow.size)
            values.append(
                (prefix + "attention.sliding_window_pattern", .array(GGUFArray(booleans: slidingWindow.localLayers))))
        }
        if let experts {
            add("expert_count", experts.count)
            add("expert_used_count", experts.perToken)
            add("expert_feed_forward_length", experts.feedForwardSize)
            if let shared = experts.sharedFeedForwardSize { add("expert_shared_feed_forward_length", shared) }
            values.append((prefix + "expert_weights_norm", .bool(experts.normalisesWeights)))
        }
        return values
    }
}

extension RotaryConfiguration {
    /// What each frequency is divided by, where no simpler rule says it: the GGUF tensor `rope_freqs.weight`. Nil for
    /// scalings that metadata can name.
    public var frequencyFactors: [Float]? {
        switch scaling {
        case .none, .linear, .yarn: return nil
        case .factors(let factors): return factors
        case .llama3:
            var plain = self
            plain.scaling = .none
            return zip(plain.frequencies(), frequencies()).map { $0 / $1 }
        }
    }

    /// The rule of Llama 3.1 that makes this configuration's factors, or nil when none of the published ones does.
    var asLlama3: Scaling? {
        guard case .factors(let factors) = scaling, let largest = factors.max(), largest > 1 else { return nil }
        for context in [8192, 4096, 2048, 16384, 32768] {
            var named = self
            named.scaling = .llama3(
                factor: Double(largest), lowFrequency: 1, highFrequency: 4, originalContext: context)
            guard let made = named.frequencyFactors else { continue }
            if zip(made, factors).allSatisfy({ abs($0 - $1) <= 1e-3 * $1 }) { return named.scaling }
        }
        return nil
    }
}
