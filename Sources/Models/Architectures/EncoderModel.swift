import Tensors
import Text

/// A bidirectional transformer in the shape of BERT (Devlin et al. 2019): every token sees its whole text, positions are
/// learned, and each sub-layer is followed by a layer norm. all-MiniLM-L6-v2 and the BGE family are such models.
///
/// Weights don't change while a forward pass runs: whoever changes them owns the model.
public final class EncoderModel: @unchecked Sendable {
    // Sendable: all properties are constants; tensors are changed only by a trainer that owns the model.

    public let configuration: ModelConfiguration
    let embedding: EmbeddingTable
    /// [contextLength, hiddenSize]
    let positions: EmbeddingTable
    /// [tokenTypes, hiddenSize]; nil where the model tells no segments apart.
    let segments: EmbeddingTable?
    let norm: LayerNormalisation
    let blocks: [EncoderBlock]

    public var layerCount: Int { blocks.count }

    init(
        configuration: ModelConfiguration, embedding: EmbeddingTable, positions: EmbeddingTable,
        segments: EmbeddingTable?, norm: LayerNormalisation, blocks: [EncoderBlock]
    ) {
        self.configuration = configuration
        self.embedding = embedding
        self.positions = positions
        self.segments = segments
        self.norm = norm
        self.blocks = blocks
    }

    /// Runs all layers over a packed batch, whose texts lie one after another without padding.
    /// - Parameters:
    ///   - tokens: all texts' tokens, [CLS] and [SEP] included.
    ///   - sequences: where each text begins; none is longer than `configuration.contextLength`.
    ///   - segments: which part of its text each token belongs to, for models that compare two; 0 where it is nil.
    /// - Returns: the hidden states [tokens.count, hiddenSize] after the last layer.
    public func forward(tokens: [TokenID], sequences: PackedSequences, segments parts: [Int32]? = nil) -> Tensor {
        var x = embedding.rows(tokens) + positions.rows(sequences.positions)
        if let segments { x = x + segments.rows(parts ?? [Int32](repeating: 0, count: tokens.count)) }
        x = norm(x)
        for block in blocks { x = block(x, sequences: sequences) }
        return x
    }

    /// The bytes that the weights take in memory.
    public var byteCount: Int {
        embedding.byteCount + positions.byteCount + (segments?.byteCount ?? 0)
            + blocks.reduce(0) { $0 + $1.byteCount }
    }
}

/// One layer: norm(x + attention(x)), then norm(x + down(activation(up(x)))).
struct EncoderBlock {
    /// Queries, keys and values.
    var queriesKeysValues: Projection
    var attentionOutput: Projection
    var attentionNorm: LayerNormalisation
    var up: Projection
    var down: Projection
    var feedForwardNorm: LayerNormalisation
    var activation: ModelConfiguration.Activation
    var headSize: Int
    /// What attention logits are multiplied by.
    var scale: Float

    var byteCount: Int {
        queriesKeysValues.byteCount + attentionOutput.byteCount + up.byteCount + down.byteCount
    }

    func callAsFunction(_ x: Tensor, sequences: PackedSequences) -> Tensor {
        // [rows, heads, headSize]
        let heads = queriesKeysValues(x).map { $0.reshaped([x.shape[0], -1, headSize]) }
        let attended = attention(heads[0], heads[1], heads[2], sequences: sequences, scale: scale, causal: false)
        let x = attentionNorm(x + attentionOutput(attended.reshaped([x.shape[0], -1]))[0])
        return feedForwardNorm(x + down(activated(up(x)[0]))[0])
    }

    private func activated(_ x: Tensor) -> Tensor {
        switch activation {
        case .gelu: gelu(x, .exact)
        case .geluTanh: gelu(x, .tanh)
        case .relu: relu(x)
        case .silu: silu(x)
        }
    }
}

/// (x - mean) / √(variance + epsilon) · weight + bias over each row.
struct LayerNormalisation {
    /// [hiddenSize], as is the bias.
    var weight: Tensor
    var bias: Tensor
    var epsilon: Float

    func callAsFunction(_ x: Tensor) -> Tensor { layerNorm(x, weight, bias, eps: epsilon) }
}
