import ArgumentParser
import Catalogue
import Laboratory

struct Compare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answer the same questions by several strategies and see which is worth its price.",
        usage: "lyceum compare --strategies <a,b,…> --data <file> [--model <model>] [options]",
        discussion: """
            One table: accuracy with its interval, the paired difference to the first
            strategy with its p-value, calls, tokens and seconds. --equal-budget also
            lets the cheaper strategies vote as often as the dearest one's tokens allow.

              lyceum compare --strategies direct,zero-shot-cot --data questions.jsonl
              lyceum compare --strategies direct,sec,cqot --data q.jsonl --equal-budget

            A record has a question and an answer, and options where there are any.
            lyceum compare --help lists the strategies and all options.
            """)

    @Argument(parsing: .captureForPassthrough, help: "The options.")
    var arguments: [String] = []

    func run() async throws {
        if arguments.contains("--help") || arguments.contains("-h") {
            return Output.line(
                Lyceum.helpMessage(for: Compare.self) + "\n\n"
                    + "Strategies: \(Catalogue.standard.strategyNames.joined(separator: ", ")).\n\n"
                    + OptionHelp.text(CompareStrategies.optionDescriptions, "Options of compare") + "\n"
                    + OptionHelp.text(RunSettings.descriptions, "Options of every run"))
        }
        try await RunPlan(CompareStrategies.self, flags: arguments).show()
    }
}
