import ArgumentParser
import Catalogue
import Laboratory
import Text

/// Runs every demo and writes what came of it: `Docs/Claims.md` and `Docs/Claims.json`.
struct Claims: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run every demo and write the verdicts.", shouldDisplay: false)

    @OptionGroup var model: ModelArguments

    @Option(help: "Start every random stream here.")
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("The folder to write into.", valueName: "folder"))
    var out = "Docs"

    @Argument(help: "Only these methods.", completion: .custom(Completions.methods))
    var methods: [String] = []

    func run() async throws {
        let catalogue = Catalogue.standard
        let chosen = try methods.isEmpty ? catalogue.methods : methods.map { slug in try catalogue.method(slug) }
        let reference = try model.reference()
        let verdicts = try await Interrupts.cancelling { [model, seed] in
            let subject = try await loadModel(reference, settings: model.settings)
            let runner = try Session.runner(settings: model.settings)
            var verdicts: [Verdict] = []
            for method in chosen {
                runner.console.tell("demo \(method.card.slug)")
                let report = try await runner.demo(method, on: .init(model: subject, seed: seed))
                if let verdict = report.verdict { verdicts.append(verdict) }
            }
            return (verdicts, subject.identity.name)
        }
        try Output.write(
            JSONValue.array(verdicts.0.map(\.json)).text(pretty: true) + "\n", to: out + "/Claims.json")
        try Output.write(Self.page(verdicts.0, model: verdicts.1, catalogue), to: out + "/Claims.md")
        Output.line("\(out)/Claims.md, \(out)/Claims.json: \(verdicts.0.count) verdicts")
    }

    private static func page(_ verdicts: [Verdict], model: String, _ catalogue: Catalogue) throws -> String {
        var report = Report(
            "Claims",
            summary: "What each demo measured on \(model). Written by lyceum claims; every number comes from that run.")
        var table = Table("", columns: [.text("Method"), .text("Verdict"), .number("Seconds"), .number("Seed")])
        for verdict in verdicts {
            table.add(
                verdict.slug, verdict.outcome.phrase, NumberStyle.decimals(1).text(verdict.seconds),
                String(verdict.seed))
        }
        report.add(table)
        for verdict in verdicts {
            let card = try catalogue.card(verdict.slug)
            report.section(card.name)
            report.note(card.claim)
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
