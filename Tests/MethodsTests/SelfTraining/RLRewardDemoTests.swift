import Foundation
import Laboratory
import SelfTraining
import Testing

/// The experiment on sums, small.
@Suite struct RLRewardDemoTests {
    @Test func aTenthOfTheLinesFollowsFiller() {
        var generator = SeededGenerator(seed: 5)
        let sum = RunningTotal([3, 8, 5])
        let traces = (0..<2_000).map { _ in TotalsStage.trace(of: sum, using: &generator) }
        for trace in traces {
            #expect(trace.filter { $0 != TotalsStage.filler } == sum.lines)
            #expect(trace.last != TotalsStage.filler)
        }
        let runs = traces.flatMap { trace in
            trace.split(omittingEmptySubsequences: false) { $0 != TotalsStage.filler }.dropLast().map(\.count)
        }
        #expect(runs.count == 3 * traces.count)
        let filled = runs.filter { $0 > 0 }
        #expect((500...700).contains(filled.count))
        // Half of them is more than a line, and none is long.
        #expect((200...400).contains(filled.count { $0 > 1 }) && filled.allSatisfy { $0 <= 5 })
    }

    /// Start, reward model, three policies, checks and files.
    @Test(.timeLimit(.minutes(3))) func runsWhole() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lyceum-sums-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let lab = Lab(slug: "rl-reward", subject: nil, outputFolder: folder)
        var plan = TotalsPlan()
        plan.terms = 2
        plan.layers = 2
        plan.hiddenSize = 64
        plan.watched = 10
        plan.teachingSteps = 120
        plan.completerSteps = 20
        plan.teachingRate = 2e-3
        plan.examined = 20
        plan.labelled = 1
        plan.completions = 2
        plan.rewardEpochs = 1
        plan.rounds = 2
        plan.questionsPerRound = 4
        plan.samples = 2
        plan.longest = 24
        let demonstration = try await RLReward().demonstration(plan, in: lab)
        let checks = demonstration.checks
        #expect(checks.count == 12)
        #expect(checks.count { $0.role == .mechanism } == 5)
        for check in checks where check.role == .mechanism { #expect(check.holds, "\(check.name)") }
        func lines(_ name: String) throws -> Int {
            try String(contentsOf: lab.outputFile(name), encoding: .utf8).split(separator: "\n").count
        }
        #expect(try lines("training.jsonl") == 3 * 2)
        #expect(try lines("rewards.jsonl") == 4 * 20 * 4)
    }
}
