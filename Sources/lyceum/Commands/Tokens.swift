import ArgumentParser
import Inference
import Laboratory
import Text

struct Tokenize: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the tokens that a text becomes.",
        discussion: """
            The file's exact bytes are read. Special tokens such as <|im_start|> are
            plain text unless --special is given.

              lyceum tokenize notes.txt
              lyceum tokenize --model model.gguf --json notes.txt
              echo -n "Hello" | lyceum tokenize -
            """)

    @Argument(help: "The file; - is the standard input.", completion: .file())
    var file: String

    @OptionGroup var model: ModelArguments

    @Flag(help: "Recognise special tokens in the text.")
    var special = false

    @Flag(help: "Print {\"ids\":[…]}.")
    var json = false

    func run() async throws {
        let bytes = try Output.bytes(of: file)
        let reference = try model.reference()
        let ids = try await Interrupts.cancelling { [special] in
            try await tokenIDs(of: bytes, special: special, model: reference)
        }
        if json { return Output.json(["ids": .array(ids.map { .integer(Int($0)) })]) }
        Output.line(ids.map(String.init).joined(separator: " "))
        Output.line("\(ids.count) tokens for \(bytes.count) bytes")
    }
}

struct ScoreText: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Give the log-probability of every token of a text.",
        discussion: """
            Each number is the natural logarithm of the token's probability given all
            before it; the first has none.

              lyceum score notes.txt
              lyceum score --json --precision f32 notes.txt
            """)

    @Argument(help: "The file; - is the standard input.", completion: .file())
    var file: String

    @OptionGroup var model: ModelArguments

    @Flag(help: "Recognise special tokens in the text.")
    var special = false

    @Flag(help: "Print {\"ids\":[…],\"logprobs\":[null,…]}.")
    var json = false

    func run() async throws {
        let text = try Output.text(of: file)
        let reference = try model.reference()
        let score = try await Interrupts.cancelling { [model, special] in
            try await scoringModel(reference, for: "score", settings: model.settings)
                .score(.text(text, special: special))
        }
        if json {
            return Output.json([
                "ids": .array(score.ids.map { .integer(Int($0)) }),
                "logprobs": .array(score.logProbs.map { $0.map { .number(Double($0)) } ?? .null }),
            ])
        }
        let known = score.logProbs.compactMap { $0 }
        guard !known.isEmpty else { return Output.line("\(score.ids.count) tokens; nothing to score.") }
        let mean = Double(score.total()) / Double(known.count)
        var table = Table("", columns: [.text(""), .number("")])
        table.add("tokens", String(score.ids.count))
        table.add("log-probability", NumberStyle.decimals(3).text(Double(score.total())))
        table.add("per token", NumberStyle.decimals(4).text(mean))
        table.add("perplexity", NumberStyle.decimals(3).text(Perplexity.of(meanLogProbability: mean)))
        Output.table(table)
    }
}
