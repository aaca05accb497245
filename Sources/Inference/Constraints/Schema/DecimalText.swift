import Text

/// A decimal number by its digits, exactly.
struct DecimalText: Hashable, Sendable {
    var isNegative: Bool
    /// Digits before the point without leading zeros; empty for a number below 1.
    var whole: [UInt8]
    /// Digits behind the point without trailing zeros.
    var fraction: [UInt8]

    var isZero: Bool { whole.isEmpty && fraction.isEmpty }

    init(_ value: Int) {
        isNegative = value < 0
        whole = value == 0 ? [] : String(value.magnitude).utf8.map { $0 - 0x30 }
        fraction = []
    }

    /// The shortest decimal that reads back as `value`, which must be finite.
    init(_ value: Double) {
        isNegative = value < 0
        var digits: [UInt8] = []
        var exponent = 0
        var pointAt: Int?
        var characters = Array(value.magnitude.description.utf8)[...]
        if let mark = characters.firstIndex(of: UInt8(ascii: "e")) {
            exponent = Int(String(decoding: characters[(mark + 1)...], as: UTF8.self)) ?? 0
            characters = characters[..<mark]
        }
        for character in characters {
            if character == UInt8(ascii: ".") { pointAt = digits.count } else { digits.append(character - 0x30) }
        }
        let point = (pointAt ?? digits.count) + exponent
        if point <= 0 {
            whole = []
            fraction = [UInt8](repeating: 0, count: -point) + digits
        } else if point >= digits.count {
            whole = digits + [UInt8](repeating: 0, count: point - digits.count)
            fraction = []
        } else {
            whole = Array(digits[..<point])
            fraction = Array(digits[point...])
        }
        while whole.first == 0 { whole.removeFirst() }
        while fraction.last == 0 { fraction.removeLast() }
    }

    init?(_ value: JSONValue) {
        switch value {
        case .integer(let value): self.init(value)
        case .number(let value) where value.isFinite: self.init(value)
        default: return nil
        }
    }

    /// -1, 0 or 1 as the first is less than, equal to or greater than the second.
    static func compare(_ a: DecimalText, _ b: DecimalText) -> Int {
        if a.isZero && b.isZero { return 0 }
        if a.isZero { return b.isNegative ? 1 : -1 }
        if b.isZero { return a.isNegative ? -1 : 1 }
        if a.isNegative != b.isNegative { return a.isNegative ? -1 : 1 }
        let magnitude: Int
        if a.whole.count != b.whole.count {
            magnitude = a.whole.count < b.whole.count ? -1 : 1
        } else if a.whole != b.whole {
            magnitude = a.whole.lexicographicallyPrecedes(b.whole) ? -1 : 1
        } else if a.fraction != b.fraction {
            magnitude = a.fraction.lexicographicallyPrecedes(b.fraction) ? -1 : 1
        } else {
            magnitude = 0
        }
        return a.isNegative ? -magnitude : magnitude
    }
}
