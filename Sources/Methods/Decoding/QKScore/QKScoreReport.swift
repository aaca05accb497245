import Inference
import Laboratory

/// What a run of QK-score reports: every way of answering in each setting, the heads, the causal check.
struct QKScoreReport {
    private(set) var report: Report
    let samples: [SampleTrace]

    init(
        items: [ChoiceItem], outcomes: [ChoiceExperiment.Outcome], ablation: [HeadAblation.Outcome],
        rule: HeadSelectionRule
    ) throws {
        var report = Report("QK-score: the option that a head points at")
        let main = outcomes[0]
        let percent = NumberStyle.percent
        report.summary =
            "\(main.selected.count == 1 ? "Head" : "Heads") \(main.selected.names) "
            + "\(main.selected.count == 1 ? "points" : "point") at the right option in \(percent.text(main.accuracy(.heads))) of "
            + "\(main.test.count) questions; the letters' logits name it in \(percent.text(main.accuracy(.letters)))."
        for outcome in outcomes { try Self.add(outcome, to: &report) }
        try Self.addSubjects(items, main, to: &report)
        Self.addHeads(main, rule: rule, to: &report)
        Self.add(ablation, to: &report)
        samples = Self.samples(items, main)
        report.section("Samples")
        report.add(samples)
        self.report = report
    }

    /// One setting: accuracy of every arm, in both orders of the options, and how often each letter is chosen.
    static func add(_ outcome: ChoiceExperiment.Outcome, to report: inout Report) throws {
        report.section("Answers, \(outcome.setting)")
        let score = outcome.score == .qk ? "QK-score" : "attention score"
        report.add(
            Comparison(
                "accuracy, \(outcome.setting)", baseline: "letters", method: score,
                try PairedDifference(
                    baseline: outcome.outcomes(.letters, outcome.test),
                    method: outcome.outcomes(.heads, outcome.test))))
        if !outcome.permuted.isEmpty {
            report.add(
                Comparison(
                    "permutation accuracy, \(outcome.setting)", baseline: "letters", method: score,
                    try PairedDifference(baseline: outcome.bothOrders(.letters), method: outcome.bothOrders(.heads))))
        }
        var table = Table(
            "All ways of answering, \(outcome.setting)",
            columns: [
                .text("answered by"), .number("calibration"), .number("test"), .number("permutation accuracy"),
                .text("choices by letter"),
            ])
        for (name, arm) in Self.arms(outcome, score: score) {
            let test = outcome.outcomes(arm, outcome.test)
            let both = outcome.bothOrders(arm)
            let letters = outcome.test.map(\.qk.options).max() ?? 0
            table.add(
                name,
                outcome.calibration.isEmpty
                    ? "–" : percent(ChoiceMetrics.share(outcome.outcomes(arm, outcome.calibration))),
                Metric("", try .accuracy(test), style: .percent).text,
                both.isEmpty ? "–" : percent(ChoiceMetrics.share(both)),
                ChoiceMetrics.rates(outcome.choices(arm, outcome.test), options: letters).enumerated()
                    .map { "\(ChoiceText.letter($0.offset)) \(percent($0.element))" }.joined(separator: ", "),
                emphasised: arm == .heads)
        }
        report.add(table)
        report.note(
            "Letters are read \(outcome.baseline.form == .spaced ? "with" : "without") a space before them, the spelling that "
                + "answers more of these questions rightly. Permutation accuracy counts questions that are right in both orders of "
                + "their options.")
        let lens = outcome.baseline.lensOutcomes(outcome.test)
        if !lens.isEmpty {
            report.add(
                Plot(
                    "Letters off each layer's hidden state, \(outcome.setting)", x: "layer", y: "accuracy",
                    .lines([.init("letters", values: lens.map(ChoiceMetrics.share))])))
        }
    }

    private static func arms(
        _ outcome: ChoiceExperiment.Outcome, score: String
    ) -> [(String, ChoiceExperiment.Outcome.Arm)] {
        var arms: [(String, ChoiceExperiment.Outcome.Arm)] = [
            ("\(score), \(outcome.selected.names)", .heads), ("letters' logits", .letters),
        ]
        if outcome.prior != nil { arms.append(("letters' logits, PriDe", .pride)) }
        arms.append(("\(score), mean of all heads", .allHeads))
        return arms
    }

    private static func addSubjects(
        _ items: [ChoiceItem], _ outcome: ChoiceExperiment.Outcome, to report: inout Report
    ) throws {
        let subjects = Dictionary(grouping: items.indices, by: { items[$0].subject ?? "" })
        guard subjects.keys.contains(where: { !$0.isEmpty }) else { return }
        var table = Table(
            "By subject, \(outcome.setting)",
            columns: [.text("subject"), .number("questions"), .number("letters"), .number("heads")])
        let letters = outcome.outcomes(.letters, outcome.test)
        let heads = outcome.outcomes(.heads, outcome.test)
        for subject in subjects.keys.sorted() {
            let places = subjects[subject] ?? []
            table.add(
                subject.isEmpty ? "–" : subject, "\(places.count)",
                percent(ChoiceMetrics.share(places.map { letters[$0] })),
                percent(ChoiceMetrics.share(places.map { heads[$0] })))
        }
        report.add(table)
    }

    /// The accuracy of every head, and the best ones on both parts of the questions.
    static func addHeads(_ outcome: ChoiceExperiment.Outcome, rule: HeadSelectionRule, to report: inout Report) {
        report.section("The heads")
        report.add(map("Accuracy of every head on the test questions", outcome.test, score: outcome.score))
        guard !outcome.ranking.isEmpty else {
            report.note("The heads were given; there were no questions to choose them on.")
            return
        }
        report.add(
            map("Accuracy of every head on the calibration questions", outcome.calibration, score: outcome.score))
        var table = Table(
            "The heads ranked best",
            columns: [
                .text("head"), .number(rule == .labelled ? "calibration" : "mass × entropy"), .number("test"),
            ])
        for head in outcome.ranking.prefix(10) {
            table.add(
                HeadName(head.head).description, NumberStyle.decimals(3).text(head.score),
                NumberStyle.decimals(3).text(
                    HeadRanking.accuracy(of: [head.head], outcome.test, score: outcome.score)),
                emphasised: outcome.selected.contains(head.head))
        }
        report.add(table)
        report.note(
            "Ranked on \(outcome.calibration.count) questions among \(outcome.ranking.count) heads: the best calibration figure is too "
                + "high by the choice itself, and only the test figure counts.")
    }

    private static func map(_ title: String, _ readings: [ChoiceReading], score: HeadScore) -> Plot {
        let (layers, heads) = (readings.first?.qk.layers ?? 0, readings.first?.qk.heads ?? 0)
        return Plot(
            title, x: "head", y: "layer",
            .heatMap(
                Plot.Grid(
                    rows: (0..<layers).map(String.init), columns: (0..<heads).map(String.init),
                    values: (0..<layers).map { layer in
                        (0..<heads).map { HeadRanking.accuracy(of: [Head(layer, $0)], readings, score: score) }
                    })))
    }

    static func add(_ ablation: [HeadAblation.Outcome], to report: inout Report) {
        guard !ablation.isEmpty else { return }
        report.section("Causal check")
        var table = Table(
            "Accuracy when heads' outputs are zero",
            columns: [.text("zeroed"), .number("letters"), .number("the head's copies"), .text("heads")])
        for outcome in ablation {
            table.add(outcome.name, percent(outcome.letters), percent(outcome.copies), outcome.heads.names)
        }
        report.add(table)
    }

    /// The first questions with what the letters and the heads answered.
    static func samples(_ items: [ChoiceItem], _ outcome: ChoiceExperiment.Outcome) -> [SampleTrace] {
        let heads = outcome.choices(.heads, outcome.test)
        let letters = outcome.choices(.letters, outcome.test)
        return items.indices.prefix(20).map { index in
            let item = items[index]
            let options = item.options + ChoiceText.extraOptions
            func option(_ place: Int) -> String { "\(ChoiceText.letter(place)). \(options[place])" }
            let reading = outcome.test[index]
            let scores = outcome.selected.map { head in
                SampleTrace.Step(
                    "scores of head \(HeadName(head))",
                    reading.scores(outcome.score)[head].enumerated().map {
                        "\(ChoiceText.letter($0.offset)) \(NumberStyle.decimals(3).text($0.element))"
                    }.joined(separator: ", "))
            }
            return SampleTrace(
                item.id, input: item.question, expected: option(item.gold),
                arms: [
                    .init("letters", option(letters[index]), isCorrect: letters[index] == item.gold),
                    .init("heads", option(heads[index]), isCorrect: heads[index] == item.gold, steps: scores),
                ])
        }
    }
}

private func percent(_ value: Double) -> String { NumberStyle.percent.text(value) }
