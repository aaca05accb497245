import ArgumentParser
import Catalogue
import Laboratory

struct Demo: AsyncParsableCommand {
    /// The demo that shows the clearest effect on the embedded model.
    static let standard = "autopasta"

    static let configuration = CommandConfiguration(
        abstract: "Put a paper's claim to the test on the embedded model.",
        discussion: """
            Runs a method's own small experiment and says whether the paper's effect
            holds, falls short, or does not show at this size, with the numbers, their
            thresholds and the control.

              lyceum demo                  the clearest effect: \(standard)
              lyceum demo zero-shot-cot
              lyceum demo qk-score --seed 7 --json
            """)

    @Argument(help: "The method; lyceum methods lists them.", completion: .custom(Completions.methods))
    var method = Demo.standard

    @OptionGroup var model: ModelArguments

    @Option(help: "Start every random stream here.")
    var seed: UInt64 = 1

    @Flag(help: "Print the verdict as JSON.")
    var json = false

    @Option(help: ArgumentHelp("Where the HTML report goes (else the run's own folder).", valueName: "path"))
    var out: String?

    func run() async throws {
        let method = try Catalogue.standard.method(method)
        let reference = try model.reference()
        let report = try await Interrupts.cancelling { [model, seed] in
            let subject = try await loadModel(reference, settings: model.settings)
            let runner = try Session.runner(settings: model.settings)
            return try await runner.demo(method, on: .init(model: subject, seed: seed))
        }
        if json, let verdict = report.verdict {
            Output.json(verdict.json)
        } else {
            Output.write(TerminalRenderer(.standardOutput).render(report))
        }
        try Session.keep(report, at: out)
    }
}
