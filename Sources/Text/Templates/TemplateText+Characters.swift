/// Code points, as Python counts, cuts and classifies them.
extension TemplateText {
    /// Whether every code point is one byte.
    var isASCII: Bool { bytes.allSatisfy { $0 < 0x80 } }

    /// The number of code points.
    var length: Int {
        var continuations = 0
        for byte in bytes where byte & 0xC0 == 0x80 { continuations += 1 }
        return bytes.count - continuations
    }

    /// The byte offsets at which code points start, with the end as the last.
    var characterOffsets: [Int] {
        var offsets: [Int] = []
        offsets.reserveCapacity(bytes.count + 1)
        for (offset, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 { offsets.append(offset) }
        offsets.append(bytes.count)
        return offsets
    }

    /// One text per code point.
    var characters: [TemplateText] {
        let offsets = characterOffsets
        return (0..<offsets.count - 1).map { self[offsets[$0]..<offsets[$0 + 1]] }
    }

    /// The code point at a position, or nil outside; negative positions count from the end.
    func character(at position: Int) -> TemplateText? {
        if isASCII {
            let index = position < 0 ? position + count : position
            return index >= 0 && index < count ? self[index..<index + 1] : nil
        }
        let offsets = characterOffsets
        let index = position < 0 ? position + offsets.count - 1 : position
        guard index >= 0, index < offsets.count - 1 else { return nil }
        return self[offsets[index]..<offsets[index + 1]]
    }

    /// The code points that a slice selects.
    func sliced(_ slice: TemplateSlice) throws -> TemplateText {
        let offsets = isASCII ? nil : characterOffsets
        let length = offsets.map { $0.count - 1 } ?? count
        let (start, step, selected) = try slice.resolved(length: length)
        func offset(_ character: Int) -> Int { offsets?[character] ?? character }
        if selected == 0 { return emptied }
        if step == 1 { return self[offset(start)..<offset(start + selected)] }
        var result = emptied
        for index in 0..<selected {
            let character = start + index * step
            result.append(self[offset(character)..<offset(character + 1)])
        }
        return result
    }

    /// The length in bytes of the white space that starts at an offset; 0 for none.
    static func whitespaceLength(_ bytes: [UInt8], at offset: Int) -> Int {
        switch bytes[offset] {
        case 0x09...0x0D, 0x1C...0x20: return 1
        case 0xC2:
            guard offset + 1 < bytes.count else { return 0 }
            return bytes[offset + 1] == 0x85 || bytes[offset + 1] == 0xA0 ? 2 : 0
        case 0xE1, 0xE2, 0xE3:
            guard offset + 2 < bytes.count else { return 0 }
            let scalar =
                UInt32(bytes[offset] & 0x0F) << 12 | UInt32(bytes[offset + 1] & 0x3F) << 6
                | UInt32(bytes[offset + 2] & 0x3F)
            switch scalar {
            case 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: return 3
            default: return 0
            }
        default: return 0
        }
    }

    /// The offset at which the code point before `end` starts.
    private func startOfCharacter(before end: Int) -> Int {
        var start = end - 1
        while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        return start
    }

    /// Without white space, or without the given code points, at its ends.
    func trimmed(_ set: TemplateText? = nil, left: Bool = true, right: Bool = true) -> TemplateText {
        let members = set.map { Set($0.characters.map(\.bytes)) }
        func isTrimmed(_ range: Range<Int>) -> Bool {
            if let members { return members.contains(Array(bytes[range])) }
            return Self.whitespaceLength(bytes, at: range.lowerBound) == range.count
        }
        var start = 0
        var end = count
        while left, start < end {
            var next = start + 1
            while next < end, bytes[next] & 0xC0 == 0x80 { next += 1 }
            guard isTrimmed(start..<next) else { break }
            start = next
        }
        while right, end > start {
            let previous = startOfCharacter(before: end)
            guard isTrimmed(previous..<end) else { break }
            end = previous
        }
        return self[start..<end]
    }

    /// Whether it has code points and all of them satisfy the condition.
    func allScalars(_ condition: (Unicode.Scalar) -> Bool) -> Bool {
        !isEmpty && string.unicodeScalars.allSatisfy(condition)
    }
}

/// `start:stop:step`, any of them absent, as Python reads it.
struct TemplateSlice {
    var start: Int?
    var stop: Int?
    var step: Int?

    /// The first position, the step and the number of selected elements in a sequence of the given length.
    func resolved(length: Int) throws -> (start: Int, step: Int, count: Int) {
        let step = step ?? 1
        if step == 0 { throw TemplateFault.value("the step of a slice can't be 0") }
        let lowest = step > 0 ? 0 : -1
        let highest = step > 0 ? length : length - 1
        func clamped(_ position: Int?, default fallback: Int) -> Int {
            guard var position else { return fallback }
            if position < 0 { position += length }
            return min(max(position, lowest), highest)
        }
        let first = clamped(start, default: step > 0 ? 0 : length - 1)
        let end = clamped(stop, default: step > 0 ? length : -1)
        let distance = step > 0 ? end - first : first - end
        if distance <= 0 { return (0, 1, 0) }
        let stride = step.magnitude
        return (first, step, Int((UInt(distance) - 1) / stride) + 1)
    }
}
