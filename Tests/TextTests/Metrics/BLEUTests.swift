import Testing
import Text

@Suite struct BLEUTests {
    @Test func repeatedWordsAreClipped() {
        // Papineni 2002, section 2.1: seven times "the" against a reference with two of them, 2/7.
        let result = BLEU.sentence(
            "the the the the the the the", references: ["the cat is on the mat"], order: 1, smoothing: .none)
        #expect(abs(result.score - 100 * 2 / 7) < 1e-9)
        #expect(result.brevityPenalty == 1)
    }

    @Test func equalTextsScoreFull() {
        #expect(abs(BLEU.sentence("a b c d e", references: ["a b c d e"]).score - 100) < 1e-9)
        #expect(BLEU.sentence("a b c d e", references: ["f g h i j"]).score == 0)
        #expect(BLEU.corpus([]).score == 0)
    }

    @Test func shortTextsAreHeldBack() {
        // Two words against four: exp(1 − 4/2).
        let result = BLEU.sentence("a b", references: ["a b c d"], order: 2)
        #expect(abs(result.brevityPenalty - 0.36787944117144233) < 1e-12)
        #expect(abs(result.score - 36.787944117144233) < 1e-9)
    }
}
