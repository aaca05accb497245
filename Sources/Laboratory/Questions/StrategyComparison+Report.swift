import Inference
import Text

extension StrategyComparison {
    /// One table of all strategies, each beside the first: accuracy with Wilson's interval, the paired difference with
    /// McNemar's exact p-value, and what it cost.
    public func table(_ caption: String = "Strategies on the same questions") throws -> Table {
        var table = Table(
            caption,
            columns: [
                .text("strategy"), .number("accuracy"), .number("95 % interval"),
                .number("minus \(strategies[0].name)"), .number("p"), .number("no answer"), .number("calls"),
                .number("tokens"), .number("tokens a right answer"), .number("seconds"),
            ])
        let percent = NumberStyle.percent
        for index in strategies.indices {
            let accuracy = try accuracy(index)
            let right = rights(index).count { $0 }
            let tokens = mean(index, \.cost.tokens)
            var cells = [
                strategies[index].name, percent.text(accuracy.value),
                "\(percent.text(accuracy.low ?? 0)) – \(percent.text(accuracy.high ?? 1))",
            ]
            if index == 0 {
                cells += ["", ""]
            } else {
                let difference = try difference(index)
                cells += [
                    percent.text(difference.difference.value),
                    NumberStyle.decimals(3).text(difference.test.pValue),
                ]
            }
            cells += [
                percent.text(mean(index) { $0.solution.answer.isEmpty ? 1 : 0 }),
                NumberStyle.decimals(1).text(mean(index, \.cost.calls)), NumberStyle.whole.text(tokens),
                right == 0 ? "–" : NumberStyle.whole.text(tokens * Double(questions.count) / Double(right)),
                NumberStyle.decimals(1).text(seconds[index]),
            ]
            table.add(cells)
        }
        return table
    }

    /// Every question with what each strategy made of it.
    public func samples() -> [SampleTrace] {
        questions.indices.map { place in
            let question = questions[place]
            return SampleTrace(
                question.id, input: question.prompt, expected: question.golds.joined(separator: " or "),
                arms: strategies.indices.map { index in
                    let attempt = attempts[index][place]
                    let cut = attempt.cost.cutShort > 0 ? " (\(attempt.cost.cutShort) replies cut at their cap)" : ""
                    return SampleTrace.Arm(
                        strategies[index].name, attempt.solution.answer + cut, isCorrect: attempt.isRight,
                        steps: attempt.steps)
                })
        }
    }

    /// The whole comparison as a report.
    public func report(_ title: String) throws -> Report {
        var report = Report(title, summary: try summary())
        for index in strategies.indices.dropFirst() {
            report.add(
                Comparison(
                    "accuracy", baseline: strategies[0].name, method: strategies[index].name, try difference(index),
                    style: .percent))
        }
        if strategies.count == 1 {
            report.add([Metric("accuracy, \(strategies[0].name)", try accuracy(0), style: .percent)])
        }
        report.add(try table())
        if let subjects = subjectTable() { report.add(subjects) }
        if hasPartialScores {
            report.add(
                try strategies.indices.map {
                    Metric("points, \(strategies[$0].name)", try score($0), style: .percent)
                })
        }
        if let outcomes = outcomeTable() { report.add(outcomes) }
        report.add(
            Plot(
                "Accuracy", y: "share right",
                .bars(try strategies.indices.map { Plot.Bar(strategies[$0].name, try accuracy($0)) })))
        report.note(
            "Calls and tokens are means a question, tokens read and written together; seconds are the wall time of all "
                + "questions, which run side by side. p is McNemar's exact test on the same questions. An item without "
                + "an answer counts as wrong.")
        report.add(samples())
        return report
    }

    private func summary() throws -> String {
        let best = try strategies.indices.max { try accuracy($0).value < accuracy($1).value } ?? 0
        let percent = NumberStyle.percent
        let first =
            "\(strategies[0].name) answers \(percent.text(try accuracy(0).value)) of \(questions.count) questions right"
        guard best != 0 else { return first + (strategies.count > 1 ? "; no other strategy answers more." : ".") }
        return first + ", \(strategies[best].name) \(percent.text(try accuracy(best).value)) "
            + "(\(NumberText.pValue(try difference(best).test.pValue)))."
    }

    /// Each strategy's accuracy by what the questions are about, where that differs.
    private func subjectTable() -> Table? {
        let subjects = Dictionary(grouping: questions.indices) { questions[$0].subject ?? "" }
        guard subjects.count > 1 else { return nil }
        var table = Table(
            "Share right by subject",
            columns: [.text("subject"), .number("questions")] + strategies.map { .number($0.name) })
        for (subject, places) in subjects.sorted(by: { $0.key < $1.key }) {
            let shares = attempts.map { row in Double(places.count { row[$0].isRight }) / Double(places.count) }
            table.add([subject, String(places.count)] + shares.map { NumberStyle.percent.text($0) })
        }
        return table
    }

    /// How the solutions of each strategy came about, where strategies say so.
    private func outcomeTable() -> Table? {
        var table = Table(
            "How the answers came about", columns: [.text("strategy"), .text("how"), .number("questions")])
        for index in strategies.indices {
            for found in outcomes(index) { table.add(strategies[index].name, found.outcome, String(found.count)) }
        }
        return table.rows.isEmpty ? nil : table
    }

    /// Adds the equal-budget view: the cheaper strategies as votes that cost about as much as the dearest one.
    ///
    /// Differences are to the dearest strategy, which is what the others' votes must lose to for its price to be worth paying.
    public func addEqualBudget(
        to report: inout Report, asking model: any LanguageModel, in lab: Lab, most: Int, temperature: Double
    ) async throws {
        let votes = equalBudgetVotes(most: most, temperature: temperature)
        report.section("At an equal budget")
        guard !votes.isEmpty else {
            return report.note(
                "No strategy is cheap enough for a vote of three within the tokens of \(strategies[dearest].name).")
        }
        let bought = try await StrategyComparison(votes, on: benchmark, asking: model, in: lab)
        let alone = StrategyComparison(single: dearest, of: self)
        let joined = alone.joined(bought)
        report.add(try joined.table("Votes of the cheaper strategies for the price of \(strategies[dearest].name)"))
        for index in joined.strategies.indices.dropFirst() {
            report.add(
                Comparison(
                    "accuracy at equal budget", baseline: joined.strategies[0].name,
                    method: joined.strategies[index].name, try joined.difference(index), style: .percent))
        }
    }
}
