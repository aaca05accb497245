/// The forms that a report can take.
public enum ReportFormat: String, Sendable, Hashable, CaseIterable {
    case terminal, html, md, json
}

extension Report {
    /// The report in a form. `terminal` is plain text of 100 columns; use `TerminalRenderer` for a real terminal.
    public func rendered(_ format: ReportFormat) throws -> String {
        switch format {
        case .terminal: TerminalRenderer(.plain).render(self)
        case .html: HTMLRenderer().render(self)
        case .md: MarkdownRenderer().render(self)
        case .json: try JSONValueEncoder.encode(self).text(pretty: true) + "\n"
        }
    }
}

/// What all renderers say in the same words.
enum ReportWords {
    /// A comparison as a table, so that it reads the same everywhere.
    static func table(_ comparison: Comparison) -> Table {
        let style = comparison.style
        let difference = comparison.difference.difference
        let sign = difference.value > 0 ? "+" : ""
        var table = Table(
            comparison.metric,
            columns: [
                .text("Arm"), .number("Value"), .number(interval([comparison.difference.difference])), .number("n"),
            ])
        func row(_ name: String, _ estimate: Estimate, sign: String = "", emphasised: Bool = false) {
            let ends =
                if let low = estimate.low, let high = estimate.high {
                    "\(style.text(low)) … \(style.text(high))"
                } else {
                    "–"
                }
            table.add(
                [name, sign + style.text(estimate.value), ends, String(estimate.count)], emphasised: emphasised)
        }
        row(comparison.baselineName, comparison.difference.baseline)
        row(comparison.methodName, comparison.difference.method)
        row("difference", difference, sign: sign, emphasised: true)
        return table
    }

    /// The heading of a column of intervals: `95 % interval` where all have the same confidence.
    private static func interval(_ estimates: [Estimate]) -> String {
        let levels = Set(estimates.filter { $0.low != nil }.map(\.confidence))
        guard levels.count == 1, let level = levels.first else { return "interval" }
        return "\(NumberText.short(level * 100)) % interval"
    }

    /// `Better: more than chance explains (McNemar, exact: p = 0.002).`
    static func conclusion(_ comparison: Comparison) -> String {
        let test = "\(comparison.difference.test.name): \(NumberText.pValue(comparison.difference.test.pValue))"
        return switch comparison.outcome {
        case .better: "Better: more than chance explains (\(test))."
        case .worse: "Worse: more than chance explains (\(test))."
        case .undecided: "Undecided: the difference may be chance (\(test))."
        }
    }

    static func metrics(_ metrics: [Metric]) -> Table {
        let hasDetail = metrics.contains { !$0.detail.isEmpty }
        let hasInterval = metrics.contains { $0.estimate.low != nil }
        var columns: [Table.Column] = [.text("Metric"), .number("Value")]
        if hasInterval { columns += [.number(interval(metrics.map(\.estimate))), .number("n")] }
        if hasDetail { columns.append(.text("")) }
        var table = Table("", columns: columns)
        for metric in metrics {
            var cells = [metric.name, metric.style.text(metric.estimate.value)]
            if hasInterval {
                if let low = metric.estimate.low, let high = metric.estimate.high {
                    cells += ["\(metric.style.text(low)) … \(metric.style.text(high))", String(metric.estimate.count)]
                } else {
                    cells += ["", ""]
                }
            }
            if hasDetail { cells.append(metric.detail) }
            table.add(cells)
        }
        return table
    }

    static func checks(_ verdict: Verdict) -> Table {
        var table = Table(
            "", columns: [.text("Check"), .number("Measured"), .number("Wanted"), .text("")])
        for check in verdict.checks {
            table.add(
                check.name, NumberText.short(check.measured), check.threshold.text, check.holds ? "✓" : "✗")
        }
        for control in verdict.controls { table.add(control.name, NumberText.short(control.value), "", "control") }
        return table
    }

    static func headline(_ verdict: Verdict) -> String { "The effect \(verdict.outcome.phrase)." }

    /// What ran, in pairs of name and value.
    static func facts(_ run: RunSummary) -> [(String, String)] {
        var facts = [("Method", run.slug), ("Model", run.model)]
        if run.modelReference != run.model { facts.append(("Reference", run.modelReference)) }
        if !run.fingerprint.isEmpty { facts.append(("Fingerprint", String(run.fingerprint.prefix(16)))) }
        if let data = run.data { facts.append(("Data", data)) }
        let options = (run.options.objectValue ?? []).map { "\($0.key) \($0.value.stringValue ?? $0.value.text())" }
        if !options.isEmpty { facts.append(("Options", options.joined(separator: " · "))) }
        facts.append(("Seed", String(run.seed)))
        facts.append(("Time", NumberStyle.seconds.text(run.seconds)))
        if !run.id.isEmpty { facts.append(("Run", run.id)) }
        return facts
    }
}
