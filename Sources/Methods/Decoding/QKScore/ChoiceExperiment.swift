import Inference
import Laboratory

/// Answers the questions of one setting (with or without the never-correct options) in every way that is compared.
package struct ChoiceExperiment: Sendable {
    package var reader: ChoiceReader
    package var score = HeadScore.qk
    package var rule = HeadSelectionRule.labelled
    /// How many of the best heads answer together.
    package var ensemble = 1
    /// Heads that are given; empty: the rule chooses.
    package var fixed: [Head] = []
    /// The most calibration questions that PriDe's prior is estimated on.
    package var priorItems = 20
    /// The most test questions that are asked again with their options in another order.
    package var permutedItems = Int.max

    package init(reader: ChoiceReader) { self.reader = reader }

    /// What came of it.
    package struct Outcome: Sendable {
        package var setting: String
        package var calibration: [ChoiceReading]
        package var test: [ChoiceReading]
        /// The first test questions with their options permuted.
        package var permuted: [ChoiceReading]
        /// All heads, best first; empty where heads are given and there was nothing to calibrate on.
        package var ranking: [RankedHead]
        package var selected: [Head]
        package var score: HeadScore
        package var baseline: LetterBaseline
        /// nil where there were no calibration questions.
        package var prior: LetterPrior?

        /// The ways of answering.
        package enum Arm: Hashable, Sendable {
            case heads, letters, pride, allHeads
        }

        package func choices(_ arm: Arm, _ readings: [ChoiceReading]) -> [Int] {
            switch arm {
            case .heads: readings.map { $0.scores(score).choice(of: selected) }
            case .letters: baseline.choices(readings)
            case .pride: readings.map { prior?.choice($0.letters[baseline.form] ?? []) ?? 0 }
            case .allHeads: readings.map { $0.scores(score).choiceOfAllHeads }
            }
        }

        package func outcomes(_ arm: Arm, _ readings: [ChoiceReading]) -> [Bool] {
            zip(choices(arm, readings), readings).map { $0 == $1.gold }
        }

        package func accuracy(_ arm: Arm) -> Double { ChoiceMetrics.share(outcomes(arm, test)) }

        /// Right in both orders, question by question, over the permuted ones.
        package func bothOrders(_ arm: Arm) -> [Bool] {
            ChoiceMetrics.both(outcomes(arm, test), outcomes(arm, permuted))
        }
    }

    package func run(
        calibration: [ChoiceItem], test: [ChoiceItem], in lab: Lab
    ) async throws -> Outcome {
        guard !test.isEmpty else { throw QKScoreError.noTestItems }
        guard !calibration.isEmpty || !fixed.isEmpty else { throw QKScoreError.noCalibration(items: test.count) }
        let architecture = reader.model.architecture
        guard architecture.has(fixed) else {
            throw QKScoreError.noSuchHeads(fixed, layers: architecture.layers, heads: architecture.heads)
        }
        let setting = reader.extraOptions.isEmpty ? "content options" : "with never-correct options"
        let calibrationReadings = try await lab.forEach("Calibrating, \(setting)", calibration) {
            try await reader.read($0)
        }
        let ranking = HeadRanking.ranked(calibrationReadings, by: rule, score: score)
        let testReadings = try await lab.forEach("Answering, \(setting)", test) { try await reader.read($0) }
        let permuted = test.prefix(permutedItems).enumerated().map { $0.element.permuted(number: $0.offset) }
        let permutedReadings = try await lab.forEach("Permuted, \(setting)", permuted) { try await reader.read($0) }
        let baseline = LetterBaseline(testReadings)
        return Outcome(
            setting: setting, calibration: calibrationReadings, test: testReadings, permuted: permutedReadings,
            ranking: ranking, selected: fixed.isEmpty ? ranking.prefix(max(1, ensemble)).map(\.head) : fixed,
            score: score, baseline: baseline,
            prior: try await prior(calibration, calibrationReadings, form: baseline.form, in: lab))
    }

    /// PriDe's prior, from calibration questions in all rotations.
    private func prior(
        _ items: [ChoiceItem], _ readings: [ChoiceReading], form: LetterForm, in lab: Lab
    ) async throws -> LetterPrior? {
        // The prior is of letters: questions with another number of options say nothing about it.
        let options = readings.first?.qk.options
        let chosen = items.indices.filter { readings[$0].qk.options == options }.prefix(priorItems)
        guard !chosen.isEmpty else { return nil }
        return LetterPrior(
            try await lab.forEach("Letter prior", chosen) { index in
                var rotations = [readings[index].letters[form] ?? []]
                for places in 1..<items[index].options.count {
                    rotations.append(try await reader.letters(items[index].rotated(by: places))[form] ?? [])
                }
                return rotations
            })
    }
}
