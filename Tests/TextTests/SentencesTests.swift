import Testing
import Text

@Suite("Sentences")
struct SentencesTests {
    @Test(
        "A text falls into its sentences",
        arguments: [
            ("", []),
            ("  \n ", []),
            ("One. Two! Three?", ["One.", "Two!", "Three?"]),
            ("No full stop at the end", ["No full stop at the end"]),
            ("Dr. Smith met Mrs. Jones. They talked.", ["Dr. Smith met Mrs. Jones.", "They talked."]),
            ("It costs 3.14 dollars. Cheap!", ["It costs 3.14 dollars.", "Cheap!"]),
            ("J. R. R. Tolkien wrote it. So did I. Then we left.",
                ["J. R. R. Tolkien wrote it.", "So did I.", "Then we left."]),
            ("Use fruit, e.g. Apples. See Fig. 3 for more.", ["Use fruit, e.g. Apples.", "See Fig. 3 for more."]),
            ("He came at 5 p.m. on Monday. At 6 p.m. He left.",
                ["He came at 5 p.m. on Monday.", "At 6 p.m.", "He left."]),
            ("The U.S. Army came. It left the U.S. The end.",
                ["The U.S. Army came.", "It left the U.S.", "The end."]),
            ("\"Really?\" he asked. \"Yes!\" She smiled.", ["\"Really?\" he asked.", "\"Yes!\"", "She smiled."]),
            ("Wait... what? Well... No.", ["Wait... what?", "Well...", "No."]),
            ("(This is one.) This is two.", ["(This is one.)", "This is two."]),
            ("1. First item\n2. Second item", ["1. First item\n2. Second item"]),
            ("It was in 1999. The year ended.", ["It was in 1999.", "The year ended."]),
            ("A heading\n\nThe text. More text.", ["A heading", "The text.", "More text."]),
            ("See www.example.com. Or v1.2.3 here.", ["See www.example.com.", "Or v1.2.3 here."]),
            ("今日は。元気？はい！", ["今日は。", "元気？", "はい！"]),
            ("Привет. Как дела? Хорошо.", ["Привет.", "Как дела?", "Хорошо."]),
            ("Apples, pears, etc. are fruit. He likes apples etc. But not pears.",
                ["Apples, pears, etc. are fruit.", "He likes apples etc.", "But not pears."]),
        ])
    func splits(text: String, expected: [String]) {
        #expect(Sentences.split(text) == expected)
    }

    @Test("Ranges are in order, trimmed, and leave out nothing but whitespace")
    func rangesCoverTheText() {
        var generator = TestGenerator(seed: 5)
        let pieces = ["Hello", " ", ". ", "! ", "?", "\n\n", "\n", "Mr.", " 3.5", "é", "。", "\"", ")", "U.S.", "😀", "a", "\t", "…"]
        for _ in 0..<500 {
            let text = (0..<Int.random(in: 0...40, using: &generator))
                .map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            let bytes = Array(text.utf8)
            var position = 0
            for range in Sentences.ranges(in: text) {
                #expect(range.lowerBound >= position && !range.isEmpty)
                #expect(isBlank(bytes[position..<range.lowerBound]))
                #expect(!isBlank(bytes[range.lowerBound...range.lowerBound]))
                #expect(!isBlank(bytes[range.upperBound - 1..<range.upperBound]))
                position = range.upperBound
            }
            #expect(isBlank(bytes[position...]))
        }
    }

    private func isBlank(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.allSatisfy { $0 == 32 || $0 == 10 || $0 == 9 } }

    @Test("A long text without a full stop takes linear time")
    func longText() {
        let text = String(repeating: "Mr. Mr. ", count: 100_000)
        #expect(Sentences.ranges(in: text).count == 1)
    }
}
