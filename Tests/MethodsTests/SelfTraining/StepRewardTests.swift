import Laboratory
import Testing

import SelfTraining

/// Clip and Delta, exactly.
@Suite struct StepRewardTests {
    private static let cases: [[Double]] = {
        var generator = SeededGenerator(seed: 7, stream: "scores")
        return (1...40).map { count in (0..<1 + count % 9).map { _ in Double.random(in: 0...1, using: &generator) } }
    }()

    private func suffixSums(_ rewards: [Double]) -> [Double] {
        rewards.indices.map { rewards[$0...].reduce(0, +) }
    }

    @Test func deltaTelescopes() {
        for scores in Self.cases {
            let sums = suffixSums(StepReward.delta.rewards(scores, threshold: 0.5))
            for k in scores.indices.dropLast() { #expect(abs(sums[k] - scores[k]) < 1e-12) }
            #expect(sums.last == 0)
        }
        #expect(StepReward.delta.rewards([0.9], threshold: 0) == [0])
    }

    @Test func clipNeverPays() {
        for scores in Self.cases {
            #expect(StepReward.clip.rewards(scores, threshold: 0.4).allSatisfy { $0 <= 0 })
        }
        #expect(StepReward.clip.rewards([0.25, 0.75], threshold: 0.5) == [-0.25, 0])
    }

    /// A filler step with the same score as its neighbour: PR pays, Delta's return stays, Clip's doesn't rise.
    @Test func fillersEarnNothing() {
        for scores in Self.cases where scores.count > 1 && scores.first != 0 {
            let filled = [scores[0]] + scores
            func total(_ mode: StepReward, _ scores: [Double]) -> Double {
                mode.rewards(scores, threshold: 0.6).reduce(0, +)
            }
            #expect(total(.process, filled) > total(.process, scores))
            #expect(abs(total(.delta, filled) - total(.delta, scores)) < 1e-12)
            #expect(abs(total(.clipDelta, filled) - total(.clipDelta, scores)) < 1e-12)
            #expect(total(.clip, filled) <= total(.clip, scores))
        }
    }

    @Test func clipComesBeforeDelta() {
        let scores = [0.9, 0.3, 0.8, 0.5]
        let clipped = StepReward.clip.rewards(scores, threshold: 0.6)
        #expect(StepReward.clipDelta.rewards(scores, threshold: 0.6) == StepReward.delta.rewards(clipped, threshold: 0))
        let other = StepReward.clip.rewards(StepReward.delta.rewards(scores, threshold: 0), threshold: 0.6)
        #expect(StepReward.clipDelta.rewards(scores, threshold: 0.6) != other)
        #expect(StepReward.clipDelta.rewards([0.2], threshold: 0.6) == [0])
        #expect(StepReward.normed.rewards([0.5, 1], threshold: 0) == [0.25, 0.5])
        #expect(StepReward.success.rewards([0.5, 1], threshold: 0) == [0, 0])
    }

    @Test func scoresAndRewardsMeetAtTheSameTokens() {
        let rewards = StepReward.process.tokenRewards(
            scores: [0.5, 1], at: [1, 3], count: 4, threshold: 0, weight: 0.5)
        #expect(rewards == [0, 0.25, 0, 0.5])
    }
}
