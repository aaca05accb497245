/// A tokenizer's tables, shared by all copies of the `Tokenizer`.
final class TokenizerCore: Sendable {
    let tokens: TokenTable
    let encoder: TextEncoder
    /// Added tokens that are found in the text as it came.
    let rawMatcher: AddedTokenMatcher
    /// Added tokens that are found in the normalised text.
    let normalizedMatcher: AddedTokenMatcher
    let specification: Facts
    let contents: [String: TokenID]
    let index: VocabularyIndex
    private let pool = ScratchPool()

    /// The small facts of the specification.
    struct Facts: Sendable {
        var prefix: [TokenID]
        var suffix: [TokenID]
        var bos: TokenID?
        var eos: TokenID?
        var unknown: TokenID?
        var padding: TokenID?
        var endOfText: [TokenID]
        var decoder: TokenizerSpecification.Decoder
    }

    init(_ specification: TokenizerSpecification) throws(TokenizerError) {
        let count = specification.vocabulary.count
        guard count > 0 else { throw TokenizerError("vocabulary", "is empty") }
        guard count < 1 << 28 else {
            throw TokenizerError("vocabulary", "has \(count) entries; at most 2^28 are allowed")
        }
        for token in specification.addedTokens where token.id < 0 || Int(token.id) >= count {
            throw TokenizerError(
                "added_tokens", "has id \(token.id) for '\(token.content)' beyond the vocabulary's \(count)")
        }
        let ids =
            [
                specification.bos, specification.eos, specification.unknown, specification.padding,
            ].compactMap { $0 } + specification.prefix + specification.suffix + specification.endOfText
        for id in ids where id < 0 || Int(id) >= count {
            throw TokenizerError("special tokens", "have id \(id), but the vocabulary has \(count) entries")
        }
        let spellings: TokenTable
        (tokens, spellings) = Self.tables(specification)
        encoder = try TextEncoder(specification, spellings: spellings)
        let normalizer = encoder.normalizer
        let raw = specification.addedTokens.filter { !$0.isNormalized || normalizer.isEmpty }
        let normalized = specification.addedTokens.filter { $0.isNormalized && !normalizer.isEmpty }
        rawMatcher = AddedTokenMatcher(raw, contents: raw.map { Array($0.content.utf8) })
        normalizedMatcher = AddedTokenMatcher(
            normalized, contents: normalized.map { normalizer.normalize(Array($0.content.utf8)) })
        contents = Dictionary(
            specification.addedTokens.map { ($0.content, $0.id) }, uniquingKeysWith: { _, last in last })
        index = encoder.index
        self.specification = Facts(
            prefix: specification.prefix, suffix: specification.suffix, bos: specification.bos, eos: specification.eos,
            unknown: specification.unknown, padding: specification.padding,
            endOfText: Self.endOfText(specification), decoder: specification.decoder)
    }

    private static func endOfText(_ specification: TokenizerSpecification) -> [TokenID] {
        var ids: [TokenID] = []
        for id in [specification.eos].compactMap({ $0 }) + specification.endOfText where !ids.contains(id) {
            ids.append(id)
        }
        return ids
    }

    /// What the tokens stand for, and how the model's words spell them.
    private static func tables(_ specification: TokenizerSpecification) -> (meaning: TokenTable, spelling: TokenTable) {
        let vocabulary = specification.vocabulary
        let added = specification.addedTokens
        func verbatim(_ spelling: UnsafeBufferPointer<UInt8>, _ output: UnsafeMutablePointer<UInt8>) -> Int? {
            for position in 0..<spelling.count { output[position] = spelling[position] }
            return spelling.count
        }
        if case .bytePair(let model) = specification.model, model.isByteLevel {
            let alphabet = GPT2Alphabet.bytes
            let table = TokenTable(vocabulary, added: added) { GPT2Alphabet.decode($0, to: $1, alphabet.base) }
            return (table, table)
        }
        let spelling = TokenTable(vocabulary, added: added, decode: verbatim)
        switch specification.decoder {
        case .bytes, .spaced, .wordPiece: return (spelling, spelling)
        case .sentencePiece(let replacement, _):
            let mark = Array(replacement.utf8)
            let meaning = TokenTable(vocabulary, added: added) { text, output in
                if let byte = ByteFallback.byte(of: text) {
                    output[0] = byte
                    return 1
                }
                var written = 0
                var position = 0
                while position < text.count {
                    if !mark.isEmpty, text[position...].starts(with: mark) {
                        output[written] = UInt8(ascii: " ")
                        position += mark.count
                    } else {
                        output[written] = text[position]
                        position += 1
                    }
                    written += 1
                }
                return written
            }
            return (meaning, spelling)
        }
    }

    // MARK: Encoding

    /// Encodes bytes; `finish` gets the scratch that holds the tokens.
    func encode<Result>(
        _ text: UnsafeBufferPointer<UInt8>, special: SpecialTokens, boundaries: BoundaryTokens, recordingRanges: Bool,
        _ finish: (EncodingScratch) -> Result
    ) -> Result {
        pool.withScratch { scratch in
            scratch.start(recordingRanges: recordingRanges)
            if boundaries == .asTrained {
                for id in specification.prefix { scratch.put(id, range: 0..<0) }
            }
            let valid = UTF8Text.validPrefix(text)
            if valid == text.count {
                if let base = text.baseAddress { encode(base, text.count, special, scratch) }
            } else {
                var origins: Alignment? = recordingRanges ? Alignment() : nil
                let first = scratch.count
                let repaired = UTF8Text.repaired(text, validPrefix: valid, origins: &origins)
                repaired.withUnsafeBufferPointer { buffer in
                    if let base = buffer.baseAddress { encode(base, buffer.count, special, scratch) }
                }
                if let origins { scratch.mapRanges(from: first) { origins.original(of: $0) } }
            }
            if boundaries == .asTrained {
                for id in specification.suffix { scratch.put(id, range: text.count..<text.count) }
            }
            return finish(scratch)
        }
    }

    private func encode(
        _ text: UnsafePointer<UInt8>, _ count: Int, _ special: SpecialTokens, _ scratch: EncodingScratch
    ) {
        if rawMatcher.isEmpty(special: special) { return encodePart(text, 0, count, count, special, scratch) }
        var done = 0
        rawMatcher.forEachMatch(text, 0, count, special: special) { match in
            if match.range.lowerBound > done {
                encodePart(text, done, match.range.lowerBound, count, special, scratch)
            }
            scratch.put(match.id, range: match.range)
            done = match.range.upperBound
        }
        if done < count { encodePart(text, done, count, count, special, scratch) }
    }

    /// Encodes a stretch between added tokens.
    private func encodePart(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ limit: Int, _ special: SpecialTokens,
        _ scratch: EncodingScratch
    ) {
        let isFirst = start == 0
        let input = UnsafeBufferPointer(start: text + start, count: end - start)
        guard !encoder.normalizer.leavesUnchanged(input) else {
            return encodeNormalized(text, start, end, limit, isFirst, special, scratch)
        }
        var alignment: Alignment? = scratch.recordsRanges ? Alignment() : nil
        let first = scratch.count
        let normalized = encoder.normalizer.normalize(input, alignment: &alignment)
        normalized.withUnsafeBufferPointer { buffer in
            if let base = buffer.baseAddress {
                encodeNormalized(base, 0, buffer.count, buffer.count, isFirst, special, scratch)
            }
        }
        if let alignment {
            scratch.mapRanges(from: first) { range in
                let original = alignment.original(of: range)
                return original.lowerBound + start..<original.upperBound + start
            }
        }
    }

    private func encodeNormalized(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ limit: Int, _ isFirst: Bool, _ special: SpecialTokens,
        _ scratch: EncodingScratch
    ) {
        if normalizedMatcher.isEmpty(special: special) {
            return encoder.encode(text, start, end, limit: limit, isFirst: isFirst, scratch)
        }
        var done = start
        normalizedMatcher.forEachMatch(text, start, end, special: special) { match in
            if match.range.lowerBound > done {
                encoder.encode(
                    text, done, match.range.lowerBound, limit: limit, isFirst: isFirst && done == start, scratch)
            }
            scratch.put(match.id, range: match.range)
            done = match.range.upperBound
        }
        if done < end {
            encoder.encode(text, done, end, limit: limit, isFirst: isFirst && done == start, scratch)
        }
    }
}
