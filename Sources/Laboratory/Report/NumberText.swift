/// Numbers as text, without locale.
enum NumberText {
    /// A number with exactly this many digits after the point, rounded half away from zero.
    static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return value.isNaN ? "nan" : value > 0 ? "inf" : "-inf" }
        let digits = max(0, min(digits, 12))
        let power = (0..<digits).reduce(1.0) { result, _ in result * 10 }
        let scaled = (abs(value) * power).rounded()
        guard scaled < 9e15 else { return String(value) }
        let whole = UInt64(scaled)
        let unit = UInt64(power)
        let sign = value < 0 && whole > 0 ? "-" : ""
        guard digits > 0 else { return sign + String(whole) }
        let fraction = String(whole % unit)
        return sign + String(whole / unit) + "." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    /// A number with about three significant digits: `0.0012`, `12.3`, `4560`.
    static func short(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "–" : value > 0 ? "∞" : "−∞" }
        let size = abs(value)
        if size == 0 { return "0" }
        if size >= 1e6 || size < 1e-4 {
            var exponent = 0
            var mantissa = size
            while mantissa >= 10 { mantissa /= 10; exponent += 1 }
            while mantissa < 1 { mantissa *= 10; exponent -= 1 }
            return "\(value < 0 ? "-" : "")\(trimmed(fixed(mantissa, 2)))e\(exponent)"
        }
        if size >= 100 { return fixed(value, 0) }
        if size >= 10 { return trimmed(fixed(value, 1)) }
        if size >= 1 { return trimmed(fixed(value, 2)) }
        return trimmed(fixed(value, size >= 0.1 ? 3 : size >= 0.01 ? 4 : size >= 0.001 ? 5 : 6))
    }

    private static func trimmed(_ text: String) -> String {
        guard text.contains(".") else { return text }
        var text = text
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    /// A p-value as papers print it.
    static func pValue(_ p: Double) -> String { p < 0.001 ? "p < 0.001" : "p = \(fixed(p, 3))" }
}

extension Duration {
    /// `8 s`, `2 min 5 s`, `1 h 12 min`.
    static func short(seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        if whole < 3_600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3_600) h \(whole % 3_600 / 60) min"
    }

    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
