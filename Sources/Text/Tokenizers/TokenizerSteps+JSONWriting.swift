/// Normalisers, pre-tokenizers and decoders as `tokenizer.json` describes them.
extension NormalizationStep {
    static func json(_ steps: [NormalizationStep]) -> JSONValue {
        steps.count > 1
            ? ["type": "Sequence", "normalizers": .array(steps.map(\.json))] : steps.first?.json ?? .null
    }

    private var json: JSONValue {
        switch self {
        case .nfc: ["type": "NFC"]
        case .nfd: ["type": "NFD"]
        case .nfkc: ["type": "NFKC"]
        case .nfkd: ["type": "NFKD"]
        case .lowercase: ["type": "Lowercase"]
        case .stripAccents: ["type": "StripAccents"]
        case .nmt: ["type": "Nmt"]
        case .prepend(let text): ["type": "Prepend", "prepend": .string(text)]
        case .replace(let pattern, let text):
            ["type": "Replace", "pattern": pattern.json, "content": .string(text)]
        case .strip(let left, let right):
            ["type": "Strip", "strip_left": .bool(left), "strip_right": .bool(right)]
        case .precompiled(let map):
            ["type": "Precompiled", "precompiled_charsmap": .string(Base64.encode(map.table))]
        case .bert(let cleansText, let spacesChinese, let stripsAccents, let lowercases):
            [
                "type": "BertNormalizer", "clean_text": .bool(cleansText),
                "handle_chinese_chars": .bool(spacesChinese), "strip_accents": .bool(stripsAccents),
                "lowercase": .bool(lowercases),
            ]
        }
    }
}

extension SplittingStep {
    static func json(_ steps: [SplittingStep]) -> JSONValue {
        steps.count > 1
            ? ["type": "Sequence", "pretokenizers": .array(steps.map(\.json))] : steps.first?.json ?? .null
    }

    private var json: JSONValue {
        switch self {
        case .byteLevel(let addsPrefixSpace, let splits):
            [
                "type": "ByteLevel", "add_prefix_space": .bool(addsPrefixSpace), "trim_offsets": true,
                "use_regex": .bool(splits),
            ]
        case .digits(let individual): ["type": "Digits", "individual_digits": .bool(individual)]
        case .pattern(let pattern, let behavior, let inverted):
            [
                "type": "Split", "pattern": pattern.json, "behavior": .string(behavior.name),
                "invert": .bool(inverted),
            ]
        case .words: ["type": "Whitespace"]
        case .whitespace: ["type": "WhitespaceSplit"]
        case .punctuation(let behavior): ["type": "Punctuation", "behavior": .string(behavior.name)]
        case .bert: ["type": "BertPreTokenizer"]
        case .metaspace(let replacement, let prepending, let splits):
            [
                "type": "Metaspace", "replacement": .string(replacement),
                "prepend_scheme": .string(prepending.name), "split": .bool(splits),
            ]
        }
    }
}

extension TokenizerSpecification.Decoder {
    var json: JSONValue {
        switch self {
        case .bytes:
            return ["type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true]
        case .spaced:
            return .null
        case .sentencePiece(let replacement, let stripsFirstSpace):
            var steps: [JSONValue] = [
                ["type": "Replace", "pattern": TextPattern.literal(replacement).json, "content": " "],
                ["type": "ByteFallback"], ["type": "Fuse"],
            ]
            if stripsFirstSpace { steps.append(["type": "Strip", "content": " ", "start": 1, "stop": 0]) }
            return ["type": "Sequence", "decoders": .array(steps)]
        case .wordPiece(let prefix, let cleansUp):
            return ["type": "WordPiece", "prefix": .string(prefix), "cleanup": .bool(cleansUp)]
        }
    }
}

extension TextPattern {
    fileprivate var json: JSONValue {
        switch self {
        case .literal(let text): ["String": .string(text)]
        case .regex(let text): ["Regex": .string(text)]
        }
    }
}

extension SplitBehavior {
    fileprivate var name: String {
        switch self {
        case .removed: "Removed"
        case .isolated: "Isolated"
        case .mergedWithPrevious: "MergedWithPrevious"
        case .mergedWithNext: "MergedWithNext"
        case .contiguous: "Contiguous"
        }
    }
}

extension MetaspacePrefix {
    fileprivate var name: String {
        switch self {
        case .always: "always"
        case .never: "never"
        case .first: "first"
        }
    }
}

extension CharacterMap {
    /// The table as it was read.
    var table: [UInt8] {
        var bytes: [UInt8] = []
        for word in [UInt32(units.count * 4)] + units {
            withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes + replacements
    }
}

extension Base64 {
    static func encode(_ bytes: [UInt8]) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            let bits = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
            for place in 0..<4 {
                text.append(place <= part.count ? letters[bits >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
