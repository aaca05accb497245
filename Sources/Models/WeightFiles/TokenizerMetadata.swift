import Text

/// What a GGUF file says about its tokenizer: the raw lists, from which a tokenizer is built, and the special tokens.
///
/// The long lists stay in the mapped file until they are asked for.
public struct TokenizerMetadata: Sendable {
    /// What a token is for; the raw value is the number in the file.
    public enum TokenType: Int, Sendable, Hashable {
        case normal = 1
        case unknown = 2
        /// Never matched in a user's text, never shown.
        case control = 3
        case userDefined = 4
        case unused = 5
        /// A single byte, written `<0x0A>`.
        case byte = 6
    }

    /// `gpt2` (byte-level BPE), `llama` (SentencePiece BPE), `bert` (WordPiece) or `t5` (Unigram).
    public let model: String
    /// Which rule cuts text before BPE, such as `smollm` or `llama-bpe`.
    public let preTokenizer: String?
    /// The text of each token, by token ID; always strings.
    public let tokens: GGUFArray
    /// The BPE merges, each two parts with a space between; always strings.
    public let merges: GGUFArray?
    private let scoreArray: GGUFArray?
    private let typeArray: GGUFArray?
    /// The IDs of special tokens under the names that the file gives them: `bos`, `eos`, `eot`, `unknown`, `padding` …
    public let specialTokenIDs: [String: TokenID]
    public let addsBOS: Bool?
    public let addsEOS: Bool?
    public let addsSpacePrefix: Bool?
    public let removesExtraWhitespace: Bool?
    /// SentencePiece's compiled normalisation rules.
    public let precompiledCharacterMap: ByteSlice?
    /// The default chat template, in Jinja.
    public let chatTemplate: String?
    /// Further chat templates by name, such as `tool_use`.
    public let namedChatTemplates: [String: String]

    public var bosTokenID: TokenID? { specialTokenIDs["bos"] }
    public var eosTokenID: TokenID? { specialTokenIDs["eos"] }
    /// The end of a turn, where it is not the end of the text.
    public var eotTokenID: TokenID? { specialTokenIDs["eot"] }
    public var unknownTokenID: TokenID? { specialTokenIDs["unknown"] }
    public var paddingTokenID: TokenID? { specialTokenIDs["padding"] }
    public var separatorTokenID: TokenID? { specialTokenIDs["seperator"] ?? specialTokenIDs["separator"] }
    public var classTokenID: TokenID? { specialTokenIDs["cls"] }
    public var maskTokenID: TokenID? { specialTokenIDs["mask"] }

    /// One score per token, for SentencePiece models.
    public var scores: [Float]? { scoreArray?.floats }

    /// One type per token; unknown numbers are `.normal`.
    public var tokenTypes: [TokenType]? { typeArray?.integers?.map { TokenType(rawValue: $0) ?? .normal } }

    /// Reads the `tokenizer.` keys of a file.
    public init(_ file: GGUFFile) throws(WeightFileError) {
        let fields = ConfigurationFields(file)
        let prefix = "tokenizer.ggml."
        model = try fields.text(prefix + "model")
        preTokenizer = try fields.optionalText(prefix + "pre")

        func array(_ key: String, of types: Set<GGUFValueType>, _ kind: String) throws(WeightFileError) -> GGUFArray? {
            guard let value = file[key] else { return nil }
            guard let array = value.arrayValue, types.contains(array.elementType) else {
                throw fields.fault(key, "must be an array of \(kind)")
            }
            return array
        }
        guard let tokens = try array(prefix + "tokens", of: [.string], "texts"), tokens.count > 0 else {
            throw fields.fault(.missing, prefix + "tokens", "is missing or empty; it must list the vocabulary")
        }
        guard tokens.count <= ConfigurationRange.vocabulary.upperBound else {
            throw fields.fault(prefix + "tokens", "lists \(tokens.count) tokens, more than are supported")
        }
        self.tokens = tokens
        merges = try array(prefix + "merges", of: [.string], "texts")
        scoreArray = try array(prefix + "scores", of: [.float32, .float64], "floats")
        typeArray = try array(
            prefix + "token_type", of: [.int32, .uint32, .int8, .uint8, .int16, .uint16], "integers")
        for (key, list) in [("scores", scoreArray), ("token_type", typeArray)] {
            guard let list, list.count != tokens.count else { continue }
            throw fields.fault(prefix + key, "has \(list.count) entries for \(tokens.count) tokens")
        }
        specialTokenIDs = try Self.specialTokens(file, fields, prefix, count: tokens.count)
        addsBOS = try Self.optionalFlag(fields, prefix + "add_bos_token")
        addsEOS = try Self.optionalFlag(fields, prefix + "add_eos_token")
        addsSpacePrefix = try Self.optionalFlag(fields, prefix + "add_space_prefix")
        removesExtraWhitespace = try Self.optionalFlag(fields, prefix + "remove_extra_whitespaces")
        precompiledCharacterMap = try array(
            prefix + "precompiled_charsmap", of: [.uint8, .int8], "bytes")?.bytes
        chatTemplate = try fields.optionalText("tokenizer.chat_template")
        var named: [String: String] = [:]
        let templatePrefix = "tokenizer.chat_template."
        for key in file.keys where key.hasPrefix(templatePrefix) {
            named[String(key.dropFirst(templatePrefix.count))] = try fields.text(key)
        }
        namedChatTemplates = named
    }

    private static func specialTokens(
        _ file: GGUFFile, _ fields: ConfigurationFields, _ prefix: String, count: Int
    ) throws(WeightFileError) -> [String: TokenID] {
        var identifiers: [String: TokenID] = [:]
        for key in file.keys where key.hasPrefix(prefix) && key.hasSuffix("_token_id") {
            let name = String(key.dropFirst(prefix.count).dropLast("_token_id".count))
            // Some converters write -1 or 2^32 - 1 for "none".
            if let value = file[key]?.intValue, value == -1 || value == Int(UInt32.max) { continue }
            identifiers[name] = TokenID(try fields.integer(key, in: 0...count - 1))
        }
        return identifiers
    }

    private static func optionalFlag(_ fields: ConfigurationFields, _ key: String) throws(WeightFileError) -> Bool? {
        fields.lookup(key) == nil ? nil : try fields.flag(key, default: false)
    }
}
