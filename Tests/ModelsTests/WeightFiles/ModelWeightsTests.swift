import Models
import Testing
import Text

struct ModelWeightsTests {
    /// A Hugging Face folder of a family with few weights, and what it holds.
    private func makeFolder(_ folder: String, _ document: JSONValue, _ tensors: [TensorDeclaration]) throws {
        try HuggingFaceFolderWriter(tensors: tensors, configuration: document).write(to: folder, contents: fill)
    }

    @Test func aLlamaSurvivesGGUFAndBack() throws {
        let tensors = smallTensors().map { TensorDeclaration(name: $0.name, format: .f32, shape: $0.shape) }
        try roundTrip(smallConfiguration, tensors)
    }

    @Test func aMixtureSurvivesGGUFAndBack() throws {
        let document: JSONValue = .object(
            smallConfiguration.objectValue!.filter { $0.key != "model_type" && $0.key != "architectures" }
                + [
                    .init("model_type", "mixtral"), .init("num_local_experts", 3), .init("num_experts_per_tok", 2),
                    .init("sliding_window", nil),
                ])
        var tensors = smallTensors().filter { !$0.name.contains("mlp") }
        for layer in 0..<2 {
            let prefix = "model.layers.\(layer).block_sparse_moe."
            tensors.append(TensorDeclaration(name: prefix + "gate.weight", format: .f32, shape: [3, 32]))
            for expert in 0..<3 {
                for (name, shape) in [("w1", [64, 32]), ("w2", [32, 64]), ("w3", [64, 32])] {
                    let name = "\(prefix)experts.\(expert).\(name).weight"
                    tensors.append(TensorDeclaration(name: name, format: .f32, shape: shape))
                }
            }
        }
        try roundTrip(document, tensors.map { TensorDeclaration(name: $0.name, format: .f32, shape: $0.shape) })
    }

    @Test func aGPT2SurvivesGGUFAndBack() throws {
        let document: JSONValue = [
            "model_type": "gpt2", "n_embd": 32, "n_layer": 1, "n_head": 4, "n_positions": 16, "vocab_size": 8,
        ]
        let tensors = [
            ("wte.weight", [8, 32]), ("wpe.weight", [16, 32]), ("h.0.ln_1.weight", [32]), ("h.0.ln_1.bias", [32]),
            ("h.0.attn.c_attn.weight", [32, 96]), ("h.0.attn.c_attn.bias", [96]), ("h.0.attn.c_proj.weight", [32, 32]),
            ("h.0.mlp.c_fc.weight", [32, 128]), ("h.0.mlp.c_proj.weight", [128, 32]), ("ln_f.weight", [32]),
        ].map { TensorDeclaration(name: $0.0, format: .f32, shape: $0.1) }
        try roundTrip(document, tensors)
    }

    @Test func aGemmaSurvivesGGUFAndBack() throws {
        let document: JSONValue = .object(
            smallConfiguration.objectValue!.filter { $0.key != "model_type" && $0.key != "hidden_act" }
                + [
                    .init("model_type", "gemma3_text"), .init("head_dim", 8), .init("query_pre_attn_scalar", 8),
                    .init("sliding_window", 4),
                    .init("layer_types", ["sliding_attention", "full_attention"]),
                ])
        var tensors = smallTensors()
        for layer in 0..<2 {
            for (name, size) in [
                ("pre_feedforward_layernorm", 32), ("post_feedforward_layernorm", 32), ("self_attn.q_norm", 8),
            ] {
                tensors.append(
                    TensorDeclaration(name: "model.layers.\(layer).\(name).weight", format: .f32, shape: [size]))
            }
        }
        // Norm weights are stored larger by one and come back rounded in their last bits.
        try roundTrip(
            document, tensors.map { TensorDeclaration(name: $0.name, format: .f32, shape: $0.shape) },
            tolerance: 2e-7)
    }

    private func roundTrip(_ document: JSONValue, _ tensors: [TensorDeclaration], tolerance: Float = 0) throws {
        try withTemporaryFolder { folder in
            try makeFolder(folder, document, tensors)
            let original = try ModelWeights(openWeights(at: folder))
            #expect(Set(original.tensors.map(\.name)) == Set(tensors.map(\.name)))
            try ModelConversion(original, format: .f32).writeGGUF(to: folder + "/model.gguf")
            let converted = try ModelWeights(openWeights(at: folder + "/model.gguf"))
            var expected = original.configuration
            // What the two formats say differently of the same model.
            expected.rotary?.pairing = converted.configuration.rotary?.pairing ?? .halves
            expected.norm.weightOffset = 0
            expected.norm.epsilon = Double(Float(expected.norm.epsilon))
            expected.hasAttentionOutputBias = converted.configuration.hasAttentionOutputBias
            expected.hasFeedForwardBias = converted.configuration.hasFeedForwardBias
            #expect(converted.configuration == expected)
            #expect(Set(converted.tensors.map(\.name)) == Set(tensors.map(\.name)))
            for tensor in tensors {
                let there = try converted.tensor(tensor.name, shape: tensor.shape)
                let back = try converted.floats(of: there)
                let first = try original.floats(of: original.tensor(tensor.name, shape: tensor.shape))
                #expect(zip(back, first).allSatisfy { abs($0 - $1) <= tolerance }, "\(tensor.name)")
            }
            try ModelConversion(converted, format: .f32).writeHuggingFace(to: folder)
            let again = try ModelWeights(openWeights(at: folder))
            for tensor in tensors where tolerance == 0 {
                let values = try again.floats(of: again.tensor(tensor.name, shape: tensor.shape))
                #expect(try values == original.floats(of: original.tensor(tensor.name, shape: tensor.shape)))
            }
        }
    }

    @Test func regroupsRowsAsTheRotationNeeds() throws {
        let configuration = try ModelConfiguration(huggingFace: smallConfiguration, file: "config.json")
        // Two key heads of eight rows with one column each.
        let halves = (0..<16).map(Float.init)
        let neighbours = StorageChange.neighbouringKeyRows.done(halves, shape: [16], configuration)
        #expect(neighbours == [0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15])
        #expect(StorageChange.neighbouringKeyRows.undone(neighbours, shape: [16], configuration) == halves)
    }

    @Test func namesWhatIsMissing() throws {
        try withTemporaryFolder { folder in
            try smallGGUF().write(to: folder + "/a.gguf", contents: fill)
            let weights = try ModelWeights(openWeights(at: folder + "/a.gguf"))
            let absent = #expect(throws: WeightFileError.self) { try weights.tensor("lm_head.weight", shape: [8, 32]) }
            #expect(absent?.description == folder + "/a.gguf: lm_head.weight: the model needs this tensor")
            let shape = #expect(throws: WeightFileError.self) {
                try weights.tensor("model.norm.weight", shape: [33])
            }
            #expect(shape?.message == "has the shape [32]; the configuration asks for [33]")
            #expect(throws: WeightFileError.self) { try ModelConversion(weights, format: .q3K) }
            #expect(throws: WeightFileError.self) {
                try ModelConversion(weights, format: .q80).writeHuggingFace(to: folder)
            }
        }
    }

    @Test func namesTheRuleBehindFactors() throws {
        let rule = RotaryConfiguration.Scaling.llama3(
            factor: 32, lowFrequency: 1, highFrequency: 4, originalContext: 8192)
        let named = RotaryConfiguration(theta: 500_000, dimension: 64, pairing: .halves, scaling: rule)
        let factors = try #require(named.frequencyFactors)
        var document = try ModelConfiguration(huggingFace: smallConfiguration, file: "config.json")
        document.rotary = RotaryConfiguration(
            theta: 500_000, dimension: 64, pairing: .halves, scaling: .factors(factors))
        #expect(try document.huggingFaceDocument()["rope_scaling"]?["factor"]?.doubleValue == 32)
        document.rotary?.scaling = .factors(factors.map { $0 * 1.5 })
        #expect(throws: WeightFileError.self) { try document.huggingFaceDocument() }
    }
}
