import Testing
import Text

@Suite struct EditDistanceTests {
    @Test(arguments: [
        ("kitten", "sitting", 3), ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("same", "same", 0), ("ab", "ba", 2),
        ("flaw", "lawn", 2), ("é", "e\u{301}", 2), ("🙂🙂", "🙂", 1), ("intention", "execution", 5),
    ])
    func knownDistances(left: String, right: String, distance: Int) {
        #expect(EditDistance.between(left, right) == distance)
        #expect(EditDistance.between(right, left) == distance)
    }

    @Test func similarityGoesFromNoneToAll() {
        #expect(EditDistance.similarity("abcd", "abcx") == 0.75)
        #expect(EditDistance.similarity("", "") == 1)
        #expect(EditDistance.similarity("ab", "xy") == 0)
    }

    @Test func anyElementsWillDo() {
        #expect(EditDistance.between([1, 2, 3, 4], [1, 3, 4, 5]) == 2)
    }
}
