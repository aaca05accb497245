/// Finding, splitting and replacing, as Python's `str` does them.
extension TemplateText {
    func hasPrefix(_ prefix: TemplateText) -> Bool { bytes.starts(with: prefix.bytes) }
    func hasSuffix(_ suffix: TemplateText) -> Bool {
        count >= suffix.count && bytes[(count - suffix.count)...].elementsEqual(suffix.bytes)
    }

    func contains(_ needle: TemplateText) -> Bool { find(needle, from: 0) != nil }

    /// The byte offset of the first occurrence at or after an offset. Linear in the lengths of both texts.
    func find(_ needle: TemplateText, from start: Int) -> Int? {
        Self.find(needle.bytes, in: bytes, from: start)
    }

    /// The byte offset of the last occurrence.
    func findLast(_ needle: TemplateText) -> Int? {
        guard let offset = Self.find(needle.bytes.reversed(), in: bytes.reversed(), from: 0) else { return nil }
        return count - offset - needle.count
    }

    private static func find(_ needle: [UInt8], in text: [UInt8], from start: Int) -> Int? {
        let count = needle.count
        if count == 0 { return start <= text.count ? start : nil }
        if text.count - start < count { return nil }
        if count > 32 { return findLong(needle, in: text, from: start) }
        return text.withUnsafeBufferPointer { text in
            needle.withUnsafeBufferPointer { needle in
                let first = needle[0]
                var offset = start
                while offset <= text.count - count {
                    if text[offset] == first {
                        var matched = 1
                        while matched < count, text[offset + matched] == needle[matched] { matched += 1 }
                        if matched == count { return offset }
                    }
                    offset += 1
                }
                return nil
            }
        }
    }

    /// Knuth, Morris and Pratt's search, for needles long enough that trying every place could take quadratic time.
    private static func findLong(_ needle: [UInt8], in text: [UInt8], from start: Int) -> Int? {
        var border = [Int](repeating: 0, count: needle.count)
        var length = 0
        for index in 1..<needle.count {
            while length > 0, needle[index] != needle[length] { length = border[length - 1] }
            if needle[index] == needle[length] { length += 1 }
            border[index] = length
        }
        var matched = 0
        for offset in start..<text.count {
            while matched > 0, text[offset] != needle[matched] { matched = border[matched - 1] }
            if text[offset] == needle[matched] { matched += 1 }
            if matched == needle.count { return offset + 1 - needle.count }
        }
        return nil
    }

    /// How often it occurs, without overlaps.
    func occurrences(of needle: TemplateText) -> Int {
        if needle.isEmpty { return length + 1 }
        var found = 0
        var start = 0
        while let offset = find(needle, from: start) {
            found += 1
            start = offset + needle.count
        }
        return found
    }

    /// The parts between occurrences of a separator. `limit` is the most cuts; they are made from the right if `fromRight`.
    func split(on separator: TemplateText, limit: Int, fromRight: Bool = false) -> [TemplateText] {
        var cuts: [Int] = []
        if fromRight {
            let reversed = TemplateText(bytes.reversed(), isOwn: true)
            let needle = TemplateText(separator.bytes.reversed(), isOwn: true)
            var start = 0
            while cuts.count < limit, let offset = reversed.find(needle, from: start) {
                cuts.append(count - offset - separator.count)
                start = offset + separator.count
            }
            cuts.reverse()
        } else {
            var start = 0
            while cuts.count < limit, let offset = find(separator, from: start) {
                cuts.append(offset)
                start = offset + separator.count
            }
        }
        var parts: [TemplateText] = []
        var start = 0
        for cut in cuts {
            parts.append(self[start..<cut])
            start = cut + separator.count
        }
        parts.append(self[start..<count])
        return parts
    }

    /// The words between stretches of white space.
    func splitOnWhitespace(limit: Int, fromRight: Bool = false) -> [TemplateText] {
        var words: [Range<Int>] = []
        var start: Int?
        var offset = 0
        while offset < count {
            let space = Self.whitespaceLength(bytes, at: offset)
            if space > 0 {
                if let begun = start { words.append(begun..<offset) }
                start = nil
                offset += space
            } else {
                if start == nil { start = offset }
                offset += 1
            }
        }
        if let begun = start { words.append(begun..<count) }
        if words.count <= limit { return words.map { self[$0] } }
        if fromRight {
            let rest = self[0..<words[words.count - limit - 1].upperBound]
            return [rest] + words.suffix(limit).map { self[$0] }
        }
        let rest = self[words[limit].lowerBound..<count]
        return words.prefix(limit).map { self[$0] } + [rest]
    }

    /// The lines, without or with their ends.
    func lines(keepingEnds: Bool = false) -> [TemplateText] {
        var lines: [TemplateText] = []
        var start = 0
        var offset = 0
        while offset < count {
            var end = 0
            switch bytes[offset] {
            case 0x0D: end = offset + 1 < count && bytes[offset + 1] == 0x0A ? 2 : 1
            case 0x0A, 0x0B, 0x0C, 0x1C, 0x1D, 0x1E: end = 1
            case 0xC2 where offset + 1 < count && bytes[offset + 1] == 0x85: end = 2
            case 0xE2 where offset + 2 < count && bytes[offset + 1] == 0x80 && bytes[offset + 2] & 0xFE == 0xA8: end = 3
            default: break
            }
            if end > 0 {
                lines.append(self[start..<(keepingEnds ? offset + end : offset)])
                start = offset + end
            }
            offset += max(end, 1)
        }
        if start < count { lines.append(self[start..<count]) }
        return lines
    }

    /// Every occurrence, or the first `limit` of them, replaced. The result's size is charged before it is built.
    func replacing(
        _ old: TemplateText, with new: TemplateText, limit: Int, meter: TemplateMeter
    ) throws -> TemplateText {
        var result = emptied
        let found = min(occurrences(of: old), limit)
        if found == 0 { return self }
        try meter.charge(found, times: new.count)
        try meter.charge(count)
        result.reserveCapacity(count + found * (new.count - (old.isEmpty ? 0 : old.count)))
        if old.isEmpty {
            let offsets = characterOffsets
            for index in 0..<offsets.count {
                if index < found { result.append(new) }
                if index + 1 < offsets.count { result.append(self[offsets[index]..<offsets[index + 1]]) }
            }
            return result
        }
        var start = 0
        for _ in 0..<found {
            guard let offset = find(old, from: start) else { break }
            result.append(self[start..<offset])
            result.append(new)
            start = offset + old.count
        }
        result.append(self[start..<count])
        return result
    }
}
