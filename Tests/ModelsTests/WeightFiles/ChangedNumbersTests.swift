import Models
import Tensors
import Testing
import Text

struct ChangedNumbersTests {
    /// A Llama of one layer whose feed-forward rows fill blocks of 256 and whose others don't.
    private static let configuration: JSONValue = [
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "intermediate_size": 256,
        "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 8,
        "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
        "tie_word_embeddings": true,
    ]

    private static let down = "model.layers.0.mlp.down_proj.weight"

    private static var tensors: [TensorDeclaration] {
        let prefix = "model.layers.0."
        return [
            ("model.embed_tokens", [8, 64]), ("model.norm", [64]), (prefix + "input_layernorm", [64]),
            (prefix + "post_attention_layernorm", [64]), (prefix + "self_attn.q_proj", [64, 64]),
            (prefix + "self_attn.k_proj", [32, 64]), (prefix + "self_attn.v_proj", [32, 64]),
            (prefix + "self_attn.o_proj", [64, 64]), (prefix + "mlp.gate_proj", [256, 64]),
            (prefix + "mlp.up_proj", [256, 64]), (prefix + "mlp.down_proj", [64, 256]),
        ].map { TensorDeclaration(name: $0.0 + ".weight", format: .f32, shape: $0.1) }
    }

    /// Runs the body with the model in a format of GGUF, in a folder of its own.
    private func withModel(_ format: WeightFormat, _ body: (String, ModelWeights) throws -> Void) throws {
        try withTemporaryFolder { folder in
            try withSubfolder(folder + "/hf") { plain in
                try HuggingFaceFolderWriter(tensors: Self.tensors, configuration: Self.configuration)
                    .write(to: plain, contents: fill)
                try ModelConversion(ModelWeights(openWeights(at: plain)), format: format).writeGGUF(
                    to: folder + "/base.gguf")
            }
            try body(folder, ModelWeights(openWeights(at: folder + "/base.gguf")))
        }
    }

    @Test func rowsThatFillNoBlocksFallBack() throws {
        for (format, fallback) in [(WeightFormat.q4K, WeightFormat.q50), (.q5K, .q51), (.q6K, .q80)] {
            try withModel(.f32) { folder, weights in
                let outcome = try ModelConversion(weights, format: format).writeGGUF(to: folder + "/k.gguf")
                #expect(outcome.matrices == 8)
                #expect(outcome.fallbacks == [fallback: 7])
                #expect(outcome.kept.share == nil)
                let back = try ModelWeights(openWeights(at: folder + "/k.gguf"))
                for tensor in back.tensors {
                    let isVector = tensor.shape.count == 1
                    #expect(tensor.format == (isVector ? .f32 : tensor.name == Self.down ? format : fallback))
                    let values = try back.floats(of: tensor)
                    let original = try weights.floats(of: weights.tensor(tensor.name, shape: tensor.shape))
                    #expect(zip(values, original).allSatisfy { abs($0 - $1) < 0.11 }, "\(tensor.name)")
                }
            }
        }
    }

    /// A change of a fiftieth of a step: to the nearest nothing of it would be left on the grid that the weights lie on.
    @Test(arguments: [WeightFormat.q41, .q40, .q51, .q80, .q4K, .q6K])
    func aChangeBelowAStepIsKept(_ format: WeightFormat) throws {
        try withModel(format) { folder, weights in
            let tensor = try weights.tensor(Self.down, shape: [64, 256])
            let old = try weights.floats(of: tensor)
            let step: Float = format == .q80 ? 0.01 : format == .q6K ? 0.03 : format == .q51 ? 0.06 : 0.13
            let up = Tensor.normal(Shape([64, 1]), seed: 1)
            let down = Tensor.normal(Shape([1, 256]), deviation: step / 50, seed: 2)
            let change = matmul(up, down).floats()
            let new = zip(old, change).map { $0 + $1 }
            let outcome = try ModelConversion(weights, format: format).writeGGUF(to: folder + "/new.gguf") {
                $0.name == Self.down ? new : nil
            }
            let share = try #require(outcome.kept.share)
            #expect(abs(share - 1) < 0.3, "\(share)")
            let merged = try ModelWeights(openWeights(at: folder + "/new.gguf"))
            for other in weights.tensors where other.name != Self.down {
                let same = try merged.tensor(other.name, shape: other.shape)
                let bytes = try weights.bytes(of: other).withUnsafeBytes { Array($0) }
                #expect(try merged.bytes(of: same).withUnsafeBytes { $0.elementsEqual(bytes) }, "\(other.name)")
            }
            let nearest = try new.withUnsafeBufferPointer { try format.quantised($0, file: "-", field: "x") }
                .withUnsafeBytes { format.dequantised($0) }
            let lost = zip(zip(nearest, old), change).reduce(Float(0)) { $0 + ($1.0.0 - $1.0.1) * $1.1 }
            #expect(lost < 0.5 * change.reduce(0) { $0 + $1 * $1 })
        }
    }

    @Test func aFolderMayHoldOneGGUFFile() throws {
        try withModel(.q41) { folder, weights in
            #expect(try openWeights(at: folder).path == folder + "/base.gguf")
            #expect(try ModelWeights(openWeights(at: folder)).tensors == weights.tensors)
            try smallGGUF().write(to: folder + "/other.gguf", contents: fill)
            let several = #expect(throws: WeightFileError.self) { try openWeights(at: folder) }
            #expect(several?.message == "holds several GGUF files; give one of base.gguf, other.gguf")
            try SafetensorsWriter(Self.tensors).write(to: folder + "/model.safetensors", contents: fill)
            #expect(try openWeights(at: folder) is SafetensorsFolder)
        }
    }
}
