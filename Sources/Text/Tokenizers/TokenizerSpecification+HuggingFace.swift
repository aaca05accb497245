extension TokenizerSpecification {
    /// Reads a Hugging Face `tokenizer.json`, and what `tokenizer_config.json` adds to it.
    ///
    /// Truncation and padding in the file are ignored: they are the caller's business.
    ///
    /// - Throws: `TokenizerError` naming the field.
    public init(tokenizerJSON: JSONValue, config: JSONValue? = nil) throws(TokenizerError) {
        let root = TokenizerJSONReader(tokenizerJSON)
        let model = try root.required("model")
        let splitting =
            try root.member("pre_tokenizer").map { reader throws(TokenizerError) in try reader.splittingSteps() } ?? []
        let vocabulary = try HuggingFaceVocabulary(model, added: root.member("added_tokens"))
        self.init(
            vocabulary: vocabulary.strings,
            model: try Self.model(model, vocabulary, isByteLevel: splitting.contains { $0.isByteLevel }))
        self.splitting = splitting
        normalization =
            try root.member("normalizer").map { reader throws(TokenizerError) in try reader.normalizationSteps() } ?? []
        addedTokens = vocabulary.added
        if let processor = root.member("post_processor") {
            (prefix, suffix) = try processor.boundaries(vocabulary)
        }
        decoder = try root.member("decoder").map { reader throws(TokenizerError) in try reader.decoder() } ?? .spaced
        try read(config: config.map { TokenizerJSONReader($0, path: "") }, vocabulary)
    }

    private static func model(
        _ reader: TokenizerJSONReader, _ vocabulary: HuggingFaceVocabulary, isByteLevel: Bool
    ) throws(TokenizerError) -> Model {
        switch vocabulary.kind {
        case "BPE":
            for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
                if let text = try reader.optionalText(key), !text.isEmpty {
                    throw TokenizerError("model.\(key)", "is '\(text)'; models with such marks are not supported")
                }
            }
            if let dropout = reader.member("dropout"), dropout.value.doubleValue != 0 {
                throw dropout.error("must be null: encoding has to be the same each time")
            }
            var model = BytePair(merges: try merges(reader.required("merges")), isByteLevel: isByteLevel)
            model.ignoresMerges = try reader.flag("ignore_merges", default: false)
            model.fallsBackToBytes = try reader.flag("byte_fallback", default: false)
            model.fusesUnknown = try reader.flag("fuse_unk", default: false)
            model.unknown = try vocabulary.id(named: reader.optionalText("unk_token"), field: "model.unk_token")
            return .bytePair(model)
        case "WordPiece":
            var model = WordPiece()
            model.continuingPrefix = try reader.optionalText("continuing_subword_prefix") ?? "##"
            model.maxWordCharacters = try reader.member("max_input_chars_per_word")?.integer ?? 100
            model.unknown = try vocabulary.id(named: reader.optionalText("unk_token"), field: "model.unk_token")
            return .wordPiece(model)
        case "Unigram":
            var model = Unigram(scores: vocabulary.scores)
            model.unknown = try reader.member("unk_id")?.id(below: vocabulary.strings.count)
            model.fallsBackToBytes = try reader.flag("byte_fallback", default: false)
            return .unigram(model)
        case let kind: throw reader.unsupported(kind)
        }
    }

    /// Merges are pairs `["a", "b"]`, or in older files texts `"a b"`.
    private static func merges(_ reader: TokenizerJSONReader) throws(TokenizerError) -> Merges {
        guard let entries = reader.value.arrayValue else { throw reader.error("must be an array") }
        var joined = ByteStrings()
        var pairs = ByteStrings()
        for (index, entry) in entries.enumerated() {
            switch entry {
            case .string(let text): joined.append(text.utf8)
            case .array(let parts):
                guard parts.count == 2, let left = parts[0].stringValue, let right = parts[1].stringValue else {
                    throw TokenizerError("model.merges[\(index)]", "must be two texts")
                }
                pairs.append(left.utf8)
                pairs.append(right.utf8)
            default: throw TokenizerError("model.merges[\(index)]", "must be two texts, or one with a space between")
            }
        }
        guard joined.count == 0 || pairs.count == 0 else { throw reader.error("mixes texts and pairs of texts") }
        return joined.count > 0 ? .joined(joined) : .pairs(pairs)
    }

    private mutating func read(
        config: TokenizerJSONReader?, _ vocabulary: HuggingFaceVocabulary
    ) throws(TokenizerError) {
        func special(_ key: String) throws(TokenizerError) -> TokenID? {
            guard let reader = config?.member(key) else { return nil }
            // Either the name itself or an object that holds it.
            let name = reader.value.stringValue ?? reader.value["content"]?.stringValue
            return name.flatMap { vocabulary.ids[$0] }
        }
        bos = try special("bos_token")
        eos = try special("eos_token")
        unknown = try special("unk_token")
        padding = try special("pad_token")
        if let config, prefix.isEmpty, suffix.isEmpty {
            if try config.flag("add_bos_token", default: false), let bos { prefix = [bos] }
            if try config.flag("add_eos_token", default: false), let eos { suffix = [eos] }
        }
        endOfText = addedTokens.filter { $0.isSpecial && Self.endNames.contains($0.content) }.map(\.id)
    }
}

/// The vocabulary of a `tokenizer.json`, added tokens included, in the order of the ids.
struct HuggingFaceVocabulary {
    /// The model's type: `BPE`, `WordPiece` or `Unigram`.
    let kind: String
    private(set) var strings = ByteStrings()
    private(set) var ids: [String: TokenID] = [:]
    /// For a unigram model: the log-probability of each token, 0 for added ones.
    private(set) var scores: [Double] = []
    private(set) var added: [AddedToken] = []
    /// Ids are below this.
    private static let idLimit = 1 << 28

    init(_ model: TokenizerJSONReader, added reader: TokenizerJSONReader?) throws(TokenizerError) {
        let vocab = try model.required("vocab")
        kind = try model.optionalText("type") ?? Self.kind(of: model, vocab)
        var entries: [(text: String, id: Int)] = []
        if let list = vocab.value.arrayValue {
            for (id, entry) in list.enumerated() {
                guard let text = entry[0]?.stringValue, let score = entry[1]?.doubleValue else {
                    throw TokenizerError("model.vocab[\(id)]", "must be a text and a number")
                }
                entries.append((text, id))
                scores.append(score)
            }
        } else {
            for member in try vocab.members {
                guard let id = member.value.intValue, id >= 0, id < Self.idLimit else {
                    throw TokenizerError("model.vocab", "must map '\(member.key.prefix(100))' to an id")
                }
                entries.append((member.key, id))
            }
        }
        if kind == "Unigram", scores.isEmpty { throw vocab.error("must be an array of pairs of a text and a number") }
        added = try reader.map { reader throws(TokenizerError) in try Self.addedTokens(reader) } ?? []
        entries += added.map { ($0.content, Int($0.id)) }
        // A few ids may be unused, but a file can't ask for more memory than its size justifies.
        let count = (entries.lazy.map(\.id).max() ?? -1) + 1
        guard count <= entries.count * 8 + 65_536 else {
            throw vocab.error("has the id \(count - 1) among only \(entries.count) tokens")
        }
        var texts = [String?](repeating: nil, count: count)
        for entry in entries { texts[entry.id] = entry.text }
        for (id, text) in texts.enumerated() {
            strings.append((text ?? "").utf8)
            if let text { ids[text] = TokenID(id) }
        }
        if !scores.isEmpty { scores += [Double](repeating: 0, count: max(0, count - scores.count)) }
    }

    /// The type of a model whose file is too old to say it.
    private static func kind(of model: TokenizerJSONReader, _ vocab: TokenizerJSONReader) -> String {
        if model.member("merges") != nil { return "BPE" }
        return vocab.value.arrayValue == nil ? "WordPiece" : "Unigram"
    }

    private static func addedTokens(_ reader: TokenizerJSONReader) throws(TokenizerError) -> [AddedToken] {
        var tokens: [AddedToken] = []
        for entry in try reader.elements {
            let id = try entry.required("id").id(below: idLimit)
            var token = AddedToken(
                id: id, content: try entry.text("content"), isSpecial: try entry.flag("special", default: false))
            token.singleWord = try entry.flag("single_word", default: false)
            token.stripsLeft = try entry.flag("lstrip", default: false)
            token.stripsRight = try entry.flag("rstrip", default: false)
            token.isNormalized = try entry.flag("normalized", default: !token.isSpecial)
            tokens.append(token)
        }
        return tokens
    }

    /// The id of a token that a field names; nil for no name.
    func id(named name: String?, field: String) throws(TokenizerError) -> TokenID? {
        guard let name else { return nil }
        guard let id = ids[name] else {
            throw TokenizerError(field, "names '\(name.prefix(100))', which is not in the vocabulary")
        }
        return id
    }
}
