/// Cuts text into sentences by rule: no model, English abbreviations, the full stops of other scripts.
///
/// A sentence ends at `.`, `!`, `?`, `…` or their kin, with the quotes and brackets that close after it, when what follows can
/// start a sentence; at a blank line; and at the end of the text. Abbreviations, initials, decimals, list numbers and dotted names
/// do not end one.
public enum Sentences {
    /// The UTF-8 byte ranges of the sentences, without the whitespace around them, in order. O(n).
    public static func ranges(in text: String) -> [Range<Int>] {
        var text = text
        return text.withUTF8 { bytes in
            guard let base = bytes.baseAddress else { return [] }
            var cutter = SentenceCutter(text: base, count: bytes.count)
            return cutter.cut()
        }
    }

    /// The sentences as texts.
    public static func split(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        return ranges(in: text).map { String(decoding: bytes[$0], as: UTF8.self) }
    }
}

/// Walks over a text once. It lives no longer than the buffer that it is given.
private struct SentenceCutter {
    let text: UnsafePointer<UInt8>
    let count: Int
    private var sentences: [Range<Int>] = []
    private var start = 0

    init(text: UnsafePointer<UInt8>, count: Int) {
        self.text = text
        self.count = count
    }

    mutating func cut() -> [Range<Int>] {
        var position = skipSpaces(0)
        start = position
        while position < count {
            let (scalar, length) = UTF8Text.scalar(text, at: position)
            if scalar == 0x0A, isBlankLine(after: position) {
                close(at: position)
                position = skipSpaces(position)
                start = position
                continue
            }
            guard SentenceMarks.isTerminator(scalar) else {
                position += length
                continue
            }
            // `?!`, `...` and what closes after them belong to the sentence.
            let markEnd = runEnd(position + length, where: SentenceMarks.isTerminator)
            let end = runEnd(markEnd, where: SentenceMarks.isCloser)
            let next = skipSpaces(end)
            if ends(mark: position..<markEnd, closedAt: end, next: next) {
                close(at: end)
                start = next
                position = next
            } else {
                position = end
            }
        }
        close(at: count)
        return sentences
    }

    /// Ends the sentence before `end`, without trailing whitespace.
    private mutating func close(at end: Int) {
        var end = end
        while end > start {
            let (scalar, length) = UTF8Text.scalar(text, before: end)
            if !UnicodeClass.of(scalar).contains(.whitespace) { break }
            end -= length
        }
        if end > start { sentences.append(start..<end) }
        start = end
    }

    private func runEnd(_ from: Int, where belongs: (UInt32) -> Bool) -> Int {
        var position = from
        while position < count {
            let (scalar, length) = UTF8Text.scalar(text, at: position)
            if !belongs(scalar) { break }
            position += length
        }
        return position
    }

    private func skipSpaces(_ from: Int) -> Int {
        runEnd(from) { UnicodeClass.of($0).contains(.whitespace) }
    }

    /// Whether only blanks stand between this newline and another one.
    private func isBlankLine(after newline: Int) -> Bool {
        var position = newline + 1
        while position < count, text[position] == 0x20 || text[position] == 0x09 || text[position] == 0x0D {
            position += 1
        }
        return position < count && text[position] == 0x0A
    }

    /// Whether a sentence ends with the mark.
    private func ends(mark: Range<Int>, closedAt end: Int, next: Int) -> Bool {
        if next >= count { return true }
        let last = UTF8Text.scalar(text, before: mark.upperBound).value
        if SentenceMarks.isFullWidth(last) { return true }
        // Inside a number, an address or a dotted name.
        if next == end { return false }
        if startsLowercase(next) { return false }
        let isSingleStop = mark.count == 1 && text[mark.lowerBound] == UInt8(ascii: ".")
        if !isSingleStop || end > mark.upperBound && !isBracket(end) { return true }
        return wordEnds(before: mark.lowerBound, next: next)
    }

    private func isBracket(_ end: Int) -> Bool {
        text[end - 1] == UInt8(ascii: ")") || text[end - 1] == UInt8(ascii: "]")
    }

    /// Whether what follows starts with a small letter, quotes and brackets aside.
    private func startsLowercase(_ position: Int) -> Bool {
        let first = runEnd(position, where: SentenceMarks.isOpener)
        guard first < count else { return false }
        return UnicodeClass.of(UTF8Text.scalar(text, at: first).value).contains(.lower)
    }

    /// Whether the word before a full stop can end a sentence.
    private func wordEnds(before stop: Int, next: Int) -> Bool {
        var wordStart = stop
        while wordStart > start, stop - wordStart < 24 {
            let (scalar, length) = UTF8Text.scalar(text, before: wordStart)
            if UnicodeClass.of(scalar).contains(.whitespace) || SentenceMarks.isOpener(scalar) { break }
            wordStart -= length
        }
        let word = String(
            decoding: UnsafeBufferPointer(start: text + wordStart, count: stop - wordStart), as: UTF8.self)
        let scalars = Array(word.unicodeScalars)
        if scalars.isEmpty { return true }
        // A number at the start is the number of a list item.
        if scalars.allSatisfy({ UnicodeClass.of($0.value).contains(.number) }) { return wordStart > start }
        if scalars.count == 1, UnicodeClass.of(scalars[0].value).contains(.upper) {
            return word == "I" && followsLowercaseWord(wordStart)
        }
        let plain = word.lowercased()
        if Abbreviations.neverLast.contains(plain) { return false }
        if Abbreviations.oftenLast.contains(plain) || isDotted(scalars) { return startsCommonly(next) }
        return true
    }

    private func followsLowercaseWord(_ wordStart: Int) -> Bool {
        var position = wordStart
        while position > start, text[position - 1] == 0x20 { position -= 1 }
        guard position > start else { return false }
        return UnicodeClass.of(UTF8Text.scalar(text, before: position).value).contains(.lower)
    }

    /// `U.S`, `Ph.D`, `a.m`: letters in groups of at most two between stops.
    private func isDotted(_ scalars: [Unicode.Scalar]) -> Bool {
        guard scalars.contains(".") else { return false }
        return scalars.split(separator: ".").allSatisfy { group in
            group.count <= 2 && group.allSatisfy { UnicodeClass.of($0.value).contains(.letter) }
        }
    }

    /// Whether what follows starts with a word that mostly stands first.
    private func startsCommonly(_ position: Int) -> Bool {
        let first = runEnd(position, where: SentenceMarks.isOpener)
        if first > position { return true }
        let end = runEnd(first) { UnicodeClass.of($0).contains(.letter) }
        guard end > first, end - first <= 12 else { return false }
        let word = String(decoding: UnsafeBufferPointer(start: text + first, count: end - first), as: UTF8.self)
        return Abbreviations.starters.contains(word)
    }
}

private enum SentenceMarks {
    static func isTerminator(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x21, 0x2E, 0x3F, 0x203C...0x203D, 0x2047...0x2049, 0x2026, 0x061F, 0x06D4, 0x0964, 0x0965: true
        default: isFullWidth(scalar)
        }
    }

    /// Marks that end a sentence without a space after them.
    static func isFullWidth(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x3002, 0xFF01, 0xFF0E, 0xFF1F, 0xFF61: true
        default: false
        }
    }

    static func isCloser(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x22, 0x27, 0x29, 0x5D, 0x7D, 0x2019, 0x201D, 0xBB, 0x203A, 0x300D, 0x300F, 0xFF09: true
        default: false
        }
    }

    static func isOpener(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x22, 0x27, 0x28, 0x5B, 0x7B, 0x2018, 0x201C, 0x201E, 0xAB, 0x2039, 0x300C, 0x300E, 0xFF08, 0xBF, 0xA1:
            true
        default: false
        }
    }
}

private enum Abbreviations {
    /// Something always follows these.
    static let neverLast: Set<String> = [
        "mr", "mrs", "ms", "dr", "prof", "rev", "hon", "gen", "col", "maj", "capt", "lt", "sgt", "sen", "rep", "gov",
        "pres",
        "st", "mt", "ft", "messrs", "mme", "mlle", "fr", "e.g", "i.e", "eg", "ie", "vs", "cf", "viz", "ca", "approx",
        "fig",
        "figs", "eq", "eqs", "sec", "ch", "chap", "vol", "vols", "pp", "p", "ed", "eds", "trans", "nos", "op", "ref",
        "refs",
        "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sept", "sep", "oct", "nov", "dec",
    ]
    /// These end a sentence now and then.
    static let oftenLast: Set<String> = [
        "etc", "inc", "ltd", "co", "corp", "jr", "sr", "al", "bros", "dept", "univ", "ave", "blvd", "rd", "est", "a.m",
        "p.m",
    ]
    /// Words that mostly stand first in their sentence when they have a capital.
    static let starters: Set<String> = [
        "The", "A", "An", "This", "That", "These", "Those", "He", "She", "It", "They", "We", "You", "I", "His", "Her",
        "Its",
        "Their", "Our", "My", "Your", "In", "On", "At", "By", "For", "From", "With", "As", "If", "When", "While",
        "After",
        "Before", "But", "And", "Or", "So", "Then", "There", "Here", "However", "Some", "Many", "Most", "No", "Not",
        "Yes",
        "What", "Why", "How", "Who", "Where", "Once", "Since", "Although", "Because",
    ]
}
