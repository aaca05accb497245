/// Whether special tokens are found in a text.
public enum SpecialTokens: Sendable, Hashable {
    /// A special token's name in the text is text like any other, so that nobody can forge one.
    case asText
    /// A special token's name becomes the token. For templates and other text that the program wrote itself.
    case recognised
}

/// Whether the tokens that mark the start and the end of a text are added.
public enum BoundaryTokens: Sendable, Hashable {
    case none
    /// Those that the tokenizer's own description asks for.
    case asTrained
}

/// A token and where it stands in the text.
public struct LocatedToken: Sendable, Hashable {
    public var id: TokenID
    /// The UTF-8 bytes of the original text that the token covers; empty for tokens that were added.
    public var range: Range<Int>

    public init(id: TokenID, range: Range<Int>) {
        self.id = id
        self.range = range
    }
}

/// Turns text into a model's tokens and back.
///
/// Copies share their tables. All calls may be made from any number of threads at once. Encoding takes O(n log n) time in the
/// length of the longest piece, and works on bytes: ranges are of UTF-8 bytes.
public struct Tokenizer: Sendable {
    let core: TokenizerCore

    public init(_ specification: TokenizerSpecification) throws(TokenizerError) {
        core = try TokenizerCore(specification)
    }

    // MARK: The vocabulary

    /// How many tokens there are, added ones included.
    public var vocabularySize: Int { core.tokens.count }

    /// Starts a text, where the model was trained so.
    public var bos: TokenID? { core.specification.bos }
    /// Ends a text.
    public var eos: TokenID? { core.specification.eos }
    public var unknown: TokenID? { core.specification.unknown }
    public var padding: TokenID? { core.specification.padding }
    /// The tokens that end a generation; `eos` is the first.
    public var endOfTextTokens: [TokenID] { core.specification.endOfText }
    /// What `.asTrained` writes before and after a text.
    public var boundaryTokens: (before: [TokenID], after: [TokenID]) {
        (core.specification.prefix, core.specification.suffix)
    }
    /// Whether `.asTrained` starts a text with `bos`.
    public var addsBOS: Bool { bos != nil && core.specification.prefix.contains(where: { $0 == bos }) }

    /// Whether the token steers the model rather than stands for text.
    public func isSpecial(_ id: TokenID) -> Bool { core.tokens.isSpecial(id) }

    /// The bytes a token stands for, which may be a part of a character. None for an id outside the vocabulary; the name of a
    /// special token.
    public func bytes(of id: TokenID) -> [UInt8] { Array(core.tokens.bytes(of: id)) }

    /// The token's bytes as text; what is no whole character becomes U+FFFD.
    public func text(of id: TokenID) -> String { String(decoding: core.tokens.bytes(of: id), as: UTF8.self) }

    /// The token whose name or text this is: first of the added tokens, then of the vocabulary.
    public func id(of text: String) -> TokenID? {
        core.contents[text] ?? core.index.id(of: text.utf8)
    }

    // MARK: Encoding

    /// The tokens of a text.
    public func encode(
        _ text: String, special: SpecialTokens = .asText, boundaries: BoundaryTokens = .none
    ) -> [TokenID] {
        var text = text
        return text.withUTF8 { encode($0, special: special, boundaries: boundaries) }
    }

    /// The tokens of bytes that should be UTF-8; each invalid sequence is read as U+FFFD, as Python's
    /// `decode("utf-8", errors="replace")` does.
    public func encode(
        _ bytes: [UInt8], special: SpecialTokens = .asText, boundaries: BoundaryTokens = .none
    ) -> [TokenID] {
        bytes.withUnsafeBufferPointer { encode($0, special: special, boundaries: boundaries) }
    }

    /// The same without a copy of the bytes.
    public func encode(
        _ bytes: UnsafeRawBufferPointer, special: SpecialTokens = .asText, boundaries: BoundaryTokens = .none
    ) -> [TokenID] {
        encode(bytes.assumingMemoryBound(to: UInt8.self), special: special, boundaries: boundaries)
    }

    private func encode(
        _ bytes: UnsafeBufferPointer<UInt8>, special: SpecialTokens, boundaries: BoundaryTokens
    ) -> [TokenID] {
        core.encode(bytes, special: special, boundaries: boundaries, recordingRanges: false) { scratch in
            Array(UnsafeBufferPointer(start: scratch.ids, count: scratch.count))
        }
    }

    /// The tokens of a text and which of its UTF-8 bytes each covers.
    public func encodeWithOffsets(
        _ text: String, special: SpecialTokens = .asText, boundaries: BoundaryTokens = .none
    ) -> [LocatedToken] {
        var text = text
        return text.withUTF8 { encodeWithOffsets($0, special: special, boundaries: boundaries) }
    }

    /// The tokens of bytes that should be UTF-8, and which of the bytes each covers.
    public func encodeWithOffsets(
        _ bytes: [UInt8], special: SpecialTokens = .asText, boundaries: BoundaryTokens = .none
    ) -> [LocatedToken] {
        bytes.withUnsafeBufferPointer { encodeWithOffsets($0, special: special, boundaries: boundaries) }
    }

    private func encodeWithOffsets(
        _ bytes: UnsafeBufferPointer<UInt8>, special: SpecialTokens, boundaries: BoundaryTokens
    ) -> [LocatedToken] {
        core.encode(bytes, special: special, boundaries: boundaries, recordingRanges: true) { scratch in
            (0..<scratch.count).map { LocatedToken(id: scratch.ids[$0], range: scratch.ranges[$0]) }
        }
    }

    // MARK: Decoding

    /// The text of tokens; what is no whole character becomes U+FFFD. Ids outside the vocabulary stand for nothing.
    ///
    /// - Parameter skipSpecial: Leaves special tokens out, instead of writing their names.
    public func decode(_ ids: some Sequence<TokenID>, skipSpecial: Bool = true) -> String {
        var decoder = streamDecoder(skipSpecial: skipSpecial)
        var text = ""
        for id in ids { text += decoder.append(id) }
        return text + decoder.finish()
    }

    /// A decoder that takes tokens one by one.
    public func streamDecoder(skipSpecial: Bool = true) -> StreamDecoder {
        StreamDecoder(core: core, skipSpecial: skipSpecial)
    }
}
