/// A number as people write it: `1,200`, `-3.50`, `3/4`, `1 1/2`, `50 %`, `$7`, `2.5e3`, `12 km`. The value is exact.
package struct Quantity: Sendable, Hashable {
    package var value: Rational
    package var isPercentage: Bool
    /// A unit of the table below; nil where there is none or the word is no unit (`12 apples`).
    package var unit: Unit?

    /// A unit with what it is a multiple of.
    package struct Unit: Sendable, Hashable {
        /// What it measures: `length`.
        var dimension: String
        /// How many base units it has.
        var factor: Rational
    }

    /// Reads a text that is one quantity and nothing else, apart from a word behind it and a period at its end.
    package init?(_ text: some StringProtocol) {
        let scalars = Array(text.trimmingSpaces.unicodeScalars)
        guard let found = QuantityScanner(scalars).quantity(at: 0) else { return nil }
        let rest = String(String.UnicodeScalarView(scalars[found.end...])).trimmingSpaces
        guard rest.allSatisfy({ $0.isLetter || $0 == " " || $0 == "." }) else { return nil }
        self = found.quantity
    }

    init(value: Rational, isPercentage: Bool, unit: Unit?) {
        self.value = value
        self.isPercentage = isPercentage
        self.unit = unit
    }

    /// The quantities in a text with the words that they were read from, in order.
    package static func all(in text: String) -> [(text: String, quantity: Quantity)] {
        QuantityScanner(Array(text.unicodeScalars)).all()
    }

    /// Whether both say the same. Where both have a unit it must measure the same thing, and is converted. A percent sign on one
    /// side only matches the number before it as well as the fraction that it stands for (50 % is 50 and 0.5).
    package func isSame(as other: Quantity) -> Bool {
        if isPercentage != other.isPercentage {
            let hundredth = Rational(1, over: 100)
            let (percentage, plain) = isPercentage ? (value, other.value) : (other.value, value)
            return percentage == plain || hundredth.flatMap { percentage.times($0) } == plain
        }
        guard let unit, let otherUnit = other.unit, unit != otherUnit else { return value == other.value }
        guard unit.dimension == otherUnit.dimension, let a = value.times(unit.factor),
            let b = other.value.times(otherUnit.factor)
        else { return false }
        return a == b
    }

    /// Units by the words and signs that name them.
    static let units: [String: Unit] = {
        let table: [(dimension: String, names: [String], numerator: Int, denominator: Int)] = [
            ("length", ["mm", "millimeter", "millimeters", "millimetre", "millimetres"], 1, 1000),
            ("length", ["cm", "centimeter", "centimeters", "centimetre", "centimetres"], 1, 100),
            ("length", ["m", "meter", "meters", "metre", "metres"], 1, 1),
            ("length", ["km", "kilometer", "kilometers", "kilometre", "kilometres"], 1000, 1),
            ("length", ["inch", "inches"], 254, 10_000), ("length", ["ft", "foot", "feet"], 3048, 10_000),
            ("length", ["yd", "yard", "yards"], 9144, 10_000), ("length", ["mile", "miles"], 1_609_344, 1000),
            ("mass", ["mg", "milligram", "milligrams"], 1, 1000), ("mass", ["g", "gram", "grams"], 1, 1),
            ("mass", ["kg", "kilogram", "kilograms"], 1000, 1), ("mass", ["tonne", "tonnes"], 1_000_000, 1),
            ("time", ["s", "second", "seconds"], 1, 1), ("time", ["min", "minute", "minutes"], 60, 1),
            ("time", ["h", "hour", "hours"], 3600, 1), ("time", ["day", "days"], 86_400, 1),
            ("time", ["week", "weeks"], 604_800, 1),
            ("volume", ["ml", "milliliter", "milliliters", "millilitre", "millilitres"], 1, 1000),
            ("volume", ["l", "liter", "liters", "litre", "litres"], 1, 1),
            ("dollars", ["$", "dollar", "dollars"], 1, 1), ("dollars", ["cent", "cents"], 1, 100),
            ("euros", ["€", "euro", "euros"], 1, 1), ("pounds", ["£"], 1, 1),
        ]
        var units: [String: Unit] = [:]
        for row in table {
            guard let factor = Rational(row.numerator, over: row.denominator) else { continue }
            for name in row.names { units[name] = Unit(dimension: row.dimension, factor: factor) }
        }
        return units
    }()
}

/// Finds quantities in a text, left to right.
struct QuantityScanner {
    private let scalars: [Unicode.Scalar]

    init(_ scalars: [Unicode.Scalar]) { self.scalars = scalars }

    func all() -> [(text: String, quantity: Quantity)] {
        var found: [(text: String, quantity: Quantity)] = []
        var position = 0
        while position < scalars.count {
            if !isInsideWord(position), let next = quantity(at: position) {
                let text = String(String.UnicodeScalarView(scalars[position..<next.end]))
                found.append((text.trimmingSpaces, next.quantity))
                position = next.end
            } else {
                position += 1
            }
        }
        return found
    }

    /// A digit after a letter, as in `H2`, or after a slash, as in `03/05/2021`, begins no quantity.
    private func isInsideWord(_ position: Int) -> Bool {
        guard let before = at(position - 1) else { return false }
        return before.properties.isAlphabetic || before == "/" || isDigit(position - 1)
    }

    func quantity(at start: Int) -> (quantity: Quantity, end: Int)? {
        var position = start
        var isNegative = false
        var unit: Quantity.Unit?
        // A sign before or behind the currency: -$5, $-5.
        for _ in 0..<2 {
            if at(position) == "-" || at(position) == "−" {
                // In "10-3" the dash stands between two numbers.
                guard !isNegative, !isDigit(position - 1) else { return nil }
                isNegative = true
                position += 1
            } else if unit == nil, let sign = at(position), let currency = Quantity.units[String(sign)],
                !sign.properties.isAlphabetic
            {
                unit = currency
                position += 1
            }
        }
        guard var (value, end) = number(at: position) else { return nil }
        if let (fraction, fractionEnd) = fraction(after: value, at: end, start: position) {
            (value, end) = (fraction, fractionEnd)
        }
        if isNegative {
            guard let negative = Rational(-1).times(value) else { return nil }
            value = negative
        }
        let (isPercentage, named, unitEnd) = unitWord(at: end)
        return (Quantity(value: value, isPercentage: isPercentage, unit: unit ?? named), unitEnd)
    }

    /// `3/4`, or the `1/2` of a mixed number `1 1/2`.
    private func fraction(after value: Rational, at end: Int, start: Int) -> (Rational, Int)? {
        let isWhole = value.denominator == 1 && !(start..<end).contains { at($0) == "." }
        guard isWhole else { return nil }
        if at(end) == "/", let (bottom, bottomEnd) = number(at: end + 1), at(bottomEnd) != "/",
            let fraction = value.divided(by: bottom)
        {
            return (fraction, bottomEnd)
        }
        guard at(end) == " ", let (top, topEnd) = number(at: end + 1), at(topEnd) == "/",
            let (bottom, bottomEnd) = number(at: topEnd + 1), let part = top.divided(by: bottom), part.double < 1,
            let sum = value.plus(part)
        else { return nil }
        return (sum, bottomEnd)
    }

    /// Digits with thousands separators, a fraction and an exponent.
    private func number(at start: Int) -> (Rational, Int)? {
        var text = ""
        var position = start
        while let scalar = at(position) {
            if isDigit(position) {
                text.unicodeScalars.append(scalar)
            } else if scalar == ",", !text.isEmpty, isGroup(position + 1) {
                // A separator only where exactly three digits follow: "1,200", not "1, 2".
            } else {
                break
            }
            position += 1
        }
        guard !text.isEmpty || (at(position) == "." && isDigit(position + 1)) else { return nil }
        if at(position) == ".", isDigit(position + 1) {
            text += "."
            position += 1
            while isDigit(position), let scalar = at(position) {
                text.unicodeScalars.append(scalar)
                position += 1
            }
        }
        guard var value = Rational(decimal: text) else { return nil }
        if let (exponent, end) = exponent(at: position) {
            guard let scale = Rational(10).power(exponent), let scaled = value.times(scale) else { return nil }
            (value, position) = (scaled, end)
        }
        return (value, position)
    }

    private func exponent(at start: Int) -> (Int, Int)? {
        guard at(start) == "e" || at(start) == "E" else { return nil }
        var position = start + 1
        let isNegative = at(position) == "-"
        if isNegative || at(position) == "+" { position += 1 }
        var digits = ""
        while isDigit(position), let scalar = at(position) {
            digits.unicodeScalars.append(scalar)
            position += 1
        }
        guard let exponent = Int(digits), exponent <= 64 else { return nil }
        return (isNegative ? -exponent : exponent, position)
    }

    private func isGroup(_ start: Int) -> Bool {
        (start..<start + 3).allSatisfy(isDigit) && !isDigit(start + 3)
    }

    /// A percent sign, or a unit's word, after at most one space.
    private func unitWord(at start: Int) -> (isPercentage: Bool, unit: Quantity.Unit?, end: Int) {
        var position = at(start) == " " ? start + 1 : start
        if at(position) == "%" { return (true, nil, position + 1) }
        var word = ""
        while let scalar = at(position), scalar.properties.isAlphabetic || Quantity.units[String(scalar)] != nil {
            word.unicodeScalars.append(scalar)
            position += 1
        }
        if word.lowercased() == "percent" { return (true, nil, position) }
        guard let unit = Quantity.units[word] ?? Quantity.units[word.lowercased()] else { return (false, nil, start) }
        return (false, unit, position)
    }

    private func at(_ position: Int) -> Unicode.Scalar? { scalars.indices.contains(position) ? scalars[position] : nil }

    private func isDigit(_ position: Int) -> Bool { at(position).map { ("0"..."9").contains($0) } ?? false }
}
