import Foundation
import Models
import Tensors
import Testing
import Text
import Training

/// What `Tests/Golden/training.py` found with PyTorch, transformers and PEFT.
struct Golden: Decodable {
    struct Gradients: Decodable {
        struct One: Decodable {
            let norm: Double
            let along: Double
            let step: Int
            let values: [Float]
        }
        let loss: Double
        let sums: [Float]
        let parameters: [String: One]
    }

    struct Curve: Decodable {
        let losses: [Double]
        let norms: [Double]
        let sums: [Float]
        let mergedValues: [Float]?
        /// The sums before the first step.
        let start: [Float]?
    }

    struct Loss: Decodable {
        let loss: Double
        let gradient: [Float]
    }

    let gradients: Gradients
    let full: Curve
    let lora: Curve
    let dora: Curve
    let optimisers: [String: [[Float]]]
    let objectives: [String: Loss]

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Golden")

    static let values = Result {
        try JSONDecoder().decode(
            Golden.self, from: Data(contentsOf: folder.appendingPathComponent("training.json")))
    }

    static func hashes(_ count: Int, _ seed: UInt32) -> [UInt32] {
        (0..<UInt32(count)).map { index in
            var h = (index + 1) &* 2_654_435_761 &+ seed &* 40503
            h = (h ^ (h >> 15)) &* 2_246_822_519
            h = (h ^ (h >> 13)) &* 3_266_489_917
            return (h ^ (h >> 16)) >> 16
        }
    }

    /// The numbers that the script makes under the same seed.
    static func numbers(_ shape: Shape, _ seed: UInt32) -> Tensor {
        Tensor(hashes(shape.count, seed).map { Float($0) / 32768 - 1 }, shape)
    }
}

/// The script's tiny Llama.
enum TinyModel {
    static let configuration: JSONValue = [
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "intermediate_size": 48,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 96,
        "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
        "tie_word_embeddings": true,
    ]

    static let shapes: [String: Shape] = {
        var shapes: [String: Shape] = ["model.embed_tokens.weight": [96, 32], "model.norm.weight": [32]]
        for layer in 0..<2 {
            let matrices: [(String, Shape)] = [
                ("self_attn.q_proj", [32, 32]), ("self_attn.k_proj", [16, 32]), ("self_attn.v_proj", [16, 32]),
                ("self_attn.o_proj", [32, 32]), ("mlp.gate_proj", [48, 32]), ("mlp.up_proj", [48, 32]),
                ("mlp.down_proj", [32, 48]), ("input_layernorm", [32]), ("post_attention_layernorm", [32]),
            ]
            for (name, shape) in matrices { shapes["model.layers.\(layer).\(name).weight"] = shape }
        }
        return shapes
    }()

    static let weights: [String: Tensor] = {
        var weights: [String: Tensor] = [:]
        for (index, name) in shapes.keys.sorted().enumerated() {
            let shape = shapes[name]!
            let values = Golden.numbers(shape, UInt32(index + 1)) * 0.25
            weights[name] = shape.rank == 1 ? values + 1 : values
        }
        return weights
    }()

    /// Writes the model as a Hugging Face folder.
    static func write(to folder: String) throws {
        let declarations = weights.map {
            TensorDeclaration(name: $0.key, format: .f32, shape: $0.value.shape.dimensions)
        }.sorted { $0.name < $1.name }
        try HuggingFaceFolderWriter(tensors: declarations, configuration: configuration).write(to: folder) {
            try $1.write(weights[$0.name]!.floats())
        }
    }

    static let folder = Result {
        let path = try temporaryFolder()
        try write(to: path)
        return path
    }

    static func source() throws -> any WeightSource { try openWeights(at: folder.get()) }

    /// Freshly loaded weights, of no other test.
    static func load(
        _ parameterisation: some Parameterisation = ChosenWeights.all, precision: ComputePrecision = .f32
    ) throws -> TrainableModel {
        try parameterisation.load(source(), precision: precision, seed: 1)
    }

    static let samples: [TokenSequence] = (0..<12).map { index in
        let tokens = Golden.hashes(6 + index, UInt32(1000 + index)).map { TokenID($0 % 96) }
        let prompt = 1 + index % 4
        return TokenSequence(prompt: Array(tokens[..<prompt]), completion: Array(tokens[prompt...]))
    }

    /// LoRA, or DoRA, with the script's starting values.
    static func loraModel(
        trainsMagnitudes: Bool = false, precision: ComputePrecision = .f32
    ) throws -> TrainableModel {
        let adaptation = try LowRankAdaptation(rank: 4, alpha: 8, trainsMagnitudes: trainsMagnitudes)
        let model = try DecoderModel(source(), forms: { adaptation.form(of: $0, precision: precision) })
        let modules = shapes.keys.filter { $0.contains("_proj") }.map { NamePattern.module(of: $0) }
        let names = modules.flatMap { [$0 + ".lora_A", $0 + ".lora_B"] }.sorted()
        return try adaptation.prepare(model) { name, shape in
            let place = names.firstIndex(of: NamePattern.module(of: name) + ".lora_A")!
            let up =
                trainsMagnitudes
                ? Golden.numbers([shape[0], 4], UInt32(201 + place)) * 0.125 : Tensor.zeros([shape[0], 4])
            return (Golden.numbers([4, shape[1]], UInt32(200 + place)) * 0.125, up)
        }
    }
}

/// A new folder under the system's temporary one.
func temporaryFolder() throws -> String {
    let path = FileManager.default.temporaryDirectory.path + "/lyceum-training-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
}

/// Runs the body with a new folder, which is removed afterwards.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}

/// max |a - b| / max |b|
func relativeError(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    let largest = b.reduce(1e-12) { max($0, abs($1)) }
    return zip(a, b).reduce(0) { $1.0.isNaN ? .infinity : max($0, abs($1.0 - $1.1)) } / largest
}
