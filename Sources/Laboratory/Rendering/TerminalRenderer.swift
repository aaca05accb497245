/// A report as text for a terminal: as wide as the terminal, in colour where it has any.
public struct TerminalRenderer: Sendable {
    private let terminal: Terminal
    /// How many sample traces are shown; the HTML report has them all.
    public var maximumSamples = 3

    public init(_ terminal: Terminal) { self.terminal = terminal }

    public func render(_ report: Report) -> String {
        var lines: [String] = []
        lines += heading(report.title)
        if !report.summary.isEmpty { lines += DisplayWidth.wrap(report.summary, to: terminal.width) }
        if let verdict = report.verdict { lines += [""] + self.verdict(verdict) }
        for block in report.blocks {
            lines.append("")
            lines += self.block(block)
        }
        if let run = report.run {
            lines.append("")
            lines += facts(run)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func heading(_ text: String) -> [String] {
        DisplayWidth.wrap(text, to: terminal.width).map { TextStyle.bold.apply($0, terminal) }
    }

    private func block(_ block: Report.Block) -> [String] {
        switch block {
        case .section(let text): heading(text)
        case .note(let text): DisplayWidth.wrap(text, to: terminal.width)
        case .metrics(let metrics): table(ReportWords.metrics(metrics))
        case .comparison(let comparison):
            table(ReportWords.table(comparison)) + conclusion(comparison)
        case .table(let table): self.table(table)
        case .plot(let plot): PlotText.lines(plot, width: terminal.width)
        case .samples(let samples): self.samples(samples)
        }
    }

    private func conclusion(_ comparison: Comparison) -> [String] {
        let style: TextStyle =
            switch comparison.outcome {
            case .better: .green
            case .worse: .red
            case .undecided: .yellow
            }
        return DisplayWidth.wrap(ReportWords.conclusion(comparison), to: terminal.width).map {
            style.apply($0, terminal)
        }
    }

    private func verdict(_ verdict: Verdict) -> [String] {
        let style: TextStyle = verdict.outcome == .holds ? .green : verdict.outcome == .short ? .red : .yellow
        return [style.apply(ReportWords.headline(verdict), terminal)] + table(ReportWords.checks(verdict))
    }

    private func facts(_ run: RunSummary) -> [String] {
        let text = ReportWords.facts(run).map { "\($0.0.lowercased()) \($0.1)" }.joined(separator: " · ")
        return DisplayWidth.wrap(text, to: terminal.width).map { TextStyle.dim.apply($0, terminal) }
    }

    private func samples(_ samples: [SampleTrace]) -> [String] {
        var lines: [String] = []
        for sample in samples.prefix(maximumSamples) {
            let name = DisplayWidth.cut("Sample \(sample.id)", to: terminal.width)
            lines.append(TextStyle.cyan.apply(name, terminal))
            lines += labelled("input", sample.input)
            if !sample.expected.isEmpty { lines += labelled("expected", sample.expected) }
            for arm in sample.arms {
                let mark = arm.isCorrect.map { $0 ? " ✓" : " ✗" } ?? ""
                lines += labelled(arm.name + mark, arm.output)
            }
        }
        if samples.count > maximumSamples {
            lines.append(
                TextStyle.dim.apply("… and \(samples.count - maximumSamples) more in the HTML report.", terminal))
        }
        return lines
    }

    /// A text behind its label, at most four lines of it.
    private func labelled(_ label: String, _ text: String) -> [String] {
        let indent = "    "
        var lines = DisplayWidth.wrap(text, to: terminal.width - 4 - 14)
        if lines.count > 4 { lines = lines.prefix(3) + ["…"] }
        return lines.enumerated().map { index, line in
            let head =
                index == 0
                ? DisplayWidth.pad(DisplayWidth.cut(label, to: 13), to: 14) : String(repeating: " ", count: 14)
            return indent + TextStyle.dim.apply(head, terminal) + line
        }
    }

    /// A table with its columns aligned. Where it is too wide, the widest text columns are wrapped.
    public func table(_ table: Table) -> [String] {
        guard !table.columns.isEmpty else { return [] }
        let gap = 2
        var widths = table.columns.indices.map { column in
            ([table.columns[column].title] + table.rows.map { $0[column] })
                .flatMap { DisplayWidth.harmless($0).split(separator: "\n").map { DisplayWidth.of(String($0)) } }.max()
                ?? 0
        }
        let available = terminal.width - gap * (table.columns.count - 1)
        while widths.reduce(0, +) > available, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }),
            widths[widest] > 8
        {
            widths[widest] -= 1
        }
        var lines: [String] = []
        if !table.caption.isEmpty { lines += heading(table.caption) }
        if table.columns.contains(where: { !$0.title.isEmpty }) {
            lines += row(table.columns.map(\.title), table, widths).map { TextStyle.dim.apply($0, terminal) }
            let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
            lines.append(TextStyle.dim.apply(rule, terminal))
        }
        for (index, cells) in table.rows.enumerated() {
            let text = row(cells, table, widths)
            lines += table.emphasised.contains(index) ? text.map { TextStyle.bold.apply($0, terminal) } : text
        }
        return lines
    }

    private func row(_ cells: [String], _ table: Table, _ widths: [Int]) -> [String] {
        let wrapped = cells.indices.map { DisplayWidth.wrap(cells[$0], to: widths[$0]) }
        return (0..<(wrapped.map(\.count).max() ?? 1)).map { line in
            let parts = wrapped.indices.map { column in
                let text = wrapped[column].indices.contains(line) ? wrapped[column][line] : ""
                return DisplayWidth.pad(text, to: widths[column], table.columns[column].alignment)
            }
            var text = parts.joined(separator: "  ")
            while text.last == " " { text.removeLast() }
            return text
        }
    }
}
