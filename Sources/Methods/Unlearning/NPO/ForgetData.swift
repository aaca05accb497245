import Foundation
import Inference
import Laboratory
import Text
import Training

/// The user's questions: to be forgotten, to be kept, and further ones that say what else the model knows.
struct ForgetData: Sendable {
    let forget: [AuditQuestion]
    let retain: [AuditQuestion]
    let authors: [AuditQuestion]
    let world: [AuditQuestion]
    /// The most of a set that are examined.
    let size: Int

    init(_ options: NPO.Options, forget: DataSet, format: QuestionFormat) throws {
        func read(_ path: Path?) throws -> [AuditQuestion] {
            guard let path else { return [] }
            return try Self.questions(DataSet(path: path.expanded), format)
        }
        self.forget = try Self.questions(forget, format)
        retain = try read(options.retainData)
        authors = try read(options.authorData)
        world = try read(options.worldData)
        size = options.evaluationSize
        let kept = Set(retain.map(\.text))
        if let both = self.forget.first(where: { kept.contains($0.text) }) {
            throw UnlearningError.overlap(both.question)
        }
    }

    private static func questions(_ data: DataSet, _ format: QuestionFormat) throws -> [AuditQuestion] {
        try data.records(as: TOFURecord.self).map { try AuditQuestion($0, format: format) }
    }

    var examined: [AuditQuestion] { Array(forget.prefix(size)) }
    var kept: [AuditQuestion] { Array(retain.prefix(size)) }
}

/// What an epoch is graded by.
struct EpochFindings: Sendable {
    var forget: AuditFindings
    var retain: AuditFindings?
    var utility: Double?
    var quality: KolmogorovSmirnov?
    /// From the start, on answers to keep; nil without any.
    var divergence: Double?
}

/// Examines a model on all sets.
struct EpochExaminer: Sendable {
    let data: ForgetData
    /// R of a model that never saw what is to be forgotten.
    let retained: [Double]?
    let lab: Lab

    func examine(_ model: any ScoringModel, divergence: Double?) async throws -> EpochFindings {
        let audit = AnswerAudit()
        var choice = audit
        choice.isChoice = true
        let forget = try await audit(data.examined, of: model, label: "Examining", in: lab)
        var kept: [AuditFindings] = []
        if !data.kept.isEmpty { kept.append(try await audit(data.kept, of: model, label: "Examining", in: lab)) }
        for set in [data.authors, data.world] where !set.isEmpty {
            kept.append(try await choice(Array(set.prefix(data.size)), of: model, label: "Examining", in: lab))
        }
        let quality = try retained.flatMap { retained in
            forget.ratios.isEmpty ? nil : try ForgetGrade.quality(forget.ratios, retained: retained)
        }
        return EpochFindings(
            forget: forget, retain: data.kept.isEmpty ? nil : kept.first,
            utility: kept.isEmpty ? nil : ForgetGrade.utility(kept), quality: quality, divergence: divergence)
    }
}

/// The epochs of a run, one row each; epoch 0 is the model before.
struct EpochTable: Sendable {
    private(set) var rows: [(epoch: Int, found: EpochFindings)] = []

    mutating func add(_ epoch: Int, _ found: EpochFindings) { rows.append((epoch, found)) }

    func report(
        objective: String, best: Int, output: String, _ options: NPO.Options, _ data: ForgetData, _ lab: Lab
    ) throws -> Report {
        let three = NumberStyle.decimals(3)
        func text(_ value: Double?) -> String { value.map(three.text) ?? "–" }
        guard let before = rows.first?.found, let after = rows.first(where: { $0.epoch == best })?.found else {
            return Report("NPO")
        }
        var report = Report(
            "Unlearning: \(objective)",
            summary:
                "After epoch \(best) the answers to be forgotten have probability \(text(after.forget.probability)), before "
                + "\(text(before.forget.probability)); ROUGE-L recall \(text(after.forget.rouge)), before \(text(before.forget.rouge))."
        )
        let difference = try PairedDifference(
            baseline: before.forget.answers.map(\.probability), method: after.forget.answers.map(\.probability),
            seed: lab.seed)
        report.add(
            Comparison(
                "probability of what is to be forgotten", baseline: "before", method: "after", difference,
                higherIsBetter: false))
        if let kept = after.retain, let keptBefore = before.retain {
            report.add(
                Comparison(
                    "probability of what is to be kept", baseline: "before", method: "after",
                    try PairedDifference(
                        baseline: keptBefore.answers.map(\.probability), method: kept.answers.map(\.probability),
                        seed: lab.seed)))
        }
        var table = Table(
            "Epoch by epoch",
            columns: [.text("epoch")]
                + [
                    "forget p", "forget ROUGE", "truth ratio", "retain p", "utility", "forget quality", "KS D",
                    "KL to the start",
                ].map(Table.Column.number))
        for row in rows {
            let found = row.found
            table.add(
                [
                    row.epoch == 0 ? "before" : "\(row.epoch)", text(found.forget.probability),
                    text(found.forget.rouge),
                    text(found.forget.forgetTruthRatio), text(found.retain?.probability), text(found.utility),
                    text(found.quality?.test.pValue), text(found.quality?.statistic), text(found.divergence),
                ], emphasised: row.epoch == best)
        }
        report.add(table)
        if let quality = after.quality {
            report.note(
                "Forget quality is the p-value of a Kolmogorov–Smirnov test on \(quality.counts[0]) and \(quality.counts[1]) R values; "
                    + "above 0.05 counts as forgotten. With few values it says little.")
        } else {
            report.note(
                "Forget quality is not given: it needs perturbed answers and a model trained on the retain data only "
                    + "(--retain-model or --retain-values). The model before unlearning can't stand for it.")
        }
        let lengths = data.forget.map(\.text.weight)
        let mean = lengths.reduce(0, +) / Double(max(1, lengths.count))
        report.add([
            Metric("β × mean answer length", options.beta * mean, style: .decimals(2)),
            Metric("best epoch", Double(best), style: .whole),
        ])
        let values = JSONValue.object(
            rows.map { .init("epoch \($0.epoch)", .array($0.found.forget.ratios.map { .number($0) })) })
        let file = try lab.outputFile("r-values.json")
        try Data((values.text(pretty: true) + "\n").utf8).write(to: file, options: .atomic)
        report.note("The model is in \(output), the R values of every epoch in \(file.path).")
        report.add(
            zip(data.examined, zip(before.forget.answers, after.forget.answers)).prefix(12).enumerated().map {
                index, item in
                SampleTrace(
                    "forget \(index + 1)", input: item.0.question, expected: item.0.answer,
                    arms: [
                        .init("before", item.1.0.reply, isCorrect: item.1.0.isExact, score: item.1.0.probability),
                        .init("after", item.1.1.reply, isCorrect: item.1.1.isExact, score: item.1.1.probability),
                    ])
            })
        return report
    }
}
