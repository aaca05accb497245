#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Numbers as Python writes and reads them.
enum TemplateNumber {
    /// `repr` of a float: the shortest digits that read back the same, with an exponent below 1e-4 and from 1e16.
    static func representation(of value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        let sign = value.sign == .minus ? "-" : ""
        let (digits, exponent) = shortest(value.magnitude)
        if exponent < -4 || exponent >= 16 {
            let rest = digits.dropFirst()
            let mantissa = digits.prefix(1) + (rest.isEmpty ? "" : "." + rest)
            let size = String(exponent.magnitude)
            return sign + mantissa + "e" + (exponent < 0 ? "-" : "+") + (size.count < 2 ? "0" : "") + size
        }
        if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
        if digits.count <= exponent + 1 {
            return sign + digits + String(repeating: "0", count: exponent + 1 - digits.count) + ".0"
        }
        return sign + digits.prefix(exponent + 1) + "." + digits.dropFirst(exponent + 1)
    }

    /// The shortest digits of a finite number ≥ 0, and the power of ten of the first.
    private static func shortest(_ value: Double) -> (digits: String, exponent: Int) {
        if value == 0 { return ("0", 0) }
        let parts = value.description.split(separator: "e")
        var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let number = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let whole = String(number[0])
        var digits = whole + (number.count > 1 ? String(number[1]) : "")
        exponent += whole.count - 1
        while digits.hasPrefix("0"), digits.count > 1 {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.hasSuffix("0"), digits.count > 1 { digits.removeLast() }
        return (digits, exponent)
    }

    /// With a fixed number of decimals, correctly rounded.
    static func fixed(_ value: Double, decimals: Int) -> String { formatted(value, decimals, "%.*f") }
    static func exponential(_ value: Double, decimals: Int) -> String { formatted(value, decimals, "%.*e") }
    static func general(_ value: Double, digits: Int) -> String { formatted(value, digits, "%.*g") }

    private static func formatted(_ value: Double, _ precision: Int, _ format: String) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        let precision = min(max(precision, 0), 500)
        return withVaList([Int32(precision), value]) { arguments in
            // The longest finite number has 309 digits before the point.
            var buffer = [CChar](repeating: 0, count: 320 + precision)
            let count = vsnprintf(&buffer, buffer.count, format, arguments)
            return String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// `round(value, precision)`: to even where the number lies exactly between.
    static func rounded(_ value: Double, precision: Int) -> Double {
        guard value.isFinite, precision < 320 else { return value }
        if precision >= 0 { return Double(fixed(value, decimals: precision)) ?? value }
        let scale = pow(10, Double(-precision))
        return scale.isFinite ? (value / scale).rounded(.toNearestOrEven) * scale : 0
    }

    /// The number times a power of ten, changed, and back.
    static func scaled(_ value: Double, _ precision: Int, _ change: (Double) -> Double) -> Double {
        let scale = pow(10, Double(precision))
        // Adding 0 makes -0 a 0, as Python's rounding to whole numbers does.
        return (change(value * scale) + 0) / scale
    }

    /// `int(text, base)`, or nil.
    static func integer(_ text: TemplateText, base: Int) -> Int? {
        var body = Substring(text.trimmed().string)
        var sign = ""
        if let first = body.first, first == "-" || first == "+" {
            sign = first == "-" ? "-" : ""
            body = body.dropFirst()
        }
        var base = base
        let prefixes: [Character: Int] = ["x": 16, "o": 8, "b": 2]
        if body.first == "0", let letter = body.dropFirst().first.map({ Character($0.lowercased()) }),
            let prefixed = prefixes[letter], base == prefixed || base == 0
        {
            body = body.dropFirst(2)
            base = prefixed
        }
        if base == 0 { base = 10 }
        guard (2...36).contains(base), let digits = withoutUnderscores(body) else { return nil }
        guard digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0.isLetter) }) else { return nil }
        return Int(sign + digits, radix: base)
    }

    /// `float(text)`, or nil.
    static func double(_ text: TemplateText) -> Double? {
        guard let body = withoutUnderscores(Substring(text.trimmed().string)) else { return nil }
        switch body.lowercased() {
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        case "nan", "+nan", "-nan": return .nan
        default: break
        }
        guard body.allSatisfy({ "0123456789+-.eE".contains($0) }) else { return nil }
        if let value = Double(body) { return value }
        return Double(body.hasSuffix(".") ? body + "0" : body)
    }

    /// Underscores may stand between digits only.
    private static func withoutUnderscores(_ text: Substring) -> String? {
        guard text.contains("_") else { return text.isEmpty ? nil : String(text) }
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        return parts.joined()
    }
}
