/// Writing a tokenizer as GGUF files hold it.
extension GGUFTokenizerFields {
    /// Whether an added token takes the whitespace beside it or stands only between words has no place in the format.
    ///
    /// - Throws: `TokenizerError` for a tokenizer that GGUF has no words for: an unknown way of cutting texts, say.
    public init(_ specification: TokenizerSpecification) throws(TokenizerError) {
        switch specification.model {
        case .bytePair(let model) where model.isByteLevel: self = try Self.byteLevel(specification, model)
        case .bytePair(let model): self = try Self.sentencePiece(specification, model)
        case .wordPiece(let model): self = try Self.wordPiece(specification, model)
        case .unigram:
            throw TokenizerError("model.type", "is 'Unigram'; such tokenizers are not written to GGUF")
        }
        unknown = unknown ?? specification.unknown.map(Int.init)
        padding = specification.padding.map(Int.init)
        eos = eos ?? specification.eos.map(Int.init)
        bos = bos ?? specification.bos.map(Int.init)
    }

    private static let preTokenizers = [
        "smollm", "llama-bpe", "qwen2", "gpt-2", "gpt-4o", "tekken", "stablelm2", "dbrx", "deepseek-v3",
        "deepseek-coder", "falcon", "qwen35",
    ]

    private static func byteLevel(
        _ specification: TokenizerSpecification, _ model: TokenizerSpecification.BytePair
    ) throws(TokenizerError) -> GGUFTokenizerFields {
        var fields = GGUFTokenizerFields(model: "gpt2", tokens: specification.vocabulary)
        fields.tokenTypes = types(specification, unknown: nil)
        fields.merges = ByteStrings(
            model.merges.pairs([]).lazy.map { "\($0.left) \($0.right)" })
        try fields.setBoundaries(specification)
        var named = specification
        named.decoder = .bytes
        for name in preTokenizers {
            guard let rule = GGUFPreTokenizer(name: name), rule.ignoresMerges == model.ignoresMerges else { continue }
            named.splitting = rule.splitting
            named.normalization = rule.normalization
            guard named.treatment == specification.treatment else { continue }
            fields.pre = name
            return fields
        }
        throw TokenizerError(
            "pre_tokenizer", "cuts texts in a way that has no name in GGUF, so the tokenizer can't be written there")
    }

    private static func sentencePiece(
        _ specification: TokenizerSpecification, _ model: TokenizerSpecification.BytePair
    ) throws(TokenizerError) -> GGUFTokenizerFields {
        let mark = TokenizerSpecification.spaceMark
        var fields = GGUFTokenizerFields(model: "llama", tokens: specification.vocabulary)
        var addsPrefix: Bool?
        for step in specification.normalization {
            switch step {
            case .prepend(mark): addsPrefix = true
            case .replace(.literal(" "), with: mark): addsPrefix = addsPrefix ?? false
            default: throw TokenizerError("normalizer", "changes texts in a way that GGUF's 'llama' does not")
            }
        }
        for step in specification.splitting {
            switch step {
            // Nothing to cut where spaces were replaced before.
            case .pattern(.literal(" "), _, _) where addsPrefix != nil: continue
            case .metaspace(mark, let prepending, splits: false): addsPrefix = prepending != .never
            default: throw TokenizerError("pre_tokenizer", "cuts texts, which GGUF's 'llama' does not")
            }
        }
        guard let addsPrefix, model.fallsBackToBytes else {
            throw TokenizerError("model", "is no SentencePiece BPE, the kind that GGUF calls 'llama'")
        }
        fields.addsSpacePrefix = addsPrefix
        fields.unknown = model.unknown.map(Int.init)
        fields.tokenTypes = types(specification, unknown: model.unknown)
        switch model.merges {
        case .byScore(let scores):
            fields.scores = scores
        case .joined, .pairs:
            // What is joined first scores best.
            var ranks: [String: Int] = [:]
            for (rank, pair) in model.merges.pairs([]).enumerated() where ranks[pair.left + pair.right] == nil {
                ranks[pair.left + pair.right] = rank
            }
            fields.scores = (0..<fields.tokens.count).map { id in
                -Float(ranks[fields.tokens.text(at: id)] ?? 0)
            }
        }
        try fields.setBoundaries(specification)
        return fields
    }

    private static func wordPiece(
        _ specification: TokenizerSpecification, _ model: TokenizerSpecification.WordPiece
    ) throws(TokenizerError) -> GGUFTokenizerFields {
        let prefix = Array(model.continuingPrefix.utf8)
        let types = types(specification, unknown: model.unknown)
        var tokens = ByteStrings()
        for id in 0..<specification.vocabulary.count {
            let spelling = specification.vocabulary[id]
            if types[id] != 1 {
                tokens.append(spelling)
            } else if spelling.starts(with: prefix) {
                tokens.append(spelling.dropFirst(prefix.count))
            } else {
                tokens.append(Array(TokenizerSpecification.spaceMark.utf8) + spelling)
            }
        }
        var fields = GGUFTokenizerFields(model: "bert", tokens: tokens)
        fields.tokenTypes = types
        fields.unknown = model.unknown.map(Int.init)
        guard specification.prefix.count <= 1, specification.suffix.count <= 1 else {
            throw TokenizerError("post_processor", "writes several tokens around a text; GGUF's 'bert' writes one")
        }
        fields.classification = specification.prefix.first.map(Int.init)
        fields.separator = specification.suffix.first.map(Int.init)
        guard try TokenizerSpecification(gguf: fields).treatment == specification.treatment else {
            throw TokenizerError("normalizer", "treats texts in another way than GGUF's 'bert'")
        }
        return fields
    }

    /// 1 normal, 2 unknown, 3 control, 4 user-defined, 6 byte.
    private static func types(_ specification: TokenizerSpecification, unknown: TokenID?) -> [Int32] {
        var types = [Int32](repeating: 1, count: specification.vocabulary.count)
        if case .bytePair(let model) = specification.model, model.fallsBackToBytes {
            for id in types.indices {
                let byte = specification.vocabulary[id].withUnsafeBufferPointer { ByteFallback.byte(of: $0) }
                if byte != nil { types[id] = 6 }
            }
        }
        if let unknown { types[Int(unknown)] = 2 }
        for token in specification.addedTokens { types[Int(token.id)] = token.isSpecial ? 3 : 4 }
        return types
    }

    private mutating func setBoundaries(_ specification: TokenizerSpecification) throws(TokenizerError) {
        guard specification.prefix.count <= 1, specification.suffix.count <= 1 else {
            throw TokenizerError("post_processor", "writes several tokens around a text; GGUF has room for one")
        }
        bos = (specification.prefix.first ?? specification.bos).map(Int.init)
        eos = (specification.suffix.first ?? specification.eos).map(Int.init)
        addsBOS = !specification.prefix.isEmpty
        addsEOS = !specification.suffix.isEmpty
    }
}
