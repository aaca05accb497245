import Models
import Tensors

/// The model as an objective sees it: texts in, log-probabilities or hidden states out, recorded for the backward pass.
public struct Policy: Sendable {
    public let model: DecoderModel
    /// Whether layers are computed again on the way back instead of being kept; see ``DecoderModel``'s `forward`.
    public let recomputes: Bool
    /// What stands on the hidden states beside the output projection.
    public let heads: [Head]
    /// Whether a prompt that several texts go on from is computed once.
    public let sharesPrompts: Bool

    public init(_ model: DecoderModel, heads: [Head] = [], recomputes: Bool = false, sharesPrompts: Bool = true) {
        self.model = model
        self.heads = heads
        self.recomputes = recomputes
        self.sharesPrompts = sharesPrompts
    }

    public init(_ model: TrainableModel, recomputes: Bool = false) {
        self.init(model.model, heads: model.heads, recomputes: recomputes)
    }

    /// Texts as the rows of one pass, for objectives that look at what counts, and behind it, only.
    ///
    /// - Parameter together: how many texts in a row may share a prompt. Where those are one sample's, its loss depends on nothing else in the pass.
    public func pack(_ texts: [TokenSequence], together: Int) -> PackedBatch {
        PackedBatch(texts, together: sharesPrompts ? together : 1)
    }

    /// The hidden state of every row before the final norm: [rows, hiddenSize].
    public func hiddenStates(_ batch: PackedBatch) -> Tensor {
        model.forward(
            tokens: batch.tokens, positions: batch.positions,
            attention: PackedAttentionContext(batch.sequences, shape: model.attentionShape),
            recomputes: recomputes && GradientMode.isRecording)
    }

    /// Σ weight · -log p(token | what stands before it), over all tokens of all texts: a tensor of one number, in nats. Gradients are made
    /// along with the loss, so this is the cheapest way to train on texts.
    public func crossEntropy(_ texts: [TokenSequence]) -> Tensor {
        let batch = PackedBatch(texts)
        return model.crossEntropy(of: hiddenStates(batch), targets: batch.targets, weights: batch.weights)
    }

    /// The log-probability of every token that counts.
    /// - Parameter together: how many texts in a row may share a prompt.
    public func logProbabilities(_ texts: [TokenSequence], together: Int = 1) -> TokenLogProbabilities {
        let batch = pack(texts, together: together)
        return TokenLogProbabilities(
            batch: batch, values: model.logProbabilities(of: hiddenStates(batch), targets: batch.targets))
    }
}

/// Log-probabilities of the tokens of several texts, in nats.
public struct TokenLogProbabilities: Sendable {
    public let batch: PackedBatch
    /// [rows] log p of the token that follows each row; 0 where it doesn't count.
    public let values: Tensor

    public init(batch: PackedBatch, values: Tensor) {
        precondition(values.shape == [batch.rows], "\(values.shape) for \(batch.rows) rows")
        self.batch = batch
        self.values = values
    }

    /// Σ weight · log p of each text: [texts].
    public var sums: Tensor { batch.weightedSums(values) }

    /// The weighted mean of log p over the tokens of each text: [texts]; 0 for a text of which nothing counts.
    public var means: Tensor { batch.weightedMeans(values) }
}
