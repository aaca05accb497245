import Inference
import Laboratory

/// Whether the best heads cause the answers: their outputs are set to zero, and beside them those of as many random heads of
/// the same layers.
package struct HeadAblation: Sendable {
    package var reader: ChoiceReader
    package var score: HeadScore
    /// The heads that answer.
    package var selected: [Head]
    /// Random sets of heads to compare with.
    package var draws = 5

    package struct Outcome: Sendable, Hashable {
        package var name: String
        package var heads: [Head]
        /// The accuracy of the letters' logits.
        package var letters: Double
        /// The accuracy of the selected heads' own scores.
        package var copies: Double
    }

    package init(reader: ChoiceReader, score: HeadScore, selected: [Head], draws: Int = 5) {
        self.reader = reader
        self.score = score
        self.selected = selected
        self.draws = draws
    }

    /// Reads the questions with nothing, the best heads and the random ones ablated.
    ///
    /// - Parameter intact: readings of the same questions with nothing ablated.
    package func outcomes(
        _ items: [ChoiceItem], intact: [ChoiceReading], best: [Head], baseline: LetterBaseline, in lab: Lab
    ) async throws -> [Outcome] {
        var random = lab.random("heads to ablate")
        let sets: [(name: String, heads: [Head])] =
            [("the \(best.count) best heads", best)]
            + (0..<draws).map { draw in
                (
                    "random heads, draw \(draw + 1)",
                    Self.randomHeads(like: best, headsInLayer: reader.model.architecture.heads, using: &random)
                )
            }
        let zeroed = sets.map { Set($0.heads) }
        let readings = try await lab.forEach("Ablating heads", 0..<sets.count * items.count) { job in
            try await reader.read(
                items[job % items.count], interventions: [.ablateHeads(zeroed[job / items.count])])
        }
        return [outcome("nothing", [], intact, baseline)]
            + sets.enumerated().map { index, set in
                outcome(
                    set.name, set.heads, Array(readings[index * items.count..<(index + 1) * items.count]), baseline)
            }
    }

    private func outcome(
        _ name: String, _ heads: [Head], _ readings: [ChoiceReading], _ baseline: LetterBaseline
    ) -> Outcome {
        Outcome(
            name: name, heads: heads, letters: ChoiceMetrics.share(baseline.outcomes(readings)),
            copies: HeadRanking.accuracy(of: selected, readings, score: score))
    }

    /// For each head another of its layer, all different. Where a layer has too few others, heads stay out.
    package static func randomHeads(
        like heads: [Head], headsInLayer: Int, using random: inout SeededGenerator
    ) -> [Head] {
        let byLayer = Dictionary(grouping: heads, by: \.layer)
        return byLayer.keys.sorted().flatMap { layer -> [Head] in
            let taken = byLayer[layer] ?? []
            let others = (0..<headsInLayer).map { Head(layer, $0) }.filter { !taken.contains($0) }
            return random.sample(taken.count, of: others)
        }
    }
}
