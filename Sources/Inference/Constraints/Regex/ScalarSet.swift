/// A set of Unicode scalar values as sorted, disjoint, non-adjacent closed ranges. Surrogates are never members.
struct ScalarSet: Hashable, Sendable {
    private(set) var ranges: [ClosedRange<UInt32>]

    static let last: UInt32 = 0x10FFFF
    static let surrogates: ClosedRange<UInt32> = 0xD800...0xDFFF

    static let empty = ScalarSet(ranges: [])
    static let all = ScalarSet(ranges: [0...0xD7FF, 0xE000...last])

    private init(ranges: [ClosedRange<UInt32>]) { self.ranges = ranges }

    init(_ unordered: [ClosedRange<UInt32>]) {
        var pieces: [ClosedRange<UInt32>] = []
        for range in unordered {
            if range.lowerBound < Self.surrogates.lowerBound {
                pieces.append(range.lowerBound...min(range.upperBound, Self.surrogates.lowerBound - 1))
            }
            if range.upperBound > Self.surrogates.upperBound, range.lowerBound <= Self.last {
                pieces.append(max(range.lowerBound, Self.surrogates.upperBound + 1)...min(range.upperBound, Self.last))
            }
        }
        pieces.sort { $0.lowerBound < $1.lowerBound }
        var merged: [ClosedRange<UInt32>] = []
        for piece in pieces {
            if let tail = merged.last, piece.lowerBound <= tail.upperBound + 1 {
                merged[merged.count - 1] = tail.lowerBound...max(tail.upperBound, piece.upperBound)
            } else {
                merged.append(piece)
            }
        }
        ranges = merged
    }

    init(_ scalar: UInt32) { self.init([scalar...scalar]) }

    init(_ characters: String) { self.init(characters.unicodeScalars.map { $0.value...$0.value }) }

    var isEmpty: Bool { ranges.isEmpty }

    var inverted: ScalarSet {
        var gaps: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { gaps.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        if next <= Self.last { gaps.append(next...Self.last) }
        return ScalarSet(gaps)
    }

    func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

    func contains(_ scalar: UInt32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(scalar)
    }
}

/// The sets that regular expressions name, with the meaning that ECMA-262 gives them (JSON Schema's `pattern` follows it).
extension ScalarSet {
    static let digits = ScalarSet([0x30...0x39])
    static let wordCharacters = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    static let whitespace = ScalarSet([
        0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F,
        0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
    ])
    static let lineTerminators = ScalarSet([0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029])
    static let anyButLineTerminators = lineTerminators.inverted

    /// The scalars of a general category such as `Lu`, or of a group of categories such as `L`; nil for an unknown name.
    static func category(_ name: String) -> ScalarSet? {
        let wanted: (Unicode.GeneralCategory) -> Bool
        switch name {
        case "L", "Letter":
            wanted = {
                switch $0 {
                case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
                default: false
                }
            }
        case "Lu", "Uppercase_Letter": wanted = { $0 == .uppercaseLetter }
        case "Ll", "Lowercase_Letter": wanted = { $0 == .lowercaseLetter }
        case "Lt", "Titlecase_Letter": wanted = { $0 == .titlecaseLetter }
        case "Lm", "Modifier_Letter": wanted = { $0 == .modifierLetter }
        case "Lo", "Other_Letter": wanted = { $0 == .otherLetter }
        case "M", "Mark":
            wanted = { $0 == .nonspacingMark || $0 == .spacingMark || $0 == .enclosingMark }
        case "N", "Number":
            wanted = { $0 == .decimalNumber || $0 == .letterNumber || $0 == .otherNumber }
        case "Nd", "Decimal_Number": wanted = { $0 == .decimalNumber }
        case "Nl", "Letter_Number": wanted = { $0 == .letterNumber }
        case "No", "Other_Number": wanted = { $0 == .otherNumber }
        case "P", "Punctuation":
            wanted = {
                switch $0 {
                case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
                    .initialPunctuation, .finalPunctuation, .otherPunctuation:
                    true
                default: false
                }
            }
        case "S", "Symbol":
            wanted = { $0 == .mathSymbol || $0 == .currencySymbol || $0 == .modifierSymbol || $0 == .otherSymbol }
        case "Sc", "Currency_Symbol": wanted = { $0 == .currencySymbol }
        case "Sm", "Math_Symbol": wanted = { $0 == .mathSymbol }
        case "Z", "Separator":
            wanted = { $0 == .spaceSeparator || $0 == .lineSeparator || $0 == .paragraphSeparator }
        case "Zs", "Space_Separator": wanted = { $0 == .spaceSeparator }
        default: return nil
        }
        return ScalarSet(matching: { wanted($0.properties.generalCategory) }, through: last)
    }

    private init(matching wanted: (Unicode.Scalar) -> Bool, through end: UInt32) {
        var found: [ClosedRange<UInt32>] = []
        var start: UInt32?
        for value in 0...end + 1 {
            let isMember = value <= end && Unicode.Scalar(value).map(wanted) ?? false
            if isMember, start == nil { start = value }
            if !isMember, let first = start {
                found.append(first...value - 1)
                start = nil
            }
        }
        self.init(found)
    }

    /// With every member, its simple upper- and lowercase forms.
    var caseFolded: ScalarSet {
        var extra: [ClosedRange<UInt32>] = []
        for (lower, upper) in Self.casePairs {
            if contains(lower) { extra.append(upper...upper) }
            if contains(upper) { extra.append(lower...lower) }
        }
        return ScalarSet(ranges + extra)
    }

    /// Scalars whose uppercase is one other scalar and back.
    private static let casePairs: [(lower: UInt32, upper: UInt32)] = (UInt32(0)...0x1FFFF).compactMap { value in
        guard let scalar = Unicode.Scalar(value), scalar.properties.changesWhenUppercased else { return nil }
        let upper = scalar.properties.uppercaseMapping.unicodeScalars
        guard upper.count == 1, let first = upper.first, first != scalar else { return nil }
        // U+0131 and U+017F have ASCII capitals; ECMA-262 keeps ASCII letters apart from the rest.
        guard (first.value < 0x80) == (value < 0x80) else { return nil }
        return (value, first.value)
    }
}
