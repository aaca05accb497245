import Models

/// A model that turns texts into vectors whose directions tell how alike the texts are.
public protocol EmbeddingModel: Sendable {
    var identity: ModelIdentity { get }
    /// How many numbers a vector has.
    var embeddingWidth: Int { get }
    /// How a vector comes about, in a few words for the user.
    var embeddingKind: String { get }

    /// One vector a text, in the texts' order.
    func embed(_ texts: [String]) async throws -> [[Float]]
}

/// Opens a GGUF file or a Hugging Face folder to embed texts with: an encoder as it was trained, a decoder by the mean of its
/// last hidden states.
/// - Parameter reference: what the user typed, for reports.
public func openEmbeddingModel(
    path: String, reference: String, options: LocalModel.Options = LocalModel.Options()
) throws -> any EmbeddingModel {
    if try openWeights(at: path).configuration().family == .bert {
        return try SentenceEncoder(path: path, reference: reference, precision: options.precision)
    }
    return try LocalModel(path: path, reference: reference, options: options)
}

/// The cosine of the angle between two vectors of one width; 0 where one of them is zero.
public func cosineSimilarity(_ a: [Float], _ b: [Float]) -> Float {
    precondition(a.count == b.count, "cosine of vectors of \(a.count) and \(b.count) numbers")
    var (product, first, second) = (0.0, 0.0, 0.0)
    for (x, y) in zip(a, b) {
        product += Double(x) * Double(y)
        first += Double(x) * Double(x)
        second += Double(y) * Double(y)
    }
    return first > 0 && second > 0 ? Float(product / (first * second).squareRoot()) : 0
}
