/// How one value is to be printed in a formatted text: its width, its precision and its form.
struct TemplateFormatSpecification {
    enum Alignment { case left, right, center, afterSign }

    var fill: TemplateText = " "
    var alignment: Alignment?
    var sign: UInt8?
    var isAlternate = false
    var hasZeros = false
    var width = 0
    var grouping: UInt8?
    var precision: Int?
    var form: UInt8?

    static let greatestWidth = 1 << 20

    /// A number's digits with its sign, zeros, grouping and padding.
    func formatted(_ digits: String, isNegative: Bool, prefix: String = "", meter: TemplateMeter) throws -> TemplateText
    {
        var body = digits
        if let grouping {
            var whole = Substring(digits)
            var fraction = Substring()
            if let end = digits.firstIndex(where: { !$0.isNumber }) {
                whole = digits[..<end]
                fraction = digits[end...]
            }
            var groups: [Substring] = []
            while whole.count > 3 {
                groups.insert(whole.suffix(3), at: 0)
                whole = whole.dropLast(3)
            }
            groups.insert(whole, at: 0)
            body = groups.joined(separator: String(Unicode.Scalar(grouping))) + fraction
        }
        var sign = isNegative ? "-" : ""
        if !isNegative, let wanted = self.sign, wanted != UInt8(ascii: "-") { sign = String(Unicode.Scalar(wanted)) }
        sign += prefix
        let isAfterSign = alignment == .afterSign || (alignment == nil && hasZeros)
        guard isAfterSign else {
            return try padded(TemplateText(sign + body, isOwn: false), default: .right, meter: meter)
        }
        let missing = max(0, width - sign.utf8.count - body.utf8.count)
        try meter.charge(missing, times: fill.count)
        var result = TemplateText(sign, isOwn: false)
        for _ in 0..<missing { result.append(alignment == nil ? "0" : fill) }
        result.append(TemplateText(body, isOwn: false))
        return result
    }

    func padded(_ text: TemplateText, default fallback: Alignment, meter: TemplateMeter) throws -> TemplateText {
        let missing = width - text.length
        if missing <= 0 { return text }
        try meter.charge(missing, times: fill.count)
        let left: Int
        switch alignment ?? fallback {
        case .left: left = 0
        case .right, .afterSign: left = missing
        case .center: left = missing / 2
        }
        var result = TemplateText()
        for _ in 0..<left { result.append(fill) }
        result.append(text)
        for _ in left..<missing { result.append(fill) }
        return result
    }

    /// A whole number in the form `d`, `x`, `X`, `o`, `b`, `c` or none.
    func formatted(_ value: Int, meter: TemplateMeter) throws -> TemplateText? {
        let radix: Int
        var prefix = ""
        switch form ?? UInt8(ascii: "d") {
        case UInt8(ascii: "d"), UInt8(ascii: "i"), UInt8(ascii: "u"), UInt8(ascii: "n"): radix = 10
        case UInt8(ascii: "x"), UInt8(ascii: "X"): (radix, prefix) = (16, "0x")
        case UInt8(ascii: "o"): (radix, prefix) = (8, "0o")
        case UInt8(ascii: "b"): (radix, prefix) = (2, "0b")
        default: return nil
        }
        let isUpper = form == UInt8(ascii: "X")
        let digits = String(value.magnitude, radix: radix, uppercase: isUpper)
        return try formatted(
            digits, isNegative: value < 0, prefix: isAlternate ? (isUpper ? prefix.uppercased() : prefix) : "",
            meter: meter)
    }

    /// A number in the form `f`, `e`, `g`, `%` or none.
    func formatted(_ value: Double, meter: TemplateMeter) throws -> TemplateText? {
        let precision = min(precision ?? 6, 400)
        let magnitude = value.magnitude
        var digits: String
        switch form.map({ $0 | 0x20 }) {
        case UInt8(ascii: "f"): digits = TemplateNumber.fixed(magnitude, decimals: precision)
        case UInt8(ascii: "e"): digits = TemplateNumber.exponential(magnitude, decimals: precision)
        case UInt8(ascii: "g"), UInt8(ascii: "n"): digits = TemplateNumber.general(magnitude, digits: max(1, precision))
        case nil:
            digits =
                self.precision == nil
                ? TemplateNumber.representation(of: magnitude)
                : TemplateNumber.general(magnitude, digits: max(1, precision))
            if self.precision != nil, magnitude.isFinite, !digits.contains("."), !digits.contains("e") {
                digits += ".0"
            }
        case UInt8(ascii: "%") | 0x20: digits = TemplateNumber.fixed(magnitude * 100, decimals: precision) + "%"
        default: return nil
        }
        if let form, form & 0x20 == 0, form != UInt8(ascii: "%") { digits = digits.uppercased() }
        return try formatted(digits, isNegative: value.sign == .minus && !value.isNaN, meter: meter)
    }
}
