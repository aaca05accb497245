import Text

/// What a number must be for a claim to hold.
public enum Threshold: Sendable, Hashable {
    case atLeast(Double)
    case atMost(Double)
    case between(Double, Double)

    public func holds(_ value: Double) -> Bool {
        switch self {
        case .atLeast(let bound): value >= bound
        case .atMost(let bound): value <= bound
        case .between(let low, let high): value >= low && value <= high
        }
    }

    public var text: String {
        switch self {
        case .atLeast(let bound): "≥ \(NumberText.short(bound))"
        case .atMost(let bound): "≤ \(NumberText.short(bound))"
        case .between(let low, let high): "\(NumberText.short(low)) … \(NumberText.short(high))"
        }
    }

    /// `{"atLeast": 0.8}`.
    public var json: JSONValue {
        switch self {
        case .atLeast(let bound): ["atLeast": .number(bound)]
        case .atMost(let bound): ["atMost": .number(bound)]
        case .between(let low, let high): ["between": [.number(low), .number(high)]]
        }
    }

    public init?(json: JSONValue) {
        if let bound = json["atLeast"]?.doubleValue {
            self = .atLeast(bound)
        } else if let bound = json["atMost"]?.doubleValue {
            self = .atMost(bound)
        } else if let low = json["between"]?[0]?.doubleValue, let high = json["between"]?[1]?.doubleValue {
            self = .between(low, high)
        } else {
            return nil
        }
    }
}

/// One measured condition of a demo.
public struct Check: Sendable, Hashable {
    /// What a failed check means.
    public enum Role: String, Sendable, Hashable {
        /// The paper's effect: where it fails, the claim falls short, or doesn't show at this size.
        case effect
        /// The mechanism itself, exact at any size: where it fails, the claim falls short whatever the size.
        case mechanism
    }

    public var name: String
    public var measured: Double
    public var threshold: Threshold
    public var role: Role

    public init(_ name: String, _ measured: Double, _ threshold: Threshold, role: Role = .effect) {
        self.name = name
        self.measured = measured
        self.threshold = threshold
        self.role = role
    }

    public var holds: Bool { threshold.holds(measured) }
}

/// What a demo found: its report, the conditions that decide, and the control numbers beside them.
public struct Demonstration: Sendable, Hashable {
    public var report: Report
    public var checks: [Check]
    /// Numbers of the control arms (baseline, random choice), by name, without a threshold.
    public var controls: [Control]
    /// Whether the paper's effect can be expected on the model at hand. Where it can't and an effect check fails, the verdict is
    /// `notAtThisSize`, provided that every mechanism check holds.
    public var isExpectedAtThisSize: Bool

    public struct Control: Sendable, Hashable {
        public var name: String
        public var value: Double

        public init(_ name: String, _ value: Double) {
            self.name = name
            self.value = value
        }
    }

    public init(
        _ report: Report, checks: [Check], controls: [Control] = [], isExpectedAtThisSize: Bool = true
    ) {
        self.report = report
        self.checks = checks
        self.controls = controls
        self.isExpectedAtThisSize = isExpectedAtThisSize
    }
}

/// Whether a paper's effect was seen, with the numbers that say so.
public struct Verdict: Sendable, Hashable {
    public enum Outcome: String, Sendable, Hashable, CaseIterable {
        case holds
        case short
        case notAtThisSize = "not-at-this-size"

        /// As a sentence's end: "the effect …".
        public var phrase: String {
            switch self {
            case .holds: "holds"
            case .short: "falls short"
            case .notAtThisSize: "does not show at this size"
            }
        }
    }

    public var slug: String
    public var outcome: Outcome
    public var checks: [Check]
    public var controls: [Demonstration.Control]
    public var seconds: Double
    public var seed: UInt64

    /// Draws the verdict from a demonstration. Without any check nothing was shown: the verdict is `short`.
    public init(slug: String, _ demonstration: Demonstration, seconds: Double, seed: UInt64) {
        self.slug = slug
        checks = demonstration.checks
        controls = demonstration.controls
        self.seconds = seconds
        self.seed = seed
        let failed = checks.filter { !$0.holds }
        if checks.isEmpty {
            outcome = .short
        } else if failed.isEmpty {
            outcome = .holds
        } else if !demonstration.isExpectedAtThisSize, failed.allSatisfy({ $0.role == .effect }),
            checks.contains(where: { $0.role == .mechanism })
        {
            outcome = .notAtThisSize
        } else {
            outcome = .short
        }
    }

    /// The record that `make claims` writes.
    public var json: JSONValue {
        [
            "slug": .string(slug),
            "verdict": .string(outcome.rawValue),
            "measured": .object(checks.map { .init($0.name, .number($0.measured)) }),
            "threshold": .object(checks.map { .init($0.name, $0.threshold.json) }),
            "control": .object(controls.map { .init($0.name, .number($0.value)) }),
            "seconds": .number((seconds * 1_000).rounded() / 1_000),
            "seed": Int(exactly: seed).map { .integer($0) } ?? .string(String(seed)),
        ]
    }

    /// Reads a record back. The roles of the checks are not part of it.
    public init?(json: JSONValue) {
        guard let slug = json["slug"]?.stringValue, let outcome = json["verdict"]?.stringValue.flatMap(Outcome.init),
            let measured = json["measured"]?.objectValue, let seconds = json["seconds"]?.doubleValue
        else { return nil }
        self.slug = slug
        self.outcome = outcome
        checks = measured.compactMap { member in
            guard let threshold = (json["threshold"]?[member.key]).flatMap(Threshold.init(json:)) else { return nil }
            return Check(member.key, member.value.doubleValue ?? .nan, threshold)
        }
        controls = (json["control"]?.objectValue ?? []).map { .init($0.key, $0.value.doubleValue ?? .nan) }
        self.seconds = seconds
        seed =
            json["seed"]?.intValue.flatMap { UInt64(exactly: $0) } ?? json["seed"]?.stringValue.flatMap { UInt64($0) }
            ?? 0
    }
}
