import Inference
import Laboratory

/// What a run of AutoPASTA reports: every arm's exact match and F1, how often the right sentence was highlighted, and the
/// head profile.
struct OpenBookReport {
    let report: Report

    init(
        arms: [OpenBookArm], results: [OpenBookAnswering.Result], choice: HeadChoice, map: SentenceMap
    ) throws {
        let graded = results.filter { !$0.item.answers.isEmpty }
        let unmapped = results.count { $0.matches.isEmpty }
        var report = Report("AutoPASTA: attention steered towards the sentence that the model names")
        report.section("Answers")
        report.note("Heads steered: \(choice.heads.names), \(choice.source).")
        if graded.isEmpty {
            report.summary = "\(results.count) questions answered; none has a gold answer, so nothing was graded."
        } else {
            let direct = f1(.direct, graded)
            let steered = f1(.autopasta, graded)
            let comparison = Comparison(
                "answer F1", baseline: "direct", method: "autopasta",
                try PairedDifference(baseline: direct, method: steered))
            let style = NumberStyle.decimals(3)
            let difference = comparison.difference
            report.summary =
                "Answer F1 \(style.text(difference.method.value)) with AutoPASTA, "
                + "\(style.text(difference.baseline.value)) unsteered, on \(graded.count) questions."
            report.add(comparison)
            report.add(
                Comparison(
                    "exact match", baseline: "direct", method: "autopasta",
                    try PairedDifference(
                        baseline: exact(.direct, graded), method: exact(.autopasta, graded))))
            report.add(try Self.table(arms, graded))
            report.add(try Self.plot(arms, graded))
        }
        report.section("The highlighted sentence")
        let hits = results.compactMap(\.isHit)
        if !hits.isEmpty {
            report.add([
                Metric(
                    "evidence hit rate", try .accuracy(hits), style: .percent,
                    detail: "the highlighted sentences hold a gold answer or supporting sentence")
            ])
        }
        let routes = Dictionary(grouping: results.compactMap { $0.matches.first?.route }, by: { $0 })
        report.note(
            "Sentences are compared by \(map.method). "
                + routes.sorted { $0.key.rawValue < $1.key.rawValue }
                .map { "\($0.value.count) found as \($0.key.rawValue)" }.joined(separator: ", ")
                + (unmapped == 0 ? "." : "; nothing could be mapped in \(unmapped), which were answered unsteered."))
        if let profile = choice.profile { Self.add(profile, to: &report) }
        report.section("Samples")
        report.add(results.prefix(20).map(\.sample))
        self.report = report
    }

    /// The profile's scores: every layer, the best heads, the candidate sets.
    static func add(_ profile: HeadProfile, to report: inout Report) {
        let style = NumberStyle.decimals(3)
        report.section("The head profile")
        report.note(
            "\(profile.metric) on \(profile.items) items (\(profile.task)); unsteered \(style.text(profile.unsteered))."
        )
        report.add(
            Plot(
                "Each layer steered alone", x: "layer", y: "score",
                .lines([
                    .init("all heads of the layer", values: profile.coarse),
                    .init("unsteered", values: profile.coarse.map { _ in profile.unsteered }),
                ])))
        var heads = Table("The best heads alone", columns: [.text("head"), .number("score")])
        for head in profile.fine.prefix(10) { heads.add(head.heads.names, style.text(head.score)) }
        report.add(heads)
        var sets = Table("Head sets", columns: [.number("heads"), .number("score"), .text("which")])
        for (index, set) in profile.candidates.prefix(10).enumerated() {
            sets.add(
                "\(set.heads.count)", style.text(set.score),
                set.heads.prefix(8).names + (set.heads.count > 8 ? " …" : ""), emphasised: index == 0)
        }
        report.add(sets)
    }

    private static func table(_ arms: [OpenBookArm], _ results: [OpenBookAnswering.Result]) throws -> Table {
        var table = Table(
            "All arms", columns: [.text("arm"), .number("exact match"), .number("F1"), .number("questions")])
        for arm in arms {
            let answered = results.filter { $0.answers[arm] != nil }
            guard !answered.isEmpty else { continue }
            table.add(
                arm.rawValue, Metric("", try .accuracy(exact(arm, answered))).text,
                Metric("", try .mean(f1(arm, answered))).text, "\(answered.count)", emphasised: arm == .autopasta)
        }
        return table
    }

    private static func plot(_ arms: [OpenBookArm], _ results: [OpenBookAnswering.Result]) throws -> Plot {
        let bars = try arms.compactMap { arm -> Plot.Bar? in
            let scores = f1(arm, results.filter { $0.answers[arm] != nil })
            return scores.isEmpty ? nil : Plot.Bar(arm.rawValue, try .mean(scores))
        }
        return Plot("Answer F1 by arm", x: "arm", y: "F1", .bars(bars))
    }
}

private func f1(_ arm: OpenBookArm, _ results: [OpenBookAnswering.Result]) -> [Double] {
    results.map { AnswerMatch.f1($0.answers[arm] ?? "", $0.item.answers) }
}

private func exact(_ arm: OpenBookArm, _ results: [OpenBookAnswering.Result]) -> [Bool] {
    results.map { AnswerMatch.exact($0.answers[arm] ?? "", $0.item.answers) }
}
