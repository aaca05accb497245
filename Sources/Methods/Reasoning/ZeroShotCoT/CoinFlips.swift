import Laboratory

/// A coin, heads up at first, and people who flip it or do not, in turn.
package struct CoinFlips: Sendable, Hashable {
    package struct Move: Sendable, Hashable {
        package var name: String
        package var flips: Bool

        package init(_ name: String, flips: Bool) {
            self.name = name
            self.flips = flips
        }
    }

    package var moves: [Move]

    package init(_ moves: [Move]) { self.moves = moves }

    /// People whose names differ, each of whom flips the coin in half of the cases.
    package init(people: Int, of names: some Sequence<String>, using generator: inout SeededGenerator) {
        moves = generator.sample(people, of: names).map { Move($0, flips: generator.chance(0.5)) }
    }

    package var question: String {
        Self.opening + moves.map { " \($0.name)\($0.flips ? Self.flip : Self.noFlip)" }.joined() + Self.closing
    }

    private static let opening = "A coin is heads up."
    private static let flip = " flips the coin."
    private static let noFlip = " does not flip the coin."
    private static let closing = " Is the coin still heads up? Note that \"flip\" here means \"reverse\"."

    /// What all questions and restated moves say in the same words.
    package static let phrases = [" " + opening, flip, noFlip, closing, " flips,", " does not,"]

    /// Yes exactly when the number of flips is even.
    package var answer: String { isHeads ? "yes" : "no" }

    private var isHeads: Bool { moves.count(where: \.flips).isMultiple(of: 2) }

    /// Those who flip, and how many they are.
    package var tally: String {
        let flipped = moves.filter(\.flips).map(\.name)
        return (flipped.isEmpty ? "Nobody flipped it" : "Flipped by \(flipped.joined(separator: ", "))")
            + ": \(flipped.count) times, \(isHeads ? "even" : "odd"), so it shows \(isHeads ? "heads" : "tails")."
    }

    /// Every move restated in short, with how the coin lies after it.
    package var steps: String {
        var isHeads = true
        return moves.map { move in
            if move.flips { isHeads.toggle() }
            return "\(move.name) \(move.flips ? "flips" : "does not"), \(isHeads ? "heads" : "tails")."
        }.joined(separator: " ")
    }
}
