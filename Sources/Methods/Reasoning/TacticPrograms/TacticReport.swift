import Foundation
import Laboratory
import Text

/// Tables, traces and files of runs.
enum TacticReport {
    static func report(_ title: String, _ results: [TacticResult], threshold: Double) throws -> Report {
        let standalone = results.filter { !$0.problem.isHybrid }
        let hybrids = results.filter(\.problem.isHybrid)
        let right = results.count(where: \.isRight)
        var report = Report(title, summary: "\(right) of \(results.count) problems are answered right.")
        if !standalone.isEmpty {
            let scores = TacticScores(standalone, threshold: threshold)
            report.section("Problems of one source")
            report.add([
                Metric("accuracy", try .accuracy(scores.right), style: .percent),
                Metric("accuracy with a program", try .accuracy(scores.rightWithProgram), style: .percent),
                Metric(
                    "accuracy with a program above the CodeBLEU threshold", try .accuracy(scores.rightWithLikeProgram),
                    style: .percent),
                Metric("shortcuts: right without a program", scores.shortcutRate, style: .percent),
            ])
            report.add(table(standalone, threshold: threshold))
        }
        if !hybrids.isEmpty {
            let scores = HybridScores(hybrids)
            report.section("Hybrids")
            report.add([
                Metric("accuracy of the final option", try .accuracy(scores.right), style: .percent),
                Metric("strict accuracy", try .accuracy(scores.strictlyRight), style: .percent),
                Metric("tactic hits", try .accuracy(scores.tacticHits), style: .percent),
                Metric("options answered right", try .accuracy(scores.optionRight), style: .percent),
                Metric("BLEU of subproblems", scores.meanBLEU),
            ])
            report.add(mixtures(hybrids))
        }
        return report
    }

    /// A row for each source.
    private static func table(_ results: [TacticResult], threshold: Double) -> Table {
        var table = Table(
            "By source",
            columns: [
                .text("source"), .number("problems"), .number("accuracy"), .number("with program"),
                .number("above CodeBLEU"), .number("mean CodeBLEU"), .number("soft"),
            ] + TacticResult.Failure.allCases.map { .number($0.rawValue) })
        for (source, group) in grouped(results, by: \.problem.dataset) {
            let scores = TacticScores(group, threshold: threshold)
            let shares = [scores.right, scores.rightWithProgram, scores.rightWithLikeProgram]
                .map { NumberStyle.percent.text(TacticScores.share($0)) }
            table.add(
                [source, "\(group.count)"] + shares
                    + [
                        scores.meanSimilarity.map { NumberStyle.decimals(3).text($0) } ?? "–",
                        NumberStyle.percent.text(TacticScores.share(scores.softlyRight)),
                    ] + TacticResult.Failure.allCases.map { "\(scores.failures[$0] ?? 0)" })
        }
        return table
    }

    /// A row for each mixture of sources.
    private static func mixtures(_ results: [TacticResult]) -> Table {
        var table = Table(
            "By mixture",
            columns: [
                .text("mixture"), .number("hybrids"), .number("accuracy"), .number("strict"), .number("tactic hits"),
                .number("options right"),
            ])
        let key: (TacticResult) -> String = { Set($0.problem.parts.map(\.dataset)).sorted().joined(separator: " + ") }
        for (mixture, group) in grouped(results, by: key) {
            let scores = HybridScores(group)
            table.add(
                [mixture, "\(group.count)"]
                    + [scores.right, scores.strictlyRight, scores.tacticHits, scores.optionRight]
                    .map { NumberStyle.percent.text(TacticScores.share($0)) })
        }
        return table
    }

    private static func grouped(
        _ results: [TacticResult], by key: (TacticResult) -> String
    ) -> [(String, [TacticResult])] {
        Dictionary(grouping: results, by: key).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    static func sample(_ result: TacticResult, arm: String = "tactic-programs") -> SampleTrace {
        SampleTrace(
            result.problem.id, input: result.problem.prompt, expected: result.problem.gold,
            arms: [
                .init(
                    arm, result.trajectory.answer ?? "", isCorrect: result.isRight,
                    steps: steps(result.trajectory))
            ])
    }

    private static func steps(_ trajectory: TacticTrajectory) -> [SampleTrace.Step] {
        trajectory.rounds.enumerated().flatMap { index, round -> [SampleTrace.Step] in
            let inner = round.subTrajectories.flatMap(steps).map {
                SampleTrace.Step("option \(round.option ?? 0), \($0.name)", $0.text)
            }
            return [SampleTrace.Step("round \(index + 1)", round.reply)] + inner
                + [SampleTrace.Step("observation \(index + 1)", round.observation(withFeedback: true))]
        }
    }

    /// Writes values line by line into a file of the run.
    static func keep(_ trajectories: [TacticTrajectory], as name: String, in lab: Lab) async throws {
        try await keep(lines: trajectories.map { try $0.json }, as: name, kind: "trajectories", in: lab)
    }

    static func keep(lines: [JSONValue], as name: String, kind: String, in lab: Lab) async throws {
        let file = try lab.outputFile(name)
        try Data(lines.map { $0.text() + "\n" }.joined().utf8).write(to: file, options: .atomic)
        await lab.recorder.record(Artifact(kind: kind, path: file.path))
    }
}
