/// What turns text between added tokens into tokens: the normaliser, the splitter and the model.
struct TextEncoder: Sendable {
    let normalizer: Normalizer
    private let splitter: Splitter
    private let model: Model

    enum Model: Sendable {
        case bytePair(BytePairModel)
        case wordPiece(WordPieceModel)
        case unigram(UnigramModel)
    }

    init(_ specification: TokenizerSpecification, spellings: TokenTable) throws(TokenizerError) {
        normalizer = try Normalizer(specification.normalization)
        splitter = try Splitter(specification.splitting)
        switch specification.model {
        case .bytePair(let model):
            self.model = .bytePair(
                try BytePairModel(model, spellings: spellings, mergesField: specification.mergesField))
        case .wordPiece(let model): self.model = .wordPiece(try WordPieceModel(model, spellings: spellings))
        case .unigram(let model): self.model = .unigram(try UnigramModel(model, spellings: spellings))
        }
    }

    /// The vocabulary as the model's words spell it.
    var index: VocabularyIndex {
        switch model {
        case .bytePair(let model): model.index
        case .wordPiece(let model): model.index
        case .unigram(let model): model.index
        }
    }

    /// Encodes `text[start..<end]`, of which `limit` bytes can be read. `isFirst` says whether the whole text starts here.
    func encode(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, limit: Int, isFirst: Bool, _ scratch: EncodingScratch
    ) {
        switch splitter.plan {
        case .whole: encodeWhole(text, start, end, scratch)
        case .gpt2(let isolatesDigits):
            encode(text, start, end, limit, by: GPT2Scanner(isolatesDigits: isolatesDigits), scratch)
        case .llama3(let maxDigits):
            encode(text, start, end, limit, by: Llama3Scanner(maxDigits: maxDigits), scratch)
        case .steps: encodeBySteps(text, start, end, isFirst, scratch)
        }
    }

    @inline(__always)
    private func encode(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ limit: Int, by scanner: some PieceScanner,
        _ scratch: EncodingScratch
    ) {
        if case .bytePair(let model) = model {
            return model.encode(text, start, end, limit: limit, by: scanner, scratch)
        }
        var position = start
        while position < end {
            let pieceEnd = scanner.pieceEnd(text, from: position, to: end)
            encodeWhole(text, position, pieceEnd, scratch)
            position = pieceEnd
        }
    }

    private func encodeWhole(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ scratch: EncodingScratch) {
        guard start < end else { return }
        switch model {
        case .bytePair(let model): model.encodeWhole(text, start, end, scratch)
        case .wordPiece(let model): model.encodeWhole(text, start, end, scratch)
        case .unigram(let model): model.encodeWhole(text, start, end, scratch)
        }
    }

    private func encodeBySteps(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ isFirst: Bool, _ scratch: EncodingScratch
    ) {
        var pieces = PieceList(
            UnsafeBufferPointer(start: text + start, count: end - start), isFirst: isFirst,
            recordingRanges: scratch.recordsRanges)
        splitter.apply(to: &pieces)
        let first = scratch.count
        pieces.bytes.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            for piece in pieces.pieces { encodeWhole(base, piece.lowerBound, piece.upperBound, scratch) }
        }
        scratch.mapRanges(from: first) { range in
            let original = pieces.alignment?.original(of: range) ?? range
            return original.lowerBound + start..<original.upperBound + start
        }
    }
}
