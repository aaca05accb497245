import Inference
import Laboratory

/// The experiment that can prove QK-score's claim wrong on a small model: questions that need no knowledge, 100 to choose a head on
/// and 300 others to test it, with four options and two never-correct ones.
struct QKScoreDemo {
    let lab: Lab
    var calibrationItems = 100
    var testItems = 300
    /// Test questions asked again in another order, and asked without the never-correct options.
    var repeatedItems = 100
    var ablationItems = 40
    var ablatedHeads = 10

    /// The experiments of one demonstration.
    private struct Found {
        var items: [ChoiceItem]
        /// With the never-correct options.
        var main: ChoiceExperiment.Outcome
        /// Without them.
        var content: ChoiceExperiment.Outcome
        var attention: ChoiceExperiment.Outcome
        var unlabelled: ChoiceExperiment.Outcome
        var ablation: [HeadAblation.Outcome]
        var exactness: QKExactness
        var randomHead: Head
    }

    func demonstrate() async throws -> Demonstration {
        let model = try lab.openModel()
        let words = SyntheticChoices.words(of: model.tokenizer)
        let limit = lab.limit ?? .max
        var random = lab.random("calibration questions")
        let calibration = try SyntheticChoices.items(
            min(calibrationItems, limit), words: words, name: "calibration", using: &random)
        random = lab.random("test questions")
        let test = try SyntheticChoices.items(min(testItems, limit), words: words, name: "test", using: &random)

        let reader = ChoiceReader(model: model)
        let main = try await lab.time("six options") {
            try await experiment(reader).run(calibration: calibration, test: test, in: lab)
        }
        let content = try await lab.time("four options") {
            try await experiment(reader, extraOptions: [], permutedItems: 0).run(
                calibration: Array(calibration.prefix(repeatedItems)), test: Array(test.prefix(repeatedItems)), in: lab)
        }
        let best = main.ranking.prefix(ablatedHeads).map(\.head)
        let ablated = Array(test.prefix(ablationItems))
        let ablation = try await lab.time("ablation") {
            try await HeadAblation(reader: reader, score: .qk, selected: main.selected).outcomes(
                ablated, intact: Array(main.test.prefix(ablated.count)), best: best, baseline: main.baseline, in: lab)
        }
        let layers = model.architecture.layers
        let exactness = try await QKExactness(
            test[0], reader: reader,
            layers: Set([0, main.selected.first?.layer ?? layers / 2, layers - 1]).sorted())
        random = lab.random("random head")
        return try demonstration(
            Found(
                items: test, main: main, content: content, attention: rescored(main, .attention, .labelled),
                unlabelled: rescored(main, .qk, .unlabelled), ablation: ablation, exactness: exactness,
                randomHead: random.pick(main.ranking)?.head ?? Head(0, 0)))
    }

    private func experiment(
        _ reader: ChoiceReader, extraOptions: [String] = ChoiceText.extraOptions, permutedItems: Int? = nil
    ) -> ChoiceExperiment {
        var experiment = ChoiceExperiment(reader: reader)
        experiment.reader.extraOptions = extraOptions
        experiment.permutedItems = permutedItems ?? repeatedItems
        return experiment
    }

    /// The same readings under another score or another way to choose the head.
    private func rescored(
        _ outcome: ChoiceExperiment.Outcome, _ score: HeadScore, _ rule: HeadSelectionRule
    ) -> ChoiceExperiment.Outcome {
        var other = outcome
        other.score = score
        other.ranking = HeadRanking.ranked(outcome.calibration, by: rule, score: score)
        other.selected = other.ranking.prefix(1).map(\.head)
        return other
    }

    private func demonstration(_ found: Found) throws -> Demonstration {
        let main = found.main
        let style = NumberStyle.decimals(2)
        let (baseline, heads) = (main.accuracy(.letters), main.accuracy(.heads))
        let null = HeadRanking.accuracy(of: [found.randomHead], main.test, score: .qk)
        let accuracies = main.ranking.map { HeadRanking.accuracy(of: [$0.head], main.test, score: .qk) }.sorted()
        let middle = accuracies.isEmpty ? .nan : accuracies[accuracies.count / 2]
        var report = Report("QK-score on questions that need no knowledge")
        report.summary =
            "Head \(main.selected.names) points at the right one of six options in \(style.text(heads)) of "
            + "\(main.test.count) questions; the letters' logits name it in \(style.text(baseline))."
        try QKScoreReport.add(main, to: &report)
        try QKScoreReport.add(found.content, to: &report)
        QKScoreReport.addHeads(main, rule: .labelled, to: &report)
        report.add(try choiceTable(found))
        report.note(
            "The middle one of all \(accuracies.count) heads answers \(style.text(middle)), one drawn at random, "
                + "\(HeadName(found.randomHead)), \(style.text(null)). A head that always points at one content option has about 0.25, "
                + "one that points at a never-correct option 0: single heads may lie below chance, the middle one may not."
        )
        QKScoreReport.add(found.ablation, to: &report)
        report.note(
            "Positions: masked tokens in front change neither score, as rotary attention sees differences of positions alone. Between "
                + "the options and the end they leave the first layer's query-key products as they are, and change its attention."
        )

        report.section("Samples")
        report.add(QKScoreReport.samples(found.items, main))

        let unlabelledBest =
            found.unlabelled.ranking.prefix(10)
            .map { HeadRanking.accuracy(of: [$0.head], main.test, score: .qk) }.max() ?? 0
        let exact = found.exactness
        let both = ChoiceMetrics.share(main.bothOrders(.heads))
        let orders = min(
            ChoiceMetrics.share(Array(main.outcomes(.heads, main.test).prefix(main.permuted.count))),
            ChoiceMetrics.share(main.outcomes(.heads, main.permuted)))
        let band = Self.band(main.test.count)
        let checks = [
            Check("accuracy of the chosen head above the letters'", heads - baseline, .atLeast(0.15)),
            Check("accuracy of the chosen head", heads, .atLeast(0.38)),
            Check("accuracy of the middle head", middle, .between(band.lowerBound, band.upperBound)),
            Check(
                "query-key products against the weights, as a share of |q||k|", exact.projectionError, .atMost(1e-4),
                role: .mechanism),
            // Keys in half precision and activations in 16 bits round differently at other positions; in f32 it is 1e-6.
            Check(
                "their change when all positions move, as a share of |q||k|", exact.shiftChange, .atMost(1e-3),
                role: .mechanism),
            Check("their change in the first layer across a gap", exact.gapChange, .atMost(1e-4), role: .mechanism),
            Check(
                "change of the first layer's attention across a gap", exact.gapAttentionChange, .atLeast(1e-3),
                role: .mechanism),
            Check("permutation accuracy above the lower accuracy", both - orders, .atMost(0), role: .mechanism),
        ]
        func mean(_ value: (HeadAblation.Outcome) -> Double) -> Double {
            let draws = found.ablation.dropFirst(2)
            return draws.reduce(0) { $0 + value($1) } / Double(max(1, draws.count))
        }
        let controls: [Demonstration.Control] = [
            .init("accuracy, letters", baseline), .init("accuracy, chosen head", heads),
            .init("accuracy, head drawn at random", null),
            .init("accuracy, best of all heads", accuracies.last ?? .nan),
            .init("accuracy on calibration, chosen head", main.ranking.first?.score ?? .nan),
            .init("accuracy, PriDe", main.accuracy(.pride)),
            .init("accuracy, mean of all heads", main.accuracy(.allHeads)),
            .init("accuracy, best head by attention weight", found.attention.accuracy(.heads)),
            .init("accuracy, best of ten heads chosen without labels", unlabelledBest),
            .init("accuracy of letters, four options", found.content.accuracy(.letters)),
            .init("accuracy of the chosen head, four options", found.content.accuracy(.heads)),
            .init("permutation accuracy, letters", ChoiceMetrics.share(main.bothOrders(.letters))),
            .init("permutation accuracy, chosen head", both),
            .init("letters, nothing ablated", found.ablation.first?.letters ?? .nan),
            .init("letters, best heads ablated", found.ablation.dropFirst().first?.letters ?? .nan),
            .init("letters, random heads ablated", mean(\.letters)),
            .init("copies, nothing ablated", found.ablation.first?.copies ?? .nan),
            .init("copies, best heads ablated", found.ablation.dropFirst().first?.copies ?? .nan),
            .init("copies, random heads ablated", mean(\.copies)),
            .init("change of attention when all positions move", exact.shiftAttentionChange),
        ]
        return Demonstration(report, checks: checks, controls: controls)
    }

    /// The ways to choose a head, on the same readings.
    private func choiceTable(_ found: Found) throws -> Table {
        var table = Table(
            "Ways to choose a head",
            columns: [.text("chosen by"), .text("head"), .number("calibration"), .number("test")])
        for (name, outcome) in [
            ("QK-score, labels", found.main), ("attention weight, labels", found.attention),
            ("QK-score, without labels", found.unlabelled),
        ] {
            table.add(
                name, outcome.selected.names,
                NumberStyle.decimals(2).text(
                    ChoiceMetrics.share(outcome.outcomes(.heads, outcome.calibration))),
                Metric("", try .accuracy(outcome.outcomes(.heads, outcome.test))).text)
        }
        return table
    }

    /// Accuracies that chance gives, from one in six (any option) to one in four (content options alone): two-sided at 99 %.
    static func band(_ count: Int) -> ClosedRange<Double> {
        func deviation(_ p: Double) -> Double { 2.576 * (p * (1 - p) / Double(max(1, count))).squareRoot() }
        return max(0, 1.0 / 6 - deviation(1.0 / 6))...(0.25 + deviation(0.25))
    }
}
