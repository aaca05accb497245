/// Plots as a terminal can show them: bars as bars, heat maps as shades, lines as one row of levels a
/// series, clouds as a field of marks.
enum PlotText {
    static func lines(_ plot: Plot, width: Int) -> [String] {
        let heading = DisplayWidth.cut(plot.title + (plot.yLabel.isEmpty ? "" : " (\(plot.yLabel))"), to: width)
        switch plot.content {
        case .bars(let bars): return [heading] + self.bars(bars, width: width)
        case .heatMap(let grid): return [heading] + heatMap(grid, width: width)
        case .lines(let series): return [heading] + series.map { spark($0, width: width) }
        case .scatter(let series): return [heading] + cloud(series, width: width)
        }
    }

    private static func bars(_ bars: [Plot.Bar], width: Int) -> [String] {
        let finite = bars.filter(\.value.isFinite)
        let top = finite.map { abs($0.value) }.max() ?? 0
        let labels = min(28, bars.map { DisplayWidth.of($0.label) }.max() ?? 0)
        let room = max(8, min(48, width - labels - 12))
        return bars.map { bar in
            let share = top > 0 && bar.value.isFinite ? abs(bar.value) / top : 0
            let length = Int((share * Double(room)).rounded())
            let label = DisplayWidth.pad(DisplayWidth.cut(bar.label, to: labels), to: labels)
            return "  \(label) \(String(repeating: "█", count: length)) \(NumberText.short(bar.value))"
        }
    }

    private static let shades: [Character] = [" ", "░", "▒", "▓", "█"]

    private static func heatMap(_ grid: Plot.Grid, width: Int) -> [String] {
        let values = grid.values.flatMap { $0 }.filter(\.isFinite)
        guard let low = values.min(), let high = values.max() else { return ["  (no values)"] }
        let labels = min(16, grid.rowLabels.map { DisplayWidth.of($0) }.max() ?? 0)
        let lines = grid.values.enumerated().map { index, row -> String in
            let label = grid.rowLabels.indices.contains(index) ? grid.rowLabels[index] : ""
            let cells = row.prefix(max(1, width - labels - 4)).map { value -> Character in
                guard value.isFinite else { return "·" }
                let share = high > low ? (value - low) / (high - low) : 0.5
                return shades[min(shades.count - 1, Int(share * Double(shades.count)))]
            }
            return "  " + DisplayWidth.pad(DisplayWidth.cut(label, to: labels), to: labels, .right) + " "
                + String(cells)
        }
        return lines + ["  from \(NumberText.short(low)) (blank) to \(NumberText.short(high)) (full)"]
    }

    private static let levels = Array("▁▂▃▄▅▆▇█")

    /// A series as one row of levels with its first and last values.
    private static func spark(_ series: Plot.Series, width: Int) -> String {
        let values = series.points.map(\.y).filter(\.isFinite)
        guard let low = values.min(), let high = values.max(), let first = values.first, let last = values.last else {
            return "  \(series.name): no values"
        }
        let room = max(8, min(60, width - 40))
        let count = min(room, values.count)
        let row = (0..<count).map { column -> Character in
            let value = values[count > 1 ? column * (values.count - 1) / (count - 1) : 0]
            let share = high > low ? (value - low) / (high - low) : 0.5
            return levels[min(levels.count - 1, Int(share * Double(levels.count)))]
        }
        let name = DisplayWidth.pad(DisplayWidth.cut(series.name, to: 18), to: 18)
        return "  \(name) \(String(row))  \(NumberText.short(first)) → \(NumberText.short(last))"
    }

    private static let marks: [Character] = ["●", "○", "▲", "△", "■", "□"]

    /// Points on a field of characters, a mark a series, with the ranges of both axes below.
    private static func cloud(_ series: [Plot.Series], width: Int) -> [String] {
        let points = series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
        guard let left = points.map(\.x).min(), let right = points.map(\.x).max(),
            let low = points.map(\.y).min(), let high = points.map(\.y).max()
        else { return ["  (no values)"] }
        let columns = max(8, min(56, width - 6))
        let rows = 12
        var field = [[Character]](repeating: [Character](repeating: " ", count: columns), count: rows)
        for (index, one) in series.enumerated() {
            for point in one.points where point.x.isFinite && point.y.isFinite {
                let x = right > left ? (point.x - left) / (right - left) : 0.5
                let y = high > low ? (point.y - low) / (high - low) : 0.5
                let row = rows - 1 - min(rows - 1, Int(y * Double(rows)))
                field[row][min(columns - 1, Int(x * Double(columns)))] = marks[index % marks.count]
            }
        }
        let names = series.enumerated().map { "\(marks[$0.offset % marks.count]) \($0.element.name)" }
        let ranges =
            "x \(NumberText.short(left)) … \(NumberText.short(right)), y \(NumberText.short(low)) … \(NumberText.short(high))"
        return field.map { "  │" + String($0) } + ["  └" + String(repeating: "─", count: columns)]
            + DisplayWidth.wrap(names.joined(separator: "   "), to: width - 3).map { "   " + $0 }
            + DisplayWidth.wrap(ranges, to: width - 3).map { "   " + $0 }
    }
}
