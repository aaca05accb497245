import Tensors
import Text

/// A decoder-only transformer: the Llama family with its variants (Mistral, Qwen, Gemma 3, sparse mixtures of experts), written
/// once for scoring, decoding and training. What differs is passed in: the attention context, the form of each weight, and
/// whether gradients are recorded.
///
/// Weights don't change while a forward pass runs: whoever changes them owns the model's engine.
public final class DecoderModel: @unchecked Sendable {
    // Sendable: all properties are constants; tensors are changed only by a trainer that owns the model.

    public let configuration: ModelConfiguration
    let embedding: EmbeddingTable
    let blocks: [DecoderBlock]
    let norm: Tensor
    /// nil where the output projection is the token embedding.
    let head: Projection?
    let rotary: [RotaryEmbedding]

    public let attentionShape: AttentionShape
    public var layerCount: Int { blocks.count }

    init(
        configuration: ModelConfiguration, embedding: EmbeddingTable, blocks: [DecoderBlock], norm: Tensor,
        head: Projection?, rotary: [RotaryEmbedding]
    ) {
        self.configuration = configuration
        self.embedding = embedding
        self.blocks = blocks
        self.norm = norm
        self.head = head
        self.rotary = rotary
        attentionShape = AttentionShape(
            heads: configuration.heads, keyValueHeads: configuration.kvHeads, headSize: configuration.headSize,
            scale: Float(configuration.attentionScale), softcap: Float(configuration.attentionSoftcap ?? 0))
    }

    /// Runs all layers over rows of tokens.
    /// - Parameters:
    ///   - positions: the place of each token in its own sequence.
    ///   - recomputes: keeps only each layer's input for a backward pass and computes the rest again there: about a third more
    ///     work for a fraction of the memory. No observer sees such a pass.
    /// - Returns: the hidden state [rows, hiddenSize] before the final norm.
    public func forward(
        tokens: [TokenID], positions: [Int32], attention: any AttentionContext,
        observer: (any ForwardObserver)? = nil, recomputes: Bool = false
    ) -> Tensor {
        var x = embedding.rows(tokens)
        if configuration.embeddingScale != 1 { x = x * Float(configuration.embeddingScale) }
        if let observer { x = observer.embedded(x) }
        // Local and global layers may turn at different speeds.
        let turns = rotary.map { $0.turns(at: positions) }
        // A backward pass runs while the caller waits for it, so the context is never used from two threads at once.
        nonisolated(unsafe) let context = attention
        for (layer, block) in blocks.enumerated() {
            if recomputes {
                x = checkpoint([x]) {
                    block($0[0], layer: layer, turns: turns[block.rotary], attention: context, observer: nil)
                }
                continue
            }
            if let observer { x = observer.entering(layer: layer, x) }
            x = block(x, layer: layer, turns: turns[block.rotary], attention: attention, observer: observer)
        }
        if let observer { x = observer.entering(layer: blocks.count, x) }
        return x
    }

    /// The logits [rows.count, vocabularySize] of chosen rows of the hidden state.
    public func logits(of hidden: Tensor, rows: [Int]) -> Tensor {
        let chosen = rows.count == hidden.shape[0] ? hidden : takeRows(hidden, rows.map(Int32.init))
        let entrance = Entrance.norm(weight: norm, epsilon: Float(configuration.norm.epsilon))
        let logits = head.map { $0(chosen, entrance: entrance)[0] } ?? embedding.logits(chosen, entrance: entrance)
        guard let cap = configuration.logitSoftcap else { return logits }
        return softcap(logits, Float(cap))
    }

    /// The hidden state after the final norm, [rows, hiddenSize].
    public func normalised(_ hidden: Tensor) -> Tensor {
        rmsNorm(hidden, norm, eps: Float(configuration.norm.epsilon))
    }

    /// The bytes that the weights take in memory.
    public var byteCount: Int {
        embedding.byteCount + (head?.byteCount ?? 0) + blocks.reduce(0) { $0 + $1.byteCount }
    }
}

/// One layer: x + attention(norm(x)), then x + feedForward(norm(x)). Gemma 3 normalises what is added, too.
struct DecoderBlock {
    var attentionNorm: Tensor
    /// Queries, keys and values.
    var queriesKeysValues: Projection
    var queryNorm: Tensor?
    var keyNorm: Tensor?
    var attentionOutput: Projection
    var attentionPostNorm: Tensor?
    var feedForwardNorm: Tensor
    var feedForward: FeedForward
    var feedForwardPostNorm: Tensor?
    var epsilon: Float
    var headSize: Int
    var window: Int?
    /// Which rotary table the layer uses.
    var rotary: Int

    var byteCount: Int { queriesKeysValues.byteCount + attentionOutput.byteCount + feedForward.byteCount }

    func callAsFunction(
        _ x: Tensor, layer: Int, turns: RotaryTurns, attention: any AttentionContext,
        observer: (any ForwardObserver)?
    ) -> Tensor {
        let projected = queriesKeysValues(x, entrance: .norm(weight: attentionNorm, epsilon: epsilon))
        var (queries, keys) = (projected[0], projected[1])
        if let queryNorm { queries = headNorm(queries, queryNorm) }
        if let keyNorm { keys = headNorm(keys, keyNorm) }
        observer?.projected(layer: layer, queries: queries, keys: keys)
        var heads = attention.attend(
            layer: layer, queries: turns(queries), keys: turns(keys), values: projected[2],
            window: window)
        if let observer { heads = observer.attended(layer: layer, heads) }

        var x = x
        if let attentionPostNorm {
            x = x + rmsNorm(attentionOutput(heads)[0], attentionPostNorm, eps: epsilon)
        } else {
            x = attentionOutput(heads, addingTo: x)
        }
        let entrance = Entrance.norm(weight: feedForwardNorm, epsilon: epsilon)
        if let feedForwardPostNorm {
            return x + rmsNorm(feedForward(x, entrance: entrance), feedForwardPostNorm, eps: epsilon)
        }
        return feedForward(x, entrance: entrance, addingTo: x)
    }

    /// RMS norm over each head (weight [headSize]) or over the whole projection (OLMoE).
    private func headNorm(_ x: Tensor, _ weight: Tensor) -> Tensor {
        let (rows, width) = (x.shape[0], x.shape[1])
        guard weight.shape[0] == headSize, width != headSize else {
            return rmsNorm(x, weight, eps: epsilon)
        }
        return rmsNorm(x.reshaped([rows * width / headSize, headSize]), weight, eps: epsilon)
            .reshaped([rows, width])
    }
}

/// What stands between the two norms of a layer's second half.
enum FeedForward {
    case gated(GatedFeedForward)
    case experts(ExpertFeedForward)

    var byteCount: Int {
        switch self {
        case .gated(let layer): layer.byteCount
        case .experts(let layer): layer.byteCount
        }
    }

    func callAsFunction(_ x: Tensor, entrance: Entrance) -> Tensor {
        switch self {
        case .gated(let layer): layer(x, entrance: entrance)
        case .experts(let layer): layer(x, entrance: entrance)
        }
    }

    func callAsFunction(_ x: Tensor, entrance: Entrance, addingTo residual: Tensor) -> Tensor {
        switch self {
        case .gated(let layer): layer(x, entrance: entrance, addingTo: residual)
        case .experts(let layer): residual + layer(x, entrance: entrance)
        }
    }
}

/// down(activation(gate(x)) · up(x)).
struct GatedFeedForward {
    /// Gate and up, stacked in one projection or one each.
    var gateUp: Projection
    var down: Projection
    var activation: ModelConfiguration.Activation

    var byteCount: Int { gateUp.byteCount + down.byteCount }

    func callAsFunction(_ x: Tensor, entrance: Entrance) -> Tensor {
        let parts = gateUp(x, entrance: entrance)
        if parts.count == 1, activation == .silu { return down(parts[0], entrance: .swiglu)[0] }
        return down(gate(parts))[0]
    }

    func callAsFunction(_ x: Tensor, entrance: Entrance, addingTo residual: Tensor) -> Tensor {
        let parts = gateUp(x, entrance: entrance)
        if parts.count == 1, activation == .silu { return down(parts[0], entrance: .swiglu, addingTo: residual) }
        return down(gate(parts), addingTo: residual)
    }

    private func gate(_ parts: [Tensor]) -> Tensor {
        let halves = parts.count == 2 ? parts : parts[0].split([parts[0].shape[1] / 2, parts[0].shape[1] / 2])
        return switch activation {
        case .silu: gatedUnit(gate: halves[0], up: halves[1], .silu)
        case .gelu: gatedUnit(gate: halves[0], up: halves[1], .gelu(.exact))
        case .geluTanh: gatedUnit(gate: halves[0], up: halves[1], .gelu(.tanh))
        case .relu: relu(halves[0]) * halves[1]
        }
    }
}

/// A sparse mixture: each token goes through the experts that its router rates highest, weighted by the router's softmax.
struct ExpertFeedForward {
    var router: Projection
    var experts: [GatedFeedForward]
    /// An expert for every token (Qwen 2 MoE), behind a sigmoid gate.
    var shared: (layer: GatedFeedForward, gate: Projection)?
    var perToken: Int
    var normalisesWeights: Bool

    var byteCount: Int {
        router.byteCount + experts.reduce(0) { $0 + $1.byteCount } + (shared?.layer.byteCount ?? 0)
    }

    func callAsFunction(_ x: Tensor, entrance: Entrance) -> Tensor {
        guard case .norm(let weight, let epsilon) = entrance else { return apply(x) }
        return apply(rmsNorm(x, weight, eps: epsilon))
    }

    private func apply(_ x: Tensor) -> Tensor {
        let rows = x.shape[0]
        let probabilities = softmax(router(x)[0])  // [rows, experts]
        let chosen = Self.route(probabilities.floats(), experts: experts.count, perToken: perToken)

        // Each expert runs once over its rows; `places` remembers where each row's k-th result stands among all.
        var outputs: [Tensor] = []
        var places = [Int32](repeating: 0, count: rows * perToken)
        var total = 0
        for expert in experts.indices {
            let slots = places.indices.filter { chosen[$0] == Int32(expert) }
            guard !slots.isEmpty else { continue }
            outputs.append(experts[expert](takeRows(x, slots.map { Int32($0 / perToken) }), entrance: .identity))
            for (offset, slot) in slots.enumerated() { places[slot] = Int32(total + offset) }
            total += slots.count
        }
        let results = takeRows(concatenate(outputs), places).reshaped([rows, perToken, x.shape[1]])

        let columns = (0..<perToken).map { k in
            gather(probabilities, Tensor((0..<rows).map { chosen[$0 * perToken + k] })).reshaped([rows, 1])
        }
        var weights = concatenate(columns, axis: 1)  // [rows, perToken]
        if normalisesWeights { weights = weights / weights.sum(1, keeping: true) }
        var sum = (results * weights.reshaped([rows, perToken, 1])).sum(1)
        if let shared {
            sum = sum + shared.layer(x, entrance: .identity) * sigmoid(shared.gate(x)[0])
        }
        return sum
    }

    /// The experts of each row, most probable first: [rows · perToken].
    static func route(_ probabilities: [Float], experts: Int, perToken: Int) -> [Int32] {
        probabilities.withUnsafeBufferPointer { all in
            (0..<all.count / experts).flatMap { row in
                let slice = UnsafeBufferPointer(rebasing: all[row * experts..<(row + 1) * experts])
                return indicesOfLargest(perToken, in: slice).map(Int32.init)
            }
        }
    }
}
