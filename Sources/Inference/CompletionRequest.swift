import Text

/// What a model continues.
public enum Prompt: Sendable, Hashable {
    /// A conversation, put into the model's own chat template. `tools` are offered to the model. When the last message is the
    /// assistant's, it is continued (a prefilled answer) instead of answered.
    case chat([ChatMessage], tools: [ToolDefinition] = [])
    /// Raw text, continued as it stands. Special tokens in it are only recognised when `special` says so.
    case text(String, special: Bool = false)
    /// Token ids, fed as they are. Local models only.
    case tokens([TokenID])
}

/// How the next token is chosen. The filters apply in the order of the properties.
public struct Sampling: Sendable, Hashable, Codable {
    /// Divides the logits; 0 takes the most likely token.
    public var temperature: Double = 0
    /// Keeps the k most likely tokens; 0 keeps all.
    public var topK: Int = 0
    /// Keeps the smallest set of most likely tokens whose probability reaches p (nucleus sampling).
    public var topP: Double = 1
    /// Keeps tokens at least this fraction as likely as the most likely one.
    public var minP: Double = 0
    /// Keeps the tokens whose surprise is nearest to the entropy until their mass reaches this (locally typical sampling).
    public var typicalP: Double = 1
    /// Divides positive and multiplies negative logits of tokens seen so far (1: off).
    public var repetitionPenalty: Double = 1
    /// Subtracted from the logits of tokens generated so far.
    public var presencePenalty: Double = 0
    /// Subtracted from the logits of generated tokens, times how often they occurred.
    public var frequencyPenalty: Double = 0
    /// Added to the logits of chosen tokens.
    public var logitBias: [TokenID: Float] = [:]
    /// Starts the request's own random stream: the same seed gives the same text whatever else is in the batch. nil: a fresh seed.
    public var seed: UInt64?

    public init() {}

    public static let greedy = Sampling()

    public static func random(
        temperature: Double = 1, topK: Int = 0, topP: Double = 1, minP: Double = 0, seed: UInt64? = nil
    ) -> Sampling {
        var sampling = Sampling()
        sampling.temperature = temperature
        sampling.topK = topK
        sampling.topP = topP
        sampling.minP = minP
        sampling.seed = seed
        return sampling
    }
}

/// When a completion ends.
public struct StopRule: Sendable, Hashable, Codable {
    /// The most tokens to generate. A request whose prompt and maximum exceed the context is refused before any work.
    public var maxTokens: Int
    /// Ends before the first of these strings appears, also where it spans tokens. The string itself is not returned.
    public var strings: [String]
    /// Ends before any of these tokens.
    public var tokens: Set<TokenID>
    /// Generates on after the model's end-of-text tokens.
    public var ignoresEndOfText: Bool

    public init(
        maxTokens: Int = 256, strings: [String] = [], tokens: Set<TokenID> = [], ignoresEndOfText: Bool = false
    ) {
        self.maxTokens = maxTokens
        self.strings = strings
        self.tokens = tokens
        self.ignoresEndOfText = ignoresEndOfText
    }
}

/// A rule that the whole generated text obeys. Violating tokens are masked while decoding, so the output is always valid
/// unless `maxTokens` cuts it short.
public enum Constraint: Sendable, Hashable {
    /// A JSON Schema (draft 2020-12 subset, see `JSONSchemaGrammar`).
    case jsonSchema(JSONValue)
    /// A regular expression that matches the text from start to end.
    case regex(String)
    /// Exactly one of these strings.
    case choice([String])
}

/// One thing asked of a language model.
public struct CompletionRequest: Sendable {
    public var prompt: Prompt
    public var sampling: Sampling
    public var stop: StopRule
    public var constraint: Constraint?
    /// How many of the most likely tokens to report at each position, besides the chosen one; nil: none. 0 reports the chosen one only.
    public var topLogProbs: Int?
    /// The adapter to apply, by name; nil: the model itself.
    public var adapter: String?
    /// Changes to the forward pass. Open models only.
    public var interventions: [Intervention]

    public init(
        _ prompt: Prompt, sampling: Sampling = .greedy, stop: StopRule = StopRule(), constraint: Constraint? = nil,
        topLogProbs: Int? = nil, adapter: String? = nil, interventions: [Intervention] = []
    ) {
        self.prompt = prompt
        self.sampling = sampling
        self.stop = stop
        self.constraint = constraint
        self.topLogProbs = topLogProbs
        self.adapter = adapter
        self.interventions = interventions
    }
}

/// A token and the natural logarithm of its probability.
public struct TokenLogProb: Sendable, Hashable {
    public var id: TokenID
    public var text: String
    public var logProb: Float

    public init(id: TokenID, text: String, logProb: Float) {
        self.id = id
        self.text = text
        self.logProb = logProb
    }
}

/// The chosen token of one position and its most likely rivals, under the distribution before temperature and filters.
public struct PositionLogProbs: Sendable, Hashable {
    public var chosen: TokenLogProb
    public var top: [TokenLogProb]

    public init(chosen: TokenLogProb, top: [TokenLogProb]) {
        self.chosen = chosen
        self.top = top
    }
}

/// Why a completion ended.
public enum FinishReason: String, Sendable, Hashable, Codable {
    case endOfText, stop, length, toolCalls, contentFilter
}

/// What a request cost.
public struct Usage: Sendable, Hashable, Codable {
    public var promptTokens: Int
    /// Prompt tokens that a shared prefix spared.
    public var cachedTokens: Int
    public var completionTokens: Int

    public init(promptTokens: Int = 0, cachedTokens: Int = 0, completionTokens: Int = 0) {
        self.promptTokens = promptTokens
        self.cachedTokens = cachedTokens
        self.completionTokens = completionTokens
    }

    public static func + (a: Usage, b: Usage) -> Usage {
        Usage(
            promptTokens: a.promptTokens + b.promptTokens, cachedTokens: a.cachedTokens + b.cachedTokens,
            completionTokens: a.completionTokens + b.completionTokens)
    }
}

/// A model's answer to a request.
public struct Completion: Sendable, Hashable {
    public var text: String
    /// The generated ids; empty where an endpoint does not tell them.
    public var ids: [TokenID]
    public var finish: FinishReason
    public var usage: Usage
    /// One entry a generated token, when asked for.
    public var logProbs: [PositionLogProbs]?
    public var toolCalls: [ToolCall]

    public init(
        text: String, ids: [TokenID] = [], finish: FinishReason, usage: Usage = Usage(),
        logProbs: [PositionLogProbs]? = nil, toolCalls: [ToolCall] = []
    ) {
        self.text = text
        self.ids = ids
        self.finish = finish
        self.usage = usage
        self.logProbs = logProbs
        self.toolCalls = toolCalls
    }
}

/// A piece of a completion as it grows.
public enum CompletionEvent: Sendable {
    /// More text; never half a character.
    case text(String)
    /// The end, with the whole completion.
    case done(Completion)
}
