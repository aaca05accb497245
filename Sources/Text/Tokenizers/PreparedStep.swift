/// A splitting step with what it looks for compiled.
struct PreparedStep: Sendable {
    private let step: SplittingStep
    private let search: Search

    /// What a pattern step looks for.
    private enum Search: Sendable {
        case none
        case literal(LiteralSearch)
        case regex(TextRegex)
        case gpt2
        case llama3(maxDigits: Int)
    }

    var isByteLevel: Bool { step.isByteLevel }

    init(_ step: SplittingStep) throws(TokenizerError) {
        self.step = step
        guard case .pattern(let pattern, _, _) = step else {
            search = .none
            return
        }
        switch pattern {
        case .literal(let text): search = .literal(LiteralSearch(Array(text.utf8)))
        case .regex(KnownPattern.gpt2): search = .gpt2
        case .regex(KnownPattern.llama3): search = .llama3(maxDigits: 3)
        case .regex(KnownPattern.qwen2): search = .llama3(maxDigits: 1)
        case .regex(let expression): search = .regex(try TextRegex(expression))
        }
    }

    func apply(to list: inout PieceList) {
        switch step {
        case .byteLevel(let addsPrefixSpace, let splits):
            if addsPrefixSpace {
                list.rewrite { piece, _, output in
                    if piece.first != UInt8(ascii: " ") { output.write([UInt8(ascii: " ")], from: 0..<0) }
                    output.copy(piece, 0..<piece.count)
                }
            }
            if splits { list.split { Self.scan($0, GPT2Scanner(isolatesDigits: false), $1) } }
        case .digits(let individual):
            list.split(individual ? .isolated : .contiguous, inverted: false) { piece, body in
                Self.forEachScalar(piece) { scalar, range in
                    if UnicodeClass.isNumericToDigits(scalar, UnicodeClass.of(scalar)) { body(range) }
                }
            }
        case .pattern(_, let behavior, let inverted):
            list.split(behavior, inverted: inverted) { find($0, $1) }
        case .words: list.split { Self.words($0, $1) }
        case .whitespace:
            list.split(.removed, inverted: false) { piece, body in
                Self.forEachScalar(piece) { scalar, range in
                    if UnicodeClass.of(scalar).contains(.whitespace) { body(range) }
                }
            }
        case .punctuation(let behavior):
            list.split(behavior, inverted: false) { piece, body in
                Self.forEachScalar(piece) { scalar, range in
                    if WordClass.of(scalar).contains(.punctuation) { body(range) }
                }
            }
        case .bert: list.split { Self.bert($0, $1) }
        case .metaspace(let replacement, let prepending, let splits):
            Self.metaspace(&list, Array(replacement.utf8), prepending, splits: splits)
        }
    }

    private func find(_ piece: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        switch search {
        case .none: break
        case .literal(let literal): literal.forEachMatch(piece, body)
        case .regex(let expression): expression.forEachMatch(piece, body)
        case .gpt2: Self.scan(piece, GPT2Scanner(isolatesDigits: false), body)
        case .llama3(let maxDigits): Self.scan(piece, Llama3Scanner(maxDigits: maxDigits), body)
        }
    }

    private static func scan(
        _ piece: UnsafeBufferPointer<UInt8>, _ scanner: some PieceScanner, _ body: (Range<Int>) -> Void
    ) {
        guard let base = piece.baseAddress else { return }
        var position = 0
        while position < piece.count {
            let end = scanner.pieceEnd(base, from: position, to: piece.count)
            body(position..<end)
            position = end
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

    /// `\w+|[^\w\s]+`
    private static func words(_ piece: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        cut(piece, body) { scalar in
            if WordClass.of(scalar).contains(.word) { return .run(0) }
            return UnicodeClass.of(scalar).contains(.whitespace) ? .dropped : .run(1)
        }
    }

    private static func bert(_ piece: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
        cut(piece, body) { scalar in
            if UnicodeClass.of(scalar).contains(.whitespace) { return .dropped }
            return WordClass.of(scalar).contains(.punctuation) ? .alone : .run(0)
        }
    }

    /// What becomes of a character.
    private enum Place {
        case dropped, alone
        /// Part of a run of characters of the same number.
        case run(Int)
    }

    @inline(__always)
    private static func cut(
        _ piece: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void, _ place: (UInt32) -> Place
    ) {
        var start = 0
        var kind = -1
        forEachScalar(piece) { scalar, range in
            let next: Int
            switch place(scalar) {
            case .run(let number): next = number
            case .dropped: next = -1
            case .alone: next = -2
            }
            if next == kind, next >= 0 { return }
            if kind != -1 { body(start..<range.lowerBound) }
            start = range.lowerBound
            kind = next
        }
        if kind != -1 { body(start..<piece.count) }
    }

    private static func metaspace(
        _ list: inout PieceList, _ replacement: [UInt8], _ prepending: MetaspacePrefix, splits: Bool
    ) {
        list.rewrite { piece, isFirst, output in
            let startsMarked = piece.first == UInt8(ascii: " ") || piece.starts(with: replacement)
            if !startsMarked, prepending == .always || prepending == .first && isFirst {
                output.write(replacement, from: 0..<0)
            }
            var done = 0
            for position in 0..<piece.count where piece[position] == UInt8(ascii: " ") {
                output.copy(piece, done..<position)
                output.write(replacement, from: position..<position + 1)
                done = position + 1
            }
            output.copy(piece, done..<piece.count)
        }
        if splits {
            let search = LiteralSearch(replacement)
            list.split(.mergedWithNext, inverted: false) { search.forEachMatch($0, $1) }
        }
    }
}
