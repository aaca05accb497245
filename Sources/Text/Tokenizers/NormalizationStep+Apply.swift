extension NormalizationStep {
    private var form: UnicodeForms.Form? {
        switch self {
        case .nfc: UnicodeForms.Form(isCompatible: false, composes: true)
        case .nfd: UnicodeForms.Form(isCompatible: false, composes: false)
        case .nfkc: UnicodeForms.Form(isCompatible: true, composes: true)
        case .nfkd: UnicodeForms.Form(isCompatible: true, composes: false)
        default: nil
        }
    }

    /// Whether a text certainly stays as it is.
    func leavesUnchanged(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        if text.isEmpty { return true }
        if let form { return UnicodeForms.shared.isNormalized(text, form) }
        if case .stripAccents = self { return text.allSatisfy { $0 < 0x80 } }
        return false
    }

    /// Changes a text.
    func apply(to text: inout EditedText) {
        switch self {
        case .nfc, .nfd, .nfkc, .nfkd:
            guard let form else { return }
            text.rewrite { UnicodeForms.shared.normalize($0, form, to: &$1) }
        case .lowercase: text.rewrite(Self.lowercase)
        case .stripAccents: text.rewrite { Self.keep($0, &$1) { !WordClass.of($0).contains(.mark) } }
        case .bert(let cleansText, let spacesChinese, let stripsAccents, let lowercases):
            if cleansText { text.rewrite(Self.clean) }
            if spacesChinese, !text.isASCII { text.rewrite(Self.spaceChinese) }
            if stripsAccents, !text.isASCII {
                NormalizationStep.nfd.apply(to: &text)
                text.rewrite { Self.keep($0, &$1) { !WordClass.of($0).contains(.accent) } }
            }
            if lowercases { text.rewrite(Self.lowercase) }
        case .replace(.literal(let pattern), let replacement):
            text.rewrite { Self.replace($0, &$1, Array(pattern.utf8), Array(replacement.utf8)) }
        case .replace(.regex(let pattern), let replacement):
            guard let expression = try? TextRegex(pattern) else { return }
            text.rewrite { Self.replace($0, &$1, expression, Array(replacement.utf8)) }
        case .prepend(let prefix):
            if !text.bytes.isEmpty {
                text.rewrite { bytes, output in
                    output.write(Array(prefix.utf8), from: 0..<0)
                    output.copy(bytes, 0..<bytes.count)
                }
            }
        case .strip(let left, let right): text.rewrite { Self.strip($0, &$1, left: left, right: right) }
        case .precompiled(let map): text.rewrite { map.apply($0, to: &$1) }
        case .nmt:
            text.rewrite { bytes, output in
                Self.forEachScalar(bytes) { scalar, range in
                    if WordClass.isRemovedByNMT(scalar) { return }
                    output.write(WordClass.isBlankToNMT(scalar) ? 0x20 : scalar, from: range)
                }
            }
        }
    }

    private static func forEachScalar(_ text: UnsafeBufferPointer<UInt8>, _ body: (UInt32, Range<Int>) -> Void) {
        guard let base = text.baseAddress else { return }
        var position = 0
        while position < text.count {
            let (scalar, length) = UTF8Text.scalar(base, at: position)
            body(scalar, position..<position + length)
            position += length
        }
    }

    private static func keep(
        _ text: UnsafeBufferPointer<UInt8>, _ output: inout EditedText.Builder, where isKept: (UInt32) -> Bool
    ) {
        forEachScalar(text) { scalar, range in
            if isKept(scalar) { output.copy(text, range) }
        }
    }

    private static func lowercase(_ text: UnsafeBufferPointer<UInt8>, _ output: inout EditedText.Builder) {
        let forms = UnicodeForms.shared
        forEachScalar(text) { scalar, range in
            if scalar < 0x80 {
                output.write(scalar >= 0x41 && scalar <= 0x5A ? scalar | 0x20 : scalar, from: range)
            } else if let lower = forms.lowercase(scalar) {
                for part in lower { output.write(part, from: range) }
            } else {
                output.copy(text, range)
            }
        }
    }

    private static func clean(_ text: UnsafeBufferPointer<UInt8>, _ output: inout EditedText.Builder) {
        forEachScalar(text) { scalar, range in
            let found = WordClass.of(scalar)
            if found.contains(.removed) { return }
            output.write(found.contains(.blank) ? 0x20 : scalar, from: range)
        }
    }

    private static func spaceChinese(_ text: UnsafeBufferPointer<UInt8>, _ output: inout EditedText.Builder) {
        forEachScalar(text) { scalar, range in
            let isChinese = WordClass.of(scalar).contains(.chinese)
            if isChinese { output.write(0x20, from: range) }
            output.copy(text, range)
            if isChinese { output.write(0x20, from: range) }
        }
    }

    private static func replace(
        _ text: UnsafeBufferPointer<UInt8>, _ output: inout EditedText.Builder, _ pattern: [UInt8],
        _ replacement: [UInt8]
    ) {
        var done = 0
        LiteralSearch(pattern).forEachMatch(text) { range in
            output.copy(text, done..<range.lowerBound)
            output.write(replacement, from: range)
            done = range.upperBound
        }
        output.copy(text, done..<text.count)
    }

    private static func replace(
        _ text: UnsafeBufferPointer<UInt8>, _ output: inout EditedText.Builder, _ expression: TextRegex,
        _ replacement: [UInt8]
    ) {
        var done = 0
        expression.forEachMatch(text) { range in
            output.copy(text, done..<range.lowerBound)
            output.write(replacement, from: range)
            done = range.upperBound
        }
        output.copy(text, done..<text.count)
    }

    private static func strip(
        _ text: UnsafeBufferPointer<UInt8>, _ output: inout EditedText.Builder, left: Bool, right: Bool
    ) {
        guard let base = text.baseAddress else { return }
        var start = 0
        var end = text.count
        while left, start < end {
            let (scalar, length) = UTF8Text.scalar(base, at: start)
            if !UnicodeClass.of(scalar).contains(.whitespace) { break }
            start += length
        }
        while right, start < end {
            let (scalar, length) = UTF8Text.scalar(base, before: end)
            if !UnicodeClass.of(scalar).contains(.whitespace) { break }
            end -= length
        }
        output.copy(text, start..<end)
    }
}

/// Finds a byte string in another, from left to right without overlaps.
struct LiteralSearch: Sendable {
    private let pattern: [UInt8]

    init(_ pattern: [UInt8]) { self.pattern = pattern }

    func forEachMatch(_ text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        guard let first = pattern.first, text.count >= pattern.count else { return }
        var position = 0
        while position <= text.count - pattern.count {
            if text[position] == first, text[position..<position + pattern.count].elementsEqual(pattern) {
                body(position..<position + pattern.count)
                position += pattern.count
            } else {
                position += 1
            }
        }
    }
}
