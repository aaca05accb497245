/// Which server speaks the OpenAI protocol: they differ in what they add to it, and a field that a server doesn't know is
/// often ignored in silence. A request that needs what a dialect lacks is refused before it is sent.
public enum Dialect: String, Sendable, Hashable, Codable, CaseIterable {
    /// What OpenAI's own service documents, and nothing else. Right for hosted services.
    case openai
    case vllm
    case sglang
    /// llama.cpp's `llama-server`.
    case llamaServer = "llama-server"
    case ollama
    /// Told by the URL (port 11434 is Ollama, else `openai`), or by the endpoint itself with
    /// ``RemoteModel/connect(to:reference:account:environment:)``.
    case auto

    /// The dialect that a URL suggests, for `auto`.
    func resolved(for url: EndpointURL) -> Dialect {
        guard self == .auto else { return self }
        return url.port == 11434 ? .ollama : .openai
    }

    /// The dialect whose server signs its models with this name (`owned_by` in the list of models).
    init(owner: String) {
        self =
            switch owner.lowercased() {
            case "vllm": .vllm
            case "sglang": .sglang
            case "llamacpp": .llamaServer
            case "library", "ollama": .ollama
            default: .openai
            }
    }
}

/// How an endpoint tells the log-probabilities of a given text.
public enum PromptScoring: String, Sendable, Hashable, Codable {
    /// It doesn't.
    case none
    /// Completions with `echo` and `logprobs`.
    case echo
    /// vLLM's `prompt_logprobs`, for raw text and conversations alike; tells token ids too.
    case promptLogProbs
}

/// Which of its constraint fields a vLLM server gets. Servers ignore the fields that they don't know.
public enum VLLMConstraintFields: String, Sendable, Hashable, Codable {
    /// Both: right for every version.
    case both
    /// `guided_json`, `guided_regex`, `guided_choice`: versions before 0.12.
    case guided
    /// `structured_outputs`: version 0.11 and later.
    case structuredOutputs
}

/// What a dialect has beyond the documented protocol. An absent name is a field that the server lacks.
struct DialectTraits: Sendable {
    /// The field for top-k, and its value that keeps all tokens.
    var topK: (field: String, off: Int)?
    var minP: String?
    var typicalP: String?
    var repetitionPenalty: String?
    var hasLogitBias = true
    var hasStopTokens = false
    var hasIgnoreEndOfText = false
    /// The server's own defaults filter tokens, so neutral values must be said.
    var statesNeutralValues = false
    /// Continues a conversation that ends with the assistant's message.
    var continuesAssistant = false
    var constraints: Set<ConstraintKind> = [.jsonSchema]
    /// Constrains raw text as well as conversations.
    var constrainsRawText = true
    var adapters: AdapterField?
    var scoring: PromptScoring = .none

    enum ConstraintKind: Sendable { case jsonSchema, regex, choice }
    enum AdapterField: Sendable { case modelName, loraPath }

    init(_ dialect: Dialect) {
        switch dialect {
        case .openai, .auto:
            constrainsRawText = false
        case .vllm, .sglang:
            topK = ("top_k", -1)
            minP = "min_p"
            repetitionPenalty = "repetition_penalty"
            hasStopTokens = true
            hasIgnoreEndOfText = true
            statesNeutralValues = true
            continuesAssistant = true
            constraints = [.jsonSchema, .regex, .choice]
            adapters = dialect == .vllm ? .modelName : .loraPath
            scoring = dialect == .vllm ? .promptLogProbs : .echo
        case .llamaServer:
            topK = ("top_k", 0)
            minP = "min_p"
            typicalP = "typical_p"
            repetitionPenalty = "repeat_penalty"
            hasIgnoreEndOfText = true
            statesNeutralValues = true
            continuesAssistant = true
            constraints = [.jsonSchema, .choice]
        case .ollama:
            hasLogitBias = false
            constrainsRawText = false
        }
    }
}
