import Models
import Text

/// A GGUF writer for a complete, tiny Llama: two layers, every kind of metadata value, several tensor formats.
func smallGGUF() -> GGUFWriter {
    var writer = GGUFWriter(architecture: "llama")
    writer.set("general.name", .string("Tiny é"))
    writer.set("llama.block_count", .uint32(2))
    writer.set("llama.context_length", .uint32(128))
    writer.set("llama.embedding_length", .uint32(32))
    writer.set("llama.feed_forward_length", .uint32(64))
    writer.set("llama.attention.head_count", .uint32(4))
    writer.set("llama.attention.head_count_kv", .uint32(2))
    writer.set("llama.attention.layer_norm_rms_epsilon", .float32(1e-5))
    writer.set("llama.rope.freq_base", .float32(10_000))
    writer.set("llama.rope.dimension_count", .uint32(8))
    writer.set("tokenizer.ggml.model", .string("gpt2"))
    writer.set("tokenizer.ggml.pre", .string("smollm"))
    writer.set("tokenizer.ggml.tokens", .array(GGUFArray(strings: ["<s>", "</s>", "a", "b", "ab", "Ġ", "c", "d"])))
    writer.set("tokenizer.ggml.token_type", .array(GGUFArray(int32s: [3, 3, 1, 1, 1, 1, 1, 1])))
    writer.set("tokenizer.ggml.scores", .array(GGUFArray(floats: [0, 0, -1, -2, -3, -4, -5, -6])))
    writer.set("tokenizer.ggml.merges", .array(GGUFArray(strings: ["a b"])))
    writer.set("tokenizer.ggml.bos_token_id", .uint32(0))
    writer.set("tokenizer.ggml.eos_token_id", .uint32(1))
    writer.set("tokenizer.ggml.add_bos_token", .bool(true))
    writer.set("tokenizer.chat_template", .string("{{ messages }}"))
    writer.set("test.int8", .int8(-8))
    writer.set("test.uint8", .uint8(8))
    writer.set("test.int16", .int16(-16))
    writer.set("test.uint16", .uint16(16))
    writer.set("test.int32", .int32(-32))
    writer.set("test.int64", .int64(-64))
    writer.set("test.uint64", .uint64(.max))
    writer.set("test.float64", .float64(0.1))
    writer.set("test.booleans", .array(GGUFArray(booleans: [true, false])))
    writer.add(TensorDeclaration(name: "token_embd.weight", format: .q80, shape: [8, 32]))
    writer.add(TensorDeclaration(name: "output_norm.weight", format: .f32, shape: [32]))
    for layer in 0..<2 {
        let block = "blk.\(layer)."
        writer.add(TensorDeclaration(name: block + "attn_norm.weight", format: .f32, shape: [32]))
        writer.add(TensorDeclaration(name: block + "attn_q.weight", format: .q41, shape: [32, 32]))
        writer.add(TensorDeclaration(name: block + "attn_k.weight", format: .q40, shape: [16, 32]))
        writer.add(TensorDeclaration(name: block + "attn_v.weight", format: .q51, shape: [16, 32]))
        writer.add(TensorDeclaration(name: block + "attn_output.weight", format: .q50, shape: [32, 32]))
        writer.add(TensorDeclaration(name: block + "ffn_norm.weight", format: .f32, shape: [32]))
        writer.add(TensorDeclaration(name: block + "ffn_gate.weight", format: .f16, shape: [64, 32]))
        writer.add(TensorDeclaration(name: block + "ffn_up.weight", format: .bf16, shape: [64, 32]))
        writer.add(TensorDeclaration(name: block + "ffn_down.weight", format: .q41, shape: [32, 64]))
    }
    return writer
}

/// Numbers that look like weights and are the same on every machine.
func weights(_ count: Int, seed: Int) -> [Float] {
    var generator = ByteMutator(seed: UInt64(bitPattern: Int64(seed)))
    return (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
}

/// Fills a tensor with the numbers that its name decides.
func fill(_ tensor: TensorDeclaration, _ sink: borrowing TensorSink) throws {
    try sink.write(weights(tensor.shape.reduce(1, *), seed: tensor.name.utf8.reduce(0) { $0 &* 31 &+ Int($1) }))
}

/// The `config.json` of a tiny Llama.
let smallConfiguration: JSONValue = [
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "intermediate_size": 64,
    "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 8,
    "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
    "tie_word_embeddings": true,
]

/// The tensors of a tiny Llama in Hugging Face layout.
func smallTensors() -> [TensorDeclaration] {
    var tensors = [
        TensorDeclaration(name: "model.embed_tokens.weight", format: .bf16, shape: [8, 32]),
        TensorDeclaration(name: "model.norm.weight", format: .f32, shape: [32]),
    ]
    for layer in 0..<2 {
        let prefix = "model.layers.\(layer)."
        for (name, shape) in [
            ("self_attn.q_proj", [32, 32]), ("self_attn.k_proj", [16, 32]), ("self_attn.v_proj", [16, 32]),
            ("self_attn.o_proj", [32, 32]), ("mlp.gate_proj", [64, 32]), ("mlp.up_proj", [64, 32]),
            ("mlp.down_proj", [32, 64]),
        ] {
            tensors.append(TensorDeclaration(name: "\(prefix)\(name).weight", format: .f16, shape: shape))
        }
        for name in ["input_layernorm", "post_attention_layernorm"] {
            tensors.append(TensorDeclaration(name: "\(prefix)\(name).weight", format: .f32, shape: [32]))
        }
    }
    return tensors
}
