/// How a number is shown.
public enum NumberStyle: Sendable, Hashable {
    /// With this many digits after the point.
    case decimals(Int)
    /// 0.125 as 12.5 %.
    case percent
    /// A count.
    case whole
    case seconds

    public func text(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "n/a" : value > 0 ? "∞" : "−∞" }
        switch self {
        case .decimals(let digits): return NumberText.fixed(value, digits)
        case .percent: return NumberText.fixed(value * 100, 1) + " %"
        case .whole: return NumberText.fixed(value, 0)
        case .seconds: return value < 10 ? NumberText.fixed(value, 2) + " s" : Duration.short(seconds: value)
        }
    }
}

/// One named measurement.
public struct Metric: Sendable, Hashable, Codable {
    public var name: String
    public var estimate: Estimate
    public var style: NumberStyle
    /// What is measured, where the name doesn't say.
    public var detail: String

    public init(_ name: String, _ estimate: Estimate, style: NumberStyle = .decimals(3), detail: String = "") {
        self.name = name
        self.estimate = estimate
        self.style = style
        self.detail = detail
    }

    /// A single number without an interval.
    public init(_ name: String, _ value: Double, style: NumberStyle = .decimals(3), detail: String = "") {
        self.init(name, Estimate(value, count: 1), style: style, detail: detail)
    }

    /// `0.82 [0.71, 0.90]`.
    public var text: String {
        guard let low = estimate.low, let high = estimate.high else { return style.text(estimate.value) }
        return "\(style.text(estimate.value)) [\(style.text(low)), \(style.text(high))]"
    }
}

/// A method against its baseline on the same items.
public struct Comparison: Sendable, Hashable, Codable {
    /// What is compared: `top-1 accuracy`.
    public var metric: String
    public var baselineName: String
    public var methodName: String
    public var difference: PairedDifference
    public var style: NumberStyle
    public var higherIsBetter: Bool

    public init(
        _ metric: String, baseline: String = "baseline", method: String, _ difference: PairedDifference,
        style: NumberStyle = .decimals(3), higherIsBetter: Bool = true
    ) {
        self.metric = metric
        baselineName = baseline
        methodName = method
        self.difference = difference
        self.style = style
        self.higherIsBetter = higherIsBetter
    }

    /// The three numbers as metrics.
    public var metrics: [Metric] {
        [
            Metric("\(metric), \(baselineName)", difference.baseline, style: style),
            Metric("\(metric), \(methodName)", difference.method, style: style),
            Metric("\(metric), difference", difference.difference, style: style),
        ]
    }

    /// Whether the difference is more than chance, and in which direction: its interval excludes zero and its test's
    /// p-value is below what the interval's confidence leaves. Both are asked for, because on few items a bootstrap interval is
    /// too narrow.
    public enum Outcome: String, Sendable, Codable { case better, worse, undecided }

    public var outcome: Outcome {
        let estimate = difference.difference
        guard let low = estimate.low, let high = estimate.high, difference.test.pValue < 1 - estimate.confidence + 1e-9
        else { return .undecided }
        if low > 0 { return higherIsBetter ? .better : .worse }
        if high < 0 { return higherIsBetter ? .worse : .better }
        return .undecided
    }
}
