/// A report as one self-contained page: styles and plots inside, no script, no network, light and dark. All text from
/// models, data and users is escaped.
public struct HTMLRenderer: Sendable {
    public init() {}

    public func render(_ report: Report) -> String {
        var body = "<header>\n"
        if let run = report.run { body += "<p class=\"eyebrow\">\(text(run.slug)) · \(text(run.model))</p>\n" }
        body += "<h1>\(text(report.title))</h1>\n"
        if !report.summary.isEmpty { body += "<p class=\"lead\">\(paragraph(report.summary))</p>\n" }
        body += "</header>\n"
        if let verdict = report.verdict { body += self.verdict(verdict) }
        for block in report.blocks { body += self.block(block) }
        if let run = report.run { body += footer(run) }
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <title>\(text(report.title))</title>
            <style>\(HTMLStyle.sheet)</style>
            </head>
            <body>
            <main>
            \(body)</main>
            </body>
            </html>

            """
    }

    private func block(_ block: Report.Block) -> String {
        switch block {
        case .section(let heading): "<h2>\(text(heading))</h2>\n"
        case .note(let note): "<p>\(paragraph(note))</p>\n"
        case .metrics(let metrics): self.metrics(metrics)
        case .comparison(let comparison): self.comparison(comparison)
        case .table(let table): self.table(table)
        case .plot(let plot): PlotSVG(plot).figure
        case .samples(let samples): self.samples(samples)
        }
    }

    // MARK: Verdict and numbers

    private func verdict(_ verdict: Verdict) -> String {
        """
        <section class="verdict \(verdict.outcome.rawValue)">
        <p class="badge">\(text(ReportWords.headline(verdict)))</p>
        \(table(ReportWords.checks(verdict)))</section>

        """
    }

    /// A few metrics stand as large numbers, many as a table.
    private func metrics(_ metrics: [Metric]) -> String {
        guard metrics.count <= 4 else { return table(ReportWords.metrics(metrics)) }
        let cards = metrics.map { metric -> String in
            let estimate = metric.estimate
            var small = metric.detail.isEmpty ? "" : text(metric.detail)
            if let low = estimate.low, let high = estimate.high {
                let ends = "\(metric.style.text(low)) … \(metric.style.text(high)), n = \(estimate.count)"
                small += (small.isEmpty ? "" : "<br>") + text(ends)
            }
            return """
                <div class="card"><span class="label">\(text(metric.name))</span>\
                <span class="value">\(text(metric.style.text(estimate.value)))</span>\
                <span class="small">\(small)</span></div>
                """
        }
        return "<div class=\"cards\">\n\(cards.joined(separator: "\n"))\n</div>\n"
    }

    private func comparison(_ comparison: Comparison) -> String {
        """
        <section class="comparison \(comparison.outcome.rawValue)">
        \(table(ReportWords.table(comparison)))<p class="conclusion">\(text(ReportWords.conclusion(comparison)))</p>
        </section>

        """
    }

    private func table(_ table: Table) -> String {
        var html = "<div class=\"scroll\"><table>\n"
        if !table.caption.isEmpty { html += "<caption>\(text(table.caption))</caption>\n" }
        func cells(_ values: [String], _ tag: String) -> String {
            values.indices.map { index in
                let alignment = table.columns[index].alignment == .right ? " class=\"number\"" : ""
                return "<\(tag)\(alignment)>\(paragraph(values[index]))</\(tag)>"
            }.joined()
        }
        if table.columns.contains(where: { !$0.title.isEmpty }) {
            html += "<thead><tr>\(cells(table.columns.map(\.title), "th"))</tr></thead>\n"
        }
        html += "<tbody>\n"
        for (index, row) in table.rows.enumerated() {
            let style = table.emphasised.contains(index) ? " class=\"emphasised\"" : ""
            html += "<tr\(style)>\(cells(row, "td"))</tr>\n"
        }
        return html + "</tbody>\n</table></div>\n"
    }

    // MARK: Samples

    private func samples(_ samples: [SampleTrace]) -> String {
        "<div class=\"samples\">\n" + samples.map(sample).joined() + "</div>\n"
    }

    private func sample(_ sample: SampleTrace) -> String {
        let marks = sample.arms.map { arm in
            "<span class=\"mark \(mark(arm.isCorrect))\">\(text(arm.name))</span>"
        }.joined()
        var html = """
            <details class="sample"><summary><span class="id">\(text(sample.id))</span>\
            <span class="opening">\(text(Self.ending(of: sample.input)))</span>\(marks)</summary>
            <div class="inside"><h4>Input</h4><pre>\(text(sample.input))</pre>

            """
        if !sample.expected.isEmpty { html += "<h4>Expected</h4><pre>\(text(sample.expected))</pre>\n" }
        html += "<div class=\"arms\">\n"
        for arm in sample.arms {
            let score = arm.score.map { " <span class=\"score\">\(text(NumberText.short($0)))</span>" } ?? ""
            html += "<div class=\"arm \(mark(arm.isCorrect))\"><h4>\(text(arm.name))\(score)</h4>"
            for step in arm.steps {
                html +=
                    "<details class=\"step\"><summary>\(text(step.name))</summary><pre>\(text(step.text))</pre></details>"
            }
            html += "<pre>\(text(arm.output))</pre></div>\n"
        }
        return html + "</div></div></details>\n"
    }

    /// The last words of a prompt, on one line: where prompts of one template differ.
    private static func ending(of input: String) -> String {
        let line = input.suffix(400).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.count <= 90 && input.count <= 400 ? line : "…" + line.suffix(90)
    }

    private func mark(_ isCorrect: Bool?) -> String { isCorrect.map { $0 ? "right" : "wrong" } ?? "open" }

    // MARK: Facts

    private func footer(_ run: RunSummary) -> String {
        let facts = ReportWords.facts(run).map { "<dt>\(text($0.0))</dt><dd>\(text($0.1))</dd>" }
        return """
            <footer>
            <dl>\(facts.joined())</dl>
            <p>Lyceum \(text(run.version)). Every number was measured in this run.</p>
            </footer>

            """
    }

    private func text(_ string: String) -> String { HTML.escape(string) }

    /// Escaped text whose line breaks show.
    private func paragraph(_ string: String) -> String {
        text(string).split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "<br>")
    }
}
