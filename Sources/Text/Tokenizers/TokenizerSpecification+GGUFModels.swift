/// The kinds of tokenizer that GGUF files name in `tokenizer.ggml.model`.
extension TokenizerSpecification {
    /// `gpt2`: byte-level BPE, with the pre-tokenizer that `tokenizer.ggml.pre` names.
    static func byteLevel(_ fields: GGUFTokenizerFields) throws(TokenizerError) -> TokenizerSpecification {
        var model = BytePair(merges: .joined(fields.merges), isByteLevel: true)
        let name = fields.pre ?? "gpt-2"
        guard let rule = GGUFPreTokenizer(name: name) else {
            throw TokenizerError(
                "tokenizer.ggml.pre",
                "is '\(name)', which is not known; among others 'smollm', 'llama-bpe', 'qwen2' and 'gpt-2' are")
        }
        model.ignoresMerges = rule.ignoresMerges
        var specification = TokenizerSpecification(vocabulary: fields.tokens, model: .bytePair(model))
        specification.splitting = rule.splitting
        specification.normalization = rule.normalization
        let addsBOS = fields.addsBOS ?? rule.addsBOS
        try specification.setBoundaries(
            fields, before: addsBOS ? fields.bos : nil, after: fields.addsEOS == true ? fields.eos : nil)
        return specification
    }

    /// `llama`: SentencePiece BPE. The file has scores instead of merges.
    static func sentencePiece(_ fields: GGUFTokenizerFields) throws(TokenizerError) -> TokenizerSpecification {
        var model = BytePair(merges: .byScore(fields.scores), isByteLevel: false)
        model.fallsBackToBytes = true
        model.fusesUnknown = true
        model.unknown = try id(fields.unknown, "tokenizer.ggml.unknown_token_id", fields.tokens.count)
        var specification = TokenizerSpecification(vocabulary: fields.tokens, model: .bytePair(model))
        let addsPrefix = fields.addsSpacePrefix ?? true
        if addsPrefix { specification.normalization.append(.prepend(spaceMark)) }
        specification.normalization.append(.replace(.literal(" "), with: spaceMark))
        specification.decoder = .sentencePiece(replacement: spaceMark, stripsFirstSpace: addsPrefix)
        try specification.setBoundaries(
            fields, before: fields.addsBOS ?? true ? fields.bos : nil, after: fields.addsEOS == true ? fields.eos : nil)
        return specification
    }

    /// `gemma4`: BPE over characters with a list of merges, cut at newlines.
    static func gemma4(_ fields: GGUFTokenizerFields) throws(TokenizerError) -> TokenizerSpecification {
        var model = BytePair(merges: .joined(fields.merges), isByteLevel: false)
        model.fallsBackToBytes = true
        model.fusesUnknown = true
        model.unknown = try id(fields.unknown, "tokenizer.ggml.unknown_token_id", fields.tokens.count)
        var specification = TokenizerSpecification(vocabulary: fields.tokens, model: .bytePair(model))
        specification.normalization = [.replace(.literal(" "), with: spaceMark)]
        specification.splitting = [.pattern(.regex("[^\\n]+|[\\n]+"), .isolated, inverted: false)]
        specification.decoder = .sentencePiece(replacement: spaceMark, stripsFirstSpace: false)
        try specification.setBoundaries(
            fields, before: fields.addsBOS ?? true ? fields.bos : nil, after: fields.addsEOS == true ? fields.eos : nil)
        return specification
    }

    /// `bert`: WordPiece. The file spells the start of a word `▁` and its continuation plainly; BERT spells them plainly and `##`.
    static func wordPiece(_ fields: GGUFTokenizerFields) throws(TokenizerError) -> TokenizerSpecification {
        let mark = Array(spaceMark.utf8)
        let normal: Int32 = 1
        var vocabulary = ByteStrings()
        for id in 0..<fields.tokens.count {
            let spelling = fields.tokens[id]
            if spelling.starts(with: mark) {
                vocabulary.append(spelling.dropFirst(mark.count))
            } else if fields.tokenTypes.isEmpty || fields.tokenTypes[id] == normal {
                vocabulary.append(Array("##".utf8) + spelling)
            } else {
                vocabulary.append(spelling)
            }
        }
        var model = WordPiece()
        model.unknown = try id(fields.unknown, "tokenizer.ggml.unknown_token_id", fields.tokens.count)
        var specification = TokenizerSpecification(vocabulary: vocabulary, model: .wordPiece(model))
        specification.normalization = [
            .bert(cleansText: true, spacesChinese: true, stripsAccents: true, lowercases: true)
        ]
        specification.splitting = [.bert]
        specification.decoder = .wordPiece(prefix: "##", cleansUp: true)
        try specification.setBoundaries(
            fields, before: fields.classification ?? fields.bos, after: fields.separator ?? fields.eos)
        return specification
    }

    /// `t5`: a unigram model.
    static func unigram(_ fields: GGUFTokenizerFields) throws(TokenizerError) -> TokenizerSpecification {
        var model = Unigram(scores: fields.scores.map(Double.init))
        model.unknown = try id(fields.unknown, "tokenizer.ggml.unknown_token_id", fields.tokens.count)
        var specification = TokenizerSpecification(vocabulary: fields.tokens, model: .unigram(model))
        if let map = fields.characterMap {
            specification.normalization.append(
                .precompiled(try CharacterMap(map, field: "tokenizer.ggml.precompiled_charsmap")))
        }
        if fields.removesExtraWhitespace == true {
            specification.normalization += [
                .strip(left: true, right: true), .replace(.regex(" {2,}"), with: " "),
            ]
        }
        let addsPrefix = fields.addsSpacePrefix ?? true
        specification.splitting = [
            .metaspace(replacement: spaceMark, prepending: addsPrefix ? .always : .never, splits: true)
        ]
        specification.decoder = .sentencePiece(replacement: spaceMark, stripsFirstSpace: addsPrefix)
        try specification.setBoundaries(
            fields, before: fields.addsBOS == true ? fields.bos : nil, after: fields.addsEOS == false ? nil : fields.eos
        )
        return specification
    }

    /// What SentencePiece writes for a space: U+2581.
    static let spaceMark = "\u{2581}"

    private mutating func setBoundaries(
        _ fields: GGUFTokenizerFields, before: Int?, after: Int?
    ) throws(TokenizerError) {
        let count = fields.tokens.count
        prefix = try [Self.id(before, "tokenizer.ggml.bos_token_id", count)].compactMap { $0 }
        suffix = try [Self.id(after, "tokenizer.ggml.eos_token_id", count)].compactMap { $0 }
    }
}

/// What the names in `tokenizer.ggml.pre` stand for.
struct GGUFPreTokenizer {
    var splitting: [SplittingStep]
    var normalization: [NormalizationStep] = []
    var ignoresMerges = false
    /// Whether texts start with `bos` where the file does not say.
    var addsBOS = false

    private static let bytes = SplittingStep.byteLevel(addsPrefixSpace: false, splits: false)
    private static let bytesByGPT2 = SplittingStep.byteLevel(addsPrefixSpace: false, splits: true)

    private init(_ splitting: [SplittingStep]) { self.splitting = splitting }

    private init(pattern: String) {
        splitting = [.pattern(.regex(pattern), .isolated, inverted: false), Self.bytes]
    }

    init?(name: String) {
        switch name {
        case "smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b":
            self.init([.digits(individual: true), Self.bytesByGPT2])
        case "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2":
            self.init(pattern: KnownPattern.llama3)
            ignoresMerges = true
            addsBOS = true
        case "dbrx", "smaug-bpe", "glm4", "chatglm-bpe": self.init(pattern: KnownPattern.llama3)
        case "qwen2", "deepseek-r1-qwen", "stablelm2", "hunyuan", "megrez", "kormo":
            self.init(pattern: KnownPattern.qwen2)
            if name != "stablelm2" { normalization = [.nfc] }
        case "qwen35":
            self.init(pattern: KnownPattern.qwen35)
        case "gpt-4o", "llama4", "kanana2":
            self.init(pattern: KnownPattern.gpt4o)
        case "tekken":
            self.init(pattern: KnownPattern.tekken)
            ignoresMerges = true
            addsBOS = true
        case "deepseek-v3":
            self.init([
                .pattern(.regex("\\p{N}{1,3}"), .isolated, inverted: false),
                .pattern(.regex("[\u{4E00}-\u{9FA5}\u{3040}-\u{309F}\u{30A0}-\u{30FF}]+"), .isolated, inverted: false),
                .pattern(.regex(KnownPattern.deepSeek3), .isolated, inverted: false), Self.bytes,
            ])
        case "deepseek-coder":
            self.init([
                .pattern(.regex("[\r\n]"), .isolated, inverted: false),
                .pattern(.regex("\\s?\\p{L}+"), .isolated, inverted: false),
                .pattern(.regex("\\s?\\p{P}+"), .isolated, inverted: false),
                .pattern(.regex("[\u{4E00}-\u{9FA5}\u{0800}-\u{4E00}\u{AC00}-\u{D7FF}]+"), .isolated, inverted: false),
                .digits(individual: true), Self.bytes,
            ])
        case "falcon":
            self.init([
                .punctuation(.contiguous), Self.bytesByGPT2, .digits(individual: false),
                .pattern(.regex("[0-9][0-9][0-9]"), .isolated, inverted: false),
            ])
        case "gpt-2", "default", "phi-2", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "mpt", "olmo", "jais",
            "roberta-bpe", "gigachat", "trillion", "granite-docling":
            self.init([Self.bytesByGPT2])
        default: return nil
        }
    }
}
