import Models
import Text

/// Texts that are rated as a whole, or at places of theirs.
extension SampleEncoder {
    /// A text as it is, without a mark of its end: what its vector is made of.
    public mutating func plain(_ text: String) -> TokenSequence {
        let tokens = tokenizer.boundaryTokens.before + tokenizer.encode(text)
        if tokens.count > limit { cutCount += 1 }
        return TokenSequence(tokens.count < 2 ? tokens + ending : tokens).prefix(limit)
    }

    /// Turns that are read as a whole: a prompt, or one with an answer behind it; cut as elsewhere.
    public mutating func turns(_ messages: [ChatMessage]) throws -> TokenSequence {
        guard let last = messages.last, last.role == .assistant else {
            if try tokens(messages, opensTurn: true).count > limit { cutCount += 1 }
            return TokenSequence(try shortened(messages, opensTurn: true, to: limit))
        }
        let whole = try tokens(messages, opensTurn: false)
        guard whole.count > limit else { return TokenSequence(whole) }
        cutCount += 1
        let asked = messages.dropLast()
        let before = try tokens(Array(asked), opensTurn: true)
        guard !asked.isEmpty, whole.starts(with: before) else { return TokenSequence(Array(whole.suffix(limit))) }
        let answer = whole[before.count...]
        return TokenSequence(try shortened(Array(asked), opensTurn: true, to: limit - answer.count) + answer).prefix(
            limit)
    }

    /// A prompt and the steps of an answer, each on a line of its own, with the place of each one's last token.
    ///
    /// A prompt that is too long is cut as elsewhere; steps that don't fit even so are left out with their places.
    public mutating func steps(
        prompt: [ChatMessage], _ steps: [String]
    ) throws -> (text: TokenSequence, places: [Int]) {
        let parts = steps.map { tokenizer.encode($0 + "\n") }
        let whole = try prompt.isEmpty ? tokenizer.boundaryTokens.before : tokens(prompt, opensTurn: true)
        let total = parts.reduce(whole.count) { $0 + $1.count }
        guard !prompt.isEmpty, total > limit else { return try marked(whole, parts) }
        let least = try shortened(prompt, opensTurn: true, to: 0).count
        let fitting = Self.fitting(parts, in: limit - least)
        if fitting.count == parts.count { cutCount += 1 }
        let count = fitting.reduce(0) { $0 + $1.count }
        return try marked(shortened(prompt, opensTurn: true, to: limit - count), parts)
    }

    /// Words in a row, with the place of each one's last token; those that don't fit are left out.
    public mutating func words(_ words: [String]) throws -> (text: TokenSequence, places: [Int]) {
        try marked(
            tokenizer.boundaryTokens.before,
            words.enumerated().map { tokenizer.encode($0.offset == 0 ? $0.element : " " + $0.element) })
    }

    /// As many first parts as have no more tokens than `room`.
    private static func fitting(_ parts: [[TokenID]], in room: Int) -> ArraySlice<[TokenID]> {
        var left = room
        return parts.prefix {
            left -= $0.count
            return left >= 0
        }
    }

    /// Parts after a beginning, as many as fit, with their last places.
    private mutating func marked(
        _ before: [TokenID], _ parts: [[TokenID]]
    ) throws -> (text: TokenSequence, places: [Int]) {
        guard !parts.isEmpty, parts.allSatisfy({ !$0.isEmpty }) else {
            throw TrainingError.badSetting("parts", reason: "there are none, or one has no token")
        }
        let fitting = Self.fitting(parts, in: limit - before.count)
        guard !fitting.isEmpty else {
            throw TrainingError.badSetting("parts", reason: "not even the first fits in \(limit) tokens")
        }
        if fitting.count < parts.count { cutCount += 1 }
        var (all, places) = (before, [Int]())
        for part in fitting {
            all += part
            places.append(all.count - 1)
        }
        // A text of one token has none that could be predicted.
        return (TokenSequence(all.count < 2 ? all + ending : all), places)
    }
}
