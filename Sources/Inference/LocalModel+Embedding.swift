import Models
import Tensors
import Text

/// A decoder was not trained to embed; the mean of its last hidden states still tells texts apart somewhat.
extension LocalModel: EmbeddingModel {
    public var embeddingWidth: Int { configuration.hiddenSize }

    public var embeddingKind: String {
        "the mean of a decoder's last hidden states; an encoder made for embeddings tells texts apart better"
    }

    /// The mean over each text's tokens of the states after the final norm, scaled to length one.
    /// - Throws: ``EngineError`` for a text without tokens or longer than the context.
    public func embed(_ texts: [String]) async throws -> [[Float]] {
        var vectors: [[Float]] = []
        for text in texts {
            let trace = try await trace(TraceRequest(.text(text), logits: [], hidden: [configuration.layers]))
            let states = trace.hidden[configuration.layers] ?? []
            let rows = Tensor(states, [trace.tokens.count, configuration.hiddenSize])
            vectors.append(engine.model.normalised(rows).mean(0).scaledToLengthOne().floats())
        }
        return vectors
    }
}
