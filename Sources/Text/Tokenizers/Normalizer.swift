/// The changes to a text before it is split, in order.
struct Normalizer: Sendable {
    let steps: [NormalizationStep]

    init(_ steps: [NormalizationStep]) throws(TokenizerError) {
        self.steps = steps
        for step in steps {
            if case .replace(.regex(let pattern), _) = step { _ = try TextRegex(pattern) }
        }
    }

    var isEmpty: Bool { steps.isEmpty }

    /// Whether a text certainly stays as it is.
    func leavesUnchanged(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        steps.allSatisfy { $0.leavesUnchanged(text) }
    }

    func normalize(_ text: [UInt8]) -> [UInt8] {
        text.withUnsafeBufferPointer { buffer in
            var alignment: Alignment?
            return normalize(buffer, alignment: &alignment)
        }
    }

    /// The changed text; `alignment`, when asked for, gets where its bytes came from.
    func normalize(_ text: UnsafeBufferPointer<UInt8>, alignment: inout Alignment?) -> [UInt8] {
        var current = EditedText(text, recordingRanges: alignment != nil)
        for step in steps { step.apply(to: &current) }
        alignment = current.alignment
        return current.bytes
    }
}

/// A text under change, with where its bytes came from.
struct EditedText {
    private(set) var bytes: [UInt8]
    private(set) var alignment: Alignment?

    var isASCII: Bool { bytes.allSatisfy { $0 < 0x80 } }

    init(_ text: UnsafeBufferPointer<UInt8>, recordingRanges: Bool) {
        bytes = Array(text)
        if recordingRanges {
            alignment = Alignment()
            alignment?.appendIdentity(0..<text.count)
        }
    }

    /// Writes the text anew: `body` reads the bytes and writes to the builder.
    mutating func rewrite(_ body: (UnsafeBufferPointer<UInt8>, inout Builder) -> Void) {
        var builder = Builder(recordingRanges: alignment != nil)
        builder.bytes.reserveCapacity(bytes.count + bytes.count / 8)
        bytes.withUnsafeBufferPointer { body($0, &builder) }
        bytes = builder.bytes
        if let next = builder.alignment { alignment = alignment?.followed(by: next) }
    }

    /// The new text as it is written.
    struct Builder {
        fileprivate(set) var bytes: [UInt8] = []
        fileprivate(set) var alignment: Alignment?

        init(recordingRanges: Bool) { alignment = recordingRanges ? Alignment() : nil }

        /// Copies bytes that stay as they are.
        mutating func copy(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
            bytes.append(contentsOf: text[range])
            alignment?.appendIdentity(range)
        }

        /// Writes bytes that stand for `source`.
        mutating func write(_ new: some Collection<UInt8>, from source: Range<Int>) {
            bytes.append(contentsOf: new)
            alignment?.append(source, count: new.count)
        }

        mutating func write(_ scalar: UInt32, from source: Range<Int>) {
            let before = bytes.count
            UTF8Text.append(scalar, to: &bytes)
            alignment?.append(source, count: bytes.count - before)
        }
    }
}
