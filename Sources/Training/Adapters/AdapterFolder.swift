import Foundation
import Models
import Tensors
import Text

/// Adapters in PEFT's format: `adapter_config.json` and `adapter_model.safetensors`.
public enum AdapterFolder {
    private static let prefix = "base_model.model."

    /// Writes an adapter of a model into a folder, which is made when it isn't there.
    ///
    /// - Parameters:
    ///   - configuration: the model's; it says in which order the rows of query and key projections stand.
    ///   - baseModel: what `base_model_name_or_path` is to say.
    public static func write(
        _ set: AdapterSet, of configuration: ModelConfiguration, baseModel: String? = nil, to folder: String
    ) throws {
        try makeFolder(folder)
        var contents: [String: Tensor] = [:]
        for member in set.members {
            let rows = RowOrder(configuration, module: member.module)
            contents["\(prefix)\(member.module).lora_A.weight"] = member.adapter.down.detached()
            contents["\(prefix)\(member.module).lora_B.weight"] = rows.huggingFace(member.adapter.up.detached())
            if let magnitude = member.adapter.magnitude {
                contents["\(prefix)\(member.module).lora_magnitude_vector"] =
                    rows.huggingFace(magnitude.values.detached())
            }
        }
        try writeTensors(contents, to: folder + "/adapter_model.safetensors")
        var settings = set.configuration
        settings.targets = Array(Set(set.members.map { $0.module.split(separator: ".").last.map(String.init) ?? "" }))
            .sorted()
        if let baseModel { settings.baseModel = baseModel }
        // Last, so that a folder with it is complete.
        try writeFile(Array((settings.document.text(pretty: true) + "\n").utf8), to: folder + "/adapter_config.json")
    }

    /// Reads an adapter for a model of this configuration.
    public static func read(_ folder: String, for configuration: ModelConfiguration) throws -> AdapterSet {
        let path = folder + "/adapter_config.json"
        let settings = try AdapterConfiguration(readJSONFile(path), file: path)
        let file = try SafetensorsFile(path: folder + "/adapter_model.safetensors")
        let names = TensorNames(family: configuration.family)
        var downs: [String: Tensor] = [:]
        var ups: [String: Tensor] = [:]
        var magnitudes: [String: Tensor] = [:]
        // As the file has them, to which patterns fit.
        var namesInFile: [String: String] = [:]
        for info in file.tensors {
            var name = info.name[...]
            if name.hasPrefix(prefix) { name = name.dropFirst(prefix.count) }
            let end = name.range(of: ".lora_", options: .backwards)
            let isMagnitude = end.map { name[$0.upperBound...].hasPrefix("magnitude_vector") } ?? false
            guard let end, info.shape.count == (isMagnitude ? 1 : 2) else {
                throw TrainingError.mismatch(
                    file: file.path, reason: "the tensor \(info.name.debugDescription) is no part of a LoRA adapter")
            }
            let module = names.canonical(String(name[..<end.lowerBound]))
            namesInFile[module] = String(name[..<end.lowerBound])
            let tensor = Tensor(try file.floats(of: info.name), Shape(info.shape))
            switch name[end.upperBound...] {
            case "A.weight", "A.default.weight": downs[module] = tensor
            case "B.weight", "B.default.weight":
                ups[module] = RowOrder(configuration, module: module).file(tensor)
            case "magnitude_vector", "magnitude_vector.weight", "magnitude_vector.default.weight":
                magnitudes[module] = RowOrder(configuration, module: module).file(tensor)
            default:
                throw TrainingError.mismatch(
                    file: file.path,
                    reason: "the tensor \(info.name.debugDescription) is not lora_A, lora_B or lora_magnitude_vector")
            }
        }
        var set = AdapterSet(configuration: settings)
        for (module, down) in downs.sorted(by: { $0.key < $1.key }) {
            let (rank, scale) = settings.rankAndScale(of: namesInFile[module] ?? module)
            guard let up = ups.removeValue(forKey: module), down.shape[0] == rank, up.shape[1] == rank else {
                throw TrainingError.mismatch(
                    file: file.path, reason: "the layer \(module) has no pair of matrices of rank \(rank)")
            }
            let magnitude = magnitudes.removeValue(forKey: module)
            guard magnitude?.count ?? up.shape[0] == up.shape[0], (magnitude != nil) == settings.hasMagnitudes else {
                throw TrainingError.mismatch(
                    file: file.path,
                    reason: "the layer \(module) has \(magnitude.map { "\($0.count)" } ?? "no") magnitudes for "
                        + "\(up.shape[0]) rows, and use_dora is \(settings.hasMagnitudes)")
            }
            set.members.append(
                AdapterSet.Member(
                    module: module,
                    adapter: LowRankAdapter(
                        down: down, up: up, scale: Float(scale),
                        magnitude: magnitude.map { AdapterMagnitude($0) })))
        }
        guard ups.isEmpty, magnitudes.isEmpty, !set.members.isEmpty else {
            throw TrainingError.mismatch(
                file: file.path, reason: "holds no pairs of lora_A and lora_B, or others without lora_A")
        }
        return set
    }
}

/// The order of a projection's rows in memory against Hugging Face's: a model from a GGUF file has the rows of queries and keys in
/// that file's order.
struct RowOrder {
    private let change: StorageChange
    private let configuration: ModelConfiguration

    init(_ configuration: ModelConfiguration, module: String) {
        self.configuration = configuration
        let isGGUF = configuration.rotary?.pairing == .neighbours
        change =
            isGGUF
            ? TensorNames(family: configuration.family).gguf(for: module + ".weight")?.change ?? .none : .none
    }

    /// From the model's order.
    func huggingFace(_ tensor: Tensor) -> Tensor {
        change == .none
            ? tensor
            : Tensor(change.undone(tensor.floats(), shape: tensor.shape.dimensions, configuration), tensor.shape)
    }

    /// To the model's order.
    func file(_ tensor: Tensor) -> Tensor {
        change == .none
            ? tensor : Tensor(change.done(tensor.floats(), shape: tensor.shape.dimensions, configuration), tensor.shape)
    }
}
