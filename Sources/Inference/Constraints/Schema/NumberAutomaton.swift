/// What the numbers of a place must be.
struct NumberFacts: Hashable, Sendable {
    struct Bound: Hashable, Sendable {
        var value: DecimalText
        var isExclusive: Bool
    }

    var lower: Bound?
    var upper: Bound?
    /// Numbers must be integers times `step` / 10^`stepScale`; nil: any.
    var step: Int?
    var stepScale = 0

    mutating func raise(_ bound: Bound) {
        guard let lower else {
            self.lower = bound
            return
        }
        let order = DecimalText.compare(lower.value, bound.value)
        if order < 0 || order == 0 && bound.isExclusive { self.lower = bound }
    }

    mutating func reduce(_ bound: Bound) {
        guard let upper else {
            self.upper = bound
            return
        }
        let order = DecimalText.compare(upper.value, bound.value)
        if order > 0 || order == 0 && bound.isExclusive { self.upper = bound }
    }

    /// Also multiples of `multiple`; false when the common multiple has too many digits.
    mutating func restrict(toMultiplesOf multiple: DecimalText) -> Bool {
        let scale = max(stepScale, multiple.fraction.count)
        guard multiple.whole.count + scale <= 15 else { return false }
        let digits = multiple.whole + multiple.fraction + [UInt8](repeating: 0, count: scale - multiple.fraction.count)
        let wanted = digits.reduce(0) { $0 * 10 + Int($1) }
        var present = step ?? 1
        if step != nil {
            for _ in stepScale..<scale {
                let (product, overflow) = present.multipliedReportingOverflow(by: 10)
                if overflow { return false }
                present = product
            }
        } else {
            present = wanted
        }
        var a = present
        var b = wanted
        while b != 0 { (a, b) = (b, a % b) }
        let (product, overflow) = (present / a).multipliedReportingOverflow(by: wanted)
        guard !overflow, product < 1_000_000_000_000_000 else { return false }
        step = product
        stepScale = scale
        return true
    }

    /// Whether no number lies between the bounds.
    var isEmpty: Bool {
        guard let lower, let upper else { return false }
        let order = DecimalText.compare(lower.value, upper.value)
        return order > 0 || order == 0 && (lower.isExclusive || upper.isExclusive)
    }
}

/// The decimal texts of the numbers within bounds, as an automaton.
///
/// Without bounds: up to 18 digits before the point (integers fit 64 bits), up to 15 behind it, and an exponent of up to two
/// digits. With bounds or a step: no exponent. A bound is compared digit by digit, so it is exact; reading the text as a
/// 64-bit float preserves the order, and an exclusive bound on fractions is moved to the neighbouring float first, so that
/// rounding cannot reach it. `-0` is not written.
struct NumberAutomaton {
    private let facts: NumberFacts
    private let integersOnly: Bool
    private let wholeDigits: Int
    private let fractionDigits: Int

    private static let plainWholeDigits = 18

    /// - Throws: `TooComplex`.
    static func make(
        _ facts: NumberFacts, integersOnly: Bool, limits: ConstraintLimits
    ) throws -> ScalarDFA {
        if facts == NumberFacts() {
            let pattern =
                integersOnly
                ? "-?(0|[1-9][0-9]{0,17})" : "-?(0|[1-9][0-9]{0,14})(\\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?"
            return try ScalarDFA.compile(pattern, limits: limits)
        }
        var facts = facts
        if !integersOnly {
            if let lower = facts.lower, lower.isExclusive, lower.value.double.nextUp.isFinite {
                facts.lower = .init(value: DecimalText(lower.value.double.nextUp), isExclusive: false)
            }
            if let upper = facts.upper, upper.isExclusive, upper.value.double.nextDown.isFinite {
                facts.upper = .init(value: DecimalText(upper.value.double.nextDown), isExclusive: false)
            }
        }
        let wholeDigits = max(facts.step.map { min(plainWholeDigits, max(4, 9_000 / $0)) } ?? plainWholeDigits, 1)
        if facts.step != nil || integersOnly {
            let digits = integersOnly ? 0 : facts.stepScale
            return try NumberAutomaton(facts, integersOnly, wholeDigits, digits).explore(limits)
        }
        let usual = try NumberAutomaton(facts, false, wholeDigits, 15).explore(limits)
        if !usual.isEmpty { return usual }
        return try NumberAutomaton(facts, false, wholeDigits, 40).explore(limits)
    }

    private init(_ facts: NumberFacts, _ integersOnly: Bool, _ wholeDigits: Int, _ fractionDigits: Int) {
        self.facts = facts
        self.integersOnly = integersOnly
        self.wholeDigits = wholeDigits
        self.fractionDigits = fractionDigits
    }

    private enum Phase: Hashable {
        case start, minus, zero, whole, point, fraction
    }

    private struct State: Hashable {
        var phase = Phase.start
        var isNegative = false
        var isNonzero = false
        var digits: Int8 = 0
        /// The magnitude so far against the same digits of the bounds' magnitudes: -1, 0, 1.
        var againstLeast: Int8 = 0
        var againstMost: Int8 = 0
        var remainder = 0
    }

    /// The bounds of the magnitude of numbers of a sign; nil when there are no such numbers.
    private func magnitudes(
        isNegative: Bool
    ) -> (least: NumberFacts.Bound?, most: NumberFacts.Bound?)? {
        let (near, far) = isNegative ? (facts.upper, facts.lower) : (facts.lower, facts.upper)
        if let far, !far.value.isZero, far.value.isNegative != isNegative { return nil }
        if let far, far.value.isZero, isNegative { return nil }
        if let near, !near.value.isZero, near.value.isNegative == isNegative { return (near, far) }
        // Zero lies on the near side; it is excluded where the bound excludes it.
        if let near, near.value.isZero, near.isExclusive { return (near, far) }
        return (nil, far)
    }

    private func explore(_ limits: ConstraintLimits) throws -> ScalarDFA {
        try ScalarDFA.exploring(
            from: State(), alphabet: Array("-.0123456789".utf8), limits: limits, step: step, accepts: accepts)
    }

    private func step(_ state: State, _ character: UInt8) -> State? {
        var next = state
        switch character {
        case UInt8(ascii: "-"):
            guard state.phase == .start, magnitudes(isNegative: true) != nil else { return nil }
            next.phase = .minus
            next.isNegative = true
            return next
        case UInt8(ascii: "."):
            guard fractionDigits > 0, state.phase == .zero || state.phase == .whole else { return nil }
            next.phase = .point
            settleWhole(&next)
            next.digits = 0
            return next
        default:
            return digit(state, character - 0x30)
        }
    }

    private func digit(_ state: State, _ digit: UInt8) -> State? {
        guard let (least, most) = magnitudes(isNegative: state.isNegative) else { return nil }
        var next = state
        switch state.phase {
        case .zero: return nil
        case .start, .minus, .whole:
            if digit == 0, state.phase != .whole {
                next.phase = .zero
                return next
            }
            guard state.digits < wholeDigits else { return nil }
            next.phase = .whole
            next.againstLeast = Self.compareWhole(digit, at: Int(state.digits), least, state.againstLeast, absent: 1)
            next.againstMost = Self.compareWhole(digit, at: Int(state.digits), most, state.againstMost, absent: -1)
        case .point, .fraction:
            guard state.digits < fractionDigits else { return nil }
            next.phase = .fraction
            next.againstLeast = Self.compareFraction(digit, at: Int(state.digits), least, state.againstLeast)
            next.againstMost = Self.compareFraction(digit, at: Int(state.digits), most, state.againstMost)
        }
        next.digits += 1
        if digit != 0 { next.isNonzero = true }
        if let step = facts.step { next.remainder = (state.remainder * 10 + Int(digit)) % step }
        return next
    }

    private static func compareWhole(
        _ digit: UInt8, at index: Int, _ bound: NumberFacts.Bound?, _ order: Int8, absent: Int8
    ) -> Int8 {
        guard let whole = bound?.value.whole else { return absent }
        if index >= whole.count { return 1 }
        if order != 0 { return order }
        return digit < whole[index] ? -1 : digit > whole[index] ? 1 : 0
    }

    private static func compareFraction(
        _ digit: UInt8, at index: Int, _ bound: NumberFacts.Bound?, _ order: Int8
    ) -> Int8 {
        guard order == 0, let fraction = bound?.value.fraction else { return order }
        let other = index < fraction.count ? fraction[index] : 0
        return digit < other ? -1 : digit > other ? 1 : 0
    }

    /// At the end of the digits before the point, a number with fewer of them is the smaller one.
    private func settleWhole(_ state: inout State) {
        guard let (least, most) = magnitudes(isNegative: state.isNegative) else { return }
        let count = state.phase == .zero || state.digits == 0 ? 0 : Int(state.digits)
        if let least { if count < least.value.whole.count { state.againstLeast = -1 } } else { state.againstLeast = 1 }
        if let most { if count < most.value.whole.count { state.againstMost = -1 } } else { state.againstMost = -1 }
    }

    private func accepts(_ state: State) -> Bool {
        guard let (least, most) = magnitudes(isNegative: state.isNegative) else { return false }
        var settled = state
        var written = 0
        switch state.phase {
        case .start, .minus, .point: return false
        case .zero, .whole: settleWhole(&settled)
        case .fraction: written = Int(state.digits)
        }
        if state.isNegative, !state.isNonzero { return false }
        if let step = facts.step {
            var remainder = state.remainder
            for _ in written..<max(written, facts.stepScale) { remainder = remainder * 10 % step }
            if remainder != 0 { return false }
        }
        return isAbove(settled.againstLeast, written, least) && isBelow(settled.againstMost, written, most)
    }

    private func isAbove(_ order: Int8, _ written: Int, _ bound: NumberFacts.Bound?) -> Bool {
        guard let bound else { return true }
        guard order == 0 else { return order > 0 }
        return bound.value.fraction.count <= written && !bound.isExclusive
    }

    private func isBelow(_ order: Int8, _ written: Int, _ bound: NumberFacts.Bound?) -> Bool {
        guard let bound else { return true }
        guard order == 0 else { return order < 0 }
        return bound.value.fraction.count > written || !bound.isExclusive
    }
}

extension DecimalText {
    /// The nearest 64-bit float.
    var double: Double {
        let text = whole.map(String.init).joined() + "." + fraction.map(String.init).joined() + "0"
        let magnitude = Double("0" + text) ?? .infinity
        return isNegative ? -magnitude : magnitude
    }
}
