import Testing
import Text

@Suite("Descriptions of tokenizers")
struct TokenizerSpecificationTests {
    private func gguf(_ model: String, _ tokens: [String], types: [Int32] = []) -> GGUFTokenizerFields {
        var fields = GGUFTokenizerFields(model: model, tokens: ByteStrings(tokens))
        fields.tokenTypes = types
        return fields
    }

    @Test("SentencePiece BPE merges by score, the leftmost first, and falls back to bytes")
    func sentencePiece() throws {
        let bytes = (0..<256).map { "<0x" + ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) + ">" }
        let words = ["\u{2581}", "a", "b", "c", "ab", "bc", "\u{2581}a", "\u{2581}ab", "aa"]
        var fields = gguf("llama", ["<unk>", "<s>", "</s>"] + bytes + words)
        fields.tokenTypes = [2, 3, 3] + [Int32](repeating: 6, count: 256) + [Int32](repeating: 1, count: words.count)
        fields.scores = [Float](repeating: 0, count: 259) + [-9, -9, -9, -9, -1, -2, -3, -4, -5]
        fields.unknown = 0
        fields.bos = 1
        let tokenizer = try Tokenizer(TokenizerSpecification(gguf: fields))
        func spell(_ text: String) -> [String] { tokenizer.encode(text).map { tokenizer.text(of: $0) } }
        #expect(spell("abc") == [" ab", "c"])
        #expect(spell("aaa") == [" a", "aa"])
        #expect(spell("bab") == [" ", "b", "ab"])
        #expect(tokenizer.encode("é") == [259, 3 + 0xC3, 3 + 0xA9])
        #expect(tokenizer.decode(tokenizer.encode("a éb")) == "a éb")
        #expect(tokenizer.addsBOS)
        #expect(tokenizer.encode("<s>", boundaries: .asTrained).filter { $0 == 1 }.count == 1)
        #expect(tokenizer.bytes(of: 3 + 0x0A) == [0x0A])
    }

    @Test("WordPiece from GGUF")
    func wordPiece() throws {
        var fields = gguf(
            "bert", ["[UNK]", "[CLS]", "[SEP]", "\u{2581}play", "ing", "\u{2581}the", "\u{2581},"],
            types: [2, 3, 3, 1, 1, 1, 1])
        fields.unknown = 0
        fields.classification = 1
        fields.separator = 2
        let tokenizer = try Tokenizer(TokenizerSpecification(gguf: fields))
        #expect(tokenizer.encode("Playing, THE [CLS] plaß", boundaries: .asTrained) == [1, 3, 4, 6, 5, 0, 0, 0, 0, 2])
        #expect(tokenizer.decode([1, 3, 4, 6, 5, 2]) == "playing, the")
    }

    @Test("Flags of added tokens")
    func addedTokens() throws {
        var specification = TokenizerSpecification(
            vocabulary: ByteStrings(["a", "b", " ", "<x>", "one"]),
            model: .bytePair(.init(merges: .pairs(ByteStrings()), isByteLevel: false)))
        var strips = AddedToken(id: 3, content: "<x>", isSpecial: true)
        strips.stripsLeft = true
        strips.stripsRight = true
        var single = AddedToken(id: 4, content: "one", isSpecial: false)
        single.singleWord = true
        specification.addedTokens = [strips, single]
        let tokenizer = try Tokenizer(specification)
        #expect(tokenizer.encode("a  <x> b", special: .recognised) == [0, 3, 1])
        #expect(tokenizer.encodeWithOffsets("a  <x> b", special: .recognised).map(\.range) == [0..<1, 1..<7, 7..<8])
        #expect(tokenizer.encode("a one b") == [0, 2, 4, 2, 1])
        #expect(tokenizer.encode("aone b") == [0, 2, 1])
    }

    @Test("Wrong fields are named")
    func errors() throws {
        func field(_ fields: GGUFTokenizerFields) -> String? {
            do { _ = try Tokenizer(TokenizerSpecification(gguf: fields)) } catch { return error.field }
            return nil
        }
        #expect(field(gguf("rwkv", ["a"])) == "tokenizer.ggml.model")
        var fields = gguf("gpt2", ["a", "b"])
        fields.pre = "unheard-of"
        #expect(field(fields) == "tokenizer.ggml.pre")
        fields.pre = "smollm"
        fields.merges = ByteStrings(["a b"])
        #expect(field(fields) == "tokenizer.ggml.merges[0]")
        fields.merges = ByteStrings(["ab"])
        #expect(field(fields) == "tokenizer.ggml.merges[0]")
        fields.merges = ByteStrings()
        fields.eos = 7
        #expect(field(fields) == "tokenizer.ggml.eos_token_id")
        fields.eos = nil
        fields.tokenTypes = [1]
        #expect(field(fields) == "tokenizer.ggml.token_type")
        #expect(field(gguf("llama", ["a", "b"])) == "tokenizer.ggml.scores")
        #expect(field(gguf("gpt2", [])) == "vocabulary")
    }

    @Test(
        "Wrong parts of a tokenizer.json are named",
        arguments: [
            (#"{}"#, "model"), (#"{"model":{}}"#, "model.vocab"),
            (#"{"model":{"type":"BPE","vocab":{"a":-1}}}"#, "model.vocab"),
            (#"{"model":{"type":"BPE","vocab":{"a":0}}}"#, "model.merges"),
            (#"{"model":{"type":"BPE","vocab":{"a":0},"merges":[["a"]]}}"#, "model.merges[0]"),
            (#"{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}"#, "model.merges[0]"),
            (#"{"model":{"type":"BPE","vocab":{"a":99999999},"merges":[]}}"#, "model.vocab"),
            (#"{"model":{"type":"Magic","vocab":{"a":0}}}"#, "model.type"),
            (#"{"model":{"type":"WordPiece","vocab":{"a":0},"unk_token":"[UNK]"}}"#, "model.unk_token"),
            (#"{"model":{"type":"Unigram","vocab":[["a"]]}}"#, "model.vocab[0]"),
            (
                #"{"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"pre_tokenizer":{"type":"Nope"}}"#,
                "pre_tokenizer.type"
            ),
            (
                #"{"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a"},"behavior":"Isolated"}}"#,
                "pattern"
            ),
            (
                #"{"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"normalizer":{"type":"Replace","content":""}}"#,
                "normalizer.pattern"
            ),
            (
                #"{"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"added_tokens":[{"id":1}]}"#,
                "added_tokens[0].content"
            ),
        ])
    func jsonErrors(_ text: String, _ field: String) throws {
        let json = try JSONValue(parsing: text)
        let error = #expect(throws: TokenizerError.self) { try Tokenizer(TokenizerSpecification(tokenizerJSON: json)) }
        #expect(error?.field == field)
        #expect(error?.description.hasSuffix(".") == true)
    }

    @Test("tokenizer_config.json names the special tokens")
    func config() throws {
        let specification = try TokenizerGoldens.specification("gpt2")
        let config: JSONValue = [
            "bos_token": "<s>", "eos_token": ["content": "</s>"], "pad_token": nil, "unk_token": "absent",
        ]
        let tokenizer = try Tokenizer(TokenizerSpecification(tokenizerJSON: specification, config: config))
        #expect(tokenizer.bos == tokenizer.id(of: "<s>") && tokenizer.eos == tokenizer.id(of: "</s>"))
        #expect(tokenizer.padding == nil && tokenizer.unknown == nil)
        #expect(tokenizer.endOfTextTokens.first == tokenizer.eos && tokenizer.addsBOS)
    }
}
