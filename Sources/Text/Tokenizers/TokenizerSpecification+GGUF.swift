/// The tokenizer fields of a GGUF file, as they stand there (`tokenizer.ggml.*`).
public struct GGUFTokenizerFields: Sendable {
    /// `tokenizer.ggml.model`: `gpt2`, `llama`, `bert` or `t5`.
    public var model: String
    /// `tokenizer.ggml.pre`: which pre-tokenizer a `gpt2` model has.
    public var pre: String?
    public var tokens: ByteStrings
    /// `tokenizer.ggml.token_type`: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
    public var tokenTypes: [Int32] = []
    public var scores: [Float] = []
    public var merges = ByteStrings()
    public var bos: Int?
    public var eos: Int?
    public var unknown: Int?
    public var padding: Int?
    /// `tokenizer.ggml.seperator_token_id` (spelled so in the format).
    public var separator: Int?
    /// `tokenizer.ggml.cls_token_id`.
    public var classification: Int?
    /// `tokenizer.ggml.eot_token_id` and `tokenizer.ggml.eom_token_id`.
    public var endOfTurn: [Int] = []
    public var addsBOS: Bool?
    public var addsEOS: Bool?
    public var addsSpacePrefix: Bool?
    public var removesExtraWhitespace: Bool?
    /// `tokenizer.ggml.precompiled_charsmap`.
    public var characterMap: [UInt8]?

    public init(model: String, tokens: ByteStrings) {
        self.model = model
        self.tokens = tokens
    }
}

extension TokenizerSpecification {
    /// Reads the tokenizer of a GGUF file.
    ///
    /// - Throws: `TokenizerError` naming the field (`tokenizer.ggml.…`).
    public init(gguf fields: GGUFTokenizerFields) throws(TokenizerError) {
        let count = fields.tokens.count
        guard fields.tokenTypes.isEmpty || fields.tokenTypes.count == count else {
            throw TokenizerError(
                "tokenizer.ggml.token_type", "has \(fields.tokenTypes.count) entries for \(count) tokens")
        }
        switch fields.model {
        case "gpt2": self = try Self.byteLevel(fields)
        case "llama": self = try Self.sentencePiece(fields)
        case "gemma4": self = try Self.gemma4(fields)
        case "bert": self = try Self.wordPiece(fields)
        case "t5": self = try Self.unigram(fields)
        case let other:
            throw TokenizerError(
                "tokenizer.ggml.model", "is '\(other)'; 'gpt2', 'llama', 'bert' and 't5' are supported")
        }
        mergesField = "tokenizer.ggml.merges"
        addedTokens = Self.addedTokens(fields)
        bos = try Self.id(fields.bos, "tokenizer.ggml.bos_token_id", count)
        eos = try Self.id(fields.eos, "tokenizer.ggml.eos_token_id", count)
        unknown = try Self.id(fields.unknown, "tokenizer.ggml.unknown_token_id", count)
        padding = try Self.id(fields.padding, "tokenizer.ggml.padding_token_id", count)
        endOfText = Self.endOfText(fields, addedTokens)
    }

    static func id(_ value: Int?, _ field: String, _ count: Int) throws(TokenizerError) -> TokenID? {
        guard let value else { return nil }
        // Converters write the largest unsigned value for "none".
        if value == -1 || value == Int(UInt32.max) { return nil }
        guard value >= 0, value < count else {
            throw TokenizerError(field, "is \(value), but there are \(count) tokens")
        }
        return TokenID(value)
    }

    private static func addedTokens(_ fields: GGUFTokenizerFields) -> [AddedToken] {
        let control: Int32 = 3
        let userDefined: Int32 = 4
        var tokens: [AddedToken] = []
        for (id, type) in fields.tokenTypes.enumerated() where type == control || type == userDefined {
            tokens.append(
                AddedToken(id: TokenID(id), content: fields.tokens.text(at: id), isSpecial: type == control))
        }
        return tokens
    }

    /// Names that end a turn or a text in the templates of the common model families.
    static let endNames: Set<String> = [
        "<|endoftext|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<|end|>", "<end_of_turn>",
        "<|return|>", "<|call|>", "</s>", "<eos>", "<｜end▁of▁sentence｜>", "<|eot|>", "<|END_OF_TURN_TOKEN|>",
    ]

    private static func endOfText(_ fields: GGUFTokenizerFields, _ added: [AddedToken]) -> [TokenID] {
        let named = added.filter { $0.isSpecial && endNames.contains($0.content) }.map(\.id)
        let given = fields.endOfTurn.filter { $0 >= 0 && $0 < fields.tokens.count }.map { TokenID($0) }
        return given + named
    }
}
