/// How a JSON value is spelt.
public struct JSONStyle: Sendable, Hashable {
    /// What stands for a number that JSON cannot spell.
    public enum NonFinite: Sendable, Hashable {
        /// `null`, as JavaScript writes it.
        case null
        /// `NaN`, `Infinity` and `-Infinity`, as Python writes them; not JSON.
        case names
    }

    /// Between two elements or members; without its trailing spaces when there is an indent.
    public var itemSeparator: String
    /// Between a key and its value.
    public var keySeparator: String
    /// Spaces per level, each element on its own line; nil keeps all on one line.
    public var indent: Int?
    /// Whether characters beyond ASCII become `\u` escapes.
    public var escapesNonASCII: Bool
    /// Whether members are written in the order of their keys (by Unicode scalars) instead of the document's.
    public var sortsKeys: Bool
    public var nonFinite: NonFinite

    public init(
        itemSeparator: String = ",", keySeparator: String = ":", indent: Int? = nil, escapesNonASCII: Bool = false,
        sortsKeys: Bool = false, nonFinite: NonFinite = .null
    ) {
        self.itemSeparator = itemSeparator
        self.keySeparator = keySeparator
        self.indent = indent
        self.escapesNonASCII = escapesNonASCII
        self.sortsKeys = sortsKeys
        self.nonFinite = nonFinite
    }

    /// No space at all.
    public static let compact = JSONStyle()

    /// Two spaces per level, as configuration files are written.
    public static let pretty = JSONStyle(keySeparator: ": ", indent: 2)

    /// What Python's `json.dumps` writes: a space after `,` and `:`, and names for what is not finite.
    ///
    /// Chat templates' `tojson` is this with `escapesNonASCII` false, which is the default here.
    public static func python(
        indent: Int? = nil, escapesNonASCII: Bool = false, sortsKeys: Bool = false
    ) -> JSONStyle {
        JSONStyle(
            itemSeparator: ", ", keySeparator: ": ", indent: indent, escapesNonASCII: escapesNonASCII,
            sortsKeys: sortsKeys, nonFinite: .names)
    }
}

extension JSONValue {
    /// The document on one line, or indented by two spaces.
    public func text(pretty: Bool = false) -> String { text(pretty ? .pretty : .compact) }

    /// The document in the style asked for.
    public func text(_ style: JSONStyle) -> String {
        String(decoding: utf8(style), as: UTF8.self)
    }

    /// The document's bytes in the style asked for.
    public func utf8(_ style: JSONStyle = .compact) -> [UInt8] {
        var writer = JSONWriter(style: style)
        writer.write(self, level: 0)
        return writer.output
    }
}

private struct JSONWriter {
    let style: JSONStyle
    let itemSeparator: [UInt8]
    let keySeparator: [UInt8]
    var output: [UInt8] = []

    init(style: JSONStyle) {
        self.style = style
        var separator = Array(style.itemSeparator.utf8)
        if style.indent != nil {
            while separator.last == UInt8(ascii: " ") { separator.removeLast() }
        }
        itemSeparator = separator
        keySeparator = Array(style.keySeparator.utf8)
    }

    mutating func write(_ value: JSONValue, level: Int) {
        switch value {
        case .null: write("null")
        case .bool(let value): write(value ? "true" : "false")
        case .integer(let value): output.append(contentsOf: String(value).utf8)
        case .number(let value): write(value)
        case .string(let value): write(quoted: value)
        case .array(let elements):
            guard !elements.isEmpty else { return write("[]") }
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                beginItem(index, level: level + 1)
                write(element, level: level + 1)
            }
            endItems(level: level)
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            guard !members.isEmpty else { return write("{}") }
            let ordered =
                style.sortsKeys
                ? members.sorted { $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars) } : members
            output.append(UInt8(ascii: "{"))
            for (index, member) in ordered.enumerated() {
                beginItem(index, level: level + 1)
                write(quoted: member.key)
                output.append(contentsOf: keySeparator)
                write(member.value, level: level + 1)
            }
            endItems(level: level)
            output.append(UInt8(ascii: "}"))
        }
    }

    private mutating func beginItem(_ index: Int, level: Int) {
        if index > 0 { output.append(contentsOf: itemSeparator) }
        breakLine(level: level)
    }

    private mutating func endItems(level: Int) { breakLine(level: level) }

    private mutating func breakLine(level: Int) {
        guard let indent = style.indent else { return }
        output.append(UInt8(ascii: "\n"))
        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: max(0, indent) * level))
    }

    private mutating func write(_ text: StaticString) {
        output.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func write(_ number: Double) {
        if number.isFinite {
            output.append(contentsOf: shortestDecimal(number).utf8)
        } else if style.nonFinite == .null {
            write("null")
        } else if number.isNaN {
            write("NaN")
        } else if number > 0 {
            write("Infinity")
        } else {
            write("-Infinity")
        }
    }

    private mutating func write(quoted text: String) {
        output.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { bytes in
            var start = 0
            var position = 0
            while position < bytes.count {
                let byte = bytes[position]
                let needsEscape =
                    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
                    || (byte >= 0x7F && style.escapesNonASCII)
                guard needsEscape else {
                    position += 1
                    continue
                }
                output.append(contentsOf: bytes[start..<position])
                if byte < 0x80 {
                    escape(byte)
                    position += 1
                } else {
                    let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
                    let end = min(position + length, bytes.count)
                    for scalar in String(decoding: bytes[position..<end], as: UTF8.self).unicodeScalars {
                        for unit in Unicode.UTF16.encode(scalar) ?? .init() { escape(unit: unit) }
                    }
                    position = end
                }
                start = position
            }
            output.append(contentsOf: bytes[start...])
        }
        output.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): write("\\\"")
        case UInt8(ascii: "\\"): write("\\\\")
        case 0x08: write("\\b")
        case 0x0C: write("\\f")
        case 0x0A: write("\\n")
        case 0x0D: write("\\r")
        case 0x09: write("\\t")
        default: escape(unit: UInt16(byte))
        }
    }

    private mutating func escape(unit: UInt16) {
        write("\\u")
        for shift in [12, 8, 4, 0] as [UInt16] {
            let digit = UInt8(unit >> shift & 0xF)
            output.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}

/// The shortest decimal that reads back as the same number, laid out as Python's `repr` does: plain from 1e-4 up to
/// but not including 1e16, with a signed two-digit exponent elsewhere, and `.0` on whole numbers.
private func shortestDecimal(_ number: Double) -> String {
    if number == 0 { return number.sign == .minus ? "-0.0" : "0.0" }
    // Swift's own description has the same shortest digits, but changes to exponents at other sizes.
    var digits: [UInt8] = []
    var pointPosition: Int?
    var exponent = 0
    let description = Array(number.magnitude.description.utf8)
    for (index, byte) in description.enumerated() {
        if byte == UInt8(ascii: ".") {
            pointPosition = digits.count
        } else if byte == UInt8(ascii: "e") {
            exponent = Int(String(decoding: description[(index + 1)...], as: UTF8.self)) ?? 0
            break
        } else {
            digits.append(byte)
        }
    }
    var decimalPoint = (pointPosition ?? digits.count) + exponent
    let leadingZeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
    digits.removeFirst(leadingZeros)
    decimalPoint -= leadingZeros
    while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }

    let sign = number < 0 ? "-" : ""
    let text = String(decoding: digits, as: UTF8.self)
    if decimalPoint > 16 || decimalPoint <= -4 {
        let power = decimalPoint - 1
        let mantissa = digits.count > 1 ? "\(text.prefix(1)).\(text.dropFirst())" : text
        return "\(sign)\(mantissa)e\(power < 0 ? "-" : "+")\(abs(power) < 10 ? "0" : "")\(abs(power))"
    }
    if decimalPoint <= 0 { return "\(sign)0.\(String(repeating: "0", count: -decimalPoint))\(text)" }
    if decimalPoint >= digits.count {
        return "\(sign)\(text)\(String(repeating: "0", count: decimalPoint - digits.count)).0"
    }
    return "\(sign)\(text.prefix(decimalPoint)).\(text.dropFirst(decimalPoint))"
}
