import Text

/// A prompt that several samples go on from.
package struct SharedPrompt: Sendable, Hashable {
    /// Equal for samples of one prompt.
    package var number: Int
    /// Tokens that all but one of a pass's samples of the prompt save.
    package var tokens: Int

    package init(number: Int, tokens: Int) {
        self.number = number
        self.tokens = tokens
    }
}

/// The prompt of each text, where it has one.
func sharedPrompts(_ texts: [TokenSequence]) -> [SharedPrompt?] {
    var numbers: [ArraySlice<TokenID>: Int] = [:]
    return texts.map { text in
        let count = text.shareableCount
        guard count > 0 else { return nil }
        let number = numbers[text.tokens[..<count], default: numbers.count]
        numbers[text.tokens[..<count]] = number
        return SharedPrompt(number: number, tokens: count)
    }
}

/// Cuts a step's samples into forward passes of at most so many tokens each. The longest go first, each into the first pass that has
/// room, so that passes are full and there are few of them; nothing is padded. A sample longer than the limit has a pass of its own.
///
/// - Parameter prompt: of a sample, where it shares one. Its samples stay together, as many as a pass holds.
package func passes(
    _ samples: [Int], tokens: (Int) -> Int, limit: Int, prompt: (Int) -> SharedPrompt? = { _ in nil }
) -> [[Int]] {
    var portions: [Pass] = []
    var open: [SharedPrompt: Int] = [:]
    for sample in longestFirst(samples, tokens) {
        let (size, shared) = (tokens(sample), prompt(sample))
        if let shared, let place = open[shared], portions[place].add([sample], size - shared.tokens, limit) { continue }
        if let shared { open[shared] = portions.count }
        portions.append(Pass(samples: [sample], tokens: size))
    }
    var passes: [Pass] = []
    for portion in longestFirst(Array(portions.indices), { portions[$0].tokens }).map({ portions[$0] }) {
        if passes.indices.contains(where: { passes[$0].add(portion.samples, portion.tokens, limit) }) { continue }
        passes.append(portion)
    }
    return passes.map(\.samples)
}

private struct Pass {
    var samples: [Int]
    var tokens: Int

    /// Whether there was room.
    mutating func add(_ more: [Int], _ count: Int, _ limit: Int) -> Bool {
        guard tokens + count <= limit else { return false }
        samples += more
        tokens += count
        return true
    }
}

private func longestFirst(_ things: [Int], _ tokens: (Int) -> Int) -> [Int] {
    things.map { ($0, tokens($0)) }.enumerated()
        .sorted { ($1.element.1, $0.offset) < ($0.element.1, $1.offset) }.map(\.element.0)
}
