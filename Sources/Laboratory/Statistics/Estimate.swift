/// A measured number with the interval that it is known to.
public struct Estimate: Sendable, Hashable, Codable {
    public var value: Double
    /// The ends of the interval; nil where none can be given (a single value).
    public var low: Double?
    public var high: Double?
    /// The share of intervals made this way that would hold the truth.
    public var confidence: Double
    /// How many observations it rests on.
    public var count: Int
    /// How the interval was made: `Wilson`, `bootstrap`.
    public var method: String

    public init(
        _ value: Double, low: Double? = nil, high: Double? = nil, confidence: Double = 0.95, count: Int,
        method: String = "none"
    ) {
        self.value = value
        self.low = low
        self.high = high
        self.confidence = confidence
        self.count = count
        self.method = method
    }
}

/// The outcome of a significance test.
public struct SignificanceTest: Sendable, Hashable, Codable {
    /// The test's name: `McNemar, exact`.
    public var name: String
    /// The two-sided p-value: how often chance alone would give a difference at least this large.
    public var pValue: Double

    public init(name: String, pValue: Double) {
        self.name = name
        self.pValue = pValue
    }
}

/// Why a statistic can't be computed.
public enum StatisticsError: Error, Hashable, CustomStringConvertible {
    case empty(statistic: String)
    case unequal(statistic: String, Int, Int)
    case invalid(statistic: String, String)

    public var description: String {
        switch self {
        case .empty(let statistic): "\(statistic) needs at least one observation."
        case .unequal(let statistic, let a, let b): "\(statistic) needs pairs, but got \(a) and \(b) observations."
        case .invalid(let statistic, let sentence): "\(statistic): \(sentence)"
        }
    }
}
