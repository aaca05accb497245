/// Writing a tokenizer as Hugging Face's libraries read it.
extension TokenizerSpecification {
    /// The `tokenizer.json` of this tokenizer. Scores of SentencePiece become the merges that they stand for.
    ///
    /// - Throws: `TokenizerError` for a token that is not UTF-8.
    public func tokenizerJSON() throws(TokenizerError) -> JSONValue {
        [
            "version": "1.0", "truncation": .null, "padding": .null,
            "added_tokens": .array(addedTokens.map(\.json)),
            "normalizer": NormalizationStep.json(normalization),
            "pre_tokenizer": SplittingStep.json(splitting),
            "post_processor": boundariesJSON, "decoder": decoder.json, "model": try modelJSON(),
        ]
    }

    /// The `tokenizer_config.json` beside it.
    public func tokenizerConfiguration(chatTemplate: String?, contextLength: Int?) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("tokenizer_class", "PreTrainedTokenizerFast"), .init("clean_up_tokenization_spaces", false),
        ]
        for (key, id) in [
            ("bos_token", bos), ("eos_token", eos), ("unk_token", unknown), ("pad_token", padding),
        ] {
            if let id { members.append(.init(key, .string(vocabulary.text(at: Int(id))))) }
        }
        if let contextLength { members.append(.init("model_max_length", .integer(contextLength))) }
        if let chatTemplate { members.append(.init("chat_template", .string(chatTemplate))) }
        return .object(members)
    }

    /// How the text is treated before the model sees it, for comparing two tokenizers.
    var treatment: JSONValue {
        [
            "normalizer": NormalizationStep.json(normalization), "pre_tokenizer": SplittingStep.json(splitting),
            "decoder": decoder.json,
        ]
    }

    private func name(_ id: TokenID?) -> JSONValue { id.map { .string(vocabulary.text(at: Int($0))) } ?? .null }

    private func text(at index: Int) throws(TokenizerError) -> String {
        guard let text = String(validating: vocabulary[index], as: UTF8.self) else {
            throw TokenizerError("model.vocab[\(index)]", "is no UTF-8, which tokenizer.json can't hold")
        }
        return text
    }

    private func modelJSON() throws(TokenizerError) -> JSONValue {
        var texts: [String] = []
        for index in 0..<vocabulary.count { texts.append(try text(at: index)) }
        switch model {
        case .bytePair(let model):
            return [
                "type": "BPE", "dropout": .null, "unk_token": name(model.unknown), "continuing_subword_prefix": .null,
                "end_of_word_suffix": .null, "fuse_unk": .bool(model.fusesUnknown),
                "byte_fallback": .bool(model.fallsBackToBytes), "ignore_merges": .bool(model.ignoresMerges),
                "vocab": Self.identifiers(texts),
                "merges": .array(model.merges.pairs(texts).map { [.string($0.left), .string($0.right)] }),
            ]
        case .wordPiece(let model):
            return [
                "type": "WordPiece", "unk_token": name(model.unknown),
                "continuing_subword_prefix": .string(model.continuingPrefix),
                "max_input_chars_per_word": .integer(model.maxWordCharacters), "vocab": Self.identifiers(texts),
            ]
        case .unigram(let model):
            return [
                "type": "Unigram", "unk_id": model.unknown.map { .integer(Int($0)) } ?? .null,
                "byte_fallback": .bool(model.fallsBackToBytes),
                "vocab": .array(zip(texts, model.scores).map { [.string($0), .number($1)] }),
            ]
        }
    }

    /// Tokens by text; of two that are spelled alike the first.
    private static func identifiers(_ texts: [String]) -> JSONValue {
        var seen: Set<String> = []
        var members: [JSONValue.Member] = []
        for (id, text) in texts.enumerated() where seen.insert(text).inserted {
            members.append(.init(text, .integer(id)))
        }
        return .object(members)
    }

    private var boundariesJSON: JSONValue {
        guard !prefix.isEmpty || !suffix.isEmpty else { return .null }
        let text: JSONValue = ["Sequence": ["id": "A", "type_id": 0]]
        let second: JSONValue = ["Sequence": ["id": "B", "type_id": 1]]
        func pieces(_ ids: [TokenID]) -> [JSONValue] { ids.map { ["SpecialToken": ["id": name($0), "type_id": 0]] } }
        let names = Set(prefix + suffix).sorted()
        return [
            "type": "TemplateProcessing", "single": .array(pieces(prefix) + [text] + pieces(suffix)),
            "pair": .array(pieces(prefix) + [text] + pieces(suffix) + [second] + pieces(suffix)),
            "special_tokens": .object(
                names.map { id in
                    let text = vocabulary.text(at: Int(id))
                    return .init(
                        text,
                        ["id": .string(text), "ids": [.integer(Int(id))], "tokens": [.string(text)]])
                }),
        ]
    }
}

extension TokenizerSpecification.Merges {
    /// The pairs that are joined, the earliest first.
    func pairs(_ vocabulary: [String]) -> [(left: String, right: String)] {
        switch self {
        case .joined(let strings):
            return (0..<strings.count).map { index in
                let parts = strings.text(at: index).split(separator: " ", maxSplits: 1).map(String.init)
                return (parts.first ?? "", parts.count > 1 ? parts[1] : "")
            }
        case .pairs(let strings):
            return stride(from: 0, to: strings.count - 1, by: 2).map {
                (strings.text(at: $0), strings.text(at: $0 + 1))
            }
        case .byScore(let scores):
            return Self.pairs(vocabulary, scores)
        }
    }

    /// Every way to make a token of two others, those with the best token first (as SentencePiece joins), of one token those of
    /// earlier parts first.
    private static func pairs(_ vocabulary: [String], _ scores: [Float]) -> [(left: String, right: String)] {
        let ids = Dictionary(zip(vocabulary, vocabulary.indices), uniquingKeysWith: { first, _ in first })
        var found: [(score: Float, order: [Int], left: String, right: String)] = []
        for (id, token) in vocabulary.enumerated() where id < scores.count {
            var place = token.unicodeScalars.startIndex
            while place != token.unicodeScalars.endIndex {
                place = token.unicodeScalars.index(after: place)
                let (left, right) = (String(token[..<place]), String(token[place...]))
                guard !right.isEmpty, let first = ids[left], let second = ids[right] else { continue }
                found.append((scores[id], [id, first, second], left, right))
            }
        }
        found.sort { $0.score != $1.score ? $0.score > $1.score : $0.order.lexicographicallyPrecedes($1.order) }
        return found.map { ($0.left, $0.right) }
    }
}

extension AddedToken {
    fileprivate var json: JSONValue {
        [
            "id": .integer(Int(id)), "content": .string(content), "single_word": .bool(singleWord),
            "lstrip": .bool(stripsLeft), "rstrip": .bool(stripsRight), "normalized": .bool(isNormalized),
            "special": .bool(isSpecial),
        ]
    }
}
