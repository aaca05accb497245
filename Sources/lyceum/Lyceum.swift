import ArgumentParser

/// The command line of Lyceum.
@main
struct Lyceum: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "lyceum",
        abstract: "A laboratory for language models: published methods, run and measured on your model.",
        discussion: """
            Start here:
              lyceum demo                         a published method on the embedded model, with its verdict
              lyceum methods                      every method, by family
              lyceum explain autopasta            what a method does, what it needs, its options
              lyceum run autopasta --data qa.jsonl
                                                  a method on your data, beside its baseline
              lyceum runs                         what ran before; lyceum report <run> shows it again

            Models are named the same way everywhere:
              embedded                            the model that set-up installed
              model.gguf, folder/                 a GGUF file or a Hugging Face folder
              openai:NAME@URL                     an OpenAI-compatible endpoint, key in OPENAI_API_KEY
              ollama:NAME                         a model of an Ollama server

            Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
            """,
        version: version,
        subcommands: [],
        groupedSubcommands: [
            CommandGroup(name: "Methods", subcommands: [Demo.self, Run.self, Methods.self, Explain.self]),
            CommandGroup(
                name: "Models",
                subcommands: [Chat.self, Generate.self, ScoreText.self, Embed.self, Tokenize.self, Model.self]),
            CommandGroup(name: "Results", subcommands: [Runs.self, ShowReport.self, Bench.self, Claims.self]),
        ])

    /// Runs the command line: ArgumentParser's own `main` would leave with its own exit codes.
    static func main() async {
        do {
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
}
