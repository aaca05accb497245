/// UTF-8 text that remembers, byte by byte, whether the template itself wrote it.
///
/// Literals of the template are its *own*; everything from messages and tools is *content*. Joining, cutting and trimming keep
/// the origin of every byte, so that special tokens can be recognised in the template's own text and nowhere else.
struct TemplateText: Sendable {
    /// A stretch of one origin, by the offset where it ends.
    struct Run: Sendable, Equatable {
        var end: Int
        var isOwn: Bool
    }

    private(set) var bytes: [UInt8]
    /// The stretches of a text of mixed origin; empty when all of it has one origin.
    private(set) var runs: [Run] = []
    /// The origin of all of it, when there is only one.
    private var uniformIsOwn: Bool
    /// Whether it went through `safe` or `escape`; joining other text to it with `+` escapes that text.
    var isMarkup = false

    init(_ bytes: [UInt8], isOwn: Bool) {
        self.bytes = bytes
        uniformIsOwn = isOwn
    }

    init(_ string: String, isOwn: Bool) {
        self.init(Array(string.utf8), isOwn: isOwn)
    }

    init() { self.init([], isOwn: true) }

    var count: Int { bytes.count }
    var isEmpty: Bool { bytes.isEmpty }
    var string: String { String(decoding: bytes, as: UTF8.self) }

    /// Whether every byte is the template's own.
    var isAllOwn: Bool { runs.isEmpty ? uniformIsOwn : false }

    mutating func append(_ other: TemplateText) {
        if other.isEmpty { return }
        if isEmpty {
            let capacity = bytes.capacity
            if capacity < other.count {
                let markup = isMarkup
                self = other
                isMarkup = markup
                return
            }
            uniformIsOwn = other.uniformIsOwn
            runs = other.runs
            bytes.append(contentsOf: other.bytes)
            return
        }
        if runs.isEmpty, other.runs.isEmpty, uniformIsOwn == other.uniformIsOwn {
            bytes.append(contentsOf: other.bytes)
            return
        }
        if runs.isEmpty { runs.append(Run(end: count, isOwn: uniformIsOwn)) }
        let start = count
        bytes.append(contentsOf: other.bytes)
        if other.runs.isEmpty {
            extend(to: bytes.count, isOwn: other.uniformIsOwn)
        } else {
            for run in other.runs { extend(to: start + run.end, isOwn: run.isOwn) }
        }
    }

    private mutating func extend(to end: Int, isOwn: Bool) {
        if let last = runs.last, last.isOwn == isOwn {
            runs[runs.count - 1].end = end
        } else {
            runs.append(Run(end: end, isOwn: isOwn))
        }
    }

    mutating func reserveCapacity(_ count: Int) { bytes.reserveCapacity(count) }

    /// The part between two byte offsets, with its origins.
    subscript(range: Range<Int>) -> TemplateText {
        if range.count == count { return self }
        var part = TemplateText(Array(bytes[range]), isOwn: uniformIsOwn)
        part.isMarkup = isMarkup
        if runs.isEmpty || range.isEmpty { return part }
        var start = 0
        for run in runs {
            let end = min(run.end, range.upperBound)
            if end > range.lowerBound, start < range.upperBound {
                part.extend(to: end - range.lowerBound, isOwn: run.isOwn)
            }
            start = run.end
        }
        if part.runs.count == 1 {
            part.uniformIsOwn = part.runs[0].isOwn
            part.runs = []
        }
        return part
    }

    /// Calls the closure with each stretch of one origin, in order.
    func forEachRun(_ body: (Range<Int>, Bool) -> Void) {
        if isEmpty { return }
        if runs.isEmpty { return body(0..<count, uniformIsOwn) }
        var start = 0
        for run in runs {
            body(start..<run.end, run.isOwn)
            start = run.end
        }
    }

    /// A text made from this one by a change that loses the place of its bytes: its own only if all of it was.
    func replacing(with bytes: [UInt8]) -> TemplateText {
        var text = TemplateText(bytes, isOwn: isAllOwn)
        text.isMarkup = isMarkup
        return text
    }

    /// An empty text that takes on what is appended to it, and stays markup if this is.
    var emptied: TemplateText {
        var text = TemplateText()
        text.isMarkup = isMarkup
        return text
    }
}

extension TemplateText: ExpressibleByStringLiteral {
    init(stringLiteral value: String) { self.init(value, isOwn: true) }
}
