import Models
import Text

/// What a model can do beyond completing text. Methods state what they need; asking it of a model that can't is one clear
/// error before any work.
public struct Capabilities: OptionSet, Sendable, Hashable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Completes a conversation or raw text.
    public static let completion = Capabilities(rawValue: 1 << 0)
    /// Continues raw text without a chat template.
    public static let rawText = Capabilities(rawValue: 1 << 1)
    /// Reports log-probabilities of what it generates.
    public static let logProbs = Capabilities(rawValue: 1 << 2)
    /// Gives the log-probability of a given text.
    public static let scoring = Capabilities(rawValue: 1 << 3)
    /// Obeys constraints (JSON Schema at least).
    public static let constraints = Capabilities(rawValue: 1 << 4)
    /// Hidden states, attention, logits and interventions.
    public static let open = Capabilities(rawValue: 1 << 5)
    /// Its weights can be changed.
    public static let trainable = Capabilities(rawValue: 1 << 6)
    /// Calls tools.
    public static let tools = Capabilities(rawValue: 1 << 7)

    /// The names of what is in the set, for messages.
    public var names: [String] {
        let all: [(Capabilities, String)] = [
            (.completion, "completion"), (.rawText, "raw text"), (.logProbs, "log-probabilities"),
            (.scoring, "scoring of given text"), (.constraints, "constrained decoding"),
            (.open, "an open model (attention, hidden states, logits)"), (.trainable, "trainable weights"),
            (.tools, "tools"),
        ]
        return all.filter { contains($0.0) }.map(\.1)
    }
}

/// Which model this is: what reports and caches are keyed by.
public struct ModelIdentity: Sendable, Hashable, Codable {
    /// What the user typed: `embedded`, a path, `openai:NAME@URL`.
    public var reference: String
    public var name: String
    /// A hash of the weights and the tokenizer; for endpoints, of the URL and the name.
    public var fingerprint: String
    /// The longest sequence in tokens; nil where an endpoint does not tell.
    public var contextLength: Int?

    public init(reference: String, name: String, fingerprint: String, contextLength: Int?) {
        self.reference = reference
        self.name = name
        self.fingerprint = fingerprint
        self.contextLength = contextLength
    }
}

/// A language model, wherever it runs.
///
/// Calls may be made from any number of tasks at once; a local model batches whatever is in flight and shares every common
/// prefix, so methods are plain structured concurrency. Cancelling the task cancels the request and frees what it held.
public protocol LanguageModel: Sendable {
    var identity: ModelIdentity { get }
    var capabilities: Capabilities { get }

    /// Completes one request.
    func complete(_ request: CompletionRequest) async throws -> Completion

    /// Completes one request, giving the text as it grows. The last event is `.done`.
    func stream(_ request: CompletionRequest) -> AsyncThrowingStream<CompletionEvent, any Error>
}

extension LanguageModel {
    /// A stream of one piece: for models whose replies are whole before anyone can see them.
    package func wholeStream(_ request: CompletionRequest) -> AsyncThrowingStream<CompletionEvent, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    let completion = try await complete(request)
                    continuation.yield(.text(completion.text))
                    continuation.yield(.done(completion))
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }
}

/// The log-probabilities of a given text.
public struct Score: Sendable, Hashable {
    public var ids: [TokenID]
    /// The natural-log probability of each token given all before it; nil for the first.
    public var logProbs: [Float?]

    public init(ids: [TokenID], logProbs: [Float?]) {
        self.ids = ids
        self.logProbs = logProbs
    }

    /// The sum over the tokens from `start` on, in nats.
    public func total(from start: Int = 0) -> Float {
        logProbs[start...].reduce(0) { $0 + ($1 ?? 0) }
    }
}

/// A model that gives the log-probability of given text.
public protocol ScoringModel: LanguageModel {
    /// Scores a text or tokens as they stand.
    func score(_ prompt: Prompt) async throws -> Score

    /// The log-probability of each continuation after a prompt, one `Score` (of the continuation's tokens only) each.
    func score(continuations: [String], after prompt: Prompt) async throws -> [Score]
}

/// A model that can be opened: run a forward pass with interventions and look inside.
public protocol OpenModel: ScoringModel {
    var architecture: ArchitectureSummary { get }
    var tokenizer: Tokenizer { get }

    /// The ids that a prompt becomes, exactly as `complete` would feed them.
    func tokens(of prompt: Prompt) throws -> [TokenID]

    /// One forward pass over a prompt, with what was asked for.
    func trace(_ request: TraceRequest) async throws -> Trace

    /// The weights behind a layer's queries and keys, for checking a trace against them. Throws where the architecture's
    /// queries and keys are no linear maps of what enters the layer.
    func queryKeyWeights(layer: Int) throws -> QueryKeyWeights
}

/// The shape of a model, as far as methods need it.
public struct ArchitectureSummary: Sendable, Hashable, Codable {
    public var family: String
    public var layers: Int
    public var hiddenSize: Int
    public var heads: Int
    public var keyValueHeads: Int
    public var headSize: Int
    public var vocabularySize: Int
    public var parameters: Int

    public init(
        family: String, layers: Int, hiddenSize: Int, heads: Int, keyValueHeads: Int, headSize: Int,
        vocabularySize: Int, parameters: Int
    ) {
        self.family = family
        self.layers = layers
        self.hiddenSize = hiddenSize
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.headSize = headSize
        self.vocabularySize = vocabularySize
        self.parameters = parameters
    }
}
