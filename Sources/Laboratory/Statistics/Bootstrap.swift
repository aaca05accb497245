extension Estimate {
    /// A mean with a percentile bootstrap interval (Efron, 1979).
    ///
    /// Costs `resamples` × the number of observations.
    public static func mean(
        _ values: [Double], confidence: Double = 0.95, resamples: Int = 2_000, seed: UInt64 = 0
    ) throws(StatisticsError) -> Estimate {
        guard !values.isEmpty else { throw .empty(statistic: "A mean") }
        guard values.allSatisfy(\.isFinite) else {
            throw .invalid(statistic: "A mean", "an observation is not a finite number.")
        }
        let mean = Bootstrap.mean(values)
        guard values.count > 1 else { return Estimate(mean, confidence: confidence, count: 1) }
        let means = Bootstrap.resampledMeans(values, resamples: resamples, seed: seed)
        let (low, high) = Bootstrap.interval(means, confidence: confidence)
        return Estimate(mean, low: low, high: high, confidence: confidence, count: values.count, method: "bootstrap")
    }
}

/// Resampling with replacement.
enum Bootstrap {
    static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    /// The sorted means of `resamples` resamples.
    static func resampledMeans(_ values: [Double], resamples: Int, seed: UInt64) -> [Double] {
        var generator = SeededGenerator(seed: seed, stream: "bootstrap")
        let count = values.count
        var means: [Double] = []
        means.reserveCapacity(resamples)
        for _ in 0..<max(1, resamples) {
            var sum = 0.0
            for _ in 0..<count { sum += values[generator.below(count)] }
            means.append(sum / Double(count))
        }
        means.sort()
        return means
    }

    /// The percentile interval of sorted values, interpolated linearly between them.
    static func interval(_ sorted: [Double], confidence: Double) -> (low: Double, high: Double) {
        let tail = (1 - confidence) / 2
        return (quantile(sorted, tail), quantile(sorted, 1 - tail))
    }

    static func quantile(_ sorted: [Double], _ probability: Double) -> Double {
        let position = probability * Double(sorted.count - 1)
        let below = Int(position.rounded(.down))
        let above = min(below + 1, sorted.count - 1)
        return sorted[below] + (sorted[above] - sorted[below]) * (position - Double(below))
    }
}

/// What a method changed against its baseline on the same items.
public struct PairedDifference: Sendable, Hashable, Codable {
    public var baseline: Estimate
    public var method: Estimate
    /// method − baseline, with a paired bootstrap interval.
    public var difference: Estimate
    public var test: SignificanceTest

    /// Compares scores of the same items under two arms. The interval is a percentile bootstrap over pairs; the p-value
    /// comes from shuffling which arm is which within each pair (a sign-flip permutation test, (b + 1) / (n + 1)).
    public init(
        baseline: [Double], method: [Double], confidence: Double = 0.95, resamples: Int = 2_000, seed: UInt64 = 0
    ) throws(StatisticsError) {
        guard baseline.count == method.count else {
            throw .unequal(statistic: "A paired difference", baseline.count, method.count)
        }
        let differences = zip(method, baseline).map { $0 - $1 }
        self.baseline = try .mean(baseline, confidence: confidence, resamples: resamples, seed: seed)
        self.method = try .mean(method, confidence: confidence, resamples: resamples, seed: seed)
        difference = try .mean(differences, confidence: confidence, resamples: resamples, seed: seed)
        test = Self.signFlipTest(differences, resamples: resamples, seed: seed)
    }

    /// Compares right-or-wrong outcomes of the same items under two arms: Wilson intervals for each arm, a paired bootstrap
    /// for the difference, McNemar's exact test.
    public init(
        baseline: [Bool], method: [Bool], confidence: Double = 0.95, resamples: Int = 2_000, seed: UInt64 = 0
    ) throws(StatisticsError) {
        test = try .mcNemar(baseline: baseline, method: method)
        self.baseline = try .accuracy(baseline, confidence: confidence)
        self.method = try .accuracy(method, confidence: confidence)
        difference = try .mean(
            zip(method, baseline).map { ($0 ? 1 : 0) - ($1 ? 1 : 0) }, confidence: confidence, resamples: resamples,
            seed: seed)
    }

    private static func signFlipTest(_ differences: [Double], resamples: Int, seed: UInt64) -> SignificanceTest {
        var generator = SeededGenerator(seed: seed, stream: "sign flip")
        let observed = abs(differences.reduce(0, +))
        let tolerance = 1e-12 * differences.reduce(0) { $0 + abs($1) }
        var extreme = 0
        for _ in 0..<max(1, resamples) {
            var sum = 0.0
            for difference in differences { sum += generator.next() >> 63 == 0 ? difference : -difference }
            if abs(sum) >= observed - tolerance { extreme += 1 }
        }
        return SignificanceTest(
            name: "sign-flip permutation", pValue: Double(extreme + 1) / Double(max(1, resamples) + 1))
    }
}
