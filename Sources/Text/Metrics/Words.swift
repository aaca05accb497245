/// Words of a text, for metrics and retrieval.
public enum Words {
    /// The runs of letters, digits and underscores, in lower case. Whatever stands between them is dropped.
    public static func lowercased(_ text: String) -> [String] {
        var words: [String] = []
        var word = String.UnicodeScalarView()
        for scalar in text.lowercased().unicodeScalars {
            if scalar.isWordCharacter {
                word.append(scalar)
            } else if !word.isEmpty {
                words.append(String(word))
                word = String.UnicodeScalarView()
            }
        }
        if !word.isEmpty { words.append(String(word)) }
        return words
    }

    /// The parts between white space.
    static func separated(_ text: some StringProtocol) -> [String] {
        text.unicodeScalars.split { $0.properties.isWhitespace || (0x1C...0x1F).contains($0.value) }.map {
            String(String.UnicodeScalarView($0))
        }
    }
}

extension Unicode.Scalar {
    var isLetter: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    /// A letter, a number or an underscore, as `\w` of Python's regular expressions has it.
    var isWordCharacter: Bool {
        if isASCII {
            switch self {
            case "a"..."z", "A"..."Z", "0"..."9", "_": return true
            default: return false
            }
        }
        return isLetter || properties.numericType != nil
    }
}
