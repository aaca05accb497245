import Foundation
import Laboratory
import Text

/// The findings of policies that learnt from the same start: table, curves, samples, and the files with every round and every examined
/// response.
struct RewardReport {
    let start: StepExamination
    let policies: [LearntPolicy]
    let threshold: Double
    let questions: [Question]

    /// - Parameter emphasised: the mode to set off.
    func add(to report: inout Report, emphasised: StepReward) throws {
        report.add(try StepExamination.table(examinations, emphasised: emphasised.rawValue))
        for (figure, title, unit) in [
            ("accuracy", "Accuracy of what is sampled", "share of right responses"),
            ("steps", "Length in steps", "steps a response"),
            ("empty steps", "Steps that say nothing", "share of a response's steps"),
        ] {
            report.add(Plot(title, x: "round", y: unit, .lines(policies.map { curve($0, figure) })))
        }
        report.add(samples)
    }

    private var examinations: [StepExamination] { [start] + policies.map(\.examination) }

    /// Means over ten rounds.
    private func curve(_ policy: LearntPolicy, _ figure: String) -> Plot.Series {
        let rounds = policy.rounds
        return Plot.Series(
            policy.mode.rawValue,
            stride(from: 0, to: rounds.count, by: 10).map { first in
                let part = rounds[first..<min(first + 10, rounds.count)]
                return Plot.Point(
                    Double(part.last?.round ?? 0), part.reduce(0) { $0 + $1[figure] } / Double(part.count))
            })
    }

    private var samples: [SampleTrace] {
        start.greedy.prefix(8).enumerated().map { index, first in
            let question = questions[first.response.question]
            return SampleTrace(
                "\(index + 1)", input: question.prompt, expected: question.golds.first ?? "",
                arms: examinations.map { arm in
                    let judged = arm.greedy[index]
                    let steps = zip(judged.response.steps, judged.scores ?? judged.response.steps.map { _ in .nan })
                    return .init(
                        arm.name, judged.response.steps.map(\.text).joined(separator: "\n"),
                        isCorrect: judged.response.isRight, score: judged.total,
                        steps: steps.map { .init(NumberStyle.decimals(2).text($1), $0.text) })
                })
        }
    }

    /// Writes `training.jsonl` (each round's diagnostics) and `rewards.jsonl` (each examined sample with its steps' scores and rewards).
    func writeFiles(in lab: Lab) async throws {
        let rounds = policies.flatMap { policy in policy.rounds.map { $0.line(mode: policy.mode) } }
        let traces = examinations.flatMap { one in
            one.sampled.joined().map {
                $0.line(policy: one.name, question: questions[$0.response.question].prompt, threshold: threshold)
            }
        }
        for (name, kind, lines) in [
            ("training.jsonl", "training log", rounds), ("rewards.jsonl", "reward traces", traces),
        ] {
            let file = try lab.outputFile(name)
            try Data(lines.map { $0.text() + "\n" }.joined().utf8).write(to: file, options: .atomic)
            await lab.recorder.record(Artifact(kind: kind, path: file.path))
        }
    }
}
