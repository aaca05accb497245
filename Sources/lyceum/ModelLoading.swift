import Inference
import Laboratory
import Models
import Remote
import Tensors
import Text

/// How a model is opened.
struct ModelSettings: Sendable {
    var precision = RunSettings.Precision.default
    /// Threads to compute with; nil: all cores.
    var threads: Int?
    /// Added up beside the weights of a local model.
    var adapters: [WeightedAdapter] = []

    fileprivate func refuseAdapters(of reference: ModelReference) throws {
        guard adapters.isEmpty else {
            throw ModelReferenceError(
                reference.description, "is an endpoint, which takes no adapters from here.", isUsage: true)
        }
    }

    fileprivate var localOptions: LocalModel.Options {
        var options = LocalModel.Options()
        options.precision =
            switch precision {
            case .default: .standard
            case .fast: .fast
            case .f32: .f32
            }
        return options
    }
}

/// Opens the model that a reference means.
func loadModel(_ reference: ModelReference, settings: ModelSettings = ModelSettings()) async throws -> any LanguageModel
{
    switch reference {
    case .embedded, .packaged, .file:
        return try localModel(reference, settings: settings)
    case .openAI(let name, let url):
        try settings.refuseAdapters(of: reference)
        return try await RemoteModel.connect(
            to: RemoteEndpoint(url: EndpointURL(url), name: name), reference: reference.description)
    case .ollama(let name):
        try settings.refuseAdapters(of: reference)
        return try RemoteModel.ollama(name: name)
    }
}

/// Opens a model in a file or folder, with its adapters.
private func localModel(_ reference: ModelReference, settings: ModelSettings) throws -> LocalModel {
    if let threads = settings.threads { ThreadPool.threads = threads }
    let source = try openWeights(at: try reference.localPath())
    let options = settings.localOptions
    var model = try DecoderModel(source, precision: options.precision)
    for adapter in settings.adapters {
        model = try model.adding(try adapter.read(for: model.configuration).changes)
    }
    let names = [reference.description] + settings.adapters.map(\.description)
    return try LocalModel(model, from: source, reference: names.joined(separator: " + "), options: options)
}

/// The ids of exact bytes, with special tokens recognised only where asked for. Reads the model's words, not its weights.
func tokenIDs(of bytes: [UInt8], special: Bool, model reference: ModelReference) async throws -> [TokenID] {
    try ModelText(path: reference.localPath()).tokenizer.encode(bytes, special: special ? .recognised : .asText)
}

/// A model that embeds texts: an encoder, or a decoder by the mean of its hidden states.
func embeddingModel(_ reference: ModelReference, settings: ModelSettings) throws -> any EmbeddingModel {
    if let threads = settings.threads { ThreadPool.threads = threads }
    return try openEmbeddingModel(
        path: try reference.localPath(), reference: reference.description, options: settings.localOptions)
}

/// Writes a model in another file format, matrices in a number format.
func convertModel(
    _ reference: ModelReference, to destination: String, asGGUF: Bool, numbers: WeightFormat
) async throws -> ModelConversion.Outcome {
    let weights = try ModelWeights(openWeights(at: reference.localPath()))
    let conversion = try ModelConversion(weights, format: numbers)
    if asGGUF {
        return try conversion.writeGGUF(to: destination)
    } else {
        try Output.makeFolder(destination)
        return try conversion.writeHuggingFace(to: destination)
    }
}

/// A model that can be opened, or the one clear error.
func openModel(
    _ reference: ModelReference, for command: String, settings: ModelSettings = ModelSettings()
) async throws -> any OpenModel {
    let model = try await loadModel(reference, settings: settings)
    guard let open = model as? any OpenModel else {
        throw CapabilityError(slug: "lyceum \(command)", model: model, missing: .open)
    }
    return open
}

/// A model that scores given text, or the one clear error.
func scoringModel(
    _ reference: ModelReference, for command: String, settings: ModelSettings
) async throws -> any ScoringModel {
    let model = try await loadModel(reference, settings: settings)
    guard model.capabilities.contains(.scoring), let scoring = model as? any ScoringModel else {
        throw CapabilityError(slug: "lyceum \(command)", model: model, missing: .scoring)
    }
    return scoring
}
