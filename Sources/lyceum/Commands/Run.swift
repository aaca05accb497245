import ArgumentParser
import Catalogue
import Inference
import Laboratory
import Text

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Apply a method to a model and see what changed against the baseline.",
        usage: "lyceum run <method> [--model <model>] [--data <file>] [options of the method]",
        discussion: """
            The report comes as a table here, as an HTML page with plots and sample
            traces, and as a record in the run store. lyceum run <method> --help shows
            the method's own options.

              lyceum run autopasta --data qa.jsonl
              lyceum run autopasta --data qa.jsonl --alpha 0.05 --top-sentences 2
              lyceum run zero-shot-cot --data d.csv --model ollama:llama3.2 --limit 100
              lyceum run zero-shot-cot --config experiment.yaml --seed 7

            A configuration file holds the same names, one a line (alpha: 0.05); flags
            win over it.
            """)

    @Argument(
        parsing: .captureForPassthrough, help: "The method, then its options.",
        completion: .custom(Completions.methods))
    var arguments: [String] = []

    func run() async throws {
        guard let slug = arguments.first, slug != "--help", slug != "-h" else {
            if arguments.isEmpty { throw ValidationError("Name a method. lyceum methods lists them.") }
            return Output.line(
                Lyceum.helpMessage(for: Run.self) + "\n\n"
                    + OptionHelp.text(RunSettings.descriptions, "Options of every run"))
        }
        guard !slug.hasPrefix("-") else {
            throw ValidationError("Name the method first: lyceum run <method> \(slug) …")
        }
        let catalogue = Catalogue.standard
        let flags = Array(arguments.dropFirst())
        if flags.contains("--help") || flags.contains("-h") {
            return Output.write(OptionHelp.page(of: try catalogue.card(slug), in: catalogue))
        }
        let method = try catalogue.method(slug)
        let plan = try Plan(method, flags: flags)
        let report = try await Interrupts.cancelling { try await plan.carryOut() }
        if plan.settings.json {
            Output.write(try report.rendered(.json))
        } else {
            Output.write(TerminalRenderer(.standardOutput).render(report))
        }
        try Session.keep(report, at: plan.settings.out?.string)
    }

    /// A run whose every word has been checked, before any work.
    private struct Plan: Sendable {
        let method: any Method.Type
        let settings: RunSettings
        let options: JSONValue
        let reference: ModelReference

        init(_ method: any Method.Type, flags: [String]) throws {
            self.method = method
            var settings = RunSettings()
            var rest = try settings.take(flags: flags)
            var values: JSONValue?
            if let config = settings.config {
                let file = RunSettings.partition(try OptionFile.values(at: config.string))
                do {
                    settings = try RunSettings(json: file.settings)
                    _ = try method.options(flags: [], config: file.method, alsoKnown: [])
                } catch {
                    throw OptionError.file(path: config.string, line: nil, message: "\(error)")
                }
                values = file.method
                rest = try settings.take(flags: flags)
            }
            try settings.checkAll()
            options = try method.options(
                flags: rest, config: values, alsoKnown: RunSettings.fields.map(\.name) + ["help"])
            self.settings = settings
            reference = try ModelReference(settings.model)
        }

        func carryOut() async throws -> Report {
            let data = try settings.data.map { try DataSet(path: $0.string, limit: settings.limit) }
            let modelSettings = ModelSettings(precision: settings.precision)
            let subject = try await loadModel(reference, settings: modelSettings)
            let runner = try Session.runner(
                settings: modelSettings, isQuiet: settings.quiet, keeps: settings.store)
            return try await runner.run(
                method, options: options,
                on: .init(model: subject, data: data, seed: UInt64(settings.seed), limit: settings.limit))
        }
    }
}
