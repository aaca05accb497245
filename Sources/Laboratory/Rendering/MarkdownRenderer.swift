/// A report as Markdown (with GitHub's tables and `<details>` for sample traces).
public struct MarkdownRenderer: Sendable {
    public init() {}

    public func render(_ report: Report) -> String {
        var parts = ["# \(Self.escape(report.title))"]
        if !report.summary.isEmpty { parts.append(Self.escape(report.summary)) }
        if let verdict = report.verdict {
            parts.append("**\(ReportWords.headline(verdict))**")
            parts.append(Self.table(ReportWords.checks(verdict)))
        }
        parts += report.blocks.map(block)
        if let run = report.run {
            parts.append(
                ReportWords.facts(run).map { "- \($0.0): \(Self.code($0.1))" }.joined(separator: "\n"))
        }
        return parts.joined(separator: "\n\n") + "\n"
    }

    private func block(_ block: Report.Block) -> String {
        switch block {
        case .section(let heading): "## \(Self.escape(heading))"
        case .note(let text): Self.escape(text)
        case .metrics(let metrics): Self.table(ReportWords.metrics(metrics))
        case .comparison(let comparison):
            Self.table(ReportWords.table(comparison)) + "\n\n" + Self.escape(ReportWords.conclusion(comparison))
        case .table(let table): Self.table(table)
        case .plot(let plot): "**\(Self.escape(plot.title))**\n\n" + Self.table(Self.values(of: plot))
        case .samples(let samples): samples.map(sample).joined(separator: "\n\n")
        }
    }

    private func sample(_ sample: SampleTrace) -> String {
        var parts = ["<details><summary>Sample \(HTML.escape(sample.id))</summary>", Self.fenced(sample.input)]
        if !sample.expected.isEmpty { parts.append("Expected: \(Self.code(sample.expected))") }
        for arm in sample.arms {
            let mark = arm.isCorrect.map { $0 ? " ✓" : " ✗" } ?? ""
            parts.append("**\(Self.escape(arm.name))**\(mark)")
            for step in arm.steps { parts += ["*\(Self.escape(step.name))*", Self.fenced(step.text)] }
            parts.append(Self.fenced(arm.output))
        }
        return (parts + ["</details>"]).joined(separator: "\n\n")
    }

    static func table(_ table: Table) -> String {
        var lines: [String] = []
        if !table.caption.isEmpty { lines += ["**\(escape(table.caption))**", ""] }
        func row(_ cells: [String]) -> String {
            "| " + cells.map { escape($0).split(separator: "\n").joined(separator: "<br>") }.joined(separator: " | ")
                + " |"
        }
        lines.append(row(table.columns.map(\.title)))
        lines.append("|" + table.columns.map { $0.alignment == .right ? "---:" : "---" }.joined(separator: "|") + "|")
        for (index, cells) in table.rows.enumerated() {
            if table.emphasised.contains(index) {
                lines.append("| " + cells.map { $0.isEmpty ? "" : "**\(escape($0))**" }.joined(separator: " | ") + " |")
            } else {
                lines.append(row(cells))
            }
        }
        return lines.joined(separator: "\n")
    }

    /// A plot's numbers, for Markdown has no plots.
    private static func values(of plot: Plot) -> Table {
        switch plot.content {
        case .bars(let bars):
            var table = Table("", columns: [.text(plot.xLabel), .number(plot.yLabel)])
            for bar in bars { table.add(bar.label, NumberText.short(bar.value)) }
            return table
        case .lines(let series), .scatter(let series):
            var table = Table("", columns: [.text("Series"), .number(plot.xLabel), .number(plot.yLabel)])
            for one in series {
                for point in one.points.prefix(200) {
                    table.add(one.name, NumberText.short(point.x), NumberText.short(point.y))
                }
            }
            return table
        case .heatMap(let grid):
            var table = Table("", columns: [.text("")] + grid.columnLabels.map { .number($0) })
            for (index, row) in grid.values.enumerated() {
                let label = grid.rowLabels.indices.contains(index) ? grid.rowLabels[index] : ""
                table.add([label] + row.map { NumberText.short($0) })
            }
            return table
        }
    }

    /// The text with what Markdown and HTML would read as markup made literal.
    static func escape(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "\\", "`", "*", "_", "[", "]", "|", "#", "~": result += "\\" + String(character)
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            default: result.append(character)
            }
        }
        return result
    }

    private static func code(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        let fence = String(repeating: "`", count: longestRun(of: "`", in: line) + 1)
        return line.contains("`") ? "\(fence) \(line) \(fence)" : "`\(line)`"
    }

    private static func fenced(_ text: String) -> String {
        let fence = String(repeating: "`", count: max(3, longestRun(of: "`", in: text) + 1))
        return "\(fence)text\n\(text)\n\(fence)"
    }

    private static func longestRun(of character: Character, in text: String) -> Int {
        var longest = 0
        var run = 0
        for other in text {
            run = other == character ? run + 1 : 0
            longest = max(longest, run)
        }
        return longest
    }
}
