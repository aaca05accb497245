import Testing
import Text

@Suite struct ROUGETests {
    @Test func theExampleOfThePaper() {
        // Lin 2004, section 3: S1 "police killed the gunman", S2 "police kill the gunman", S3 "the gunman kill police".
        let reference = "police killed the gunman"
        #expect(ROUGE.l("police kill the gunman", reference: reference).f1 == 0.75)
        #expect(ROUGE.l("the gunman kill police", reference: reference).f1 == 0.5)
        #expect(ROUGE.n(2, "police kill the gunman", reference: reference).recall == 1.0 / 3)
        #expect(ROUGE.n(2, "the gunman kill police", reference: reference).recall == 1.0 / 3)
    }

    @Test func nothingSharesNothing() {
        #expect(ROUGE.n(1, "", reference: "a") == .zero)
        #expect(ROUGE.l("", reference: "") == .zero)
        #expect(ROUGE.n(1, "", reference: "").f1 == 0)
    }

    @Test func subsequencesMayHaveGaps() {
        #expect(ROUGE.longestCommonSubsequence(Array("ABCBDAB"), Array("BDCABA")) == 4)
    }
}
