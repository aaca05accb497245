import Foundation
import Inference
import Models
import Testing

/// The embedded model, where set-up has installed it.
enum EmbeddedModel {
    static let file: URL = {
        let environment = ProcessInfo.processInfo.environment
        let name = "SmolLM2-135M-Instruct.Q4_1.gguf"
        if let folder = environment["LYCEUM_MODELS"] {
            return URL(fileURLWithPath: folder).appendingPathComponent(name)
        }
        let cache =
            environment["LYCEUM_CACHE"]
            ?? (environment["XDG_CACHE_HOME"].map { $0 + "/lyceum" } ?? NSHomeDirectory() + "/.cache/lyceum")
        return URL(fileURLWithPath: cache).appendingPathComponent("models/" + name)
    }()

    static var isInstalled: Bool { FileManager.default.fileExists(atPath: file.path) }

    static func load(_ change: (inout LocalModel.Options) -> Void = { _ in }) throws -> LocalModel {
        var options = LocalModel.Options()
        options.cacheBytes = 256 << 20
        change(&options)
        return try LocalModel(path: file.path, reference: "embedded", options: options)
    }

    static let standard = Result { try load() }
}

/// For suites that need the embedded model.
let needsEmbeddedModel: ConditionTrait = .enabled(
    if: EmbeddedModel.isInstalled, "the embedded model is not installed; type: make setup")
