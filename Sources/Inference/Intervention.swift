import Text

/// A query head of a layer.
public struct Head: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    public var layer: Int
    public var head: Int

    public init(_ layer: Int, _ head: Int) {
        self.layer = layer
        self.head = head
    }

    public static func < (a: Head, b: Head) -> Bool { (a.layer, a.head) < (b.layer, b.head) }
    public var description: String { "(\(layer), \(head))" }
}

/// A value that changes a forward pass at a named place. Interventions of a request apply together, in order, in prompt
/// processing and in every decoding step alike.
public enum Intervention: Sendable {
    /// Adds `bias` to the pre-softmax attention scores of the given heads at the key positions of `ranges` (their union: a position
    /// covered twice is biased once). Positions count from the start of the prompt; generated tokens carry no bias
    /// unless a range reaches them.
    case attentionBias(heads: Set<Head>, ranges: [Range<Int>], bias: Float)
    /// Sets the outputs of these heads to zero, before the output projection.
    case ablateHeads(Set<Head>)
    /// Adds `vector` × `scale` to the hidden state that enters `layer` (`layers`: the final one, before the last norm), at all positions or those of `positions`.
    case addHidden(layer: Int, vector: [Float], scale: Float, positions: Range<Int>?)
    /// Replaces the token embeddings of prompt positions: each vector has `hiddenSize` entries.
    case replaceEmbeddings([Int: [Float]])
    /// Sees and changes the logits before penalties and sampling.
    case logits(any LogitProcessor)
    /// Decodes other prompts in lock-step: every chosen token is appended to all of them, and the combiner makes one
    /// row of logits from all rows.
    case companions([Prompt], any LogitCombiner)
}

/// Changes the logits of one request at each decoding step.
public protocol LogitProcessor: Sendable {
    /// `generated` are the tokens chosen so far. `logits` has one entry a vocabulary item.
    func process(_ logits: UnsafeMutableBufferPointer<Float>, generated: [TokenID])
}

/// Makes one row of logits from a main prompt's and its companions'.
public protocol LogitCombiner: Sendable {
    /// `main` holds the main prompt's logits and receives the result; `companions` are in the order of their prompts.
    func combine(
        main: UnsafeMutableBufferPointer<Float>, companions: [UnsafeBufferPointer<Float>], generated: [TokenID])
}

/// What to look at in one forward pass.
public struct TraceRequest: Sendable {
    public var prompt: Prompt
    public var interventions: [Intervention]
    public var adapter: String?
    /// Positions whose full logits are wanted (negative counts from the end).
    public var logits: [Int]
    /// Layers whose entering hidden states are wanted (`layers` is the final one, before the last norm).
    public var hidden: Set<Int>
    /// Positions of the hidden states, queries and keys; nil: all.
    public var positions: [Int]?
    /// Layers whose queries and keys are wanted, before the rotary embedding.
    public var queriesAndKeys: Set<Int>
    /// Heads whose attention weights are wanted, for the query positions of `attentionQueries`.
    public var attention: Set<Head>
    public var attentionQueries: [Int]
    /// Layers whose entering hidden states are read as if they were the final one (the logit lens), at the positions of
    /// `logits`.
    public var lens: Set<Int>

    public init(
        _ prompt: Prompt, interventions: [Intervention] = [], adapter: String? = nil, logits: [Int] = [-1],
        hidden: Set<Int> = [], positions: [Int]? = nil, queriesAndKeys: Set<Int> = [], attention: Set<Head> = [],
        attentionQueries: [Int] = [-1], lens: Set<Int> = []
    ) {
        self.prompt = prompt
        self.interventions = interventions
        self.adapter = adapter
        self.logits = logits
        self.hidden = hidden
        self.positions = positions
        self.queriesAndKeys = queriesAndKeys
        self.attention = attention
        self.attentionQueries = attentionQueries
        self.lens = lens
    }
}

/// What one forward pass showed. Positions are given as non-negative indices.
public struct Trace: Sendable {
    public var tokens: [TokenID]
    /// [position: vocabulary logits]
    public var logits: [Int: [Float]] = [:]
    /// [layer: rows for `positions`, each hiddenSize long, flattened]
    public var hidden: [Int: [Float]] = [:]
    /// The positions that hidden states, queries and keys are rows of.
    public var positions: [Int] = []
    /// [layer: [positions × heads × headSize]], before the rotary embedding.
    public var queries: [Int: [Float]] = [:]
    /// [layer: [positions × keyValueHeads × headSize]], before the rotary embedding.
    public var keys: [Int: [Float]] = [:]
    /// [head: [query position: weights over key positions 0...query]]
    public var attention: [Head: [Int: [Float]]] = [:]
    /// [layer: [position: vocabulary logits]]
    public var lens: [Int: [Int: [Float]]] = [:]

    public init(tokens: [TokenID]) {
        self.tokens = tokens
    }
}
