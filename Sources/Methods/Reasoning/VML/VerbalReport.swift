import Laboratory

/// What a training of words has to say: the trace of θ is the product.
struct VerbalReport {
    let task: VerbalTask
    let data: VerbalData
    let history: VerbalTraining.History

    private var isClassification: Bool { if case .labels = task.target { true } else { false } }
    private var lossName: String { isClassification ? "error rate" : "mean squared error" }

    func report(_ title: String) -> Report {
        let before = history.steps[0].test?.all.value
        let after = history.steps.last?.test?.all.value
        let change =
            before.flatMap { before in
                after.map {
                    "The \(lossName) on test points went from \(NumberStyle.decimals(3).text(before)) to "
                        + "\(NumberStyle.decimals(3).text($0)). "
                }
            } ?? ""
        var report = Report(title, summary: change + "The model: " + task.parameters(history.descriptions))
        report.add(metrics())
        report.add(
            Plot(
                "Loss", x: "step", y: lossName,
                .lines([
                    .init("batch before its update", points { $0.trainLoss?.value }),
                    .init("test, in range", points { $0.test?.inRange.value }),
                    .init("test, out of range", points { $0.test?.outOfRange.value }),
                ])))
        var table = Table(
            "The descriptions after each step",
            columns: [
                .number("step"), .number("epoch"), .number("batch loss"), .number("test loss"), .number("characters"),
                .text("descriptions"),
            ])
        for step in history.steps {
            table.add(
                [
                    String(step.number), String(step.epoch), Self.text(step.trainLoss), Self.text(step.test?.all),
                    String(step.descriptions.count) + (step.wasCut ? " (cut)" : ""), step.descriptions,
                ], emphasised: step.number == history.steps[history.chosen].number)
        }
        report.add(table)
        report.add(
            history.steps.dropFirst().map { step in
                SampleTrace(
                    "step \(step.number)", input: history.steps[step.number - 1].descriptions,
                    arms: [.init("optimizer", step.descriptions, steps: [.init("reasoning", step.reasoning)])])
            })
        report.note(
            "Test losses count predictions that could be read. \(history.learnerFailures) replies of the learner and "
                + "\(history.optimizerFailures) of the optimizer could not and were asked for again.")
        return report
    }

    private func metrics() -> [Metric] {
        guard let test = history.steps[history.chosen].test ?? history.steps.last?.test else { return [] }
        var metrics = [Metric("\(lossName), test", test.all.value)]
        if test.inRange.count > 0 { metrics.append(Metric("\(lossName), in range", test.inRange.value)) }
        if test.outOfRange.count > 0 { metrics.append(Metric("\(lossName), out of range", test.outOfRange.value)) }
        metrics.append(Metric("unread predictions, test", Double(test.all.unread), style: .whole))
        metrics.append(
            Metric("characters of the descriptions", Double(history.descriptions.count), style: .whole))
        return metrics
    }

    private func points(_ value: (VerbalTraining.Step) -> Double?) -> [Plot.Point] {
        history.steps.compactMap { step in
            value(step).flatMap { $0.isFinite ? Plot.Point(Double(step.number), $0) : nil }
        }
    }

    private static func text(_ loss: VerbalLoss?) -> String {
        loss.map { NumberStyle.decimals(3).text($0.value) } ?? ""
    }

    /// The verbal model against another on the test points that both predict.
    static func compare(
        _ mine: [VerbalValue?], _ theirs: [VerbalValue?], _ name: String, _ data: VerbalData, _ task: VerbalTask,
        seed: UInt64, in report: inout Report
    ) throws {
        let pairs = data.test.indices.compactMap { place -> (Double, Double)? in
            guard mine.indices.contains(place), let a = task.loss(mine[place], of: data.test[place].target),
                let b = task.loss(theirs[place], of: data.test[place].target)
            else { return nil }
            return (b, a)
        }
        guard !pairs.isEmpty else { return report.note("No test point has a prediction of both vml and \(name).") }
        report.add(
            Comparison(
                "loss on test points", baseline: name, method: "vml",
                try PairedDifference(baseline: pairs.map(\.0), method: pairs.map(\.1), seed: seed),
                higherIsBetter: false))
    }
}
