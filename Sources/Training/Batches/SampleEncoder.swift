import Models
import Text

/// Turns texts and conversations into samples, token by token as the model reads them when it is used.
///
/// Samples longer than the limit are cut, and counted. A plain text loses its end. Elsewhere what is learned stays as long as
/// it can: the prompt loses its earliest exchanges, then the beginning of its first words, then the system's; what opens the
/// answer stays. Only an answer that is too long by itself loses its end. The two texts of a pair keep the same prompt.
///
/// A model without a chat template reads one exchange as its texts one after the other, and no longer conversations.
public struct SampleEncoder {
    let tokenizer: Tokenizer
    private let template: ChatTemplate?
    /// The most tokens of a text.
    public let limit: Int
    /// How many samples were cut; a pair is one.
    public internal(set) var cutCount = 0
    /// The functions that the conversation at hand may call.
    private var tools: [JSONValue] = []

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
        let sequence = TokenSequence(before + tokenizer.encode(text) + (after.isEmpty ? ending : after))
        if sequence.count > limit { cutCount += 1 }
        return sequence.prefix(limit)
    }

    /// A continuation that counts after a prompt that doesn't, both as they are, without a chat template.
    public mutating func completion(prompt: String, completion: String) -> TokenSequence {
        let start = tokenizer.boundaryTokens.before
        let words = tokenizer.encode(prompt)
        let answer = tokenizer.encode(completion) + ending
        if start.count + words.count + answer.count > limit { cutCount += 1 }
        let room = max(1, limit - answer.count) - start.count
        return TokenSequence(prompt: start + words.suffix(max(0, room)), completion: answer).prefix(limit)
    }

    /// A conversation in the model's template, of which the assistant's turns count.
    /// - Throws: without a turn that counts, where the template changes what it wrote of earlier turns, and for several exchanges
    ///   without a template.
    public mutating func conversation(_ messages: [ChatMessage]) throws -> TokenSequence {
        try conversation(messages, counting: Set(messages.indices.filter { messages[$0].role == .assistant }))
    }

    /// A conversation in the model's template, of which the turns at these places count: all of the assistant's but those with
    /// mistakes, say, or what an environment answers as well.
    /// - Parameter tools: the functions that it may call, as the template expects them.
    public mutating func conversation(
        _ messages: [ChatMessage], counting: Set<Int>, tools: [JSONValue] = []
    ) throws -> TokenSequence {
        self.tools = tools
        defer { self.tools = [] }
        let (text, first) = try learned(messages, counting: counting)
        let (tokens, weights) = (text.tokens, text.weights)
        guard tokens.count > limit else { return text }
        cutCount += 1
        // Where not all turns fit even without the prompt, the prompt makes room for the first that counts only.
        let start = first.tokens.lowerBound
        let learned = tokens.count - start
        let kept = try shortened(
            Array(messages[..<first.turn]), opensTurn: messages[first.turn].role == .assistant,
            to: limit - (learned < limit ? learned : first.tokens.count))
        return TokenSequence(
            kept + tokens[start...], weights: [Float](repeating: 0, count: kept.count) + weights[start...]
        ).prefix(limit)
    }

    /// A conversation whole, with the first turn that counts and its tokens.
    private func learned(
        _ messages: [ChatMessage], counting: Set<Int>
    ) throws -> (text: TokenSequence, first: (turn: Int, tokens: Range<Int>)) {
        let tokens = try tokens(messages, opensTurn: false)
        var weights = [Float](repeating: 0, count: tokens.count)
        var first: (turn: Int, tokens: Range<Int>)?
        for (index, message) in messages.enumerated() where counting.contains(index) {
            let before = try prompt(Array(messages[..<index]), opensTurn: message.role == .assistant)
            let isLast = index == messages.count - 1
            let through = isLast ? tokens : try self.tokens(Array(messages[...index]), opensTurn: false)
            guard tokens.starts(with: through), let start = Self.end(of: before, in: through) else {
                throw TrainingError.untrainable(
                    "its chat template writes turn \(index + 1) otherwise when more turns follow; train on conversations "
                        + "that end with that turn")
            }
            for place in start..<through.count { weights[place] = 1 }
            if first == nil { first = (index, start..<through.count) }
        }
        guard let first, weights.dropFirst().contains(1) else {
            throw TrainingError.badSetting("conversation", reason: "no token in it is to be learned")
        }
        return (TokenSequence(tokens, weights: weights), first)
    }

    /// Where a prompt ends in what goes on from it: at its own end, or one token before, where the answer begins with spaces or line breaks that make
    /// one token with the prompt's last. nil: the text doesn't go on from the prompt.
    private static func end(of prompt: [TokenID], in whole: [TokenID]) -> Int? {
        let common = zip(prompt, whole).prefix { $0 == $1 }.count
        return common >= prompt.count - 1 ? common : nil
    }

    /// Two continuations of the same conversation, in the model's template. Of several turns the assistant's count.
    public mutating func pair(
        prompt: [ChatMessage], chosen: [ChatMessage], rejected: [ChatMessage]
    ) throws -> PreferencePair {
        let opensTurn = chosen[0].role == .assistant
        let before = try self.prompt(prompt, opensTurn: opensTurn)
        let texts = try [chosen, rejected].map { turns in
            let places = turns.indices.filter { turns[$0].role == .assistant }.map { $0 + prompt.count }
            return try learned(prompt + turns, counting: Set(places)).text
        }
        guard let start = texts.map({ Self.end(of: before, in: $0.tokens) ?? -1 }).min(), start >= 0 else {
            throw TrainingError.untrainable("its chat template writes a prompt otherwise when turns follow")
        }
        let longest = max(texts[0].count, texts[1].count) - start
        if start + longest > limit { cutCount += 1 }
        let kept = Array(
            try shortened(prompt, opensTurn: opensTurn, to: limit - longest).dropLast(before.count - start))
        let cut = texts.map { text in
            TokenSequence(
                kept + text.tokens[start...],
                weights: [Float](repeating: 0, count: kept.count) + text.weights[start...]
            ).prefix(limit)
        }
        return PreferencePair(chosen: cut[0], rejected: cut[1])
    }

    /// Two answers to the same conversation, in the model's template.
    public mutating func pair(
        prompt: [ChatMessage], chosen: String, rejected: String
    ) throws -> PreferencePair {
        try pair(prompt: prompt, chosen: [.assistant(chosen)], rejected: [.assistant(rejected)])
    }

    /// An answer that is wanted or not, and the same after another conversation, both in the model's template.
    public mutating func judged(
        prompt: [ChatMessage], completion: String, isDesirable: Bool, mismatched: [ChatMessage]? = nil
    ) throws -> JudgedAnswer {
        let count = cutCount
        let text = try conversation(prompt + [.assistant(completion)], counting: [prompt.count])
        let other = try mismatched.map { try conversation($0 + [.assistant(completion)], counting: [$0.count]) }
        cutCount = min(cutCount, count + 1)
        return JudgedAnswer(text, isDesirable: isDesirable, mismatched: other)
    }

    /// What an answer to a conversation follows, whole.
    public func prompt(_ messages: [ChatMessage]) throws -> [TokenID] {
        try tokens(messages, opensTurn: true)
    }

    // MARK: Tokens

    func tokens(_ messages: [ChatMessage], opensTurn: Bool) throws -> [TokenID] {
        guard let template else { return try plainTokens(messages) }
        try demandWords(for: messages, in: template)
        return tokenizer.encode(
            segments: try template.renderSegments(
                messages: messages.map(\.json), tools: tools, addGenerationPrompt: opensTurn))
    }

    /// Refuses functions and calls that the template has no words for: the turns would be learned without them.
    private func demandWords(for messages: [ChatMessage], in template: ChatTemplate) throws {
        if !tools.isEmpty, !template.mentions("tools") {
            throw TrainingError.badSetting("tools", reason: "the model's chat template has no words for functions")
        }
        guard messages.contains(where: { !$0.toolCalls.isEmpty }) else { return }
        let silent = messages.map { ChatMessage(role: $0.role, content: $0.content) }
        guard try template.render(messages: messages) != template.render(messages: silent) else {
            throw TrainingError.badSetting(
                "tool calls", reason: "the model's chat template has no words for calls of functions")
        }
    }

    /// What stands before a turn: nothing before a first turn that the template doesn't open.
    private func prompt(_ messages: [ChatMessage], opensTurn: Bool) throws -> [TokenID] {
        messages.isEmpty && !opensTurn ? [] : try tokens(messages, opensTurn: opensTurn)
    }

    private func plainTokens(_ messages: [ChatMessage]) throws -> [TokenID] {
        let asked = messages.prefix { $0.role != .assistant }
        let answers = messages.dropFirst(asked.count)
        guard messages.allSatisfy({ $0.toolCalls.isEmpty }), tools.isEmpty else {
            throw TrainingError.badSetting(
                "tool calls", reason: "the model has no chat template to write functions with")
        }
        guard answers.count <= 1, asked.drop(while: { $0.role == .system }).count <= 1,
            asked.allSatisfy({ $0.role == .system || $0.role == .user })
        else {
            throw TrainingError.badSetting(
                "conversation",
                reason: "the model has no chat template to write several turns with; give one prompt and its answer")
        }
        return tokenizer.boundaryTokens.before + tokenizer.encode(asked.map(\.content).joined(separator: "\n\n"))
            + answers.flatMap { tokenizer.encode($0.content) + ending }
    }

    var ending: [TokenID] { tokenizer.eos.map { [$0] } ?? [] }

    // MARK: Cutting

    /// A prompt's tokens, those that matter least left out where there are more than `room`; what opens the answer always stays.
    func shortened(_ messages: [ChatMessage], opensTurn: Bool, to room: Int) throws -> [TokenID] {
        let whole = try prompt(messages, opensTurn: opensTurn)
        guard whole.count > max(0, room) else { return whole }
        let system = messages.prefix { $0.role == .system }
        let turns = messages[system.count...]
        if let next = turns.dropFirst().firstIndex(where: { $0.role == .user }) {
            return try shortened(Array(system + messages[next...]), opensTurn: opensTurn, to: room)
        }
        let opening = opensTurn ? whole.count - (try prompt(messages, opensTurn: false)).count : 0
        let kept = min(limit - 1, max(room, opening, 1))
        guard !turns.isEmpty else { return Array(whole.suffix(kept)) }
        // The template's own words around the first turn are those that stay when the turn says nothing.
        var bare = messages
        bare[system.count].content = ""
        let frame = (try? prompt(bare, opensTurn: opensTurn)) ?? []
        let start = zip(whole, frame).prefix { $0 == $1 }.count
        let end = zip(whole.reversed(), frame.reversed()).prefix { $0 == $1 }.count
        guard start + end <= kept else { return Array(whole.suffix(kept)) }
        return Array(whole.prefix(start) + whole.suffix(kept - start))
    }
}
