/// A set of characters, as regular expressions describe it.
struct ScalarSet: Sendable {
    indirect enum Item: Sendable {
        case range(ClosedRange<UInt32>)
        case ranges([ClosedRange<UInt32>])
        case classes(UnicodeClass)
        /// Of those that have one of the classes, where any is given.
        case categories(Set<Unicode.GeneralCategory>, UnicodeClass = [])
        /// `\w`. Between brackets the superscripts and fractions of Latin-1 are no part of it, as Oniguruma has it.
        case words(bracketed: Bool)
        case nested(ScalarSet)
    }

    private let items: [Item]
    private let isNegated: Bool
    /// The members below 128, as bits.
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    init(_ items: [Item], isNegated: Bool) {
        self.items = items
        self.isNegated = isNegated
        for scalar in UInt32(0)..<64 where search(scalar) { low |= 1 << UInt64(scalar) }
        for scalar in UInt32(64)..<128 where search(scalar) { high |= 1 << UInt64(scalar - 64) }
    }

    private static let latinNumbers: Set<UInt32> = [0xB2, 0xB3, 0xB9, 0xBC, 0xBD, 0xBE]

    @inline(__always)
    func contains(_ scalar: UInt32) -> Bool {
        if scalar < 64 { return low >> UInt64(scalar) & 1 != 0 }
        if scalar < 128 { return high >> UInt64(scalar - 64) & 1 != 0 }
        return search(scalar)
    }

    private func search(_ scalar: UInt32) -> Bool {
        items.contains { item in
            switch item {
            case .range(let range): range.contains(scalar)
            case .ranges(let ranges): ranges.contains { $0.contains(scalar) }
            case .classes(let classes): !UnicodeClass.of(scalar).isDisjoint(with: classes)
            case .categories(let categories, let classes):
                // The platform may know newer characters than the tables do.
                (classes.isEmpty || !UnicodeClass.of(scalar).isDisjoint(with: classes))
                    && Unicode.Scalar(scalar).map { categories.contains($0.properties.generalCategory) } ?? false
            case .words(let bracketed):
                WordClass.of(scalar).contains(.regexWord) && !(bracketed && Self.latinNumbers.contains(scalar))
            case .nested(let set): set.contains(scalar)
            }
        } != isNegated
    }
}

extension ScalarSet.Item {
    /// The characters that have a Unicode property, or nil for a name that isn't known.
    init?(property: String) {
        switch property {
        case "L", "Letter": self = .classes(.letter)
        case "N", "Number": self = .classes(.number)
        case "M", "Mark": self = .classes(.mark)
        case "P", "Punctuation", "Punct": self = .classes(.punctuation)
        case "S", "Symbol": self = .classes(.symbol)
        case "Lu", "Uppercase_Letter": self = .categories([.uppercaseLetter], .letter)
        case "Ll", "Lowercase_Letter": self = .classes(.lower)
        case "Lt", "Titlecase_Letter": self = .categories([.titlecaseLetter], .letter)
        case "Lm", "Modifier_Letter": self = .categories([.modifierLetter], .letter)
        case "Lo", "Other_Letter": self = .categories([.otherLetter], .letter)
        case "Nd", "Decimal_Number": self = .categories([.decimalNumber], .number)
        case "Nl", "Letter_Number": self = .categories([.letterNumber], .number)
        case "No", "Other_Number": self = .categories([.otherNumber], .number)
        case "Mn", "Nonspacing_Mark": self = .categories([.nonspacingMark], .mark)
        case "Mc", "Spacing_Mark": self = .categories([.spacingMark], .mark)
        case "Me", "Enclosing_Mark": self = .categories([.enclosingMark], .mark)
        case "Pc": self = .categories([.connectorPunctuation], .punctuation)
        case "Pd": self = .categories([.dashPunctuation], .punctuation)
        case "Ps": self = .categories([.openPunctuation], .punctuation)
        case "Pe": self = .categories([.closePunctuation], .punctuation)
        case "Pi": self = .categories([.initialPunctuation], .punctuation)
        case "Pf": self = .categories([.finalPunctuation], .punctuation)
        case "Po": self = .categories([.otherPunctuation], .punctuation)
        case "Sm": self = .categories([.mathSymbol], .symbol)
        case "Sc": self = .categories([.currencySymbol], .symbol)
        case "Sk": self = .categories([.modifierSymbol], .symbol)
        case "So": self = .categories([.otherSymbol], .symbol)
        case "Z", "Separator": self = .categories([.spaceSeparator, .lineSeparator, .paragraphSeparator])
        case "Zs": self = .categories([.spaceSeparator])
        case "Zl": self = .categories([.lineSeparator])
        case "Zp": self = .categories([.paragraphSeparator])
        case "C", "Other":
            self = .categories([.control, .format, .surrogate, .privateUse, .unassigned])
        case "Cc": self = .categories([.control])
        case "Cf": self = .categories([.format])
        case "Han": self = .ranges(Self.han)
        case "Hiragana":
            self = .ranges([
                0x3041...0x3096, 0x309D...0x309F, 0x1B001...0x1B11F, 0x1B132...0x1B132,
                0x1B150...0x1B152, 0x1F200...0x1F200,
            ])
        case "Katakana":
            self = .ranges([
                0x30A1...0x30FA, 0x30FD...0x30FF, 0x31F0...0x31FF, 0x32D0...0x32FE, 0x3300...0x3357,
                0xFF66...0xFF6F, 0xFF71...0xFF9D, 0x1AFF0...0x1AFF3, 0x1AFF5...0x1AFFB, 0x1AFFD...0x1AFFE,
                0x1B000...0x1B000, 0x1B120...0x1B122, 0x1B155...0x1B155, 0x1B164...0x1B167,
            ])
        default: return nil
        }
    }

    private static let han: [ClosedRange<UInt32>] = [
        0x2E80...0x2E99, 0x2E9B...0x2EF3, 0x2F00...0x2FD5, 0x3005...0x3005, 0x3007...0x3007, 0x3021...0x3029,
        0x3038...0x303B, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFA6D, 0xFA70...0xFAD9, 0x16FE2...0x16FE3,
        0x16FF0...0x16FF1, 0x20000...0x2A6DF, 0x2A700...0x2B739, 0x2B740...0x2B81D, 0x2B820...0x2CEA1,
        0x2CEB0...0x2EBE0, 0x2EBF0...0x2EE5D, 0x2F800...0x2FA1D, 0x30000...0x3134A, 0x31350...0x323AF,
    ]
}
