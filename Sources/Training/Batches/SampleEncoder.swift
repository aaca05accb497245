import Models
import Text

/// Turns texts and conversations into samples, token by token as the model reads them when it is used. Texts longer than the limit
/// lose their end; how many did is counted.
public struct SampleEncoder {
    private let tokenizer: Tokenizer
    private let template: ChatTemplate?
    /// The most tokens of a sample.
    public let limit: Int
    /// How many texts were cut.
    public private(set) var cutCount = 0

    public init(_ words: ModelText, limit: Int) throws {
        guard limit >= 2 else {
            throw TrainingError.badSetting("longest sample", reason: "must be at least 2 tokens, not \(limit)")
        }
        tokenizer = words.tokenizer
        template = words.template
        self.limit = limit
    }

    /// A text every token of which counts.
    public mutating func text(_ text: String) -> TokenSequence {
        let (before, after) = tokenizer.boundaryTokens
        return cut(TokenSequence(before + tokenizer.encode(text) + (after.isEmpty ? ending : after)))
    }

    /// A continuation that counts after a prompt that doesn't, both as they are, without a chat template.
    public mutating func completion(prompt: String, completion: String) -> TokenSequence {
        cut(
            TokenSequence(
                prompt: tokenizer.boundaryTokens.before + tokenizer.encode(prompt),
                completion: tokenizer.encode(completion) + ending))
    }

    /// A conversation in the model's template, of which the assistant's turns count.
    /// - Throws: without a template, without a turn that counts, or where the template changes what it wrote of earlier turns.
    public mutating func conversation(_ messages: [ChatMessage]) throws -> TokenSequence {
        try conversation(messages, counting: Set(messages.indices.filter { messages[$0].role == .assistant }))
    }

    /// A conversation in the model's template, of which the turns at these places count: all of the assistant's but those with
    /// mistakes, say, or what an environment answers as well.
    public mutating func conversation(_ messages: [ChatMessage], counting: Set<Int>) throws -> TokenSequence {
        let tokens = try tokens(messages, opensTurn: false)
        var weights = [Float](repeating: 0, count: tokens.count)
        for (index, message) in messages.enumerated() where counting.contains(index) {
            let opens = message.role == .assistant
            let before = index == 0 && !opens ? [] : try self.tokens(Array(messages[..<index]), opensTurn: opens)
            let through = try self.tokens(Array(messages[...index]), opensTurn: false)
            guard tokens.starts(with: through), through.starts(with: before) else {
                throw TrainingError.untrainable(
                    "its chat template writes turn \(index + 1) otherwise when more turns follow; train on conversations "
                        + "that end with that turn")
            }
            for place in before.count..<through.count { weights[place] = 1 }
        }
        guard weights.contains(1) else {
            throw TrainingError.badSetting("conversation", reason: "has no turn of the assistant to learn from")
        }
        return cut(TokenSequence(tokens, weights: weights))
    }

    /// Two answers to the same conversation, in the model's template.
    public mutating func pair(
        prompt: [ChatMessage], chosen: String, rejected: String
    ) throws -> PreferencePair {
        func answered(_ answer: String) throws -> TokenSequence {
            let before = try tokens(prompt, opensTurn: true)
            let whole = try tokens(prompt + [.assistant(answer)], opensTurn: false)
            guard whole.starts(with: before) else {
                throw TrainingError.untrainable("its chat template writes a prompt otherwise when an answer follows")
            }
            return TokenSequence(prompt: before, completion: Array(whole[before.count...]))
        }
        return PreferencePair(chosen: cut(try answered(chosen)), rejected: cut(try answered(rejected)))
    }

    private func tokens(_ messages: [ChatMessage], opensTurn: Bool) throws -> [TokenID] {
        guard let template else {
            throw TrainingError.untrainable("it has no chat template; give prompts and completions instead of messages")
        }
        return tokenizer.encode(
            segments: try template.renderSegments(messages: messages, addGenerationPrompt: opensTurn))
    }

    private var ending: [TokenID] { tokenizer.eos.map { [$0] } ?? [] }

    private mutating func cut(_ sequence: TokenSequence) -> TokenSequence {
        if sequence.count > limit { cutCount += 1 }
        return sequence.prefix(limit)
    }
}
