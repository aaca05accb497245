import Models
import Tensors
import Text

/// A sentence-embedding model: an encoder with its tokenizer, pooling and normalisation, giving the vectors that
/// sentence-transformers gives (Reimers & Gurevych 2019).
///
/// Texts are packed one after another into a forward pass, without padding, so a batch of mixed lengths costs no more than its
/// tokens. Special tokens written in a text are text.
public actor SentenceEncoder: EmbeddingModel {
    public nonisolated let tokenizer: Tokenizer
    /// Pooling, normalisation and the limit on tokens.
    public nonisolated let configuration: SentenceConfiguration
    private let model: EncoderModel
    public nonisolated let identity: ModelIdentity
    public nonisolated let embeddingWidth: Int
    private let executor = EngineThread(name: "lyceum.encoder")
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Tokens of one forward pass, unless a single text has more.
    private static let batchTokens = 1024
    /// Passes are filled up to a multiple of this, so that they come in few shapes: oneDNN compiles a kernel for each.
    private static let rowMultiple = 64

    /// Loads a GGUF file or a Hugging Face folder.
    /// - Parameters:
    ///   - reference: what the user typed, for reports.
    ///   - pooling: overrides what the files say.
    public init(
        path: String, reference: String, precision: Precision = .standard,
        pooling: SentenceConfiguration.Pooling? = nil
    ) throws {
        let source = try openWeights(at: path)
        let model = try EncoderModel(source, precision: precision)
        let c = model.configuration
        let tokenizer = try ModelText(source).tokenizer
        guard tokenizer.vocabularySize <= c.vocabularySize else {
            throw WeightFileError(
                .invalidValue, file: path, field: "vocab_size",
                "is \(c.vocabularySize), but the tokenizer has \(tokenizer.vocabularySize) tokens")
        }
        var configuration = try SentenceConfiguration(source, c)
        if let pooling { configuration.pooling = pooling }
        let boundaries = tokenizer.boundaryTokens
        guard configuration.limit > boundaries.before.count + boundaries.after.count else {
            throw WeightFileError(
                .invalidValue, file: path, field: "max_seq_length",
                "is \(configuration.limit), which leaves no room for text")
        }
        self.model = model
        self.tokenizer = tokenizer
        self.configuration = configuration
        identity = ModelIdentity(
            reference: reference, name: source.displayName, fingerprint: source.fingerprint(),
            contextLength: configuration.limit)
        embeddingWidth = c.hiddenSize
    }

    public nonisolated var embeddingKind: String {
        switch configuration.pooling {
        case .mean: "sentence embeddings: the mean over all tokens"
        case .first: "sentence embeddings: the first token's state"
        }
    }

    /// The tokens of a text with its boundary tokens, cut to the limit.
    public nonisolated func tokens(of text: String) -> [TokenID] {
        let (before, after) = tokenizer.boundaryTokens
        return before + tokenizer.encode(text).prefix(configuration.limit - before.count - after.count) + after
    }

    /// The vectors of texts, [texts][width], of length one where the model is made so. Cancelling the task ends the work at the next
    /// forward pass.
    public func embed(_ texts: [String]) async throws -> [[Float]] {
        let sequences = texts.map(tokens(of:))
        var vectors: [[Float]] = []
        vectors.reserveCapacity(texts.count)
        while vectors.count < sequences.count {
            try Task.checkCancellation()
            let start = vectors.count
            var (end, count) = (start + 1, sequences[start].count)
            while end < sequences.count, count + sequences[end].count <= Self.batchTokens {
                count += sequences[end].count
                end += 1
            }
            vectors += vectorsOfBatch(sequences[start..<end], tokens: count)
            // Other callers' batches come in between.
            await Task.yield()
        }
        return vectors
    }

    /// One forward pass over sequences of `count` tokens together.
    private func vectorsOfBatch(_ sequences: ArraySlice<[TokenID]>, tokens count: Int) -> [[Float]] {
        // Rows that fill the pass up are texts of one token that nobody reads.
        let filling = (Self.rowMultiple - count % Self.rowMultiple) % Self.rowMultiple
        let packed = PackedSequences(lengths: sequences.map(\.count) + [Int](repeating: 1, count: filling))
        let states = model.forward(
            tokens: sequences.flatMap { $0 } + [TokenID](repeating: 0, count: filling), sequences: packed)
        return sequences.indices.map { index in
            let range = packed.range(index - sequences.startIndex)
            var vector =
                switch configuration.pooling {
                case .mean: states.slice(0, range).mean(0)
                case .first: states.slice(0, range.lowerBound..<range.lowerBound + 1).reshaped([-1])
                }
            if configuration.normalises { vector = vector.scaledToLengthOne() }
            return vector.floats()
        }
    }
}

extension Tensor {
    /// A vector divided by its length; a zero vector stays as it is.
    func scaledToLengthOne() -> Tensor {
        let length = square(self).sum().item.squareRoot()
        return length > 0 ? self * (1 / length) : self
    }
}
