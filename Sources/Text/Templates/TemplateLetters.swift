/// The case and classes of letters, as Python's `str` has them.
extension TemplateRenderer {
    func changedCase(_ text: TemplateText, _ method: TemplateTextMethod) -> TemplateText {
        let string = text.string
        let changed: String
        switch method {
        case .upper: changed = string.uppercased()
        case .lower: changed = string.lowercased()
        case .casefold:
            changed = string.lowercased().split(separator: "ß", omittingEmptySubsequences: false).joined(
                separator: "ss")
        case .capitalize: changed = Self.capitalized(string)
        case .swapcase:
            changed = string.unicodeScalars.reduce(into: "") { result, scalar in
                let isUpper = scalar.properties.isUppercase
                result += isUpper ? scalar.properties.lowercaseMapping : scalar.properties.uppercaseMapping
            }
        case .title:
            var isInWord = false
            changed = string.unicodeScalars.reduce(into: "") { result, scalar in
                let properties = scalar.properties
                result += isInWord ? properties.lowercaseMapping : properties.titlecaseMapping
                isInWord = properties.isCased
            }
        default: return text
        }
        return text.replacing(with: Array(changed.utf8))
    }

    static func capitalized(_ string: String) -> String {
        guard let first = string.unicodeScalars.first else { return "" }
        return first.properties.titlecaseMapping
            + String(String.UnicodeScalarView(string.unicodeScalars.dropFirst())).lowercased()
    }

    func satisfies(_ text: TemplateText, _ method: TemplateTextMethod) -> Bool {
        switch method {
        case .isdigit:
            text.allScalars {
                $0.properties.numericType == .decimal || $0.properties.numericType == .digit
            }
        case .isdecimal: text.allScalars { $0.properties.numericType == .decimal }
        case .isnumeric: text.allScalars { $0.properties.numericType != nil }
        case .isalpha: text.allScalars(Self.isLetter)
        case .isalnum: text.allScalars { Self.isLetter($0) || $0.properties.numericType != nil }
        case .isspace: !text.isEmpty && text.trimmed().isEmpty
        case .isupper: isCased(text, unlike: { $0.isLowercase || $0.generalCategory == .titlecaseLetter })
        case .islower: isCased(text, unlike: { $0.isUppercase || $0.generalCategory == .titlecaseLetter })
        case .istitle: isCased(text, unlike: { _ in false }) && changedCase(text, .title).bytes == text.bytes
        case .isascii: text.isASCII
        case .isidentifier:
            text.allScalars { Self.isLetter($0) || $0 == "_" || $0.properties.numericType == .decimal }
                && !(text.bytes.first.map { (0x30...0x39).contains($0) } ?? true)
        default: false
        }
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    /// Whether it has letters with case and none of them is of the other case.
    private func isCased(_ text: TemplateText, unlike other: (Unicode.Scalar.Properties) -> Bool) -> Bool {
        let scalars = text.string.unicodeScalars
        return scalars.contains { $0.properties.isCased } && !scalars.contains { other($0.properties) }
    }

    /// `title` as a filter: a word begins after white space and after `-`, `(`, `{`, `[` and `<`.
    func titled(_ text: TemplateText) -> TemplateText {
        var isInWord = false
        var changed = ""
        for scalar in text.string.unicodeScalars {
            let isBoundary = "-({[<".unicodeScalars.contains(scalar) || scalar.properties.isWhitespace
            if isBoundary {
                changed.unicodeScalars.append(scalar)
            } else {
                changed += isInWord ? scalar.properties.lowercaseMapping : scalar.properties.uppercaseMapping
            }
            isInWord = !isBoundary
        }
        return text.replacing(with: Array(changed.utf8))
    }
}
