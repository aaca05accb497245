#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The two-sample Kolmogorov–Smirnov test: whether two samples can come from one distribution.
public struct KolmogorovSmirnov: Sendable, Hashable, Codable {
    /// D: the largest distance between the two empirical distribution functions.
    public var statistic: Double
    public var test: SignificanceTest
    public var counts: [Int]

    /// Largest product of the two sizes for which the p-value is exact; beyond it is Kolmogorov's limit.
    static let exactLimit = 10_000_000

    /// The two-sided test. The p-value counts the orderings of the joined sample that reach D (Hodges 1958); with ties it is an upper bound.
    ///
    /// - Complexity: n · m.
    public init(_ x: [Double], _ y: [Double]) throws(StatisticsError) {
        let name = "The Kolmogorov–Smirnov test"
        guard !x.isEmpty, !y.isEmpty else { throw .empty(statistic: name) }
        guard (x + y).allSatisfy({ $0.isFinite }) else { throw .invalid(statistic: name, "needs finite numbers.") }
        let (n, m) = (x.count, y.count)
        let distance = Self.distance(x.sorted(), y.sorted())
        statistic = Double(distance) / (Double(n) * Double(m))
        counts = [n, m]
        let isExact = n <= Self.exactLimit / m
        let p = isExact ? Self.exact(n, m, distance) : Self.limit(statistic, n, m)
        test = SignificanceTest(
            name: "Kolmogorov–Smirnov, \(isExact ? "exact" : "asymptotic")", pValue: min(1, max(0, p)))
    }

    /// n · m · D, a whole number: the largest |i m - j n| after i and j values have been passed, ties together.
    private static func distance(_ x: [Double], _ y: [Double]) -> Int {
        var (i, j, largest) = (0, 0, 0)
        while i < x.count, j < y.count {
            let value = min(x[i], y[j])
            while i < x.count, x[i] == value { i += 1 }
            while j < y.count, y[j] == value { j += 1 }
            largest = max(largest, abs(i * y.count - j * x.count))
        }
        return largest
    }

    /// The probability that a random ordering of n and m values reaches the distance. What has reached it is counted, not what hasn't, so that small
    /// probabilities keep their digits.
    private static func exact(_ n: Int, _ m: Int, _ distance: Int) -> Double {
        guard distance > 0 else { return 1 }
        var reached = 0.0
        // row[j]: the probability of passing through (i, j) without having reached the distance.
        var row = [Double](repeating: 0, count: m + 1)
        for i in 0...n {
            for j in 0...m {
                var arriving = i == 0 && j == 0 ? 1.0 : 0
                // From (i - 1, j) the next value is the first sample's with its share of those left; likewise from (i, j - 1).
                if i > 0 { arriving += row[j] * Double(n - i + 1) / Double(n - i + 1 + m - j) }
                if j > 0 { arriving += row[j - 1] * Double(m - j + 1) / Double(n - i + m - j + 1) }
                if abs(i * m - j * n) >= distance {
                    reached += arriving
                    arriving = 0
                }
                row[j] = arriving
            }
        }
        return reached
    }

    /// Kolmogorov's limit 2 Σ (-1)^(k - 1) exp(-2 k² D² n m / (n + m)).
    private static func limit(_ statistic: Double, _ n: Int, _ m: Int) -> Double {
        let size = Double(n) * Double(m) / Double(n + m)
        var (sum, sign) = (0.0, 1.0)
        for k in 1...100 {
            let term = exp(-2 * Double(k * k) * statistic * statistic * size)
            sum += sign * term
            if term < 1e-16 { break }
            sign = -sign
        }
        return 2 * sum
    }
}
