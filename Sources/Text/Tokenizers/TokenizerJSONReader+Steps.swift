extension SplittingStep {
    var isByteLevel: Bool {
        if case .byteLevel = self { true } else { false }
    }
}

/// Normalisers, pre-tokenizers, post-processors and decoders as `tokenizer.json` describes them.
extension TokenizerJSONReader {
    func normalizationSteps() throws(TokenizerError) -> [NormalizationStep] {
        switch try text("type") {
        case "Sequence":
            var steps: [NormalizationStep] = []
            for element in try required("normalizers").elements { steps += try element.normalizationSteps() }
            return steps
        case "NFC": return [.nfc]
        case "NFD": return [.nfd]
        case "NFKC": return [.nfkc]
        case "NFKD": return [.nfkd]
        case "Lowercase": return [.lowercase]
        case "StripAccents": return [.stripAccents]
        case "Nmt": return [.nmt]
        case "Strip":
            return [
                .strip(left: try flag("strip_left", default: true), right: try flag("strip_right", default: true))
            ]
        case "Prepend": return [.prepend(try text("prepend"))]
        case "Replace": return [.replace(try pattern(), with: try text("content"))]
        case "Precompiled":
            let map = try required("precompiled_charsmap")
            guard let data = Base64.decode(try map.text) else { throw map.error("must be text in Base64") }
            return [.precompiled(try CharacterMap(data, field: map.path))]
        case "BertNormalizer":
            let lowercases = try flag("lowercase", default: true)
            return [
                .bert(
                    cleansText: try flag("clean_text", default: true),
                    spacesChinese: try flag("handle_chinese_chars", default: true),
                    stripsAccents: try flag("strip_accents", default: lowercases), lowercases: lowercases)
            ]
        case let kind: throw unsupported(kind)
        }
    }

    func splittingSteps() throws(TokenizerError) -> [SplittingStep] {
        switch try text("type") {
        case "Sequence":
            var steps: [SplittingStep] = []
            for element in try required("pretokenizers").elements { steps += try element.splittingSteps() }
            return steps
        case "ByteLevel":
            return [
                .byteLevel(
                    addsPrefixSpace: try flag("add_prefix_space", default: true),
                    splits: try flag("use_regex", default: true))
            ]
        case "Digits": return [.digits(individual: try flag("individual_digits", default: false))]
        case "Split":
            return [.pattern(try pattern(), try behavior(), inverted: try flag("invert", default: false))]
        case "Whitespace": return [.words]
        case "WhitespaceSplit": return [.whitespace]
        case "Punctuation": return [.punctuation(member("behavior") == nil ? .isolated : try behavior())]
        case "BertPreTokenizer": return [.bert]
        case "CharDelimiterSplit":
            return [.pattern(.literal(try text("delimiter")), .removed, inverted: false)]
        case "Metaspace":
            return [
                .metaspace(
                    replacement: try text("replacement"), prepending: try metaspacePrefix(),
                    splits: try flag("split", default: true))
            ]
        case let kind: throw unsupported(kind)
        }
    }

    private func pattern() throws(TokenizerError) -> TextPattern {
        let pattern = try required("pattern")
        if let text = pattern.value.stringValue { return .literal(text) }
        if let text = try pattern.optionalText("String") { return .literal(text) }
        return .regex(try pattern.text("Regex"))
    }

    private func behavior() throws(TokenizerError) -> SplitBehavior {
        let reader = try required("behavior")
        switch try reader.text {
        case "Removed": return .removed
        case "Isolated": return .isolated
        case "MergedWithPrevious": return .mergedWithPrevious
        case "MergedWithNext": return .mergedWithNext
        case "Contiguous": return .contiguous
        case let name: throw reader.error("is '\(name)', which is no known behaviour")
        }
    }

    private func metaspacePrefix() throws(TokenizerError) -> MetaspacePrefix {
        guard let scheme = try optionalText("prepend_scheme") else {
            // Older files say it with a flag.
            return try flag("add_prefix_space", default: true) ? .always : .never
        }
        switch scheme {
        case "always": return .always
        case "never": return .never
        case "first": return .first
        default: throw error("has the prepend_scheme '\(scheme)', not 'always', 'never' or 'first'")
        }
    }

    /// The tokens that a post-processor writes before and after a single text.
    func boundaries(_ vocabulary: HuggingFaceVocabulary) throws(TokenizerError) -> ([TokenID], [TokenID]) {
        let count = vocabulary.strings.count
        switch try text("type") {
        case "Sequence":
            var before: [TokenID] = []
            var after: [TokenID] = []
            for element in try required("processors").elements {
                let (first, last) = try element.boundaries(vocabulary)
                before = first + before
                after += last
            }
            return (before, after)
        case "ByteLevel": return ([], [])
        case "BertProcessing", "RobertaProcessing":
            return ([try pairID("cls", below: count)], [try pairID("sep", below: count)])
        case "TemplateProcessing": return try templateBoundaries(below: count)
        case let kind: throw unsupported(kind)
        }
    }

    /// A token given as `["[SEP]", 102]`.
    private func pairID(_ key: String, below count: Int) throws(TokenizerError) -> TokenID {
        let elements = try required(key).elements
        guard elements.count == 2 else { throw try required(key).error("must be a name and an id") }
        return try elements[1].id(below: count)
    }

    private func templateBoundaries(below count: Int) throws(TokenizerError) -> ([TokenID], [TokenID]) {
        var before: [TokenID] = []
        var after: [TokenID] = []
        var seenText = false
        for piece in try required("single").elements {
            if piece.member("Sequence") != nil {
                seenText = true
                continue
            }
            let name = try piece.required("SpecialToken").text("id")
            let token = try required("special_tokens").required(name)
            for id in try token.required("ids").elements {
                let id = try id.id(below: count)
                if seenText { after.append(id) } else { before.append(id) }
            }
        }
        return (before, after)
    }

    func decoder() throws(TokenizerError) -> TokenizerSpecification.Decoder {
        switch try text("type") {
        case "ByteLevel": return .bytes
        case "WordPiece":
            return .wordPiece(
                prefix: try optionalText("prefix") ?? "##", cleansUp: try flag("cleanup", default: true))
        case "Metaspace":
            return .sentencePiece(
                replacement: try text("replacement"), stripsFirstSpace: try metaspacePrefix() != .never)
        case "Sequence": return try sentencePieceDecoder()
        case let kind: throw unsupported(kind)
        }
    }

    /// The sequence that SentencePiece models come with: replace, fall back to bytes, fuse, strip.
    private func sentencePieceDecoder() throws(TokenizerError) -> TokenizerSpecification.Decoder {
        var replacement = ""
        var strips = false
        for step in try required("decoders").elements {
            switch try step.text("type") {
            case "Replace":
                guard case .literal(let text) = try step.pattern(), try step.text("content") == " ", replacement.isEmpty
                else { throw step.error("must replace one literal text by a space") }
                replacement = text
            case "ByteFallback", "Fuse": continue
            case "Strip":
                guard try step.text("content") == " ", try step.required("start").integer <= 1,
                    try step.required("stop").integer == 0
                else { throw step.error("must strip at most one space, at the start") }
                strips = try step.required("start").integer == 1
            case "Metaspace":
                replacement = try step.text("replacement")
                strips = try step.metaspacePrefix() != .never
            case "ByteLevel": return .bytes
            case let kind: throw step.unsupported(kind)
            }
        }
        return .sentencePiece(replacement: replacement, stripsFirstSpace: strips)
    }
}

/// Text that stands for bytes, six bits a character (RFC 4648).
enum Base64 {
    static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count / 4 * 3)
        var bits: UInt32 = 0
        var count = 0
        var padding = 0
        for character in text.utf8 {
            let value: UInt8
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - 65
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - 71
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character + 4
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            case UInt8(ascii: "="):
                padding += 1
                continue
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): continue
            default: return nil
            }
            if padding > 0 { return nil }
            bits = bits << 6 | UInt32(value)
            count += 1
            if count % 4 == 0 {
                bytes += [UInt8(bits >> 16 & 0xFF), UInt8(bits >> 8 & 0xFF), UInt8(bits & 0xFF)]
            }
        }
        switch count % 4 {
        case 0: break
        case 2: bytes.append(UInt8(bits >> 4 & 0xFF))
        case 3: bytes += [UInt8(bits >> 10 & 0xFF), UInt8(bits >> 2 & 0xFF)]
        default: return nil
        }
        return padding <= 2 ? bytes : nil
    }
}
