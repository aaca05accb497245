/// The normalisation forms of Unicode (Standard Annex 15), from tables of our own so that token ids do not depend on the platform.
struct UnicodeForms: Sendable {
    /// The tables, read at first use.
    static let shared = UnicodeForms()

    /// Why a character may change.
    private enum Flag {
        static let canonical: UInt8 = 1
        static let compatible: UInt8 = 2
        static let mark: UInt8 = 4
        /// May join with what stands before it.
        static let second: UInt8 = 8
        /// Comes out of composition again after it was decomposed.
        static let composite: UInt8 = 16
        static let cased: UInt8 = 32
    }

    private static let limit: UInt32 = 0x30000
    private let flags: FrozenBuffer<UInt8>
    private let canonical: [UInt32: [UInt32]]
    private let compatible: [UInt32: [UInt32]]
    private let classes: [UInt32: UInt8]
    private let composed: [UInt64: UInt32]
    private let lowered: [UInt32: [UInt32]]

    private init() {
        let canonical = Self.read(canonicalDecompositions)
        let compatible = Self.read(compatibilityDecompositions)
        let classes = Self.read(combiningClasses).mapValues { UInt8(truncatingIfNeeded: $0[0]) }
        let compositions = Self.read(compositions)
        let lowered = Self.read(lowercaseMappings)
        flags = FrozenBuffer(repeating: 0, count: Int(Self.limit)) { flags in
            func mark(_ scalars: some Sequence<UInt32>, _ flag: UInt8) {
                for scalar in scalars where scalar < Self.limit { flags[Int(scalar)] |= flag }
            }
            mark(canonical.keys, Flag.canonical)
            mark(compatible.keys, Flag.compatible)
            mark(classes.keys, Flag.mark)
            mark(lowered.keys, Flag.cased)
            mark(compositions.keys, Flag.composite)
            mark(compositions.values.map { $0[1] }, Flag.second)
            mark(Hangul.vowels, Flag.second)
            mark(Hangul.trails, Flag.second)
            mark(Hangul.syllables, Flag.canonical | Flag.composite)
        }
        self.canonical = canonical
        self.compatible = compatible
        self.classes = classes
        self.lowered = lowered
        composed = Dictionary(
            compositions.map { (Self.pair($0.value[0], $0.value[1]), $0.key) }, uniquingKeysWith: { first, _ in first })
    }

    /// Reads entries `C0=41.300`, all numbers in hexadecimal; entries of fewer than one part do not occur.
    private static func read(_ table: StaticString) -> [UInt32: [UInt32]] {
        var entries: [UInt32: [UInt32]] = [:]
        var key: UInt32 = 0
        var parts: [UInt32] = []
        var value: UInt32 = 0
        func hexadecimal(_ byte: UInt8) -> UInt32 { UInt32(byte < 0x41 ? byte - 0x30 : byte - 0x37) }
        let bytes = UnsafeBufferPointer(start: table.utf8Start, count: table.utf8CodeUnitCount)
        for index in 0...bytes.count {
            let byte = index < bytes.count ? bytes[index] : UInt8(ascii: " ")
            switch byte {
            case UInt8(ascii: "="):
                key = value
                value = 0
            case UInt8(ascii: "."):
                parts.append(value)
                value = 0
            case UInt8(ascii: " "), UInt8(ascii: "\n"):
                if key != 0 {
                    parts.append(value)
                    entries[key] = parts
                }
                key = 0
                value = 0
                parts = []
            default: value = value << 4 | hexadecimal(byte)
            }
        }
        return entries
    }

    private static func pair(_ first: UInt32, _ second: UInt32) -> UInt64 { UInt64(first) << 32 | UInt64(second) }

    private func flags(of scalar: UInt32) -> UInt8 { scalar < Self.limit ? flags.base[Int(scalar)] : 0 }

    /// The lower-case form, or nil when the character has no other.
    func lowercase(_ scalar: UInt32) -> [UInt32]? {
        flags(of: scalar) & Flag.cased == 0 ? nil : lowered[scalar]
    }

    /// Whether a character stays as it is in a form, whatever stands around it.
    @inline(__always)
    private func isStable(_ scalar: UInt32, _ form: Form) -> Bool {
        let flags = flags(of: scalar)
        if flags == 0 { return true }
        if flags & Flag.mark != 0 { return false }
        if form.isCompatible, flags & Flag.compatible != 0 { return false }
        if form.composes {
            return flags & Flag.second == 0 && flags & (Flag.canonical | Flag.composite) != Flag.canonical
        }
        return flags & Flag.canonical == 0
    }

    struct Form {
        var isCompatible: Bool
        var composes: Bool
    }

    /// Whether a text certainly is in a form already.
    func isNormalized(_ text: UnsafeBufferPointer<UInt8>, _ form: Form) -> Bool {
        guard let base = text.baseAddress else { return true }
        var position = 0
        while position < text.count {
            if base[position] < 0x80 {
                position += 1
                continue
            }
            let (scalar, length) = UTF8Text.scalar(base, at: position)
            if !isStable(scalar, form) { return false }
            position += length
        }
        return true
    }

    /// Writes a text in a form. O(n log n) in the longest run of marks.
    func normalize(_ text: UnsafeBufferPointer<UInt8>, _ form: Form, to output: inout EditedText.Builder) {
        guard let base = text.baseAddress else { return }
        var copied = 0
        var previous = 0
        var position = 0
        while position < text.count {
            let (scalar, length) = UTF8Text.scalar(base, at: position)
            if scalar < 0x80 || isStable(scalar, form) {
                previous = position
                position += length
                continue
            }
            // What stands before may take part in a composition.
            let start = form.composes ? max(previous, copied) : position
            output.copy(text, copied..<start)
            var end = position + length
            while end < text.count {
                let (next, nextLength) = UTF8Text.scalar(base, at: end)
                if isStable(next, form) { break }
                end += nextLength
            }
            rewrite(base, start..<end, form, to: &output)
            copied = end
            previous = end
            position = end
        }
        output.copy(text, copied..<text.count)
    }

    /// A character of a decomposed stretch.
    private struct Part {
        var scalar: UInt32
        var order: UInt8
        var source: Range<Int>
    }

    private func rewrite(
        _ text: UnsafePointer<UInt8>, _ range: Range<Int>, _ form: Form, to output: inout EditedText.Builder
    ) {
        var parts: [Part] = []
        var position = range.lowerBound
        while position < range.upperBound {
            let (scalar, length) = UTF8Text.scalar(text, at: position)
            let source = position..<position + length
            for part in decomposed(scalar, isCompatible: form.isCompatible) {
                parts.append(Part(scalar: part, order: classes[part] ?? 0, source: source))
            }
            position += length
        }
        orderMarks(&parts)
        if form.composes { compose(&parts) }
        for part in parts { output.write(part.scalar, from: part.source) }
    }

    private func decomposed(_ scalar: UInt32, isCompatible: Bool) -> [UInt32] {
        if Hangul.syllables.contains(scalar) { return Hangul.decomposed(scalar) }
        if isCompatible, let parts = compatible[scalar] { return parts }
        return canonical[scalar] ?? [scalar]
    }

    /// Sorts each run of marks by combining class, those of one class in the order they stood.
    private func orderMarks(_ parts: inout [Part]) {
        var start = 0
        while start < parts.count {
            if parts[start].order == 0 {
                start += 1
                continue
            }
            var end = start
            while end < parts.count, parts[end].order != 0 { end += 1 }
            let sorted = parts[start..<end].enumerated().sorted {
                ($0.element.order, $0.offset) < ($1.element.order, $1.offset)
            }
            parts.replaceSubrange(start..<end, with: sorted.map(\.element))
            start = end
        }
    }

    private func compose(_ parts: inout [Part]) {
        var result: [Part] = []
        var starter: Int?
        for part in parts {
            if let starter {
                let last = result[result.count - 1]
                let isBlocked = result.count - 1 > starter && (last.order == 0 || last.order >= part.order)
                if !isBlocked, let whole = composition(result[starter].scalar, part.scalar) {
                    result[starter].scalar = whole
                    let source = result[starter].source
                    result[starter].source =
                        min(source.lowerBound, part.source.lowerBound)..<max(source.upperBound, part.source.upperBound)
                    continue
                }
            }
            result.append(part)
            if part.order == 0 { starter = result.count - 1 }
        }
        parts = result
    }

    private func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        Hangul.composed(first, second) ?? composed[Self.pair(first, second)]
    }
}

/// Korean syllables, which are composed by arithmetic (The Unicode Standard, section 3.12).
enum Hangul {
    static let leads: Range<UInt32> = 0x1100..<0x1113
    static let vowels: Range<UInt32> = 0x1161..<0x1176
    /// Without the "no trail" that stands before them.
    static let trails: Range<UInt32> = 0x11A8..<0x11C3
    static let syllables: Range<UInt32> = 0xAC00..<0xD7A4
    private static let trailCount: UInt32 = 28

    static func decomposed(_ syllable: UInt32) -> [UInt32] {
        let index = syllable - syllables.lowerBound
        let trail = index % trailCount
        let vowel = index / trailCount % UInt32(vowels.count)
        let lead = index / trailCount / UInt32(vowels.count)
        let parts = [leads.lowerBound + lead, vowels.lowerBound + vowel]
        return trail == 0 ? parts : parts + [trails.lowerBound + trail - 1]
    }

    static func composed(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if leads.contains(first), vowels.contains(second) {
            let index = (first - leads.lowerBound) * UInt32(vowels.count) + second - vowels.lowerBound
            return syllables.lowerBound + index * trailCount
        }
        if syllables.contains(first), (first - syllables.lowerBound) % trailCount == 0, trails.contains(second) {
            return first + second - trails.lowerBound + 1
        }
        return nil
    }
}
