import Text

extension GGUFTokenizerFields {
    /// The `tokenizer.` keys of a GGUF file.
    public func metadata(chatTemplate: String?) -> [(key: String, value: GGUFValue)] {
        let prefix = "tokenizer.ggml."
        var pairs: [(key: String, value: GGUFValue)] = [(prefix + "model", .string(model))]
        if let pre { pairs.append((prefix + "pre", .string(pre))) }
        pairs.append((prefix + "tokens", .array(GGUFArray(strings: tokens.texts))))
        if !tokenTypes.isEmpty { pairs.append((prefix + "token_type", .array(GGUFArray(int32s: tokenTypes)))) }
        if !scores.isEmpty { pairs.append((prefix + "scores", .array(GGUFArray(floats: scores)))) }
        if merges.count > 0 { pairs.append((prefix + "merges", .array(GGUFArray(strings: merges.texts)))) }
        for (key, id) in [
            ("bos", bos), ("eos", eos), ("unknown", unknown), ("padding", padding), ("seperator", separator),
            ("cls", classification),
        ] {
            if let id { pairs.append(("\(prefix)\(key)_token_id", .uint32(UInt32(id)))) }
        }
        for (key, flag) in [
            ("add_bos_token", addsBOS), ("add_eos_token", addsEOS), ("add_space_prefix", addsSpacePrefix),
        ] {
            if let flag { pairs.append((prefix + key, .bool(flag))) }
        }
        if let chatTemplate { pairs.append(("tokenizer.chat_template", .string(chatTemplate))) }
        return pairs
    }
}

extension ByteStrings {
    /// All strings as text; invalid UTF-8 becomes U+FFFD.
    fileprivate var texts: [String] { (0..<count).map(text(at:)) }
}
