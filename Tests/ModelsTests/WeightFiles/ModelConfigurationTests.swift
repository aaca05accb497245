import Models
import Testing
import Text

struct ModelConfigurationTests {
    private func read(_ document: JSONValue) throws -> ModelConfiguration {
        try ModelConfiguration(huggingFace: document, file: "config.json")
    }

    private func with(_ changes: [(String, JSONValue)], _ document: JSONValue = smallConfiguration) -> JSONValue {
        let changed = Set(changes.map(\.0))
        return .object(
            (document.objectValue ?? []).filter { !changed.contains($0.key) }
                + changes.map { JSONValue.Member($0.0, $0.1) })
    }

    @Test func readsALlama() throws {
        let configuration = try read(smallConfiguration)
        #expect(configuration.family == .llama)
        #expect(configuration.headSize == 8)
        #expect(configuration.groupSize == 2)
        #expect(configuration.rotary == RotaryConfiguration(theta: 10_000, dimension: 8, pairing: .halves))
        #expect(configuration.norm == NormConfiguration(kind: .rms, placement: .before, epsilon: 1e-5))
        #expect(configuration.attentionScale == 1 / 8.0.squareRoot())
        #expect(configuration.tiesEmbeddings && configuration.isGated && configuration.isCausal)
        #expect(!configuration.hasQueryKeyValueBias && !configuration.hasFeedForwardBias)
        #expect(configuration.slidingWindow == nil && configuration.experts == nil)
        #expect(configuration.activation == .silu)
    }

    @Test func readsEveryFamilyAsTransformersWritesIt() throws {
        let golden = try goldenJSON("weights-configurations.json")
        for family in ModelFamily.allCases {
            let configuration = try read(try #require(golden[family.rawValue]))
            #expect(configuration.family == family)
        }
        func configuration(_ family: ModelFamily) throws -> ModelConfiguration {
            try read(try #require(golden[family.rawValue]))
        }
        let gemma = try configuration(.gemma3)
        #expect(gemma.rotary?.theta == 1_000_000 && gemma.rotary?.localTheta == 10_000)
        #expect(gemma.norm.placement == .around && gemma.norm.weightOffset == 1)
        #expect(gemma.slidingWindow?.localLayers.prefix(7) == [true, true, true, true, true, false, true])
        #expect(gemma.window(layer: 0) == 512 && gemma.window(layer: 5) == nil)
        #expect(gemma.embeddingScale == 640.0.squareRoot() && gemma.attentionScale == 1.0 / 16)
        #expect(gemma.queryKeyNorm == .perHead && gemma.activation == .geluTanh && gemma.tiesEmbeddings)
        let qwen2 = try configuration(.qwen2)
        #expect(qwen2.hasQueryKeyValueBias && !qwen2.hasAttentionOutputBias && qwen2.slidingWindow == nil)
        let qwen3 = try configuration(.qwen3)
        #expect(qwen3.queryKeyNorm == .perHead && !qwen3.hasQueryKeyValueBias && qwen3.headSize == 128)
        let mixtral = try configuration(.mixtral)
        #expect(mixtral.experts?.count == 8 && mixtral.experts?.perToken == 2)
        #expect(mixtral.experts?.normalisesWeights == true && mixtral.experts?.feedForwardSize == 14336)
        let qwenMoE = try configuration(.qwen2MoE)
        #expect(qwenMoE.experts?.count == 60 && qwenMoE.experts?.sharedFeedForwardSize == 5632)
        #expect(qwenMoE.experts?.feedForwardSize == 1408 && qwenMoE.experts?.normalisesWeights == false)
        #expect(qwenMoE.hasExperts(layer: 0) && qwenMoE.hasQueryKeyValueBias)
        let qwen3MoE = try configuration(.qwen3MoE)
        #expect(qwen3MoE.experts?.count == 128 && qwen3MoE.experts?.perToken == 8)
        #expect(qwen3MoE.experts?.feedForwardSize == 768 && qwen3MoE.queryKeyNorm == .perHead)
        let olmoe = try configuration(.olmoe)
        #expect(olmoe.queryKeyNorm == .wholeProjection && olmoe.experts?.count == 64)
        #expect(try configuration(.mistral).window(layer: 31) == 4096)
        let bert = try configuration(.bert)
        #expect(bert.norm.placement == .after && bert.tokenTypes == 2 && !bert.isCausal && bert.rotary == nil)
        #expect(bert.activation == .gelu && bert.norm.epsilon == 1e-12)
        let gpt2 = try configuration(.gpt2)
        #expect(gpt2.feedForwardSize == 3072 && gpt2.headSize == 64 && gpt2.activation == .geluTanh)
        #expect(gpt2.contextLength == 1024 && gpt2.tiesEmbeddings && gpt2.hasFeedForwardBias)
    }

    @Test(arguments: [
        ("hidden_size", JSONValue.integer(0), "hidden_size: is 0; it must be from 1 to 1048576"),
        ("hidden_size", .integer(30), "num_attention_heads: 4 does not divide the hidden size 30"),
        ("hidden_size", "32", "hidden_size: must be an integer"),
        ("num_key_value_heads", 3, "num_key_value_heads: 3 does not divide the 4 attention heads"),
        ("num_hidden_layers", .null, "num_hidden_layers: is missing; it must be an integer from 1 to 4096"),
        ("vocab_size", .integer(1 << 40), "vocab_size: is 1099511627776; it must be from 1 to 67108864"),
        ("model_type", "mamba", "model_type: \"mamba\" is not read"),
        ("model_type", .null, "model_type: is missing"),
        ("rms_norm_eps", 7, "rms_norm_eps: is 7.0; it must be from 1e-20 to 0.1"),
        ("rope_theta", 0, "rope_theta: is 0.0"),
        ("head_dim", 7, "head_dim: 7 numbers of a head turn"),
        ("hidden_act", "swoosh", "hidden_act: \"swoosh\" is not read"),
        (
            "rope_scaling", ["type": "dynamic", "factor": 2.0] as JSONValue,
            "rope_scaling: the type \"dynamic\" is not read"
        ),
        ("rope_scaling", ["rope_type": "linear"] as JSONValue, "factor: is missing"),
        (
            "rope_scaling",
            ["rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 1] as JSONValue,
            "high_freq_factor: must be above low_freq_factor"
        ),
        ("tie_word_embeddings", 1, "tie_word_embeddings: must be true or false"),
        ("clip_qkv", 8, "clip_qkv: clipping"),
    ])
    func namesTheFieldAtFault(_ field: String, _ value: JSONValue, _ complaint: String) {
        let error = #expect(throws: WeightFileError.self) { try read(with([(field, value)])) }
        #expect(error?.description.hasPrefix("config.json: \(complaint)") == true, "\(String(describing: error))")
    }

    @Test func readsBothSpellingsOfScaling() throws {
        let old = try read(with([("rope_scaling", ["type": "linear", "factor": 4.0]), ("rope_theta", 5000.0)]))
        #expect(old.rotary?.scaling == .linear(factor: 4) && old.rotary?.theta == 5000)
        let new = try read(
            with([
                ("rope_parameters", ["rope_type": "linear", "factor": 4.0, "rope_theta": 5000.0]), ("rope_theta", nil),
            ]))
        #expect(new.rotary == old.rotary)
        let yarn = try read(
            with([("rope_scaling", ["rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64])]))
        #expect(
            yarn.rotary?.scaling
                == .yarn(factor: 4, originalContext: 64, betaFast: 32, betaSlow: 1, attentionFactor: nil))
    }

    /// Made by `Tests/Golden/weights_configurations.py` with transformers.
    @Test func turnsAsFastAsTransformersDoes() throws {
        let golden = try goldenJSON("weights-rotary.json")
        let cases = try #require(golden.arrayValue)
        #expect(cases.count >= 5)
        for entry in cases {
            let document = try #require(entry["config"])
            let rotary = try #require(try read(document).rotary)
            let expected = try #require(entry["inverse_frequencies"]?.arrayValue).map { Float($0.doubleValue ?? .nan) }
            #expect(rotary.frequencies().count == expected.count)
            for (ours, theirs) in zip(rotary.frequencies(), expected) {
                #expect(abs(ours - theirs) <= 4e-7 * abs(theirs), "\(entry["name"] ?? .null)")
            }
            let factor = Float(entry["attention_factor"]?.doubleValue ?? .nan)
            #expect(abs(rotary.attentionFactor - factor) < 1e-6)
        }
    }

    @Test func readsTheTextPartOfGemma() throws {
        let golden = try goldenJSON("weights-configurations.json")
        let text = try #require(golden["gemma3_text"])
        let wrapped: JSONValue = ["model_type": "gemma3", "text_config": text, "vision_config": [:]]
        #expect(try read(wrapped) == read(text))
    }

    @Test func readsAGGUF() throws {
        try withTemporaryFolder { folder in
            var writer = smallGGUF()
            try writer.write(to: folder + "/plain.gguf", contents: fill)
            let plain = try openWeights(at: folder + "/plain.gguf").configuration()
            #expect(plain.rotary == RotaryConfiguration(theta: 10_000, dimension: 8, pairing: .neighbours))
            #expect(plain.vocabularySize == 8 && plain.tiesEmbeddings && plain.kvHeads == 2)
            writer.add(TensorDeclaration(name: "rope_freqs.weight", format: .f32, shape: [4]))
            writer.add(TensorDeclaration(name: "output.weight", format: .f32, shape: [8, 32]))
            writer.add(TensorDeclaration(name: "blk.0.attn_q.bias", format: .f32, shape: [32]))
            try writer.write(to: folder + "/scaled.gguf") { tensor, sink in
                if tensor.name == "rope_freqs.weight" { try sink.write([1, 2, 4, 8]) } else { try fill(tensor, sink) }
            }
            let scaled = try openWeights(at: folder + "/scaled.gguf").configuration()
            #expect(scaled.rotary?.scaling == .factors([1, 2, 4, 8]))
            #expect(scaled.hasQueryKeyValueBias && !scaled.tiesEmbeddings)
            for (key, value, complaint) in [
                ("llama.attention.head_count", GGUFValue.uint32(6), "6 does not divide the hidden size 32"),
                ("llama.attention.head_count_kv", .array(GGUFArray(int32s: [2, 1])), "differs from layer to layer"),
                ("llama.block_count", .string("two"), "must be an integer"),
                ("llama.rope.dimension_count", .uint32(9), "is 9; it must be from 2 to 8"),
                ("llama.embedding_length", .uint32(64), "has the shape [8, 32]; expected [tokens, 64]"),
                ("general.architecture", .string("rwkv"), "\"rwkv\" is not read"),
                ("llama.rope.freq_base", .float32(.nan), "must be a finite number"),
            ] {
                var lie = smallGGUF()
                lie.set(key, value)
                try lie.write(to: folder + "/lie.gguf", contents: fill)
                let error = #expect(throws: WeightFileError.self) {
                    try GGUFFile(path: folder + "/lie.gguf").configuration()
                }
                #expect(error?.description.contains(complaint) == true, "\(String(describing: error))")
            }
        }
    }
}
