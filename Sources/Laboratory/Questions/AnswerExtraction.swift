import Text

/// Finds the answer in what a model wrote. Where there is none the answer is the empty string, which never counts as right.
///
/// The rules are those of the reference code of Kojima et al. (2022), arXiv:2205.11916, its quirks included:
/// - number: commas are deleted, then every match of `-?\d+\.?\d*` (ASCII digits) is a candidate;
/// - options: every character among the allowed letters, also the article "A" (see `LetterMatching` for a stricter rule);
/// - yes or no: lower case; quotes, white space, periods, colons and commas separate words; the words `yes` and `no`;
/// - text: without quotes, white space and periods, the whole is the one candidate.
///
/// Three kinds are not the paper's: of dates every day of the calendar is a candidate, as `2021-03-05`; of expressions what stands in
/// `\boxed{…}`, else between dollar signs, else the first line; of blocks what stands between fences, else the whole.
///
/// The chosen candidate loses one trailing period.
public struct AnswerExtractor: Sendable, Hashable {
    /// Which letters count as the name of an option.
    public enum LetterMatching: String, OptionChoice {
        /// Any occurrence of an allowed letter, even inside a word: the reference code's rule.
        case bare
        /// A letter that stands alone, as in `(B)`, `B.` or `B`; an `A` before a lower-case word is an article.
        case standalone
    }

    /// Which of several candidates is the answer.
    public enum Choice: Sendable, Hashable { case first, last }

    public var kind: AnswerKind
    public var letters: LetterMatching

    public init(_ kind: AnswerKind, letters: LetterMatching = .bare) {
        self.kind = kind
        self.letters = letters
    }

    /// The answer in a text, or the empty string.
    public func answer(in text: String, taking choice: Choice = .first) -> String {
        let found = candidates(in: text)
        var answer = (choice == .first ? found.first : found.last) ?? ""
        if answer.hasSuffix(".") { answer.removeLast() }
        return answer
    }

    /// The answer in the output of a few-shot prompt: the first candidate after the last occurrence of the phrase, or,
    /// where the phrase is missing, the last candidate of all.
    public func answer(inFewShot text: String, after phrase: String = "The answer is") -> String {
        guard let found = text.ranges(of: phrase).last else { return answer(in: text, taking: .last) }
        return answer(in: String(text[found.upperBound...]), taking: .first)
    }

    /// Everything that could be the answer, in order.
    public func candidates(in text: String) -> [String] {
        switch kind {
        case .number: Self.numbers(in: text)
        case .options: optionLetters(in: text)
        case .yesNo: Self.words(in: text).filter { $0 == "yes" || $0 == "no" }
        case .text:
            [String(String.UnicodeScalarView(text.unicodeScalars.filter { !Self.isDropped($0) }))].filter {
                !$0.isEmpty
            }
        case .date: CalendarDate.all(in: text).map(\.description)
        case .expression: Self.expressions(in: text)
        case .block: FencedText.blocks(text)
        }
    }

    // MARK: What is right

    /// A right answer as extracted ones are compared with it; nil where the text is no answer of this kind.
    ///
    /// Numbers lose commas, a currency sign and a fraction of zeros ("12.0" is "12"), and what stands before GSM8K's `####`.
    /// Letters may be in brackets; truth values are read as yes and no.
    public func gold(_ text: String) -> String? {
        switch kind {
        case .number: Self.goldNumber(text)
        case .options:
            Self.trimmed(text, of: " ().\n\t").flatMap { letter in
                kind.letters.contains { String($0) == letter.uppercased() } ? letter.uppercased() : nil
            }
        case .yesNo:
            switch Self.trimmed(text, of: " .\n\t\"'")?.lowercased() {
            case "yes", "true": "yes"
            case "no", "false": "no"
            default: nil
            }
        case .text, .date: candidates(in: text).first
        case .expression: Self.trimmed(text, of: " $\n\t\r.")
        case .block: Self.trimmed(text, of: "\n").map { FencedText.blocks($0).first ?? $0 }
        }
    }

    /// Whether an extracted answer is right: the same string as the gold answer, or, when asked for, the same number.
    public func isRight(_ answer: String, gold: String, numerically: Bool = false) -> Bool {
        if answer.isEmpty { return false }
        if answer == gold { return true }
        guard numerically, kind == .number, let a = Double(answer), let b = Double(gold) else { return false }
        return a == b
    }
}

extension AnswerExtractor {
    /// All leftmost, longest matches of `-?\d+\.?\d*`, commas deleted before.
    private static func numbers(in text: String) -> [String] {
        let scalars = Array(text.unicodeScalars).filter { $0 != "," }
        var found: [String] = []
        var position = 0
        while position < scalars.count {
            var end = position
            if scalars[end] == "-" { end += 1 }
            guard end < scalars.count, isDigit(scalars[end]) else {
                position += 1
                continue
            }
            while end < scalars.count, isDigit(scalars[end]) { end += 1 }
            if end < scalars.count, scalars[end] == "." { end += 1 }
            while end < scalars.count, isDigit(scalars[end]) { end += 1 }
            found.append(String(String.UnicodeScalarView(scalars[position..<end])))
            position = end
        }
        return found
    }

    private func optionLetters(in text: String) -> [String] {
        let allowed = Set(kind.letters.flatMap(\.unicodeScalars))
        let scalars = Array(text.unicodeScalars)
        return scalars.indices.compactMap { index in
            guard allowed.contains(scalars[index]) else { return nil }
            if letters == .standalone, !Self.standsAlone(scalars, index) { return nil }
            return String(scalars[index])
        }
    }

    private static func standsAlone(_ scalars: [Unicode.Scalar], _ index: Int) -> Bool {
        func isWordPart(_ place: Int) -> Bool {
            guard scalars.indices.contains(place) else { return false }
            return scalars[place].properties.isAlphabetic || isDigit(scalars[place]) || scalars[place] == "'"
                || scalars[place] == "’"
        }
        guard !isWordPart(index - 1), !isWordPart(index + 1) else { return false }
        guard scalars[index] == "A", index + 1 < scalars.count, scalars[index + 1] == " " else { return true }
        return !(index + 2 < scalars.count && scalars[index + 2].properties.isLowercase)
    }

    /// Lower-case words between quotes, white space, periods, colons and commas.
    private static func words(in text: String) -> [String] {
        text.lowercased().unicodeScalars.split { isDropped($0) || $0 == ":" || $0 == "," }.map { String($0) }
    }

    /// Quotes, periods and white space (the control characters 28 to 31 included, as in Python).
    private static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\"" || scalar == "'" || scalar == "." || scalar.properties.isWhitespace
            || (28...31).contains(scalar.value)
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private static func goldNumber(_ text: String) -> String? {
        let last = text.ranges(of: "####").last.map { String(text[$0.upperBound...]) } ?? text
        guard let number = trimmed(last, of: " $\n\t\r.") else { return nil }
        let plain = String(String.UnicodeScalarView(number.unicodeScalars.filter { $0 != "," }))
        guard numbers(in: plain) == [plain] else { return nil }
        let parts = plain.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 2, parts[1].allSatisfy({ $0 == "0" }) { return String(parts[0]) }
        return plain
    }

    /// What stands in `\boxed{…}`, else between dollar signs, else the first line that isn't empty.
    private static func expressions(in text: String) -> [String] {
        let boxed = text.ranges(of: "\\boxed{").compactMap { start -> String? in
            var depth = 1
            var inner = ""
            for character in text[start.upperBound...] {
                depth += character == "{" ? 1 : character == "}" ? -1 : 0
                if depth == 0 { return inner }
                inner.append(character)
            }
            return nil
        }
        if !boxed.isEmpty { return boxed }
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        if parts.count >= 3 {
            return stride(from: 1, to: parts.count - 1, by: 2).compactMap { trimmed(String(parts[$0]), of: " \n\t") }
        }
        return text.split(whereSeparator: \.isNewline).compactMap { trimmed(String($0), of: " .\t") }.prefix(1).map {
            $0
        }
    }

    /// A text without these characters at its ends; nil when nothing is left.
    private static func trimmed(_ text: String, of characters: String) -> String? {
        var rest = text[...]
        while let first = rest.first, characters.contains(first) { rest.removeFirst() }
        while let last = rest.last, characters.contains(last) { rest.removeLast() }
        return rest.isEmpty ? nil : String(rest)
    }
}
