import ArgumentParser
import Foundation
import Inference
import Laboratory
import Text

struct Generate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Complete one prompt.",
        discussion: """
            The prompt is a question put into the model's chat template; --raw continues
            it as it stands.

              lyceum generate "Name three rivers of France."
              lyceum generate --raw "Once upon" --temperature 0.8 --seed 1
              lyceum generate --raw --prompt-file prompt.txt --temperature 0 --json
              lyceum generate --prompt-file - --model ollama:llama3.2 < task.txt
            """)

    @Argument(help: "The prompt.")
    var prompt: String?

    @Option(
        help: ArgumentHelp("Read the prompt from a file's exact bytes; - is the standard input.", valueName: "file"))
    var promptFile: String?

    @Flag(help: "Continue the prompt as it stands, without the chat template.")
    var raw = false

    @Flag(help: "Recognise special tokens in a raw prompt.")
    var special = false

    @Option(help: "What the model is told before the prompt.")
    var system: String?

    @OptionGroup var model: ModelArguments
    @OptionGroup var sampling: SamplingArguments

    @Flag(help: "Generate on after the model's end of text.")
    var ignoreEos = false

    @Option(help: ArgumentHelp("Let the text be valid under this JSON Schema.", valueName: "file"))
    var schema: String?

    @Option(help: "Let the text match this regular expression.")
    var regex: String?

    @Flag(help: "Print the text, its ids and what it cost as JSON.")
    var json = false

    func validate() throws {
        guard (prompt == nil) != (promptFile == nil) else {
            throw ValidationError("Give one prompt: as an argument, or with --prompt-file FILE.")
        }
        guard !raw || system == nil else { throw ValidationError("--system belongs to a chat; leave out --raw.") }
        guard raw || !special else { throw ValidationError("--special belongs to a raw prompt; add --raw.") }
        guard schema == nil || regex == nil else { throw ValidationError("Give --schema or --regex, not both.") }
    }

    func run() async throws {
        let reference = try model.reference()
        let request = try makeRequest()
        let isStreaming = !json
        let completion = try await Interrupts.cancelling { [model] in
            let model = try await loadModel(reference, settings: model.settings)
            guard isStreaming else { return try await model.complete(request) }
            return try await Streaming.print(model.stream(request))
        }
        if json { Output.json(Self.json(of: completion)) }
    }

    private func makeRequest() throws -> CompletionRequest {
        let text = try promptFile.map(Output.text) ?? prompt ?? ""
        let messages = (system.map { [ChatMessage.system($0)] } ?? []) + [.user(text)]
        let constraint: Constraint? =
            if let schema {
                .jsonSchema(try Self.schema(at: schema))
            } else {
                regex.map { .regex($0) }
            }
        return CompletionRequest(
            raw ? .text(text, special: special) : .chat(messages), sampling: sampling.sampling,
            stop: StopRule(maxTokens: sampling.maxTokens, strings: sampling.stop, ignoresEndOfText: ignoreEos),
            constraint: constraint)
    }

    private static func schema(at path: String) throws -> JSONValue {
        do {
            return try JSONValue(parsing: Output.bytes(of: path))
        } catch let error as JSONError {
            throw Leaving.Usage(description: "\(path):\(error.line): is not JSON: \(error.message)")
        }
    }

    static func json(of completion: Completion) -> JSONValue {
        [
            "text": .string(completion.text), "ids": .array(completion.ids.map { .integer(Int($0)) }),
            "finish": .string(completion.finish.rawValue),
            "usage": [
                "promptTokens": .integer(completion.usage.promptTokens),
                "cachedTokens": .integer(completion.usage.cachedTokens),
                "completionTokens": .integer(completion.usage.completionTokens),
            ],
        ]
    }
}

/// Text as it grows, on the standard output.
enum Streaming {
    /// Prints a stream's text and returns its completion.
    static func print(_ stream: AsyncThrowingStream<CompletionEvent, any Error>) async throws -> Completion {
        var last: Completion?
        for try await event in stream {
            switch event {
            case .text(let text): Output.write(text)
            case .done(let completion): last = completion
            }
        }
        try Task.checkCancellation()
        Output.write("\n")
        guard let last else { throw StreamError() }
        return last
    }

    struct StreamError: Error, CustomStringConvertible {
        var description: String { "The model ended its stream without a completion." }
    }
}
