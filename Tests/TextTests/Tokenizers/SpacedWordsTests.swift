import Testing
import Text

@Suite struct SpacedWordsTests {
    private let tokenizer = try? Tokenizer(
        .spacedWords(of: ["Q: B flips.\nA: It is (Yes", " naïve"], special: ["<|end|>"]))

    @Test(arguments: [
        ("Q: B flips.\nA:", 5), (" B", 1), ("B", 1), (" It is It", 3), ("It", 2), (" is \n is", 4), (" naïve", 1),
        (" flips", 6), (" is\u{00A0}漢", 1 + 2 + 3), ("", 0),
    ])
    func textsAreWordsWithTheirSpaceAndBytes(text: String, count: Int) throws {
        let tokenizer = try #require(tokenizer)
        let ids = tokenizer.encode(text)
        #expect(ids.count == count)
        #expect(Array(tokenizer.decode(ids).utf8) == Array(text.utf8))
    }

    @Test func phrasesAreTokensWhereverTheyStand() throws {
        let phrases = [" flips the coin.", " flips"]
        let tokenizer = try Tokenizer(.spacedWords(of: ["B flips the coin. C flips it."], phrases: phrases))
        #expect(tokenizer.vocabularySize == 256 + 2 + 2 + 1)
        for (text, count) in [(" C flips the coin.", 2), (" C flips it.", 3), (" flips the coin. flips", 2)] {
            let ids = tokenizer.encode(text)
            #expect(ids.count == count)
            #expect(tokenizer.decode(ids) == text)
        }
    }

    @Test func theFirstSpecialTokenEndsTextsAndCannotBeForged() throws {
        let tokenizer = try #require(tokenizer)
        let end = try #require(tokenizer.eos)
        #expect(tokenizer.encode("B<|end|>", special: .recognised).last == end)
        #expect(!tokenizer.encode("B<|end|>").contains(end))
        #expect(tokenizer.vocabularySize == 256 + 8 + 1)
    }
}
