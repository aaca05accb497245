import ArgumentParser
import Inference
import Laboratory
import Models
import Text

struct Bench: AsyncParsableCommand {
    enum Workload: String, ExpressibleByArgument, CaseIterable {
        case singleStream = "single-stream"
        case streams, prompt, continuations, tokenize
    }

    static let configuration = CommandConfiguration(
        abstract: "Measure the engine's speed on this machine.",
        discussion: """
            Without a workload all are measured. `make bench` runs the same beside other engines, turn by turn, and writes
            Benchmarks/results.json.

              lyceum bench
              lyceum bench streams --streams 16 --prompt 16 --tokens 128
              lyceum bench continuations --streams 64 --prompt 1024 --tokens 32 --json
              lyceum bench tokenize --text book.txt
            """)

    @Argument(help: "single-stream, streams, prompt, continuations or tokenize.")
    var workload: Workload?

    @OptionGroup var model: ModelArguments

    @Option(help: "Streams that run together.")
    var streams = 16

    @Option(help: "Tokens of each prompt.")
    var prompt: Int?

    @Option(help: "Tokens that each stream generates.")
    var tokens: Int?

    @Option(help: "The text to tokenise.", completion: .file())
    var text: String?

    @Option(help: "How often each workload is measured, after one run that doesn't count.")
    var rounds = 3

    @Option(help: "Threads to compute with (else all processors).")
    var threads: Int?

    @Flag(help: "Print {\"values\":[…]}.")
    var json = false

    func validate() throws {
        for (name, value) in [
            ("streams", streams), ("prompt", prompt ?? 1), ("tokens", tokens ?? 1), ("rounds", rounds),
        ]
        where value < 1 {
            throw ValidationError("--\(name) can't be \(value): it expects at least 1.")
        }
        guard workload != .tokenize || text != nil else {
            throw ValidationError("tokenize needs --text FILE.")
        }
        guard workload != nil || !json else { throw ValidationError("--json prints one workload; name it.") }
    }

    func run() async throws {
        let reference = try model.reference()
        if workload == .tokenize {
            let bytes = try Output.bytes(of: text ?? "-")
            let tokenizer = try ModelText(path: reference.localPath()).tokenizer
            return report("tokenise", "MB/s", Benchmark.tokenising(bytes, with: tokenizer, rounds: rounds))
        }
        try await Interrupts.cancelling {
            var settings = model.settings
            settings.threads = threads
            let subject = try await openModel(reference, for: "bench", settings: settings)
            let benchmark = Benchmark(model: subject, rounds: rounds)
            for workload in workload.map({ [$0] }) ?? [.singleStream, .streams, .prompt, .continuations] {
                let values = try await measure(workload, benchmark)
                report(title(workload), "tokens/s", values)
            }
        }
    }

    private func measure(_ workload: Workload, _ benchmark: Benchmark) async throws -> [Double] {
        switch workload {
        case .singleStream: try await benchmark.singleStream(tokens: tokens ?? 128)
        case .streams: try await benchmark.streams(streams, prompt: prompt ?? 16, tokens: tokens ?? 128)
        case .prompt: try await benchmark.prompt(prompt ?? 512)
        case .continuations:
            try await benchmark.continuations(
                self.workload == nil ? 64 : streams, prompt: prompt ?? 1024, tokens: tokens ?? 32)
        case .tokenize: []
        }
    }

    private func title(_ workload: Workload) -> String {
        switch workload {
        case .singleStream: "one stream, \(tokens ?? 128) tokens"
        case .streams: "\(streams) streams of \(tokens ?? 128) tokens"
        case .prompt: "prompt of \(prompt ?? 512) tokens"
        case .continuations:
            "\(self.workload == nil ? 64 : streams) continuations of \(tokens ?? 32) tokens of one \(prompt ?? 1024)-token prompt"
        case .tokenize: "tokenise"
        }
    }

    private func report(_ title: String, _ unit: String, _ values: [Double]) {
        if json { return Output.json(["values": .array(values.map { .number($0) })]) }
        let median = values.sorted()[values.count / 2]
        Output.line("\(title): \(NumberStyle.decimals(1).text(median)) \(unit)")
    }
}
