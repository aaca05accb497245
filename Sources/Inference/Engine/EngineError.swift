/// Why the engine refused or ended a request.
public enum EngineError: Error, Sendable, CustomStringConvertible {
    /// The prompt and what may be generated don't fit the model's context.
    case contextTooLong(prompt: Int, generation: Int, limit: Int)
    /// The request needs more cache than the memory limit allows.
    case cacheTooSmall(tokens: Int, limit: Int)
    case emptyPrompt
    case badIntervention(String)
    case badRequest(String)
    case notFinite(position: Int)
    case unknownAdapter(String)

    public var description: String {
        switch self {
        case .contextTooLong(let prompt, let generation, let limit):
            "the context does not fit: \(prompt) prompt tokens and up to \(generation) generated ones exceed the model's \(limit)"
        case .cacheTooSmall(let tokens, let limit):
            "\(tokens) tokens do not fit the key-value cache of \(limit); raise its memory limit"
        case .emptyPrompt: "the prompt has no tokens"
        case .badIntervention(let what): what
        case .badRequest(let what): what
        case .notFinite(let position):
            "the model gave a logit that is not a number after position \(position); its weights may be damaged"
        case .unknownAdapter(let name): "the model has no adapter named \(name)"
        }
    }
}
