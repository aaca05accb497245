import Inference
import Laboratory
import Text

/// What several arms made of the same questions with the same prompts, retriever and budgets.
package struct FuRePAArms: Sendable {
    package let questions: [Question]
    package let arms: [FurthestReasoning]
    /// [arms × questions]
    package let traces: [[FurthestTrace]]
    private let supports: [String: Set<String>]

    /// - Parameters:
    ///   - key: of what the traces depend on besides arm and question: model and options.
    ///   - file: where traces are kept, and found again.
    package init(
        _ arms: [FurthestReasoning], on questions: [Question], supports: [String: Set<String>] = [:],
        asking model: any LanguageModel, key: String = "", file: LineArchive<FurthestTrace>? = nil, in lab: Lab
    ) async throws {
        for question in questions where question.golds.allSatisfy({ $0.trimmingSpaces.isEmpty }) {
            throw FuRePAError.noGold(question: question.id)
        }
        var traces: [[FurthestTrace]] = []
        for arm in arms {
            traces.append(
                try await lab.forEach(arm.name, questions) { question in
                    let name = "\(key)/\(arm.name)/\(question.id)/\(question.prompt)"
                    if let known = await file?[name] { return known }
                    let trace = try await arm.reason(Inquiry(question, asking: model, seed: lab.seed))
                    try await file?.keep(trace, as: name)
                    return trace
                })
        }
        self.questions = questions
        self.arms = arms
        self.traces = traces
        self.supports = supports
    }

    package func isRight(_ arm: Int) -> [Bool] {
        zip(traces[arm], questions).map { AnswerMatch.isExact($0.answer, references: $1.golds) }
    }

    package func f1(_ arm: Int) -> Double {
        let scores = zip(traces[arm], questions).map { AnswerMatch.f1($0.answer, references: $1.golds) }
        return scores.reduce(0, +) / Double(max(1, scores.count))
    }

    /// The mean share of the supporting passages in D when a round ends, over questions with annotated supports; a question that
    /// has ended keeps its last share. Nil without such questions.
    package func recall(_ arm: Int, round: Int) -> Double? {
        let shares = zip(traces[arm], questions).compactMap { trace, question -> Double? in
            guard let needed = supports[question.id], !needed.isEmpty else { return nil }
            let known = round < trace.rounds.count ? trace.rounds[round].documents : trace.documents
            return Double(needed.intersection(known).count) / Double(needed.count)
        }
        return shares.isEmpty ? nil : shares.reduce(0, +) / Double(shares.count)
    }

    package func difference(_ arm: Int, from baseline: Int, seed: UInt64) throws -> PairedDifference {
        try PairedDifference(baseline: isRight(baseline), method: isRight(arm), seed: seed)
    }

    /// The arms beside one another, the first being the baseline.
    package func report(_ title: String, seed: UInt64) throws -> Report {
        let percent = NumberStyle.percent
        let accuracies = try arms.indices.map { try Estimate.accuracy(isRight($0)) }
        var report = Report(
            title,
            summary: zip(arms, accuracies).map { "\($0.name) \(percent.text($1.value))" }.joined(separator: ", ")
                + " of \(questions.count) questions right.")
        for arm in arms.indices.dropFirst() {
            report.add(
                Comparison(
                    "exact match", baseline: arms[0].name, method: arms[arm].name,
                    try difference(arm, from: 0, seed: seed), style: .percent))
        }
        let rounds = arms.map(\.rounds).max() ?? 1
        var table = Table(
            "Arms on the same questions",
            columns: [.text("arm"), .number("exact match"), .number("token F1"), .number("calls"), .number("rounds")]
                + (1...rounds).map { .number("recall after \($0)") })
        for arm in arms.indices {
            let count = Double(max(1, questions.count))
            let calls = traces[arm].reduce(0.0) { $0 + Double($1.calls) } / count
            let used = traces[arm].reduce(0.0) { $0 + Double($1.rounds.count) } / count
            table.add(
                [
                    arms[arm].name, percent.text(accuracies[arm].value), NumberStyle.decimals(3).text(f1(arm)),
                    NumberStyle.decimals(1).text(calls), NumberStyle.decimals(1).text(used),
                ] + (1...rounds).map { recall(arm, round: $0).map(percent.text) ?? "" })
        }
        report.add(table)
        var stops = Table("How the answers came about", columns: [.text("arm"), .text("how"), .number("questions")])
        for arm in arms.indices {
            for (stop, same) in Dictionary(grouping: traces[arm], by: \.stop).sorted(by: { $0.key < $1.key }) {
                stops.add(arms[arm].name, stop, String(same.count))
            }
        }
        report.add(stops)
        report.add(samples())
        return report
    }

    /// The rounds of each arm on the first questions.
    package func samples(_ count: Int = .max) -> [SampleTrace] {
        questions.indices.prefix(count).map { place in
            SampleTrace(
                questions[place].id, input: questions[place].prompt,
                expected: questions[place].golds.joined(separator: " or "),
                arms: arms.indices.map { arm in
                    let trace = traces[arm][place]
                    let steps = trace.rounds.enumerated().map { number, round in
                        let scored =
                            round.scores.isEmpty
                            ? round.plans
                            : zip(round.plans, round.scores).map { "\($0) (\(NumberStyle.decimals(2).text($1)))" }
                        return SampleTrace.Step(
                            "round \(number + 1)",
                            "documents: \(round.documents.joined(separator: ", "))\n"
                                + round.samples.map { "reply: \($0.text)\n" }.joined()
                                + "plans: \(scored.joined(separator: "; "))\n"
                                + "chosen: \(round.chosen ?? "none")\nnew: \(round.new.joined(separator: ", "))")
                    }
                    return SampleTrace.Arm(
                        arms[arm].name, trace.answer, isCorrect: isRight(arm)[place], steps: steps)
                })
        }
    }
}
