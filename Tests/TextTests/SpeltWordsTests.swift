import Testing
import Text

@Suite struct SpeltWordsTests {
    private let tokenizer = try? Tokenizer(
        .words(["has", "apples", "a"], speltWith: ["B", "a", "ba", "1", "7", "."], special: ["<|end|>"]))

    @Test(arguments: [
        ("has apples", "has apples", 2), ("has 17 apples.", "has 17 apples.", 5), ("Baba", "Baba", 3),
        ("a\n\n7", "a \n \n 7", 4), ("has  a", "has a", 2), ("hax", "<unk>", 1),
    ])
    func wordsOutsideTheListAreSpelt(text: String, written: String, count: Int) throws {
        let tokenizer = try #require(tokenizer)
        let ids = tokenizer.encode(text)
        #expect(ids.count == count)
        #expect(tokenizer.decode(ids) == written)
    }

    @Test func theFirstSpecialTokenEndsTexts() throws {
        let tokenizer = try #require(tokenizer)
        let end = try #require(tokenizer.eos)
        #expect(tokenizer.encode("a<|end|>", special: .recognised).last == end)
        #expect(tokenizer.encode("a<|end|>").last != end)
        #expect(tokenizer.decode([end]).isEmpty || tokenizer.decode([end]) == "<|end|>")
    }
}
