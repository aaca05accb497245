import ArgumentParser
import Catalogue
import Laboratory

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
              lyceum run bench --suite gsm8k --strategies direct,zero-shot-cot
              lyceum run wilt --strategy cqot

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
            return Output.write(try OptionHelp.page(of: slug, in: catalogue))
        }
        let method = try catalogue.method(slug)
        try await RunPlan(method, flags: flags).show()
    }
}
