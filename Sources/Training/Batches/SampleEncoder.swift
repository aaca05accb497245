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
    private let tokenizer: Tokenizer
    private let template: ChatTemplate?
    /// The most tokens of a text.
    public let limit: Int
    /// How many samples were cut; a pair is one.
    public private(set) var cutCount = 0
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
        let tokens = try tokens(messages, opensTurn: false)
        var weights = [Float](repeating: 0, count: tokens.count)
        var first: (turn: Int, tokens: Range<Int>)?
        for (index, message) in messages.enumerated() where counting.contains(index) {
            let before = try prompt(Array(messages[..<index]), opensTurn: message.role == .assistant)
            let through = try self.tokens(Array(messages[...index]), opensTurn: false)
            guard tokens.starts(with: through), through.starts(with: before) else {
                throw TrainingError.untrainable(
                    "its chat template writes turn \(index + 1) otherwise when more turns follow; train on conversations "
                        + "that end with that turn")
            }
            for place in before.count..<through.count { weights[place] = 1 }
            if first == nil { first = (index, before.count..<through.count) }
        }
        guard let first, weights.dropFirst().contains(1) else {
            throw TrainingError.badSetting("conversation", reason: "no token in it is to be learned")
        }
        guard tokens.count > limit else { return TokenSequence(tokens, weights: weights) }
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

    /// Two continuations of the same conversation, in the model's template. Of several turns the assistant's count.
    public mutating func pair(
        prompt: [ChatMessage], chosen: [ChatMessage], rejected: [ChatMessage]
    ) throws -> PreferencePair {
        if chosen.count == 1, rejected.count == 1, chosen[0].toolCalls.isEmpty, rejected[0].toolCalls.isEmpty {
            return try pair(prompt: prompt, chosen: chosen[0].content, rejected: rejected[0].content)
        }
        let count = cutCount
        let texts = try [chosen, rejected].map { turns in
            let places = turns.indices.filter { turns[$0].role == .assistant }.map { $0 + prompt.count }
            return try conversation(prompt + turns, counting: Set(places))
        }
        cutCount = min(cutCount, count + 1)
        return PreferencePair(chosen: texts[0], rejected: texts[1])
    }

    /// Two answers to the same conversation, in the model's template.
    public mutating func pair(
        prompt: [ChatMessage], chosen: String, rejected: String
    ) throws -> PreferencePair {
        let before = try tokens(prompt, opensTurn: true)
        let answers = try [chosen, rejected].map { answer in
            let whole = try tokens(prompt + [.assistant(answer)], opensTurn: false)
            guard whole.starts(with: before) else {
                throw TrainingError.untrainable("its chat template writes a prompt otherwise when an answer follows")
            }
            guard whole.count > max(1, before.count) else {
                throw TrainingError.badSetting("pair", reason: "an answer has no token to be learned")
            }
            return Array(whole[before.count...])
        }
        let longest = max(answers[0].count, answers[1].count)
        if before.count + longest > limit { cutCount += 1 }
        let kept = try shortened(prompt, opensTurn: true, to: limit - longest)
        return PreferencePair(
            chosen: TokenSequence(prompt: kept, completion: answers[0]).prefix(limit),
            rejected: TokenSequence(prompt: kept, completion: answers[1]).prefix(limit))
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

    /// Turns that are read as a whole: a prompt, cut as elsewhere, or with an answer behind it.
    public mutating func turns(_ messages: [ChatMessage]) throws -> TokenSequence {
        if messages.last?.role == .assistant { return try conversation(messages, counting: [messages.count - 1]) }
        if try tokens(messages, opensTurn: true).count > limit { cutCount += 1 }
        return TokenSequence(try shortened(messages, opensTurn: true, to: limit))
    }

    /// A prompt and the steps of an answer, each on a line of its own, with the place of each one's last token.
    ///
    /// A prompt that is too long is cut as elsewhere; steps that don't fit are left out with their places.
    public mutating func steps(
        prompt: [ChatMessage], _ steps: [String]
    ) throws -> (text: TokenSequence, places: [Int]) {
        let parts = steps.map { tokenizer.encode($0 + "\n") }
        let count = parts.reduce(0) { $0 + $1.count }
        guard !prompt.isEmpty else {
            let before = tokenizer.boundaryTokens.before
            if before.count + count > limit { cutCount += 1 }
            return try marked(before, parts)
        }
        if try tokens(prompt, opensTurn: true).count + count > limit { cutCount += 1 }
        return try marked(shortened(prompt, opensTurn: true, to: limit - min(count, limit)), parts)
    }

    /// Words in a row, with the place of each one's last token; those that don't fit are left out.
    public mutating func words(_ words: [String]) throws -> (text: TokenSequence, places: [Int]) {
        let parts = words.enumerated().map { tokenizer.encode($0.offset == 0 ? $0.element : " " + $0.element) }
        let before = tokenizer.boundaryTokens.before
        if before.count + parts.reduce(0, { $0 + $1.count }) > limit { cutCount += 1 }
        return try marked(before, parts)
    }

    /// Parts after a beginning, as many as fit, with their last places.
    private func marked(
        _ before: [TokenID], _ parts: [[TokenID]]
    ) throws -> (text: TokenSequence, places: [Int]) {
        var (all, places) = (before, [Int]())
        for part in parts {
            guard !part.isEmpty else {
                throw TrainingError.badSetting("part", reason: "one of its parts has no token")
            }
            guard all.count + part.count <= limit else { break }
            all += part
            places.append(all.count - 1)
        }
        guard !places.isEmpty, all.count > 1 else {
            throw TrainingError.badSetting("part", reason: "its first part doesn't fit in \(limit) tokens")
        }
        return (TokenSequence(all), places)
    }

    /// What an answer to a conversation follows, whole.
    public func prompt(_ messages: [ChatMessage]) throws -> [TokenID] {
        try tokens(messages, opensTurn: true)
    }

    // MARK: Tokens

    private func tokens(_ messages: [ChatMessage], opensTurn: Bool) throws -> [TokenID] {
        guard let template else { return try plainTokens(messages) }
        return tokenizer.encode(
            segments: try template.renderSegments(
                messages: messages.map(\.json), tools: tools, addGenerationPrompt: opensTurn))
    }

    /// What stands before a turn: nothing before a first turn that the template doesn't open.
    private func prompt(_ messages: [ChatMessage], opensTurn: Bool) throws -> [TokenID] {
        messages.isEmpty && !opensTurn ? [] : try tokens(messages, opensTurn: opensTurn)
    }

    private func plainTokens(_ messages: [ChatMessage]) throws -> [TokenID] {
        let asked = messages.prefix { $0.role != .assistant }
        let answers = messages.dropFirst(asked.count)
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

    private var ending: [TokenID] { tokenizer.eos.map { [$0] } ?? [] }

    // MARK: Cutting

    /// A prompt's tokens, those that matter least left out where there are more than `room`; what opens the answer always stays.
    private func shortened(_ messages: [ChatMessage], opensTurn: Bool, to room: Int) throws -> [TokenID] {
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
