import Foundation

/// An optional model that a Python package ships and a set-up target installs into the models folder.
public enum PackagedModel: String, Sendable, Hashable, CaseIterable {
    /// all-MiniLM-L6-v2, a sentence encoder (Apache-2.0).
    case minilm
    /// Gemma 3 270M, a base model in Q4_K_M (Gemma Terms of Use).
    case gemma = "gemma3-270m"

    /// Where it lies: in `$LYCEUM_MODELS` where that is set, else in the cache folder.
    public var place: URL {
        switch self {
        case .minilm: Self.folder.appendingPathComponent("all-MiniLM-L6-v2")
        case .gemma: Self.folder.appendingPathComponent("gemma-3-270m-q4_k_m.gguf")
        }
    }

    /// What installs it, typed in the repository.
    public var command: String {
        switch self {
        case .minilm: "make embedders"
        case .gemma: "make gemma"
        }
    }

    /// The folder of all models that set-up installs.
    static var folder: URL {
        if let folder = ProcessInfo.processInfo.environment["LYCEUM_MODELS"], !folder.isEmpty {
            return URL(fileURLWithPath: Folders.expandingHome(folder))
        }
        return Folders.cache.appendingPathComponent("models")
    }
}
