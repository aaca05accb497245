import Foundation
import Laboratory

/// Answers by the letters' logits: what QK-score is compared with.
package struct LetterBaseline: Sendable {
    /// The spelling of the letters that answers more of the questions rightly.
    package let form: LetterForm

    /// Takes the better of both spellings on the very questions that are reported, which can only favour the baseline.
    package init(_ readings: [ChoiceReading]) {
        let right = LetterForm.allCases.map { form in
            readings.count { $0.letters[form].map(HeadScores.largest) == $0.gold }
        }
        form = LetterForm.allCases[HeadScores.largest(right.map(Double.init))]
    }

    package func choice(_ reading: ChoiceReading) -> Int { reading.letters[form].map(HeadScores.largest) ?? 0 }

    package func choices(_ readings: [ChoiceReading]) -> [Int] { readings.map(choice) }

    package func outcomes(_ readings: [ChoiceReading]) -> [Bool] { readings.map { choice($0) == $0.gold } }

    /// Whether the letters as each layer would give them are right: [layers][questions].
    package func lensOutcomes(_ readings: [ChoiceReading]) -> [[Bool]] {
        let layers = readings.first?.lens[form]?.count ?? 0
        return (0..<layers).map { layer in
            readings.map { reading in
                reading.lens[form].map { HeadScores.largest($0[layer]) } == reading.gold
            }
        }
    }
}

/// PriDe: the prior of a letter, whatever stands behind it, is estimated by moving the options round, and divided out.
///
///     prior(d) = mean over questions of softmax_d( mean over rotations of log p(d | rotated question) )
///     choice   = argmax_d log p(d | question) − log prior(d)
///
/// Only content options move. A never-correct option keeps its letter, so that for it the prior of the letter and the
/// probability of the option can't be told apart: there PriDe takes away too much.
///
/// Source: Zheng et al., 2023, arXiv 2309.03882.
package struct LetterPrior: Sendable, Hashable {
    /// The logarithm of each letter's prior, in nats.
    package let logPrior: [Double]

    /// - Parameter logits: of the letters, [questions][rotations][letters].
    package init(_ logits: [[[Double]]]) {
        let letters = logits.first?.first?.count ?? 0
        var sum = [Double](repeating: 0, count: letters)
        for rotations in logits {
            var mean = [Double](repeating: 0, count: letters)
            for rotation in rotations {
                for (letter, value) in Self.logSoftmax(rotation).enumerated() {
                    mean[letter] += value / Double(rotations.count)
                }
            }
            for (letter, value) in Self.logSoftmax(mean).enumerated() { sum[letter] += exp(value) }
        }
        logPrior = sum.map { log($0 / Double(max(1, logits.count))) }
    }

    package func choice(_ logits: [Double]) -> Int {
        HeadScores.largest(zip(Self.logSoftmax(logits), logPrior).map { $0 - $1 })
    }

    package static func logSoftmax(_ logits: [Double]) -> [Double] {
        let peak = logits.max() ?? 0
        let total = log(logits.reduce(0) { $0 + exp($1 - peak) })
        return logits.map { $0 - peak - total }
    }
}
