import Inference
import Laboratory
import Text

/// How a model is opened.
struct ModelSettings: Sendable {
    var precision = RunSettings.Precision.default
    /// The longest context to set aside memory for; nil: the model's own.
    var contextLength: Int?
    /// Threads to compute with; nil: all cores.
    var threads: Int?
}

/// Opens the model that a reference means.
func loadModel(_ reference: ModelReference, settings: ModelSettings = ModelSettings()) async throws -> any LanguageModel
{
    switch reference {
    case .embedded, .file:
        _ = try reference.localPath()
        throw ModelReferenceError(reference.description, "can't be opened: local models are not available yet.")
    case .openAI, .ollama:
        throw ModelReferenceError(reference.description, "can't be opened: endpoints are not available yet.")
    }
}

/// The ids of exact bytes, with special tokens recognised only where asked for.
func tokenIDs(of bytes: [UInt8], special: Bool, model reference: ModelReference) async throws -> [TokenID] {
    let model = try await openModel(reference, for: "tokenize")
    return try model.tokens(of: .text(String(decoding: bytes, as: UTF8.self), special: special))
}

/// The unit-length embedding of each text.
func embeddings(of texts: [String], model reference: ModelReference) async throws -> [[Float]] {
    throw ModelReferenceError(reference.description, "can't embed: encoders are not available yet.")
}

/// Installs the embedded model and returns its file.
func fetchEmbeddedModel() async throws -> String {
    throw ModelReferenceError("embedded", "can't be fetched from here yet. Type: make model")
}

/// Writes a model in another format.
func convertModel(_ reference: ModelReference, to destination: String, format: String) async throws {
    throw ModelReferenceError(reference.description, "can't be converted yet.")
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
    guard let scoring = model as? any ScoringModel else {
        throw CapabilityError(slug: "lyceum \(command)", model: model, missing: .scoring)
    }
    return scoring
}
