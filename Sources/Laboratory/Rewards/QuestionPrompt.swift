import Models
import Text

extension ModelText {
    /// The tokens that ask a question: in the model's template, or as it stands where there is none.
    public func prompt(asking question: String) throws -> [TokenID] {
        guard let template else { return tokenizer.boundaryTokens.before + tokenizer.encode(question) }
        return tokenizer.encode(
            segments: try template.renderSegments(messages: [.user(question)], addGenerationPrompt: true))
    }
}
