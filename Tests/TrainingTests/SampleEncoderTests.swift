import Foundation
import Models
import Testing
import Text
import Training

/// What becomes of records as tokens, one a character, and what a limit leaves of them.
@Suite struct SampleEncoderTests {
    private static let template = """
        {%- for message in messages -%}
        {%- if loop.first and message.role != 'system' -%}{{ '<s>system\\nBe good.<e>\\n' }}{%- endif -%}
        {{ '<s>' + message.role + '\\n' }}{{ message.content }}{{ '<e>\\n' }}
        {%- endfor -%}
        {%- if add_generation_prompt -%}{{ '<s>assistant\\n' }}{%- endif -%}
        """
    private static let system = "<s>system\nBe good.<e>\n"
    /// The tokens around the words of a single question: 18 of the system's turn, 6 that open the user's, 13 behind it.
    private static let frame = 37

    private func words(hasTemplate: Bool = true) throws -> ModelText {
        try withTemporaryFolder { folder in
            try NewModel(.llama(layers: 1, hiddenSize: 8, heads: 2), tokenizer: .bytes(special: ["<e>", "<s>"]))
                .write(to: folder, seed: 1)
            if hasTemplate {
                try Data(Self.template.utf8).write(to: URL(fileURLWithPath: folder + "/chat_template.jinja"))
            }
            return try ModelText(path: folder)
        }
    }

    /// A text as it reads, and the part of it that counts.
    private func read(_ sequence: TokenSequence, _ words: ModelText) -> (text: String, learned: String) {
        let learned = zip(sequence.tokens, sequence.weights).filter { $0.1 > 0 }.map(\.0)
        return (
            words.tokenizer.decode(sequence.tokens, skipSpecial: false),
            words.tokenizer.decode(learned, skipSpecial: false)
        )
    }

    @Test func aConversationThatFitsIsWhole() throws {
        let words = try words()
        var encoder = try SampleEncoder(words, limit: 100)
        let (text, learned) = read(try encoder.conversation([.user("hi"), .assistant("yes")]), words)
        #expect(text == Self.system + "<s>user\nhi<e>\n<s>assistant\nyes<e>\n")
        #expect(learned == "yes<e>\n" && encoder.cutCount == 0)
    }

    @Test func continuationsOfSeveralTurns() throws {
        let words = try words()
        var encoder = try SampleEncoder(words, limit: 200)
        let pair = try encoder.pair(
            prompt: [.user("p")], chosen: [.assistant("a"), .user("q"), .assistant("b")], rejected: [.assistant("c")])
        let start = Self.system + "<s>user\np<e>\n<s>assistant\n"
        let (chosen, learned) = read(pair.chosen, words)
        #expect(chosen == start + "a<e>\n<s>user\nq<e>\n<s>assistant\nb<e>\n" && learned == "a<e>\nb<e>\n")
        #expect(read(pair.rejected, words) == (start + "c<e>\n", "c<e>\n"))
    }

    /// What is too long loses the same of the prompt in both, by the longer one.
    @Test func continuationsKeepOnePrompt() throws {
        let words = try words()
        var encoder = try SampleEncoder(words, limit: 80)
        let pair = try encoder.pair(
            prompt: [.user("0123456789abcdefghij")], chosen: [.assistant("a"), .user("q"), .assistant("b")],
            rejected: [.assistant("c")])
        let texts = [pair.chosen, pair.rejected].map { read($0, words).text }
        let start = Self.system + "<s>user\n3456789abcdefghij<e>\n<s>assistant\n"
        #expect(texts == [start + "a<e>\n<s>user\nq<e>\n<s>assistant\nb<e>\n", start + "c<e>\n"])
        #expect(pair.chosen.count == 80 && encoder.cutCount == 1)
    }

    /// Turns whose words the template leaves out can't be learned.
    @Test func callsNeedWords() throws {
        let call = ChatMessage(
            role: .assistant, content: "", toolCalls: [ToolCall(id: "1", name: "f", arguments: [:])])
        for hasTemplate in [true, false] {
            var encoder = try SampleEncoder(words(hasTemplate: hasTemplate), limit: 100)
            #expect(throws: TrainingError.self) { try encoder.conversation([.user("a"), call]) }
            #expect(throws: TrainingError.self) {
                try encoder.conversation([.user("a"), .assistant("b")], counting: [1], tools: [["name": "f"]])
            }
            #expect(try encoder.conversation([.user("a"), .assistant("b")]).weight > 0)
        }
    }

    @Test func turnsAreReadWhole() throws {
        let words = try words()
        var encoder = try SampleEncoder(words, limit: 50)
        #expect(read(try encoder.turns([.user("hi"), .assistant("")]), words).text.hasSuffix("<s>assistant\n<e>\n"))
        #expect(read(try encoder.turns([.user("hi")]), words).text.hasSuffix("<s>assistant\n") && encoder.cutCount == 0)
        let long = read(try encoder.turns([.user("0123456789abcdefghij"), .assistant("yes")]), words).text
        #expect(long == Self.system + "<s>user\ncdefghij<e>\n<s>assistant\nyes<e>\n")
        #expect(encoder.cutCount == 1)
    }

    @Test func stepsAndWordsHaveTheirEnds() throws {
        let words = try words()
        var encoder = try SampleEncoder(words, limit: 60)
        func ends(_ found: (text: TokenSequence, places: [Int])) -> [String] {
            found.places.map { words.tokenizer.decode(Array(found.text.tokens[...$0]), skipSpecial: false) }
        }
        let start = Self.system + "<s>user\np<e>\n<s>assistant\n"
        #expect(
            ends(try encoder.steps(prompt: [.user("p")], ["one", "two"])) == [start + "one\n", start + "one\ntwo\n"])
        #expect(ends(try encoder.steps(prompt: [], ["one"])) == ["one\n"] && encoder.cutCount == 0)
        #expect(ends(try encoder.words(["The", "cat", "."])) == ["The", "The cat", "The cat ."])
        // The prompt makes room; steps that still don't fit are left out.
        let long = String(repeating: "x", count: 40)
        let cut = try encoder.steps(prompt: [.user("0123456789")], [long, long])
        #expect(cut.places.count == 1 && cut.text.count <= 60 && encoder.cutCount == 1)
        #expect(throws: TrainingError.self) { try encoder.steps(prompt: [.user("p")], [long + long]) }
        #expect(throws: TrainingError.self) { try encoder.words([""]) }
    }

    @Test func aLongPromptLosesTheBeginningOfItsWords() throws {
        let words = try words()
        var encoder = try SampleEncoder(words, limit: Self.frame + 8 + 5)
        let sample = try encoder.conversation([.user("0123456789abcdefghij"), .assistant("yes")])
        let (text, learned) = read(sample, words)
        #expect(text == Self.system + "<s>user\ncdefghij<e>\n<s>assistant\nyes<e>\n")
        #expect(learned == "yes<e>\n" && sample.count == encoder.limit && encoder.cutCount == 1)
    }

    @Test func aLongAnswerLosesItsEnd() throws {
        let words = try words()
        var encoder = try SampleEncoder(words, limit: 50)
        let answer = String(repeating: "0123456789", count: 6)
        let (text, learned) = read(try encoder.conversation([.user("hi"), .assistant(answer)]), words)
        #expect(text == "<s>assistant\n" + answer.prefix(39))
        #expect(learned == answer.prefix(39))
    }

    /// Several answers that don't fit together leave the first its question.
    @Test func aLongConversationLosesItsLastTurns() throws {
        let words = try words()
        var encoder = try SampleEncoder(words, limit: 60)
        let (text, learned) = read(
            try encoder.conversation([
                .user("hello"), .assistant("yes"), .user(String(repeating: "x", count: 90)), .assistant("no"),
            ]), words)
        let start = Self.system + "<s>user\nhello<e>\n<s>assistant\nyes<e>\n<s>user\n"
        #expect(text == start + String(repeating: "x", count: 60 - 53) && learned == "yes<e>\n")
    }

    @Test func bothTextsOfAPairKeepTheSamePrompt() throws {
        let words = try words()
        var encoder = try SampleEncoder(words, limit: 50)
        let pair = try encoder.pair(
            prompt: [.user("0123456789abcdefghij")], chosen: "yes", rejected: "nonononono")
        let (chosen, rejected) = (read(pair.chosen, words), read(pair.rejected, words))
        #expect(chosen.text == Self.system + "<s>user\nj<e>\n<s>assistant\nyes<e>\n")
        #expect(rejected.text == Self.system + "<s>user\nj<e>\n<s>assistant\nnonononono<e>\n")
        #expect(chosen.learned == "yes<e>\n" && rejected.learned == "nonononono<e>\n")
        #expect(pair.chosen.shareableCount == pair.rejected.shareableCount && encoder.cutCount == 1)
    }

    @Test func aLongPromptLosesItsEarliestExchangesFirst() throws {
        let words = try words()
        var encoder = try SampleEncoder(words, limit: 50)
        let pair = try encoder.pair(
            prompt: [.system("Be."), .user("0123456789"), .assistant("a"), .user("q")], chosen: "yes", rejected: "no")
        #expect(read(pair.chosen, words).text == "<s>system\nBe.<e>\n<s>user\nq<e>\n<s>assistant\nyes<e>\n")
        #expect(encoder.cutCount == 1)
    }

    @Test func aJudgedAnswerIsOneSample() throws {
        let words = try words()
        var encoder = try SampleEncoder(words, limit: 50)
        let long = String(repeating: "x", count: 90)
        let judged = try encoder.judged(
            prompt: [.user(long)], completion: "yes", isDesirable: true, mismatched: [.user(long + "y")])
        #expect(judged.isDesirable && encoder.cutCount == 1)
        #expect(read(judged.text, words).learned == "yes<e>\n")
        #expect(try read(#require(judged.mismatched), words).text.hasSuffix("xy<e>\n<s>assistant\nyes<e>\n"))
    }

    @Test func aPlainTextLosesItsEnd() throws {
        let words = try words()
        var encoder = try SampleEncoder(words, limit: 4)
        #expect(read(encoder.text("abcdef"), words).text == "abcd" && encoder.cutCount == 1)
        #expect(read(encoder.text("abc"), words).text == "abc<e>" && encoder.cutCount == 1)
    }

    @Test func withoutATemplateAnExchangeIsItsTexts() throws {
        let words = try words(hasTemplate: false)
        var encoder = try SampleEncoder(words, limit: 12)
        let (text, learned) = read(
            try encoder.conversation([.system("Be."), .user("hi"), .assistant("yes")]), words)
        #expect(text == "Be.\n\nhiyes<e>" && learned == "yes<e>" && encoder.cutCount == 0)
        let pair = try encoder.pair(prompt: [.user("0123456789")], chosen: "yes", rejected: "no")
        #expect(read(pair.chosen, words).text == "23456789yes<e>" && read(pair.rejected, words).text == "23456789no<e>")
        #expect(read(encoder.completion(prompt: "0123456789", completion: "yes"), words).text == "23456789yes<e>")
        #expect(encoder.cutCount == 2)
        #expect(throws: TrainingError.self) {
            try encoder.conversation([.user("a"), .assistant("b"), .user("c"), .assistant("d")])
        }
        #expect(throws: TrainingError.self) {
            try encoder.pair(prompt: [.user("a"), .assistant("b"), .user("c")], chosen: "d", rejected: "e")
        }
    }

    /// Whatever the limit, a sample keeps something to learn and no more than the limit.
    @Test func everyLimitLeavesSomethingToLearn() throws {
        for hasTemplate in [true, false] {
            let words = try words(hasTemplate: hasTemplate)
            for limit in 2...90 {
                var encoder = try SampleEncoder(words, limit: limit)
                let prompt: [ChatMessage] = [.system("Be very good."), .user("How many birds sat there?")]
                let pair = try encoder.pair(prompt: prompt, chosen: "Seven of them.", rejected: "None")
                let texts = [
                    try encoder.conversation(prompt + [.assistant("Seven of them.")]), pair.chosen, pair.rejected,
                    encoder.completion(prompt: "How many?", completion: "Seven."), encoder.text("Seven birds."),
                ]
                for text in texts { #expect(text.weight > 0 && text.count <= limit, "limit \(limit)") }
                let start = try #require(pair.chosen.weights.firstIndex { $0 > 0 })
                #expect(pair.rejected.weights.firstIndex { $0 > 0 } == start)
                #expect(pair.chosen.tokens.prefix(start) == pair.rejected.tokens.prefix(start))
            }
        }
    }
}
