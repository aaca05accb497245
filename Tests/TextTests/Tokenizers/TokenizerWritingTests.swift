import Testing
import Text

@Suite("A tokenizer that was written reads as it was")
struct TokenizerWritingTests {
    @Test("tokenizer.json of each kind", arguments: TokenizerGoldens.kinds)
    func json(_ name: String) throws {
        let first = try TokenizerSpecification(tokenizerJSON: TokenizerGoldens.specification(name))
        let text = try first.tokenizerJSON().text(pretty: true)
        let written = try Tokenizer(TokenizerSpecification(tokenizerJSON: JSONValue(parsing: Array(text.utf8))))
        try compare(written, Tokenizer(first), TokenizerGoldens.cases(name))
    }

    @Test(
        "GGUF of the kinds that have a name there", arguments: ["gpt2", "llama3", "qwen2", "sentencepiece-bpe", "bert"])
    func gguf(_ name: String) throws {
        var first = try TokenizerSpecification(tokenizerJSON: TokenizerGoldens.specification(name))
        // The format has no words for where an added token may stand.
        first.addedTokens = first.addedTokens.map {
            AddedToken(id: $0.id, content: $0.content, isSpecial: $0.isSpecial)
        }
        let written = try Tokenizer(TokenizerSpecification(gguf: GGUFTokenizerFields(first)))
        try compare(written, Tokenizer(first), TokenizerGoldens.cases(name))
    }

    @Test("A way to cut texts that has no name in GGUF is refused")
    func unnamed() throws {
        var specification = try TokenizerSpecification(tokenizerJSON: TokenizerGoldens.specification("gpt2"))
        specification.splitting.append(.digits(individual: true))
        #expect(throws: TokenizerError.self) { try GGUFTokenizerFields(specification) }
    }

    @Test("The embedded model, from GGUF to JSON", .enabled(if: EmbeddedVocabulary.isThere, EmbeddedVocabulary.absence))
    func embedded() throws {
        let first = try TokenizerSpecification(gguf: EmbeddedVocabulary.fields())
        let config = first.tokenizerConfiguration(chatTemplate: "{{ messages }}", contextLength: 8192)
        #expect(config["eos_token"]?.stringValue == "<|im_end|>" && config["model_max_length"]?.intValue == 8192)
        let read = try TokenizerSpecification(tokenizerJSON: first.tokenizerJSON(), config: config)
        #expect(read.eos == first.eos && read.bos == first.bos)
        try compare(Tokenizer(read), Tokenizer(first), TokenizerGoldens.cases("smollm2"))
        let again = try TokenizerSpecification(gguf: GGUFTokenizerFields(read))
        try compare(Tokenizer(again), Tokenizer(first), TokenizerGoldens.cases("smollm2"))
    }

    private func compare(_ written: Tokenizer, _ first: Tokenizer, _ cases: [GoldenCase]) throws {
        #expect(cases.count > 100 && written.vocabularySize == first.vocabularySize)
        for golden in cases {
            for special in [SpecialTokens.asText, .recognised] {
                let ids = written.encode(golden.bytes, special: special, boundaries: .asTrained)
                #expect(ids == first.encode(golden.bytes, special: special, boundaries: .asTrained))
                #expect(written.decode(ids) == first.decode(ids))
            }
        }
    }
}
