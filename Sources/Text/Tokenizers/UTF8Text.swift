/// Reading UTF-8 without `String`: the tokenizer's inner loops work on bytes.
enum UTF8Text {
    /// The scalar that starts at `position` of valid UTF-8, and its length in bytes.
    @inline(__always)
    static func scalar(_ text: UnsafePointer<UInt8>, at position: Int) -> (value: UInt32, length: Int) {
        let first = UInt32(text[position])
        if first < 0x80 { return (first, 1) }
        let second = UInt32(text[position + 1]) & 0x3F
        if first < 0xE0 { return ((first & 0x1F) << 6 | second, 2) }
        let third = UInt32(text[position + 2]) & 0x3F
        if first < 0xF0 { return ((first & 0x0F) << 12 | second << 6 | third, 3) }
        return ((first & 0x07) << 18 | second << 12 | third << 6 | UInt32(text[position + 3]) & 0x3F, 4)
    }

    /// The scalar that ends before `position` (above `start`) of valid UTF-8, and its length in bytes.
    @inline(__always)
    static func scalar(_ text: UnsafePointer<UInt8>, before position: Int) -> (value: UInt32, length: Int) {
        var first = position - 1
        while text[first] & 0xC0 == 0x80 { first -= 1 }
        return scalar(text, at: first)
    }

    /// Appends a scalar as UTF-8.
    @inline(__always)
    static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        if scalar < 0x80 {
            bytes.append(UInt8(scalar))
        } else if scalar < 0x800 {
            bytes.append(UInt8(0xC0 | scalar >> 6))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        } else if scalar < 0x10000 {
            bytes.append(UInt8(0xE0 | scalar >> 12))
            bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        } else {
            bytes.append(UInt8(0xF0 | scalar >> 18))
            bytes.append(UInt8(0x80 | scalar >> 12 & 0x3F))
            bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            bytes.append(UInt8(0x80 | scalar & 0x3F))
        }
    }

    /// What stands at a position of bytes that may not be UTF-8.
    enum Sequence {
        /// A whole character of this many bytes.
        case character(Int)
        /// This many bytes that no continuation can make valid: one U+FFFD.
        case invalid(Int)
        /// The bytes up to the end begin a character whose rest is missing.
        case incomplete(Int)
    }

    /// Reads one character, with the longest invalid prefix rule of the Unicode standard (section 3.9), as Python's
    /// `decode(errors="replace")` applies it.
    static func sequence(_ text: UnsafeBufferPointer<UInt8>, at position: Int) -> Sequence {
        let first = text[position]
        if first < 0x80 { return .character(1) }
        var lower: UInt8 = 0x80
        var upper: UInt8 = 0xBF
        let length: Int
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF:
            length = 3
            if first == 0xE0 { lower = 0xA0 }
            if first == 0xED { upper = 0x9F }
        case 0xF0...0xF4:
            length = 4
            if first == 0xF0 { lower = 0x90 }
            if first == 0xF4 { upper = 0x8F }
        default: return .invalid(1)
        }
        for index in 1..<length {
            guard position + index < text.count else { return .incomplete(index) }
            let byte = text[position + index]
            guard byte >= lower, byte <= upper else { return .invalid(index) }
            lower = 0x80
            upper = 0xBF
        }
        return .character(length)
    }

    /// The length of the longest valid prefix.
    static func validPrefix(_ text: UnsafeBufferPointer<UInt8>) -> Int {
        var position = 0
        let raw = UnsafeRawBufferPointer(text)
        while position < text.count {
            while position + 8 <= text.count,
                raw.loadUnaligned(fromByteOffset: position, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
            {
                position += 8
            }
            guard position < text.count else { break }
            guard case .character(let length) = sequence(text, at: position) else { return position }
            position += length
        }
        return position
    }

    /// The same bytes with everything invalid replaced by U+FFFD; `origins`, when asked for, gets where each byte of the result
    /// came from: its start and its end in `text`.
    static func repaired(
        _ text: UnsafeBufferPointer<UInt8>, validPrefix: Int, origins: inout Alignment?
    ) -> [UInt8] {
        var result = [UInt8](text[0..<validPrefix])
        result.reserveCapacity(text.count + 16)
        origins?.appendIdentity(0..<validPrefix)
        var position = validPrefix
        while position < text.count {
            switch sequence(text, at: position) {
            case .character(let length):
                result.append(contentsOf: text[position..<position + length])
                origins?.appendIdentity(position..<position + length)
                position += length
            case .invalid(let length), .incomplete(let length):
                result.append(contentsOf: [0xEF, 0xBF, 0xBD])
                origins?.append(position..<position + length, count: 3)
                position += length
            }
        }
        return result
    }
}

/// Where each byte of a changed text came from: a range of bytes of the text before the change.
struct Alignment: Sendable {
    private(set) var starts: [UInt32] = []
    private(set) var ends: [UInt32] = []

    var count: Int { starts.count }

    /// Bytes that stand as they stood.
    mutating func appendIdentity(_ range: Range<Int>) {
        for position in range {
            starts.append(UInt32(truncatingIfNeeded: position))
            ends.append(UInt32(truncatingIfNeeded: position + 1))
        }
    }

    /// `count` bytes that came from `range` as a whole.
    mutating func append(_ range: Range<Int>, count: Int) {
        for _ in 0..<count {
            starts.append(UInt32(truncatingIfNeeded: range.lowerBound))
            ends.append(UInt32(truncatingIfNeeded: range.upperBound))
        }
    }

    /// The range of the original bytes that a range of the changed text came from.
    func original(of range: Range<Int>) -> Range<Int> {
        guard range.lowerBound < range.upperBound, range.upperBound <= starts.count else {
            let edge = range.lowerBound < starts.count ? Int(starts[range.lowerBound]) : Int(ends.last ?? 0)
            return edge..<edge
        }
        let start = Int(starts[range.lowerBound])
        return start..<max(start, Int(ends[range.upperBound - 1]))
    }

    /// Adds a change of the part of the text before that starts at `offset`; `earlier` says where that text came from.
    mutating func append(_ change: Alignment, shiftedBy offset: Int, within earlier: Alignment) {
        for index in 0..<change.count {
            let range = earlier.original(of: offset + Int(change.starts[index])..<offset + Int(change.ends[index]))
            append(range, count: 1)
        }
    }

    /// This change followed by `next`, seen as one.
    func followed(by next: Alignment) -> Alignment {
        var result = Alignment()
        result.starts.reserveCapacity(next.count)
        result.ends.reserveCapacity(next.count)
        for index in 0..<next.count {
            let range = original(of: Int(next.starts[index])..<Int(next.ends[index]))
            result.starts.append(UInt32(truncatingIfNeeded: range.lowerBound))
            result.ends.append(UInt32(truncatingIfNeeded: range.upperBound))
        }
        return result
    }
}
