/// A plot as an inline SVG figure. Colours come from the page's style sheet, so that it follows light and dark.
struct PlotSVG {
    private let plot: Plot
    private let width = 720.0

    init(_ plot: Plot) { self.plot = plot }

    /// The figure with its caption and legend.
    var figure: String {
        var html = "<figure><figcaption>\(HTML.escape(plot.title))</figcaption>\n"
        switch plot.content {
        case .lines(let series): html += legend(series) + curves(series, areLines: true)
        case .scatter(let series): html += legend(series) + curves(series, areLines: false)
        case .bars(let bars): html += self.bars(bars)
        case .heatMap(let grid): html += heatMap(grid)
        }
        return html + "</figure>\n"
    }

    private func colour(_ index: Int) -> String { "var(--s\(index % 6))" }

    private func legend(_ series: [Plot.Series]) -> String {
        guard series.count > 1 else { return "" }
        let items = series.enumerated().map {
            "<span><i style=\"background:\(colour($0.offset))\"></i>\(HTML.escape($0.element.name))</span>"
        }
        return "<div class=\"legend\">\(items.joined())</div>\n"
    }

    private func svg(height: Double, _ content: String) -> String {
        """
        <svg viewBox="0 0 \(number(width)) \(number(height))" role="img" aria-label="\(HTML.escape(plot.title))">
        \(content)</svg>

        """
    }

    // MARK: Lines and points

    private func curves(_ series: [Plot.Series], areLines: Bool) -> String {
        let height = 330.0
        let points = series.flatMap(\.points)
        guard points.contains(where: { $0.x.isFinite && $0.y.isFinite }) else { return nothing }
        let left = 56.0
        let bottom = height - 46
        let x = PlotScale(points.map(\.x), from: left, to: width - 16, includesZero: false, count: 7)
        let ends = points.flatMap { [$0.y, $0.low ?? $0.y, $0.high ?? $0.y] }
        let y = PlotScale(ends, from: bottom, to: 12, includesZero: false)
        var content = axes(x: x, y: y, left: left, bottom: bottom, height: height)
        for (index, one) in series.enumerated() {
            let sound = one.points.filter { $0.x.isFinite && $0.y.isFinite }
            for point in sound {
                guard let low = point.low, let high = point.high else { continue }
                content += line(x.place(point.x), y.place(low), x.place(point.x), y.place(high), "error")
            }
            if areLines, sound.count > 1 {
                let path = sound.map { "\(number(x.place($0.x))),\(number(y.place($0.y)))" }.joined(separator: " ")
                content +=
                    "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(colour(index))\" stroke-width=\"2\" stroke-linejoin=\"round\"/>\n"
            }
            if !areLines || sound.count <= 60 {
                for point in sound {
                    let tip = "\(one.name): \(NumberText.short(point.x)), \(NumberText.short(point.y))"
                    content += """
                        <circle cx="\(number(x.place(point.x)))" cy="\(number(y.place(point.y)))" r="\(areLines ? "2.6" : "3.4")" \
                        fill="\(colour(index))" fill-opacity="\(areLines ? "1" : "0.75")"><title>\(HTML.escape(tip))</title></circle>

                        """
                }
            }
        }
        return svg(height: height, content)
    }

    private func axes(x: PlotScale, y: PlotScale, left: Double, bottom: Double, height: Double) -> String {
        var content = ""
        for tick in y.ticks {
            content += line(left, y.place(tick), width - 16, y.place(tick), "grid")
            content += text(NumberText.short(tick), left - 8, y.place(tick) + 4, anchor: "end")
        }
        for tick in x.ticks {
            content += text(NumberText.short(tick), x.place(tick), bottom + 18, anchor: "middle")
        }
        content += line(left, bottom, width - 16, bottom, "axis")
        if !plot.xLabel.isEmpty { content += text(plot.xLabel, (left + width) / 2, height - 8, anchor: "middle") }
        if !plot.yLabel.isEmpty {
            content +=
                "<text transform=\"translate(14,\(number(bottom / 2))) rotate(-90)\" text-anchor=\"middle\">\(HTML.escape(plot.yLabel))</text>\n"
        }
        return content
    }

    // MARK: Bars

    /// Horizontal bars, so that long labels can be read.
    private func bars(_ bars: [Plot.Bar]) -> String {
        guard bars.contains(where: \.value.isFinite) else { return nothing }
        let rowHeight = 30.0
        let longest = bars.map { DisplayWidth.of($0.label) }.max() ?? 0
        let left = min(260, max(60, Double(longest) * 7.2 + 14))
        let bottom = 8 + Double(bars.count) * rowHeight
        let height = bottom + (plot.yLabel.isEmpty ? 26 : 44)
        let ends = bars.flatMap { [$0.value, $0.low ?? $0.value, $0.high ?? $0.value] }
        let x = PlotScale(ends, from: left, to: width - 56, includesZero: true, count: 6)
        var content = ""
        for tick in x.ticks {
            content += line(x.place(tick), 4, x.place(tick), bottom, tick == 0 ? "axis" : "grid")
            content += text(NumberText.short(tick), x.place(tick), bottom + 17, anchor: "middle")
        }
        for (index, bar) in bars.enumerated() {
            let top = 8 + Double(index) * rowHeight
            let middle = top + rowHeight / 2
            let label = DisplayWidth.cut(bar.label, to: 34)
            content += text(label, left - 10, middle + 4, anchor: "end", style: "label")
            guard bar.value.isFinite else { continue }
            let from = min(x.place(0), x.place(bar.value))
            let length = abs(x.place(bar.value) - x.place(0))
            content += """
                <rect x="\(number(from))" y="\(number(top + 5))" width="\(number(max(0.5, length)))" height="\(number(rowHeight - 10))" \
                rx="2" fill="\(colour(0))" fill-opacity="0.85"><title>\(HTML.escape("\(bar.label): \(NumberText.short(bar.value))"))</title></rect>

                """
            var textStart = max(x.place(bar.value), x.place(0))
            if let low = bar.low, let high = bar.high {
                content += line(x.place(low), middle, x.place(high), middle, "error")
                for end in [low, high] { content += line(x.place(end), middle - 4, x.place(end), middle + 4, "error") }
                textStart = max(textStart, x.place(high))
            }
            content += text(NumberText.short(bar.value), textStart + 7, middle + 4, anchor: "start", style: "label")
        }
        if !plot.yLabel.isEmpty { content += text(plot.yLabel, (left + width) / 2, height - 6, anchor: "middle") }
        return svg(height: height, content)
    }

    // MARK: Heat map

    private func heatMap(_ grid: Plot.Grid) -> String {
        let values = grid.values.flatMap { $0 }.filter(\.isFinite)
        let columns = grid.values.map(\.count).max() ?? 0
        guard let low = values.min(), let high = values.max(), columns > 0 else { return nothing }
        let longest = grid.rowLabels.map { DisplayWidth.of($0) }.max() ?? 0
        let left = min(180, max(36, Double(longest) * 7.2 + 12)) + (plot.yLabel.isEmpty ? 0 : 20)
        let cell = min(34, (width - left - 16) / Double(columns))
        let cellHeight = min(cell, max(9, 420 / Double(grid.values.count)))
        let bottom = 6 + Double(grid.values.count) * cellHeight
        let height = bottom + 66
        var content = ""
        for (rowIndex, row) in grid.values.enumerated() {
            let top = 6 + Double(rowIndex) * cellHeight
            let label = grid.rowLabels.indices.contains(rowIndex) ? grid.rowLabels[rowIndex] : ""
            if cellHeight >= 11 || rowIndex % 3 == 0 {
                content += text(DisplayWidth.cut(label, to: 24), left - 7, top + cellHeight / 2 + 4, anchor: "end")
            }
            for (columnIndex, value) in row.enumerated() {
                let column = grid.columnLabels.indices.contains(columnIndex) ? grid.columnLabels[columnIndex] : ""
                let share = !value.isFinite ? 0 : high > low ? (value - low) / (high - low) : 1
                let tip = "\(label) · \(column): \(NumberText.short(value))"
                content += """
                    <rect x="\(number(left + Double(columnIndex) * cell))" y="\(number(top))" width="\(number(cell - 1))" \
                    height="\(number(cellHeight - 1))" fill="\(colour(0))" fill-opacity="\(number(0.04 + 0.96 * share))">\
                    <title>\(HTML.escape(tip))</title></rect>

                    """
            }
        }
        let every = max(1, Int((26 / cell).rounded(.up)))
        for (index, label) in grid.columnLabels.enumerated() where index % every == 0 && index < columns {
            content += text(
                DisplayWidth.cut(label, to: 8), left + (Double(index) + 0.5) * cell, bottom + 15, anchor: "middle")
        }
        if !plot.xLabel.isEmpty {
            content += text(plot.xLabel, left + Double(columns) * cell / 2, bottom + 32, anchor: "middle")
        }
        if !plot.yLabel.isEmpty {
            content +=
                "<text transform=\"translate(12,\(number(bottom / 2))) rotate(-90)\" text-anchor=\"middle\">\(HTML.escape(plot.yLabel))</text>\n"
        }
        return svg(height: height, content + scaleBar(low, high, left: left, top: bottom + 44))
    }

    private func scaleBar(_ low: Double, _ high: Double, left: Double, top: Double) -> String {
        var content = ""
        for step in 0..<12 {
            let share = Double(step) / 11
            content +=
                "<rect x=\"\(number(left + Double(step) * 12))\" y=\"\(number(top))\" width=\"12\" height=\"9\" fill=\"\(colour(0))\" fill-opacity=\"\(number(0.04 + 0.96 * share))\"/>\n"
        }
        content += text(NumberText.short(high), left + 151, top + 9, anchor: "start")
        return content + text(NumberText.short(low), left - 6, top + 9, anchor: "end")
    }

    // MARK: Pieces

    private var nothing: String { "<p class=\"small\">No values to show.</p>\n" }

    private func number(_ value: Double) -> String { NumberText.fixed(value, 2) }

    private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) -> String {
        "<line class=\"\(style)\" x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\"/>\n"
    }

    private func text(_ text: String, _ x: Double, _ y: Double, anchor: String, style: String = "") -> String {
        let style = style.isEmpty ? "" : " class=\"\(style)\""
        return
            "<text\(style) x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(HTML.escape(text))</text>\n"
    }
}
