import Testing
import Text

@Suite("Token ids are those of the Hugging Face library")
struct TokenizerGoldenTests {
    @Test("Each kind of tokenizer.json", arguments: TokenizerGoldens.kinds)
    func kind(_ name: String) throws {
        try compare(TokenizerGoldens.tokenizer(name), TokenizerGoldens.cases(name))
    }

    @Test("The embedded model", .enabled(if: EmbeddedVocabulary.isThere, EmbeddedVocabulary.absence))
    func embedded() throws {
        let tokenizer = try Tokenizer(TokenizerSpecification(gguf: EmbeddedVocabulary.fields()))
        #expect(tokenizer.vocabularySize == 49152)
        #expect(tokenizer.text(of: try #require(tokenizer.eos)) == "<|im_end|>")
        #expect(tokenizer.id(of: "<|im_start|>") == 1)
        #expect(tokenizer.endOfTextTokens.contains(0) && tokenizer.endOfTextTokens.first == 2)
        #expect(!tokenizer.addsBOS)
        try compare(tokenizer, TokenizerGoldens.cases("smollm2"))
    }

    private func compare(_ tokenizer: Tokenizer, _ cases: [GoldenCase]) throws {
        #expect(cases.count > 100)
        for golden in cases {
            let ids = tokenizer.encode(golden.bytes)
            // Where the library lets a text spell a special token by its model's vocabulary, Lyceum does not.
            let isForged = golden.ids.contains { tokenizer.isSpecial($0) && $0 != tokenizer.unknownOfModel }
            if isForged {
                #expect(!ids.contains { tokenizer.isSpecial($0) && $0 != tokenizer.unknownOfModel })
            } else {
                #expect(ids == golden.ids, "\(String(decoding: golden.bytes, as: UTF8.self).debugDescription)")
                #expect(tokenizer.decode(ids, skipSpecial: false) == golden.decoded)
            }
            #expect(tokenizer.encode(golden.bytes, special: .recognised) == golden.special)
            #expect(tokenizer.encode(golden.bytes, special: .recognised, boundaries: .asTrained) == golden.bounded)
            try checkRanges(tokenizer, golden.bytes, ids)
        }
    }

    /// Ranges must not change the ids, and must lie in order within the text.
    private func checkRanges(_ tokenizer: Tokenizer, _ bytes: [UInt8], _ ids: [TokenID]) throws {
        let located = tokenizer.encodeWithOffsets(bytes)
        #expect(located.map(\.id) == ids)
        var start = 0
        for token in located {
            #expect(token.range.lowerBound >= start && token.range.upperBound <= bytes.count)
            start = token.range.lowerBound
        }
    }
}

extension Tokenizer {
    /// The unknown token, which text may become.
    var unknownOfModel: TokenID? { id(of: "[UNK]") ?? id(of: "<unk>") }
}
