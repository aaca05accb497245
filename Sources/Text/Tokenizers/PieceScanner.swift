/// Cuts text into the pieces that a byte-pair model encodes one by one: a pre-tokenizer's regular expression, written out.
protocol PieceScanner {
    /// The end of the piece that starts at `start`, in valid UTF-8 that ends at `end`; above `start`.
    func pieceEnd(_ text: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int
}

/// Runs of characters of one class, in valid UTF-8.
struct ClassReader {
    let table: UnsafePointer<UInt8>
    let count: Int

    init() {
        let table = UnicodeClass.table
        self.table = table.base
        count = table.count
    }

    /// The class of the character at `position`, and the character's length.
    @inline(__always)
    func read(_ text: UnsafePointer<UInt8>, _ position: Int) -> (class: UnicodeClass, length: Int) {
        let byte = text[position]
        if byte < 0x80 { return (UnicodeClass(rawValue: table[Int(byte)]), 1) }
        let (scalar, length) = UTF8Text.scalar(text, at: position)
        return (UnicodeClass.of(scalar, in: table, count: count), length)
    }

    /// The end of the run of characters that have any of these classes.
    @inline(__always)
    func runEnd(of classes: UnicodeClass, _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        var position = start
        while position < end {
            let (found, length) = read(text, position)
            if found.isDisjoint(with: classes) { break }
            position += length
        }
        return position
    }

    /// The end of the run of characters that have none of these classes.
    @inline(__always)
    func runEnd(without classes: UnicodeClass, _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        var position = start
        while position < end {
            let (found, length) = read(text, position)
            if !found.isDisjoint(with: classes) { break }
            position += length
        }
        return position
    }

    /// A run of whitespace under `\s+(?!\S)|\s+`: all of it at the end of the text, all but the last character before another one.
    @inline(__always)
    func whitespaceEnd(
        _ text: UnsafePointer<UInt8>, _ start: Int, runEnd: Int, endsText: Bool
    ) -> Int {
        if endsText { return runEnd }
        var last = runEnd - 1
        while text[last] & 0xC0 == 0x80 { last -= 1 }
        return last > start ? last : runEnd
    }
}

/// GPT-2's pattern
/// `'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
/// optionally after every numeric character was made a piece of its own, as SmolLM and StarCoder have it.
struct GPT2Scanner: PieceScanner {
    let classes = ClassReader()
    let isolatesDigits: Bool

    func pieceEnd(_ text: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int {
        let byte = text[start]
        var (first, length) = classes.read(text, start)
        var position = start
        if byte == UInt8(ascii: "'") {
            let contraction = contractionEnd(text, start, end)
            if contraction > start { return contraction }
        } else if byte == UInt8(ascii: " "), start + 1 < end {
            let (next, nextLength) = classes.read(text, start + 1)
            if !next.contains(.whitespace), !(isolatesDigits && isDigit(text, start + 1, next)) {
                first = next
                length = nextLength
                position = start + 1
            }
        }
        if first.contains(.letter) { return classes.runEnd(of: .letter, text, position + length, end) }
        if first.contains(.whitespace) {
            let runEnd = classes.runEnd(of: .whitespace, text, position + length, end)
            let endsText = runEnd == end || isolatesDigits && isDigit(text, runEnd, classes.read(text, runEnd).class)
            return classes.whitespaceEnd(text, start, runEnd: runEnd, endsText: endsText)
        }
        if isolatesDigits {
            if isDigit(text, position, first) { return position + length }
            return otherRunEnd(text, position + length, end)
        }
        if first.contains(.number) { return classes.runEnd(of: .number, text, position + length, end) }
        return classes.runEnd(without: .wordlike, text, position + length, end)
    }

    @inline(__always)
    private func isDigit(_ text: UnsafePointer<UInt8>, _ position: Int, _ found: UnicodeClass) -> Bool {
        if found.contains(.number) { return true }
        if text[position] < 0xF0 { return false }
        return UnicodeClass.isNumericToDigits(UTF8Text.scalar(text, at: position).value, found)
    }

    @inline(__always)
    private func otherRunEnd(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        var position = start
        while position < end {
            let (found, length) = classes.read(text, position)
            if !found.isDisjoint(with: .wordlike) || isDigit(text, position, found) { break }
            position += length
        }
        return position
    }

    @inline(__always)
    private func contractionEnd(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        guard start + 1 < end else { return start }
        switch text[start + 1] {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"):
            return start + 2 < end && text[start + 2] == UInt8(ascii: "e") ? start + 3 : start
        case UInt8(ascii: "l"):
            return start + 2 < end && text[start + 2] == UInt8(ascii: "l") ? start + 3 : start
        default: return start
        }
    }
}

/// The pattern of Llama 3 and Qwen 2,
/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,k}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
/// with k = 3 and 1.
struct Llama3Scanner: PieceScanner {
    let classes = ClassReader()
    /// The longest run of digits in one piece.
    let maxDigits: Int

    func pieceEnd(_ text: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int {
        let byte = text[start]
        if byte == UInt8(ascii: "'") {
            let contraction = Self.contractionEnd(text, start, end)
            if contraction > start { return contraction }
        }
        let (first, length) = classes.read(text, start)
        if first.contains(.letter) { return classes.runEnd(of: .letter, text, start + length, end) }
        if first.contains(.number) { return digitsEnd(text, start + length, end) }
        if !Self.isNewline(byte), start + length < end {
            let (next, nextLength) = classes.read(text, start + length)
            if next.contains(.letter) { return classes.runEnd(of: .letter, text, start + length + nextLength, end) }
            if byte == UInt8(ascii: " "), next.isDisjoint(with: .wordlike) {
                return otherEnd(text, start + 1 + nextLength, end)
            }
        }
        if !first.contains(.whitespace) { return otherEnd(text, start + length, end) }
        let runEnd = classes.runEnd(of: .whitespace, text, start + length, end)
        var newline = runEnd
        while newline > start {
            if Self.isNewline(text[newline - 1]) { return newline }
            newline -= 1
        }
        return classes.whitespaceEnd(text, start, runEnd: runEnd, endsText: runEnd == end)
    }

    @inline(__always)
    private func digitsEnd(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        var position = start
        var digits = 1
        while digits < maxDigits, position < end {
            let (found, length) = classes.read(text, position)
            if !found.contains(.number) { break }
            position += length
            digits += 1
        }
        return position
    }

    @inline(__always)
    private func otherEnd(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        var position = classes.runEnd(without: .wordlike, text, start, end)
        while position < end, Self.isNewline(text[position]) { position += 1 }
        return position
    }

    @inline(__always)
    static func isNewline(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

    /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` in either case, or `start`. The long s folds to s.
    @inline(__always)
    static func contractionEnd(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        guard start + 1 < end else { return start }
        let second = start + 2 < end ? text[start + 2] : 0
        switch text[start + 1] | 0x20 {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"): return second | 0x20 == UInt8(ascii: "e") ? start + 3 : start
        case UInt8(ascii: "l"): return second | 0x20 == UInt8(ascii: "l") ? start + 3 : start
        default: return text[start + 1] == 0xC5 && second == 0xBF ? start + 3 : start
        }
    }
}
