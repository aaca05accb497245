/// Which published design a model follows.
public enum ModelFamily: String, Sendable, Hashable, Codable, CaseIterable {
    case llama
    case mistral
    case mixtral
    case qwen2
    case qwen3
    case qwen2MoE = "qwen2_moe"
    case qwen3MoE = "qwen3_moe"
    case olmoe
    case gemma3 = "gemma3_text"
    case bert
    case gpt2

    /// The `model_type` in a Hugging Face `config.json`.
    public var huggingFaceType: String { rawValue }

    /// The `general.architecture` in a GGUF file, which calls Mistral and Mixtral `llama` too.
    public var ggufArchitecture: String {
        switch self {
        case .llama, .mistral, .mixtral: "llama"
        case .qwen2: "qwen2"
        case .qwen3: "qwen3"
        case .qwen2MoE: "qwen2moe"
        case .qwen3MoE: "qwen3moe"
        case .olmoe: "olmoe"
        case .gemma3: "gemma3"
        case .bert: "bert"
        case .gpt2: "gpt2"
        }
    }

    /// Whether some layers choose among experts.
    public var hasExperts: Bool {
        switch self {
        case .mixtral, .qwen2MoE, .qwen3MoE, .olmoe: true
        case .llama, .mistral, .qwen2, .qwen3, .gemma3, .bert, .gpt2: false
        }
    }

    /// Whether positions enter by rotating queries and keys; the others add learned position embeddings.
    public var usesRotaryPositions: Bool { self != .bert && self != .gpt2 }
}

/// A model's sizes and switches: all that its forward pass needs to know besides the weights.
///
/// A value read from a file is validated field by field; see ``init(gguf:)`` and ``init(huggingFaceFolder:)``.
public struct ModelConfiguration: Sendable, Hashable, Codable {
    public var family: ModelFamily
    public var layers: Int
    /// The width of the residual stream.
    public var hiddenSize: Int
    /// Query heads.
    public var heads: Int
    /// Key and value heads; divides `heads`.
    public var kvHeads: Int
    /// The width of one head; `heads * headSize` need not be `hiddenSize`.
    public var headSize: Int
    /// The inner width of a dense feed-forward layer.
    public var feedForwardSize: Int
    /// Rows of the token embedding, which can exceed the tokenizer's vocabulary.
    public var vocabularySize: Int
    /// The longest sequence that the model was made for.
    public var contextLength: Int

    /// Nil where positions are learned embeddings.
    public var rotary: RotaryConfiguration?
    public var norm: NormConfiguration
    public var activation: Activation
    /// Whether the feed-forward layer multiplies the activated gate with a second projection.
    public var isGated: Bool
    /// Whether the output projection is the token embedding.
    public var tiesEmbeddings: Bool
    public var hasQueryKeyValueBias: Bool
    public var hasAttentionOutputBias: Bool
    public var hasFeedForwardBias: Bool
    public var queryKeyNorm: QueryKeyNorm
    /// What attention logits are multiplied by; normally one over the root of `headSize`.
    public var attentionScale: Double
    /// What token embeddings are multiplied by before the first layer.
    public var embeddingScale: Double
    /// Attention logits x become c·tanh(x/c).
    public var attentionSoftcap: Double?
    /// Output logits x become c·tanh(x/c).
    public var logitSoftcap: Double?
    public var slidingWindow: SlidingWindow?
    public var experts: ExpertConfiguration?
    /// False where every token sees the whole text.
    public var isCausal: Bool
    /// Rows of the token-type embedding; 0 where there is none.
    public var tokenTypes: Int

    public enum Activation: String, Sendable, Hashable, Codable {
        case silu
        /// With the error function.
        case gelu
        /// With the tanh approximation.
        case geluTanh = "gelu_tanh"
        case relu
    }

    /// Whether and over what queries and keys are normalised before the rotation.
    public enum QueryKeyNorm: String, Sendable, Hashable, Codable {
        case none
        /// Each head by itself; the weight has `headSize` numbers.
        case perHead
        /// The whole projection at once; the weight has `heads * headSize` (`kvHeads * headSize`) numbers.
        case wholeProjection
    }

    /// How many query heads share a key and value head.
    public var groupSize: Int { heads / kvHeads }
    /// The width of all query heads together.
    public var querySize: Int { heads * headSize }
    /// The width of all key (or value) heads together.
    public var keyValueSize: Int { kvHeads * headSize }

    /// Whether a layer has experts instead of a dense feed-forward.
    public func hasExperts(layer: Int) -> Bool { experts?.isSparse(layer: layer) ?? false }

    /// How far back a layer's tokens see, themselves included; nil where they see everything before them.
    public func window(layer: Int) -> Int? {
        guard let slidingWindow, slidingWindow.isLocal(layer: layer) else { return nil }
        return slidingWindow.size
    }
}

/// How a layer's input is brought to a common scale.
public struct NormConfiguration: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, Codable {
        /// x / sqrt(mean(x²) + ε) · w
        case rms
        /// (x − mean(x)) / sqrt(var(x) + ε) · w + b
        case layer
    }

    /// Where in a layer the norms stand.
    public enum Placement: String, Sendable, Hashable, Codable {
        /// Before attention and before the feed-forward.
        case before
        /// After each addition to the residual stream (BERT).
        case after
        /// Before and after each sub-layer, the second before the addition (Gemma 3).
        case around
    }

    public var kind: Kind
    public var placement: Placement
    public var epsilon: Double
    /// What is added to a stored weight to make w: 1 for Gemma weights in Hugging Face files, else 0. (GGUF files
    /// store Gemma's weights with the 1 added.)
    public var weightOffset: Double

    public init(kind: Kind, placement: Placement, epsilon: Double, weightOffset: Double = 0) {
        self.kind = kind
        self.placement = placement
        self.epsilon = epsilon
        self.weightOffset = weightOffset
    }
}

/// Which layers see only the last `size` tokens.
public struct SlidingWindow: Sendable, Hashable, Codable {
    /// How many tokens a local layer sees, the current one included.
    public var size: Int
    /// One entry per layer.
    public var localLayers: [Bool]

    public init(size: Int, localLayers: [Bool]) {
        self.size = size
        self.localLayers = localLayers
    }

    public func isLocal(layer: Int) -> Bool { localLayers.indices.contains(layer) && localLayers[layer] }
}

/// The shape of a sparse mixture of experts.
public struct ExpertConfiguration: Sendable, Hashable, Codable {
    /// Experts per sparse layer.
    public var count: Int
    /// How many of them each token uses.
    public var perToken: Int
    /// The inner width of one expert.
    public var feedForwardSize: Int
    /// Whether the chosen experts' weights are scaled to sum to 1.
    public var normalisesWeights: Bool
    /// The inner width of the expert that every token uses, behind a sigmoid gate; nil where there is none.
    public var sharedFeedForwardSize: Int?
    /// Layers that have a dense feed-forward all the same.
    public var denseLayers: Set<Int>

    public init(
        count: Int, perToken: Int, feedForwardSize: Int, normalisesWeights: Bool, sharedFeedForwardSize: Int? = nil,
        denseLayers: Set<Int> = []
    ) {
        self.count = count
        self.perToken = perToken
        self.feedForwardSize = feedForwardSize
        self.normalisesWeights = normalisesWeights
        self.sharedFeedForwardSize = sharedFeedForwardSize
        self.denseLayers = denseLayers
    }

    public func isSparse(layer: Int) -> Bool { !denseLayers.contains(layer) }
}
