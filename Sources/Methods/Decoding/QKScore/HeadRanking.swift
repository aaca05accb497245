import Foundation
import Inference
import Laboratory

/// A head with what it was ranked by.
package struct RankedHead: Sendable, Hashable, Codable {
    package var head: Head
    package var score: Double

    package init(_ head: Head, _ score: Double) {
        self.head = head
        self.score = score
    }
}

/// How heads are chosen.
public enum HeadSelectionRule: String, OptionChoice, Codable {
    /// The most accurate ones on labelled questions.
    case labelled
    /// Those that look at the options much and at different ones: labels are not used.
    case unlabelled
}

/// Ranks all heads of a model, best first; among equals the earlier one.
///
/// - *Labelled*: the share of calibration questions on which the head points at the right option.
/// - *Unlabelled*: (mean over questions of Σ_i a_{N,t_i}) × (entropy, in nats, of how often the head points at each option). A head
///   that always points at one place has entropy 0, one that looks elsewhere has little mass. The published formula was not
///   available; these are its two ingredients.
package enum HeadRanking {
    package static func ranked(
        _ readings: [ChoiceReading], by rule: HeadSelectionRule, score: HeadScore
    ) -> [RankedHead] {
        guard let first = readings.first else { return [] }
        return first.qk.all.map { head in
            RankedHead(
                head,
                rule == .labelled
                    ? accuracy(of: [head], readings, score: score)
                    : concentration(of: head, readings) * diversity(of: head, readings, score: score))
        }.sorted { $0.score != $1.score ? $0.score > $1.score : $0.head < $1.head }
    }

    /// Whether heads together point at the right option, question by question.
    package static func outcomes(of heads: [Head], _ readings: [ChoiceReading], score: HeadScore) -> [Bool] {
        readings.map { $0.scores(score).choice(of: heads) == $0.gold }
    }

    package static func accuracy(of heads: [Head], _ readings: [ChoiceReading], score: HeadScore) -> Double {
        ChoiceMetrics.share(outcomes(of: heads, readings, score: score))
    }

    /// The mean attention from the last token to the options' tokens together.
    package static func concentration(of head: Head, _ readings: [ChoiceReading]) -> Double {
        readings.reduce(0) { $0 + $1.attention[head].reduce(0, +) } / Double(max(1, readings.count))
    }

    /// The entropy of the options that the head points at, in nats.
    package static func diversity(of head: Head, _ readings: [ChoiceReading], score: HeadScore) -> Double {
        ChoiceMetrics.rates(readings.map { $0.scores(score).choice(of: [head]) }, options: nil)
            .reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
    }
}

/// The numbers that multiple-choice answers are judged by.
package enum ChoiceMetrics {
    package static func share(_ outcomes: [Bool]) -> Double {
        Double(outcomes.count { $0 }) / Double(max(1, outcomes.count))
    }

    /// Whether each question was answered rightly in both orders of its options. Their share, permutation accuracy, is at most
    /// the smaller of the two accuracies.
    package static func both(_ original: [Bool], _ permuted: [Bool]) -> [Bool] {
        zip(original, permuted).map { $0 && $1 }
    }

    /// How often each option was chosen.
    ///
    /// - Parameter options: how many there are; nil: as many as were chosen from.
    package static func rates(_ choices: [Int], options: Int?) -> [Double] {
        var counts = [Double](repeating: 0, count: max(options ?? 0, (choices.max() ?? -1) + 1))
        for choice in choices { counts[choice] += 1 }
        return counts.map { $0 / Double(max(1, choices.count)) }
    }
}

/// Chosen heads of one model, as a file.
package struct HeadSelection: HeadFile, Hashable {
    package static let noun = "head file"
    package static let remedy = "Leave --head-file out to choose heads for this model."

    package var fingerprint: String
    package var model: String
    package var score: HeadScore
    package var token: RepresentativeToken
    package var rule: HeadSelectionRule
    /// How many questions the heads were chosen on.
    package var items: Int
    /// What the heads were ranked by, all heads of the model, best first.
    package var ranking: [RankedHead]
    package var selected: [Head]

    package init(
        fingerprint: String, model: String, score: HeadScore, token: RepresentativeToken, rule: HeadSelectionRule,
        items: Int, ranking: [RankedHead], selected: [Head]
    ) {
        self.fingerprint = fingerprint
        self.model = model
        self.score = score
        self.token = token
        self.rule = rule
        self.items = items
        self.ranking = ranking
        self.selected = selected
    }
}
