import Laboratory
import Inference

/// What a policy does on held-out questions: its most likely response, and several drawn at temperature 1.
package struct StepExamination: Sendable {
    package var name: String
    /// One a question.
    package var greedy: [JudgedResponse]
    /// Several a question.
    package var sampled: [[JudgedResponse]]

    package init(
        _ name: String, of model: LocalModel, on task: StepTask, samples: Int, judge: StepJudge, in lab: Lab
    ) async throws {
        self.name = name
        greedy = try judge(
            await task.responses(of: model, temperature: 0, label: "Examining, greedy", in: lab).flatMap { $0 })
        sampled = try await task.responses(of: model, samples: samples, label: "Examining, sampled", in: lab)
            .map { try judge($0) }
    }

    package var greedyAccuracy: Double { mean(greedy) { $0.response.isRight ? 1 : 0 } }
    package var sampledAccuracy: Double { figure("accuracy") }

    /// The chance that one of so many samples is right.
    package func passRate(_ k: Int) throws -> Double {
        try PassRate.estimate(sampled.map { $0.map(\.response.isRight) }, k: k).value
    }

    /// The mean of a figure over the samples.
    package func figure(_ name: String) -> Double { mean(sampled.flatMap { $0 }) { $0.figures[name] ?? 0 } }

    private func mean(_ responses: [JudgedResponse], _ value: (JudgedResponse) -> Double) -> Double {
        responses.reduce(0) { $0 + value($1) } / Double(max(1, responses.count))
    }

    /// - Parameter emphasised: the name of the row to set off.
    static func table(_ all: [StepExamination], emphasised: String) throws -> Table {
        let samples = all.first?.sampled.first?.count ?? 1
        var table = Table(
            "Held-out questions",
            columns: [.text("policy")]
                + [
                    "greedy accuracy", "sampled accuracy", "pass@\(samples)", "tokens", "steps", "step score",
                    "empty steps", "cut short",
                ].map(Table.Column.number))
        let two = NumberStyle.decimals(2)
        for one in all {
            let cut = one.mean(one.sampled.flatMap { $0 }) { $0.response.isFinished ? 0 : 1 }
            table.add(
                one.name, NumberStyle.percent.text(one.greedyAccuracy), NumberStyle.percent.text(one.sampledAccuracy),
                NumberStyle.percent.text(try one.passRate(samples)), two.text(one.figure("tokens")),
                two.text(one.figure("steps")), two.text(one.figure("step score")),
                NumberStyle.percent.text(one.figure("empty steps")), NumberStyle.percent.text(cut),
                emphasised: one.name == emphasised)
        }
        return table
    }
}
