import Foundation
import Models
import Text
import Training

/// What a training run left in its folder: a model of its own, an adapter for another one, or only heads on another one.
public struct TrainedFolder: Sendable {
    /// The file or folder of the weights.
    public let model: String
    /// The folder of the adapter beside them, where there is one.
    public let adapter: String?

    /// - Parameter base: the model that was trained.
    public init(_ folder: String, base: String) throws {
        model = try Self.ownModel(in: folder) ?? base
        adapter = Self.holdsAdapter(folder) ? folder : nil
    }

    /// The model of its own that a folder holds; nil: what it holds stands on another one.
    public static func ownModel(in folder: String) throws -> String? {
        func holds(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder)/\(name)") }
        guard FileManager.default.fileExists(atPath: folder) else {
            throw TrainingError.mismatch(file: folder, reason: "isn't there; give the folder of a training run")
        }
        if holdsAdapter(folder) { return nil }
        return holds("model.gguf") ? folder + "/model.gguf" : holds("config.json") ? folder : nil
    }

    private static func holdsAdapter(_ folder: String) -> Bool {
        FileManager.default.fileExists(atPath: folder + "/adapter_config.json")
    }

    /// A fingerprint of what was trained, and of what it stands on: every file of weights, and what an adapter says of itself.
    public static func fingerprint(of folder: String) throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted().filter {
            $0.hasSuffix(".safetensors") || $0.hasSuffix(".gguf") || $0 == "adapter_config.json"
        }
        let own = try names.map {
            SHA256.hexadecimal(
                of: try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)"), options: .mappedIfSafe))
        }
        let base = try baseModel(of: folder).map { try openWeights(at: $0).fingerprint() }
        return (own + [base ?? ""]).joined(separator: " ")
    }

    /// The model that an adapter's folder says it was made for; nil: it says none.
    public static func baseModel(of folder: String) -> String? {
        guard let text = try? Data(contentsOf: URL(fileURLWithPath: folder + "/adapter_config.json")) else {
            return nil
        }
        return (try? JSONValue(parsing: [UInt8](text)))?["base_model_name_or_path"]?.stringValue
    }

    /// A model loaded from `model` in any form, with the adapter beside it.
    public func adding(to loaded: DecoderModel) throws -> DecoderModel {
        guard let adapter else { return loaded }
        return try loaded.adding(AdapterFolder.read(adapter, for: loaded.configuration).changes)
    }
}
