import Foundation
import Laboratory
import Testing

/// Rewards that can be checked.
@Suite struct VerifiableRewardTests {
    private func right(_ spelling: String, _ replies: [String], _ golds: [[String]]) async throws -> [Bool] {
        try await VerifiableReward(spelling: spelling).areRight(replies, golds: golds, sandbox: nil)
    }

    @Test func answersAndPatterns() async throws {
        let golds = [["12"], ["12"], ["12"]]
        #expect(try await right("number", ["The answer is 12.", "12.0", "13"], golds) == [true, true, false])
        #expect(
            try await right("text", ["Paris", "so:\nparis.", "Rome"], [["Paris"], ["Paris"], ["Paris"]]) == [
                true, true, false,
            ])
        #expect(try await right("regex:^a+$", ["aaa", "ab", ""], [[], [], []]) == [true, false, false])
    }

    @Test func badSpellingsAreRefused() {
        for bad in ["", "numbers", "regex:", "regex:(", "python:/no/such/file.py"] {
            #expect(throws: RewardError.self) { try VerifiableReward(spelling: bad) }
        }
    }
}
