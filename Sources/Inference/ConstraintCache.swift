import Synchronization
import Tensors
import Text

/// Compiled constraints of a model, so that many requests with the same schema compile it once.
final class ConstraintCache: Sendable {
    private let tokenizer: Tokenizer
    private let vocabularySize: Int
    private struct State {
        var vocabulary: TokenVocabulary?
        var compiled: [(constraint: Constraint, value: CompiledConstraint)] = []
    }
    private let state = Mutex(State())
    private static let limit = 32

    init(tokenizer: Tokenizer, vocabularySize: Int) {
        self.tokenizer = tokenizer
        self.vocabularySize = vocabularySize
    }

    /// The state of a text that has not begun.
    /// - Throws: `ConstraintError` for a constraint that can't be guaranteed.
    func start(_ constraint: Constraint) throws -> ConstraintState {
        try state.withLock { state in
            if let known = state.compiled.first(where: { $0.constraint == constraint }) { return known.value.start() }
            let vocabulary = state.vocabulary ?? makeVocabulary()
            state.vocabulary = vocabulary
            let compiled = try CompiledConstraint(constraint, vocabulary: vocabulary)
            if state.compiled.count == Self.limit { state.compiled.removeFirst() }
            state.compiled.append((constraint, compiled))
            return compiled.start()
        }
    }

    private func makeVocabulary() -> TokenVocabulary {
        let tokens = (0..<TokenID(tokenizer.vocabularySize)).map { id in
            tokenizer.isSpecial(id) ? [] : tokenizer.bytes(of: id)
        }
        return TokenVocabulary(tokens: tokens, endOfText: tokenizer.endOfTextTokens, count: vocabularySize)
    }
}

extension ConstraintState {
    /// Puts the tokens that may not come next at minus infinity.
    func mask(_ logits: UnsafeMutableBufferPointer<Float>, remaining: Int) {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: compiled.vocabulary.maskWords) { words in
            words.initialize(repeating: 0)
            mask(into: words, remainingTokens: remaining)
            for id in logits.indices where id / 64 >= words.count || words[id / 64] >> UInt64(id % 64) & 1 == 0 {
                logits[id] = -.infinity
            }
        }
    }
}
