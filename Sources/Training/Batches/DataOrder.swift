import Tensors
import Text

/// Which samples each step of a run takes: all of them in an order drawn anew for every epoch, as many a step as asked for. The order
/// depends on the seed and the step alone, so a run that goes on after an interruption takes what it would have taken.
package struct DataOrder {
    package let count: Int
    package let perStep: Int
    package let seed: UInt64
    package let shuffles: Bool
    /// The order of the epoch looked at last.
    private var epoch = -1
    private var order: [Int] = []

    package init(count: Int, perStep: Int, seed: UInt64, shuffles: Bool = true) {
        precondition(count > 0 && perStep > 0)
        self.count = count
        self.perStep = perStep
        self.seed = seed
        self.shuffles = shuffles
    }

    /// How many steps so many epochs take; the last one may have fewer samples.
    package func steps(epochs: Double) -> Int { max(1, Int((Double(count) * epochs / Double(perStep)).rounded(.up))) }

    /// The samples of a step, counted from 1. Steps go on over the end of an epoch.
    package mutating func samples(ofStep step: Int) -> [Int] {
        let first = (step - 1) * perStep
        return (first..<first + perStep).map { place in
            guard shuffles else { return place % count }
            if place / count != epoch {
                epoch = place / count
                order = Array(0..<count)
                var generator = SplitMixGenerator(seed: seed &+ UInt64(epoch) &* 0xd134_2543_de82_ef95)
                order.shuffle(using: &generator)
            }
            return order[place % count]
        }
    }
}

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
