import Inference
import Laboratory

/// Collects trajectories with answer feedback: what fails is run again from its first sound steps with a hint, and what is right
/// with a poor program counts as failed.
package struct TacticCollector: Sendable {
    package var agent: TacticAgent
    package var rater: TacticRater?
    /// How often a problem is tried again.
    package var reruns: Int

    package init(agent: TacticAgent, rater: TacticRater? = nil, reruns: Int = 1) {
        self.agent = agent
        self.rater = rater
        self.reruns = reruns
    }

    /// The last run; solved where its `end` says so and the rater agrees.
    package func collect(_ problem: TacticProblem) async throws -> (trajectory: TacticTrajectory, isAccepted: Bool) {
        var kept: [TacticRound] = []
        var hints: [String] = []
        var attempt = 0
        while true {
            let run = try await agent.run(problem, givesFeedback: true, keeping: kept, hints: hints)
            var isAccepted = run.end == .solved
            var hint =
                "The right answer is \(problem.gold). Write a program that shows it, and don't mention this line."
            if isAccepted, !problem.isHybrid {
                isAccepted = run.program != nil
                if let rater, let program = run.program {
                    isAccepted = try await rater.accepts(program, output: run.programOutput ?? "", for: problem)
                }
                if !isAccepted {
                    hint =
                        "The program must state all that the problem says, and its output must lead to the answer. Don't "
                        + "mention this line."
                }
            }
            guard !isAccepted, attempt < reruns else { return (run, isAccepted) }
            attempt += 1
            // Steps before the first program that failed stand.
            kept = Array(run.rounds.prefix { !$0.isWrong && $0.kind?.isProgram != true && $0.kind != .answer })
            hints = [hint]
        }
    }
}

/// Rates programs by a model: whether a program captures its problem, and whether its output implies the answer.
package struct TacticRater: Sendable {
    private let captures: ScoringJudge
    private let implies: ScoringJudge
    /// What both scores, from 1 to 5, must reach.
    package var least: Double

    package init(_ model: any LanguageModel, least: Double = 4, seed: UInt64 = 1) {
        captures = ScoringJudge(
            model,
            rubric: "The answer is a program. Score how fully it captures the problem: its facts, their relations and "
                + "the question. A program that only prints a result scores 1.", seed: seed)
        implies = ScoringJudge(
            model,
            rubric:
                "The answer is a program's output and a final answer. Score how clearly the output implies the final "
                + "answer.", seed: seed)
        self.least = least
    }

    package func accepts(_ program: String, output: String, for problem: TacticProblem) async throws -> Bool {
        async let first = captures.score(question: problem.prompt, answer: program)
        async let second = implies.score(
            question: problem.prompt, answer: "Output:\n\(output)\nFinal answer: \(problem.gold)")
        let scores = try await [first.score, second.score]
        return scores.allSatisfy { ($0 ?? 0) >= least }
    }
}

extension TacticTrajectory {
    /// What the program behind the answer printed.
    package var programOutput: String? {
        let last = rounds.lastIndex { $0.kind == .answer && !$0.isWrong } ?? rounds.endIndex
        return rounds[..<last].last(where: \.hasRun)?.observation(withFeedback: false)
    }
}
