import Foundation
import Inference
import Laboratory
import Text

extension USCD {
    package static let demoFunctions = 60

    /// Sixty functions whose constant stands in the examples alone: the probability and rank of the right next token under
    /// standard decoding, contrast at every step, and USCD; the rule's exact cases beside them.
    public func demo(in lab: Lab) async throws -> Demonstration {
        let model = try lab.openModel()
        var generator = lab.random("functions")
        let functions = ExampleOnlyFunction.make(lab.limit ?? Self.demoFunctions, using: &generator)
        let rule = Options().rule(
            vocabularySize: min(model.tokenizer.vocabularySize, model.architecture.vocabularySize))
        let found = try await lab.forEach("functions", functions) { function in
            let result = try await ContrastMeasurement(function, rule: rule, model: model)
            await lab.recorder.record(result.trace)
            return result
        }
        return try Self.conclude(found, rule: rule, seed: lab.seed)
    }

    private static func conclude(
        _ found: [ContrastMeasurement], rule: SelectiveContrast, seed: UInt64
    ) throws -> Demonstration {
        func mean(_ value: (ContrastMeasurement) -> Double) -> Double {
            found.reduce(0) { $0 + value($1) } / Double(max(1, found.count))
        }
        func share(_ holds: (ContrastMeasurement) -> Bool) -> Double { mean { holds($0) ? 1 : 0 } }
        let standard = mean(\.standard.probability)
        let uscd = mean(\.selective.probability)
        let rising = found.count { $0.selective.probability > $0.standard.probability }
        let difference = try PairedDifference(
            baseline: found.map(\.standard.probability), method: found.map(\.selective.probability), seed: seed)

        let number = NumberStyle.decimals(3)
        var report = Report(
            "USCD where only the examples tell",
            summary:
                "The right constant has probability \(number.text(uscd)) under USCD and \(number.text(standard)) under "
                + "standard decoding, over \(found.count) functions; it rises on \(rising) of them.")
        report.add(Comparison("p(gold)", baseline: "standard", method: "USCD", difference))
        report.add(Self.table(found))
        report.add(
            Plot(
                "Probability of the right constant", y: "mean p(gold)",
                .bars(
                    try ContrastMeasurement.readings.map { name, reading in
                        Plot.Bar(name, try .mean(found.map { $0[keyPath: reading].probability }, seed: seed))
                    })))
        report.note("Not shown here: pass@1 on HumanEval by running unit tests, for which the 135M model is too weak.")
        report.add(found.map(\.trace))

        let exact = ExactCases(rule)
        return Demonstration(
            report,
            checks: [
                Check("mean p(gold), USCD over standard", standard > 0 ? uscd / standard : 0, .atLeast(1.25)),
                Check("functions on which p(gold) rises", Double(rising), .atLeast(Double(found.count / 2 + 1))),
                Check(
                    "self-contrast keeps the ranking inside K", share(\.selfContrastKeepsRanking), .atLeast(1),
                    role: .mechanism),
                Check("sure steps leave p⁺ to the bit", share(\.sureStepIsUntouched), .atLeast(1), role: .mechanism),
                Check("hand case, largest error", exact.handCaseError, .atMost(1e-6), role: .mechanism),
                Check(
                    "deviation of a one-hot distribution, error", exact.oneHotError, .atMost(1e-12), role: .mechanism),
                Check(
                    "lock-step decoding, largest error of p", found.map(\.lockStepError).max() ?? 1, .atMost(0.05),
                    role: .mechanism),
            ],
            controls: [
                .init("mean p(gold), standard", standard),
                .init("mean p(gold), lame prompt", mean(\.lame.probability)),
                .init("mean p(gold), always contrast", mean(\.always.probability)),
                .init("mean p(gold), USCD", uscd),
                .init("mean p(gold), contrast with itself", mean(\.selfContrast.probability)),
                .init("gold is top-1, standard", share { $0.standard.rank == 1 }),
                .init("gold is top-1, USCD", share { $0.selective.rank == 1 }),
                .init("share of contrasted steps", share(\.step.isContrasted)),
                .init("least confidence", found.map(\.step.confidence).min() ?? .nan),
                .init("greatest confidence", found.map(\.step.confidence).max() ?? .nan),
            ])
    }

    private static func table(_ found: [ContrastMeasurement]) -> Table {
        var table = Table(
            "The right constant as the next token",
            columns: [.text("decoding"), .number("mean p"), .number("mean rank"), .number("first")])
        for (name, reading) in ContrastMeasurement.readings {
            let readings = found.map { $0[keyPath: reading] }
            let count = Double(max(1, readings.count))
            table.add(
                name, NumberStyle.decimals(4).text(readings.reduce(0) { $0 + $1.probability } / count),
                NumberStyle.decimals(1).text(Double(readings.reduce(0) { $0 + $1.rank }) / count),
                "\(readings.count { $0.rank == 1 }) of \(readings.count)", emphasised: name == "USCD")
        }
        return table
    }
}

/// The cases that can be worked out by hand.
private struct ExactCases {
    /// p⁺ = (.5, .3, .15, .05), p⁻ = (.6, .1, .1, .2), η = 2/3: K holds the first two, s = (.08, .23), and the output is
    /// (8/31, 23/31).
    let handCaseError: Double
    /// A one-hot distribution over V entries has deviation 1/√V.
    let oneHotError: Double

    init(_ rule: SelectiveContrast) {
        var rule = rule
        rule.vocabularySize = nil
        let result = rule.combined(
            standard: [0.5, 0.3, 0.15, 0.05].map { Float(log($0)) }, lame: [0.6, 0.1, 0.1, 0.2].map { Float(log($0)) })
        handCaseError = zip(SelectiveContrast.softmax(result.logits), [8.0 / 31, 23.0 / 31, 0, 0])
            .reduce(0) { max($0, abs($1.0 - $1.1)) }
        let size = 4_096
        var oneHot = [Float](repeating: -.infinity, count: size)
        oneHot[17] = 0
        oneHotError = abs(rule.combined(standard: oneHot, lame: oneHot).step.deviation - 1 / Double(size).squareRoot())
    }
}
