import Text

/// A text as tokens, with how much each of them counts in a loss.
public struct TokenSequence: Sendable, Hashable {
    public private(set) var tokens: [TokenID]
    /// One a token: the weight of predicting it from what stands before. The first token is predicted from nothing, so its
    /// weight is always 0.
    public private(set) var weights: [Float]

    /// - Parameter weights: one a token, none negative; all 1 when nil.
    public init(_ tokens: [TokenID], weights: [Float]? = nil) {
        precondition(weights.map { $0.count == tokens.count } ?? true, "\(tokens.count) tokens with other weights")
        precondition(weights?.allSatisfy { $0 >= 0 && $0.isFinite } ?? true, "a token's weight is 0 or more")
        self.tokens = tokens
        self.weights = weights ?? [Float](repeating: 1, count: tokens.count)
        if !tokens.isEmpty { self.weights[0] = 0 }
    }

    /// A continuation that counts, after a prompt that doesn't.
    public init(prompt: [TokenID], completion: [TokenID]) {
        self.init(
            prompt + completion,
            weights: [Float](repeating: 0, count: prompt.count) + [Float](repeating: 1, count: completion.count))
    }

    public var count: Int { tokens.count }

    /// Σ of the weights: the number of predicted tokens when each is 0 or 1.
    public var weight: Double { weights.reduce(0) { $0 + Double($1) } }

    /// How many of its first tokens other texts may stand in for: those before the last one ahead of the first that counts. What that one predicts is
    /// the text's own. 0 where nothing counts.
    package var shareableCount: Int { max(0, (weights.firstIndex { $0 > 0 } ?? 0) - 1) }

    /// The first `limit` tokens.
    public func prefix(_ limit: Int) -> TokenSequence {
        count <= limit ? self : TokenSequence(Array(tokens.prefix(limit)), weights: Array(weights.prefix(limit)))
    }

    /// The last `limit` tokens: where a prompt is longer than there is room for, its end matters most.
    public func suffix(_ limit: Int) -> TokenSequence {
        count <= limit ? self : TokenSequence(Array(tokens.suffix(limit)), weights: Array(weights.suffix(limit)))
    }
}
