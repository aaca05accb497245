import Testing
import Text

@Suite struct NGramTests {
    private let text = ["a", "b", "a", "b", "c"]

    @Test func distinctRunsOverAllRuns() {
        #expect(NGrams.distinct([text], n: 1) == 3.0 / 5)
        #expect(NGrams.distinct([text, ["a", "b"]], n: 2) == 3.0 / 5)
        #expect(NGrams.distinct([["a"]], n: 2) == 0)
    }

    @Test func overlapCountsDifferentRuns() {
        #expect(NGrams.containment(of: text, in: ["a", "b", "x"], n: 2) == 1.0 / 3)
        #expect(NGrams.resemblance(text, ["a", "b", "x"], n: 2) == 1.0 / 4)
        #expect(NGrams.containment(of: ["a"], in: text, n: 2) == 0)
        #expect(NGrams.resemblance([String](), [], n: 1) == 0)
        #expect(NGrams.counts(text, n: 2)[["a", "b"]] == 2)
    }
}
