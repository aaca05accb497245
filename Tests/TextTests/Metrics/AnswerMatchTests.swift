import Testing
import Text

@Suite struct AnswerMatchTests {
    @Test func articlesPunctuationAndCaseDontCount() {
        #expect(AnswerMatch.normalized("  The  Eiffel-Tower, a (tall) AN one! ") == "eiffeltower tall one")
        #expect(AnswerMatch.isExact("the Cat.", references: ["dog", "cat"]))
        #expect(!AnswerMatch.isExact("cats", references: ["cat"]))
    }

    @Test func f1IsTheHarmonicMeanOfSharedWords() {
        // 2 of 3 predicted words and 2 of 2 expected ones: 2 · (2/3) · 1 / (2/3 + 1) = 0.8.
        #expect(abs(AnswerMatch.f1("big red house", references: ["red house"]) - 0.8) < 1e-12)
        #expect(AnswerMatch.f1("x", references: ["y", "x"]) == 1)
        #expect(AnswerMatch.f1("the", references: [""]) == 1)
        #expect(AnswerMatch.f1("the", references: ["x"]) == 0)
        #expect(AnswerMatch.f1("x", references: []) == 0)
    }
}
