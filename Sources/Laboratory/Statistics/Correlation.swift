/// How two series of the same items go together.
public struct Correlation: Sendable, Hashable, Codable {
    /// From −1 to 1.
    public var coefficient: Double
    public var test: SignificanceTest

    /// Pearson's product-moment correlation with its t-test.
    public static func pearson(_ x: [Double], _ y: [Double]) throws(StatisticsError) -> Correlation {
        try correlate(x, y, name: "Pearson")
    }

    /// Spearman's rank correlation (ties share their mean rank) with its t-approximation.
    public static func spearman(_ x: [Double], _ y: [Double]) throws(StatisticsError) -> Correlation {
        guard x.count == y.count else { throw .unequal(statistic: "Spearman's correlation", x.count, y.count) }
        return try correlate(Ranks.of(x), Ranks.of(y), name: "Spearman")
    }

    private static func correlate(_ x: [Double], _ y: [Double], name: String) throws(StatisticsError) -> Correlation {
        let statistic = "\(name)'s correlation"
        guard x.count == y.count else { throw .unequal(statistic: statistic, x.count, y.count) }
        guard x.count >= 3 else { throw .invalid(statistic: statistic, "needs at least three pairs.") }
        let meanX = Bootstrap.mean(x)
        let meanY = Bootstrap.mean(y)
        var xy = 0.0
        var xx = 0.0
        var yy = 0.0
        for (a, b) in zip(x, y) {
            xy += (a - meanX) * (b - meanY)
            xx += (a - meanX) * (a - meanX)
            yy += (b - meanY) * (b - meanY)
        }
        guard xx > 0, yy > 0 else { throw .invalid(statistic: statistic, "a series is constant.") }
        let r = max(-1, min(1, xy / (xx * yy).squareRoot()))
        let degrees = Double(x.count - 2)
        let p =
            abs(r) == 1
            ? 0 : Distributions.studentTwoSided(r * (degrees / (1 - r * r)).squareRoot(), degrees: degrees)
        return Correlation(coefficient: r, test: SignificanceTest(name: "\(name), t", pValue: p))
    }
}

/// Ranks from 1; equal values share the mean of their ranks.
enum Ranks {
    static func of(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start
            while end + 1 < order.count, values[order[end + 1]] == values[order[start]] { end += 1 }
            let rank = Double(start + end) / 2 + 1
            for position in start...end { ranks[order[position]] = rank }
            start = end + 1
        }
        return ranks
    }
}
