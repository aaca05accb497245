import Models
import Testing
import Text

struct TensorNamesTests {
    @Test func translatesTheLlamaFamily() {
        let names = TensorNames(family: .llama)
        #expect(names.gguf(for: "model.embed_tokens.weight")?.name == "token_embd.weight")
        #expect(
            names.gguf(for: "model.layers.12.self_attn.q_proj.weight")
                == TensorNames.Place(name: "blk.12.attn_q.weight", change: .neighbouringQueryRows))
        #expect(names.gguf(for: "model.layers.0.self_attn.k_proj.bias")?.change == .neighbouringKeyRows)
        #expect(
            names.huggingFace(for: "blk.29.ffn_norm.weight")?.name == "model.layers.29.post_attention_layernorm.weight")
        #expect(names.gguf(for: "layers.3.mlp.up_proj.weight")?.name == "blk.3.ffn_up.weight")
        #expect(names.gguf(for: "model.layers.3.mlp.experts.1.up_proj.weight") == nil)
        #expect(names.gguf(for: "model.layers.99999999999999999999999.mlp.up_proj.weight") == nil)
        #expect(names.huggingFace(for: "blk.0.unheard_of.weight") == nil)
        #expect(
            TensorNames(family: .qwen2).gguf(for: "model.layers.1.self_attn.q_proj.weight")?.change
                == StorageChange.none)
    }

    @Test func findsExpertsInTheirStacks() {
        let mixtral = TensorNames(family: .mixtral)
        #expect(
            mixtral.gguf(for: "model.layers.4.block_sparse_moe.experts.7.w2.weight")
                == TensorNames.Place(name: "blk.4.ffn_down_exps.weight", expert: 7))
        #expect(mixtral.stacksExperts(gguf: "blk.4.ffn_up_exps.weight"))
        let qwen = TensorNames(family: .qwen2MoE)
        #expect(
            qwen.huggingFace(for: "blk.4.ffn_gate_exps.weight", expert: 3)?.name
                == "model.layers.4.mlp.experts.3.gate_proj.weight")
        #expect(qwen.huggingFace(for: "blk.4.ffn_gate_exps.weight") == nil)
        #expect(
            qwen.gguf(for: "model.layers.0.mlp.shared_expert_gate.weight")?.name == "blk.0.ffn_gate_inp_shexp.weight")
    }

    @Test func knowsWhatChangesBesidesTheName() {
        let gemma = TensorNames(family: .gemma3)
        #expect(
            gemma.gguf(for: "language_model.model.layers.0.post_attention_layernorm.weight")
                == TensorNames.Place(name: "blk.0.post_attention_norm.weight", change: .plusOne))
        #expect(gemma.gguf(for: "model.layers.0.pre_feedforward_layernorm.weight")?.name == "blk.0.ffn_norm.weight")
        let gpt2 = TensorNames(family: .gpt2)
        #expect(gpt2.gguf(for: "transformer.h.5.attn.c_attn.weight")?.change == .transposed)
        #expect(gpt2.gguf(for: "h.5.attn.c_attn.bias")?.change == StorageChange.none)
        let bert = TensorNames(family: .bert)
        #expect(
            bert.gguf(for: "bert.encoder.layer.2.output.LayerNorm.gamma")?.name == "blk.2.layer_output_norm.weight")
    }

    @Test func everyNameTranslatesBack() {
        for family in ModelFamily.allCases {
            let names = TensorNames(family: family)
            for gguf in [
                "token_embd.weight", "output_norm.weight", "blk.7.attn_norm.weight", "blk.7.attn_q.bias",
                "blk.7.ffn_down.weight", "blk.7.attn_qkv.weight", "blk.7.post_ffw_norm.weight",
                "blk.0.attn_k_norm.weight",
            ] {
                guard let place = names.huggingFace(for: gguf) else { continue }
                #expect(names.gguf(for: place.name) == TensorNames.Place(name: gguf, change: place.change))
            }
        }
    }

    /// The names in files that transformers saves, and the gguf package's names for them: made by
    /// `Tests/Golden/weights_configurations.py`.
    @Test func agreesWithTheReference() throws {
        let golden = try goldenJSON("weights-names.json")
        for model in try #require(golden.objectValue) {
            let names = TensorNames(family: try #require(ModelFamily(rawValue: model.key)))
            for pair in try #require(model.value.objectValue) where pair.value != .null {
                #expect(names.gguf(for: pair.key)?.name == pair.value.stringValue, "\(model.key): \(pair.key)")
            }
        }
    }

    @Test(.enabled(if: embeddedModel != nil, "the embedded model is not in the cache; make demo fetches it"))
    func coversTheEmbeddedModel() throws {
        let names = TensorNames(family: .llama)
        for tensor in try GGUFFile(path: embeddedModel ?? "").tensors {
            let place = try #require(names.huggingFace(for: tensor.name))
            #expect(names.gguf(for: place.name)?.name == tensor.name)
        }
    }
}
