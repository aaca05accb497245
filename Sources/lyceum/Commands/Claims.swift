import ArgumentParser
import Catalogue
import Foundation
import Laboratory
import Text

/// Puts every claim to the test (the methods' demos, and that learning works) and writes what came of it: `Docs/Claims.md` and
/// `Docs/Claims.json`.
struct Claims: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run every demo and write the verdicts.", shouldDisplay: false)

    @OptionGroup var model: ModelArguments

    @Option(help: "Start every random stream here.")
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("The folder to write into.", valueName: "folder"))
    var out = "Docs"

    @Argument(
        help:
            "Only these, by the methods' names or learning-sft, -dpo, -grpo, -reward; what the pages say of the others stays.",
        completion: .custom(Completions.claims))
    var slugs: [String] = []

    func run() async throws {
        let catalogue = Catalogue.standard
        let chosen = try slugs.isEmpty ? catalogue.claims : slugs.map { slug in try catalogue.claim(slug) }
        let reference = try model.reference()
        let file = out + "/Claims.json"
        let known = try slugs.isEmpty ? [] : Self.verdicts(in: file)
        try await Interrupts.cancelling { [model, seed, out] in
            let subject = try await loadModel(reference, settings: model.settings)
            let runner = try Session.runner(settings: model.settings)
            var verdicts = Dictionary(known.map { ($0.slug, $0) }, uniquingKeysWith: { $1 })
            for claim in chosen {
                runner.console.tell("demo \(claim.slug)")
                let report = try await runner.demo(claim, on: .init(model: subject, seed: seed))
                guard let verdict = report.verdict else { continue }
                verdicts[verdict.slug] = verdict
                // After each one, so that an interruption loses no other.
                let all = verdicts.values.sorted { $0.slug < $1.slug }
                try Output.write(JSONValue.array(all.map(\.json)).text(pretty: true) + "\n", to: file)
                try Output.write(Self.page(all, model: subject.identity.name, catalogue), to: out + "/Claims.md")
            }
        }
        Output.line("\(out)/Claims.md, \(file): \(chosen.count) demos ran")
    }

    /// The verdicts of earlier runs; none where there is no file.
    private static func verdicts(in file: String) throws -> [Verdict] {
        guard let data = FileManager.default.contents(atPath: file) else { return [] }
        return try JSONValue(parsing: Array(data)).arrayValue?.compactMap(Verdict.init(json:)) ?? []
    }

    private static func page(_ verdicts: [Verdict], model: String, _ catalogue: Catalogue) throws -> String {
        var report = Report(
            "Claims",
            summary:
                "What each demo measured with \(model) as the subject. Written by lyceum claims; lyceum claims SLUG measures one again."
        )
        var table = Table("", columns: [.text("Claim"), .text("Verdict"), .number("Seconds"), .number("Seed")])
        for verdict in verdicts {
            table.add(
                verdict.slug, verdict.outcome.phrase, NumberStyle.decimals(1).text(verdict.seconds),
                String(verdict.seed))
        }
        report.add(table)
        for verdict in verdicts {
            let claim = try catalogue.claim(verdict.slug)
            report.section(claim.name)
            report.note(claim.statement)
            var table = Table("", columns: [.text("Check"), .number("Measured"), .text("Wanted"), .text("")])
            for check in verdict.checks {
                table.add(
                    check.name, NumberStyle.decimals(4).text(check.measured), check.threshold.text,
                    check.holds ? "holds" : "fails")
            }
            for control in verdict.controls {
                table.add(control.name, NumberStyle.decimals(4).text(control.value), "", "control")
            }
            report.add(table)
        }
        return try report.rendered(.md)
    }
}
