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
    let rotary: [RotaryTable]

    public let attentionShape: AttentionShape
    public var layerCount: Int { blocks.count }

    init(
        configuration: ModelConfiguration, embedding: EmbeddingTable, blocks: [DecoderBlock], norm: Tensor,
        head: Projection?, rotary: [RotaryTable]
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
    /// - Returns: the hidden state [rows, hiddenSize] before the final norm.
    public func forward(
        tokens: [TokenID], positions: [Int32], attention: any AttentionContext,
        observer: (any ForwardObserver)? = nil
    ) -> Tensor {
        var x = embedding.rows(tokens)
        if configuration.embeddingScale != 1 { x = scaled(x, by: Float(configuration.embeddingScale)) }
        if let observer { x = observer.embedded(x) }
        // Local and global layers may turn at different speeds; each table's angles are laid out once for all its layers.
        let angles = rotary.map { $0.angles(at: positions) }
        for (layer, block) in blocks.enumerated() {
            if let observer { x = observer.entering(layer: layer, x) }
            x = block(x, layer: layer, angles: angles[block.rotary], attention: attention, observer: observer)
        }
        if let observer { x = observer.entering(layer: blocks.count, x) }
        return x
    }

    /// The logits [rows.count, vocabularySize] of chosen rows of the hidden state.
    public func logits(of hidden: Tensor, rows: [Int]) -> Tensor {
        let chosen = rows.count == hidden.shape[0] ? hidden : gather(hidden, rows: rows.map(Int32.init))
        let entrance = Entrance.norm(weight: norm, epsilon: Float(configuration.norm.epsilon))
        let logits = head.map { $0(chosen, entrance: entrance)[0] } ?? embedding.logits(chosen, entrance: entrance)
        guard let cap = configuration.logitSoftcap else { return logits }
        return softcapped(logits, at: Float(cap))
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
        _ x: Tensor, layer: Int, angles: RotaryAngles, attention: any AttentionContext,
        observer: (any ForwardObserver)?
    ) -> Tensor {
        let projected = queriesKeysValues(x, entrance: .norm(weight: attentionNorm, epsilon: epsilon))
        var (queries, keys) = (projected[0], projected[1])
        if let queryNorm { queries = headNorm(queries, queryNorm) }
        if let keyNorm { keys = headNorm(keys, keyNorm) }
        observer?.projected(layer: layer, queries: queries, keys: keys)
        var heads = attention.attend(
            layer: layer, queries: angles.rotate(queries), keys: angles.rotate(keys), values: projected[2],
            window: window)
        if let observer { heads = observer.attended(layer: layer, heads) }

        var x = x
        if let attentionPostNorm {
            x = x + rmsNorm(attentionOutput(heads)[0], weight: attentionPostNorm, epsilon: epsilon)
        } else {
            x = attentionOutput(heads, addingTo: x)
        }
        let entrance = Entrance.norm(weight: feedForwardNorm, epsilon: epsilon)
        if let feedForwardPostNorm {
            return x + rmsNorm(feedForward(x, entrance: entrance), weight: feedForwardPostNorm, epsilon: epsilon)
        }
        return feedForward(x, entrance: entrance, addingTo: x)
    }

    /// RMS norm over each head (weight [headSize]) or over the whole projection (OLMoE).
    private func headNorm(_ x: Tensor, _ weight: Tensor) -> Tensor {
        let (rows, width) = (x.shape[0], x.shape[1])
        guard weight.shape[0] == headSize, width != headSize else {
            return rmsNorm(x, weight: weight, epsilon: epsilon)
        }
        return rmsNorm(x.reshaped([rows * width / headSize, headSize]), weight: weight, epsilon: epsilon)
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
        let halves = parts.count == 2 ? parts : split(parts[0], into: 2)
        let gate =
            switch activation {
            case .silu: silu(halves[0])
            case .gelu: gelu(halves[0])
            case .geluTanh: geluTanh(halves[0])
            case .relu: relu(halves[0])
            }
        return gate * halves[1]
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
        return apply(rmsNorm(x, weight: weight, epsilon: epsilon))
    }

    private func apply(_ x: Tensor) -> Tensor {
        let rows = x.shape[0]
        let probabilities = softmax(router(x)[0])  // [rows, experts]
        let routes = Self.route(
            probabilities.floats(), experts: experts.count, perToken: perToken)
        var sum = Tensor.zeros([rows, x.shape[1]])
        let scale = normalisesWeights ? Self.normalisers(probabilities, routes) : nil
        for (expert, chosen) in routes.enumerated() where !chosen.isEmpty {
            let outputs = experts[expert](gather(x, rows: chosen), entrance: .identity)
            var weights = gather(probabilities, rows: chosen).narrowed(axis: 1, from: expert, count: 1)
            if let scale { weights = weights * gather(scale, rows: chosen) }
            sum = scatterAdded(to: sum, rows: chosen, outputs * weights)
        }
        if let shared {
            sum = sum + shared.layer(x, entrance: .identity) * sigmoid(shared.gate(x)[0])
        }
        return sum
    }

    /// The rows that go to each expert.
    static func route(_ probabilities: [Float], experts: Int, perToken: Int) -> [[Int32]] {
        var routes = [[Int32]](repeating: [], count: experts)
        probabilities.withUnsafeBufferPointer { all in
            for row in 0..<all.count / experts {
                let slice = UnsafeBufferPointer(rebasing: all[row * experts..<(row + 1) * experts])
                for expert in indicesOfLargest(perToken, in: slice) { routes[expert].append(Int32(row)) }
            }
        }
        return routes
    }

    /// 1 / Σ of the chosen experts' probabilities, [rows, 1].
    private static func normalisers(_ probabilities: Tensor, _ routes: [[Int32]]) -> Tensor {
        let (rows, experts) = (probabilities.shape[0], probabilities.shape[1])
        var mask = [Float](repeating: 0, count: rows * experts)
        for (expert, chosen) in routes.enumerated() { for row in chosen { mask[Int(row) * experts + expert] = 1 } }
        return reciprocal(sum(probabilities * Tensor(mask, [rows, experts]), axis: 1))
    }
}
