/// An exact fraction in lowest terms. Operations whose result leaves the range of `Int` give nil, never a wrong number.
package struct Rational: Sendable, Hashable {
    package let numerator: Int
    /// Above zero.
    package let denominator: Int

    package init(_ whole: Int) {
        numerator = whole
        denominator = 1
    }

    /// A fraction; nil for a zero denominator and where the range is left.
    package init?(_ numerator: Int, over denominator: Int) {
        // The smallest number has no positive counterpart.
        guard denominator != 0, numerator != .min, denominator != .min else { return nil }
        var (a, b) = (abs(numerator), abs(denominator))
        while b != 0 { (a, b) = (b, a % b) }
        self.numerator = (denominator < 0 ? -numerator : numerator) / a
        self.denominator = abs(denominator) / a
    }

    /// Digits with at most one point, as `-3.50`; nil for anything else.
    package init?(decimal text: some StringProtocol) {
        let isNegative = text.hasPrefix("-")
        let digits = isNegative || text.hasPrefix("+") ? String(text.dropFirst()) : String(text)
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.contains(where: { !$0.isEmpty }),
            parts.joined().allSatisfy({ $0.isASCII && $0.isNumber }), let value = Int(parts.joined())
        else { return nil }
        guard let scale = Self.power(10, parts.count == 2 ? parts[1].count : 0) else { return nil }
        self.init(isNegative ? -value : value, over: scale)
    }

    package var isZero: Bool { numerator == 0 }
    package var magnitude: Rational? { numerator < 0 ? Rational(-numerator, over: denominator) : self }
    package var double: Double { Double(numerator) / Double(denominator) }

    package func plus(_ other: Rational) -> Rational? {
        guard let left = Self.product(numerator, other.denominator),
            let right = Self.product(other.numerator, denominator),
            let bottom = Self.product(denominator, other.denominator)
        else { return nil }
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? nil : Rational(sum, over: bottom)
    }

    package func times(_ other: Rational) -> Rational? {
        guard let top = Self.product(numerator, other.numerator),
            let bottom = Self.product(denominator, other.denominator)
        else { return nil }
        return Rational(top, over: bottom)
    }

    package func minus(_ other: Rational) -> Rational? {
        Rational(-1).times(other).flatMap { plus($0) }
    }

    /// Nil for a division by zero.
    package func divided(by other: Rational) -> Rational? {
        Rational(other.denominator, over: other.numerator).flatMap { times($0) }
    }

    /// A whole power; nil for 0 to a power below one.
    package func power(_ exponent: Int) -> Rational? {
        guard (-64...64).contains(exponent) else { return nil }
        guard exponent > 0 else {
            if isZero { return nil }
            return exponent == 0 ? Rational(1) : Rational(denominator, over: numerator)?.power(-exponent)
        }
        var result: Rational? = self
        for _ in 1..<exponent { result = result.flatMap { $0.times(self) } }
        return result
    }

    private static func product(_ a: Int, _ b: Int) -> Int? {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        return overflow ? nil : product
    }

    private static func power(_ base: Int, _ exponent: Int) -> Int? {
        var result: Int? = 1
        for _ in 0..<exponent { result = result.flatMap { product($0, base) } }
        return result
    }
}
