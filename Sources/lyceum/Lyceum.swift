import ArgumentParser
import Laboratory

/// The command line of Lyceum.
@main
struct Lyceum: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "lyceum",
        abstract: "A laboratory for language models: published methods, run and measured on your model.",
        discussion: """
            Start here:
              lyceum demo                     a published method, put to the test
              lyceum methods                  every method, by family
              lyceum explain autopasta        what one does, needs and claims
              lyceum run autopasta --data qa.jsonl
                                              one on your data, beside its baseline
              lyceum runs                     what ran before
              lyceum report last              its report again, in any form

            A model is named the same way everywhere:
              embedded                        the one that set-up installed
              minilm, gemma3-270m             optional ones (make embedders,
                                              make gemma)
              model.gguf, folder/             a GGUF file, a Hugging Face folder
              openai:NAME@URL                 an OpenAI-compatible endpoint
                                              (key in OPENAI_API_KEY)
              ollama:NAME                     a model of an Ollama server

            Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
            """,
        version: version,
        subcommands: [],
        groupedSubcommands: [
            CommandGroup(
                name: "Methods", subcommands: [Demo.self, Run.self, Compare.self, Methods.self, Explain.self]),
            CommandGroup(
                name: "Models",
                subcommands: [Chat.self, Generate.self, ScoreText.self, Embed.self, Tokenize.self, Model.self]),
            CommandGroup(name: "Training", subcommands: [Tune.self, Pretrain.self, Merge.self, Rate.self]),
            CommandGroup(name: "Results", subcommands: [Runs.self, ShowReport.self, Bench.self, Claims.self]),
        ])

    /// Runs the command line: ArgumentParser's own `main` would leave with its own exit codes.
    static func main() async {
        do {
            try checkSubcommand(CommandLine.arguments.dropFirst().first)
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            Leaving.leave(with: error)
        }
    }

    /// Offers the nearest commands for a mistyped one.
    private static func checkSubcommand(_ typed: String?) throws {
        guard let typed, !typed.hasPrefix("-") else { return }
        let names = configuration.subcommands.map { $0._commandName } + ["help"]
        guard !names.contains(typed) else { return }
        throw Leaving.Usage(
            description: "There is no command \(typed.debugDescription). "
                + Spelling.suggestion(for: typed, among: names, otherwise: "lyceum --help lists them."))
    }
}
