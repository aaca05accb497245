import Testing
import Text

@Suite struct BM25IndexTests {
    @Test func rareWordsWeighMore() {
        var index = BM25Index()
        index.add("red apple")
        index.add("red house")
        index.add("red apple tree with a red roof")
        #expect(index.search("apple", limit: 5).map(\.document) == [0, 2])
        #expect(index.search("red house", limit: 1).map(\.document) == [1])
        #expect(index.search("violin", limit: 5).isEmpty)
        #expect(index.search("red", limit: 0).isEmpty)
        #expect(BM25Index().search("red", limit: 5).isEmpty)
    }

    @Test func theScoreIsTheFormulas() {
        var index = BM25Index()
        index.add("x y")
        index.add("y")
        // idf = ln(1 + 1.5/1.5), |D| = 2, avgdl = 1.5: norm 1.2 · (0.25 + 0.75 · 4/3) = 1.5, so ln 2 · 2.2 / 2.5.
        let match = index.search("X", limit: 1)[0]
        #expect(abs(match.score - 0.6931471805599453 * 2.2 / 2.5) < 1e-12)
    }

    @Test func equalScoresKeepTheOrderOfAdding() {
        var index = BM25Index()
        for _ in 0..<50 { index.add("same words") }
        #expect(index.search("same", limit: 10).map(\.document) == Array(0..<10))
    }

    @Test func textsAddedLaterAreFound() {
        var index = BM25Index()
        index.add("first")
        #expect(index.search("second", limit: 3).isEmpty)
        #expect(index.add("second") == 1)
        #expect(index.search("second", limit: 3).map(\.document) == [1])
        #expect(index.count == 2)
    }
}
