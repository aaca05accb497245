import Inference
import Laboratory

/// What every arm made of every item, and what a report says of it.
package struct ReasoningTable: Sendable {
    package let items: [ReasoningItem]
    package let arms: [ReasoningArm]
    /// [arms × items]
    package let outcomes: [[ReasoningOutcome]]
    package let samples: [SampleTrace]
    private let seed: UInt64

    package init(
        _ runner: ReasoningRunner, arms: [ReasoningArm], items: [ReasoningItem], in lab: Lab, label: String = "items"
    ) async throws {
        let found = try await lab.forEach(label, items) { item in
            var outcomes: [ReasoningOutcome] = []
            for arm in arms { outcomes.append(try await runner.outcome(arm, of: item)) }
            let sample = SampleTrace(
                item.id, input: item.question, expected: item.gold,
                arms: zip(arms, outcomes).map { arm, outcome in
                    SampleTrace.Arm(
                        arm.name, outcome.answer + (outcome.isTruncated ? " (reasoning cut at its token cap)" : ""),
                        isCorrect: outcome.isRight, steps: outcome.steps)
                })
            await lab.recorder.record(sample)
            return (outcomes, sample)
        }
        self.items = items
        self.arms = arms
        outcomes = arms.indices.map { arm in found.map { $0.0[arm] } }
        samples = found.map(\.1)
        seed = lab.seed
    }

    // MARK: Measurements of an arm

    package func rights(_ arm: Int) -> [Bool] { outcomes[arm].map(\.isRight) }

    package func accuracy(_ arm: Int) throws -> Estimate { try .accuracy(rights(arm)) }

    /// The share of items with an answer of the right form.
    package func extractionRate(_ arm: Int) throws -> Estimate {
        try .accuracy(outcomes[arm].map { !$0.answer.isEmpty })
    }

    package func comparison(_ arm: Int, with baseline: Int = 0) throws -> PairedDifference {
        try PairedDifference(baseline: rights(baseline), method: rights(arm), seed: seed)
    }

    private func mean(_ arm: Int, _ value: (ReasoningOutcome) -> Int) -> Double {
        Double(outcomes[arm].reduce(0) { $0 + value($1) }) / Double(max(1, items.count))
    }

    // MARK: Reports

    package func report(_ options: ZeroShotCoT.Options) throws -> Report {
        let shown = arms.indices.dropFirst().first { arms[$0].variant == .zeroShotCoT } ?? arms.count - 1
        var report = Report("Zero-shot-CoT", summary: try summary(of: shown))
        for arm in arms.indices.dropFirst() {
            report.add(
                Comparison(
                    "accuracy", baseline: arms[0].name, method: arms[arm].name, try comparison(arm), style: .percent))
        }
        report.add(try variantTable())
        if let kinds = try kindTable() { report.add(kinds) }
        report.add(
            Plot(
                "Accuracy", y: "share right",
                .bars(try arms.indices.map { Plot.Bar(arms[$0].name, try accuracy($0)) })))
        report.note(notes(options))
        report.add(samples)
        return report
    }

    private func summary(of arm: Int) throws -> String {
        let accuracy = NumberStyle.percent
        let difference = try comparison(arm)
        return "\(arms[arm].name) answers \(accuracy.text(difference.method.value)) of \(items.count) items right, "
            + "\(arms[0].name) \(accuracy.text(difference.baseline.value)) "
            + "(\(difference.test.name): p = \(NumberStyle.decimals(3).text(difference.test.pValue)))."
    }

    /// The arms side by side.
    package func variantTable(_ caption: String = "Variants on the same items") throws -> Table {
        var table = Table(
            caption,
            columns: [
                .text("variant"), .number("accuracy"), .number("95 % interval"), .number("no answer"),
                .number("cut short"),
                .number("tokens an item"), .number("calls an item"),
            ])
        for arm in arms.indices {
            let accuracy = try accuracy(arm)
            let percent = NumberStyle.percent
            table.add([
                arms[arm].name, percent.text(accuracy.value),
                "\(percent.text(accuracy.low ?? 0)) – \(percent.text(accuracy.high ?? 1))",
                percent.text(1 - (try extractionRate(arm)).value),
                percent.text(mean(arm) { $0.isTruncated ? 1 : 0 }),
                NumberStyle.decimals(1).text(mean(arm, \.usage.completionTokens)),
                NumberStyle.decimals(1).text(mean(arm, \.calls)),
            ])
        }
        return table
    }

    /// Accuracy for each kind of answer, where there are several.
    private func kindTable() throws -> Table? {
        let kinds = Set(items.map(\.kind.name)).sorted()
        guard kinds.count > 1 else { return nil }
        var table = Table("Accuracy by kind of answer", columns: [.text("kind")] + arms.map { .number($0.name) })
        for kind in kinds {
            let places = items.indices.filter { items[$0].kind.name == kind }
            table.add(
                ["\(kind) (\(places.count))"]
                    + (try arms.indices.map { arm in
                        NumberStyle.percent.text(try Estimate.accuracy(places.map { outcomes[arm][$0].isRight }).value)
                    }))
        }
        return table
    }

    private func notes(_ options: ZeroShotCoT.Options) -> String {
        var notes = "An item without an answer of the right form counts as wrong. "
        if items.contains(where: { !$0.kind.letters.isEmpty }) {
            notes +=
                options.letters == .bare
                ? "Options: any allowed letter counts, also the article A, as in the reference code (letters = bare). "
                : "Options: only letters that stand alone count (letters = standalone). "
        }
        notes +=
            options.numericEquality
            ? "Numbers are compared by value. " : "Answers are compared as strings, as in the reference code. "
        return notes + "Cut short: the reasoning reached max-length-cot (\(options.maxLengthCoT) tokens)."
    }
}
