import Foundation

/// Which model is meant, as it is typed: `embedded`, the name of a packaged model, a GGUF file or Hugging Face folder,
/// `openai:NAME@URL`, `ollama:NAME`.
public enum ModelReference: Sendable, Hashable, CustomStringConvertible {
    /// The model that set-up puts into the cache folder.
    case embedded
    /// An optional model, by its name: `minilm`, `gemma3-270m`.
    case packaged(PackagedModel)
    /// A GGUF file or a Hugging Face folder.
    case file(String)
    /// A model behind an OpenAI-compatible endpoint; `url` is its base, as `http://localhost:8000/v1`.
    case openAI(name: String, url: String)
    /// A model of an Ollama server on this machine, or of `$OLLAMA_HOST`.
    case ollama(name: String)

    /// Reads a reference. Files are not looked at yet.
    public init(_ text: String) throws(ModelReferenceError) {
        if text == "embedded" {
            self = .embedded
        } else if let model = PackagedModel(rawValue: text) {
            self = .packaged(model)
        } else if text.hasPrefix("openai:") {
            let body = text.dropFirst("openai:".count)
            guard let at = body.lastIndex(of: "@"), at != body.startIndex else {
                throw ModelReferenceError(
                    text, "is missing its endpoint; write openai:NAME@URL, as openai:qwen3@http://localhost:8000/v1.",
                    isUsage: true)
            }
            let url = String(body[body.index(after: at)...])
            guard url.hasPrefix("http://") || url.hasPrefix("https://"), URL(string: url)?.host != nil else {
                throw ModelReferenceError(
                    text, "needs an http:// or https:// address after the @, not \(url.debugDescription).",
                    isUsage: true)
            }
            self = .openAI(name: String(body[..<at]), url: url)
        } else if text.hasPrefix("ollama:") {
            let name = text.dropFirst("ollama:".count)
            guard !name.isEmpty else {
                throw ModelReferenceError(
                    text, "is missing its name; write ollama:NAME, as ollama:llama3.2.", isUsage: true)
            }
            self = .ollama(name: String(name))
        } else if text.trimmingSpaces.isEmpty {
            throw ModelReferenceError(
                text, "is empty; write embedded, a path, openai:NAME@URL or ollama:NAME.", isUsage: true)
        } else {
            self = .file(text)
        }
    }

    public var description: String {
        switch self {
        case .embedded: "embedded"
        case .packaged(let model): model.rawValue
        case .file(let path): path
        case .openAI(let name, let url): "openai:\(name)@\(url)"
        case .ollama(let name): "ollama:\(name)"
        }
    }

    /// Whether the model runs in this process.
    public var isLocal: Bool {
        switch self {
        case .embedded, .packaged, .file: true
        case .openAI, .ollama: false
        }
    }

    /// The embedded model's file: in `$LYCEUM_MODELS` where that is set, else in the cache folder.
    public static var embeddedFile: URL {
        PackagedModel.folder.appendingPathComponent("SmolLM2-135M-Instruct.Q4_1.gguf")
    }

    /// The file or folder of a local model, checked to exist.
    public func localPath() throws(ModelReferenceError) -> String {
        let path: String
        switch self {
        case .embedded: path = Self.embeddedFile.path
        case .packaged(let model): path = model.place.path
        case .file(let typed): path = Folders.expandingHome(typed)
        case .openAI, .ollama: throw ModelReferenceError(description, "runs behind an endpoint and has no file here.")
        }
        guard FileManager.default.fileExists(atPath: path) else {
            switch self {
            case .embedded:
                throw ModelReferenceError(
                    description, "is not installed (\(path) is missing). Type: lyceum model fetch")
            case .packaged(let model):
                throw ModelReferenceError(
                    description, "is not installed (\(path) is missing). In Lyceum's repository, type: \(model.command)"
                )
            default:
                let names = (["embedded"] + PackagedModel.allCases.map(\.rawValue)).joined(separator: ", ")
                throw ModelReferenceError(
                    description,
                    "is no file or folder. A model is \(names), a GGUF file, a Hugging Face folder, openai:NAME@URL or ollama:NAME.",
                    isUsage: true)
            }
        }
        return path
    }
}

/// Why a model reference can't be used.
public struct ModelReferenceError: Error, Hashable, CustomStringConvertible {
    public var reference: String
    public var message: String
    /// Whether what was typed is wrong, rather than what happened to it.
    public var isUsage: Bool

    public init(_ reference: String, _ message: String, isUsage: Bool = false) {
        self.isUsage = isUsage
        self.reference = reference
        self.message = message
    }

    public var description: String { "The model \(reference.debugDescription) \(message)" }
}
