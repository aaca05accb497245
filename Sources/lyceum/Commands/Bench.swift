import ArgumentParser
import Inference
import Laboratory
import Models
import Text

struct Bench: AsyncParsableCommand {
    enum Workload: String, ExpressibleByArgument, CaseIterable {
        case singleStream = "single-stream"
        case streams, prompt, continuations, votes
        case votesInTurn = "votes-in-turn"
        case steering, contrast, tokenize, training

        /// Those that are measured when none is named.
        static let standard: [Workload] = [.singleStream, .streams, .prompt, .continuations]

        var unit: String {
            switch self {
            case .singleStream, .streams, .prompt, .continuations, .votes, .votesInTurn, .training: "tokens/s"
            case .steering, .contrast: "times plain decoding"
            case .tokenize: "MB/s"
            }
        }
    }

    static let configuration = CommandConfiguration(
        abstract: "Measure the engine's speed on this machine.",
        discussion: """
            Without a workload those of the engine are measured. votes samples questions many times at
            once, votes-in-turn one call after the other; steering and contrast say how many times as long
            decoding takes with attention steering and with a contrasted prompt. `make bench` runs the same beside other engines, turn by turn, and writes
            Benchmarks/results.json.

              lyceum bench
              lyceum bench streams --streams 16 --prompt 16 --tokens 128
              lyceum bench continuations --streams 64 --prompt 1024 --tokens 32 --json
              lyceum bench tokenize --text book.txt
              lyceum bench training --what lora --rounds 2
            """)

    @Argument(
        help:
            "single-stream, streams, prompt, continuations, votes, votes-in-turn, steering, contrast, tokenize or training."
    )
    var workload: Workload?

    @OptionGroup var model: ModelArguments

    @Option(help: "Streams that run together.")
    var streams = 16

    @Option(help: "Tokens of each prompt.")
    var prompt: Int?

    @Option(help: "Tokens that each stream generates.")
    var tokens: Int?

    @Option(help: "Questions that are voted on.")
    var questions = 50

    @Option(help: "Samples of each question.")
    var samples = 32

    @Option(
        help:
            "What is trained: full, lora, dpo, scratch, grpo; products-full and products-lora are a step's matrix products alone."
    )
    var what = TrainingBenchmark.Workload.full

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
            ("questions", questions), ("samples", samples),
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
            return report(.tokenize, Benchmark.tokenising(bytes, with: tokenizer, rounds: rounds))
        }
        if workload == .training {
            let benchmark = TrainingBenchmark(model: try reference.localPath(), steps: rounds)
            return report(.training, try await Interrupts.cancelling { try await benchmark.measure(what) })
        }
        try await Interrupts.cancelling {
            var settings = model.settings
            settings.threads = threads
            if let workload, workload == .votes || workload == .votesInTurn {
                let values = try await Benchmark.votes(
                    loadModel(reference, settings: settings), questions: questions, samples: samples,
                    tokens: tokens ?? 32, oneByOne: workload == .votesInTurn, rounds: rounds)
                return report(workload, values)
            }
            let subject = try await openModel(reference, for: "bench", settings: settings)
            let benchmark = Benchmark(model: subject, rounds: rounds)
            for workload in workload.map({ [$0] }) ?? Workload.standard {
                report(workload, try await measure(workload, benchmark))
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
        case .steering: try await benchmark.steeringCost(prompt: prompt ?? 256, tokens: tokens ?? 128)
        case .contrast: try await benchmark.contrastCost(prompt: prompt ?? 256, tokens: tokens ?? 128)
        case .votes, .votesInTurn, .tokenize, .training: []
        }
    }

    private func title(_ workload: Workload) -> String {
        switch workload {
        case .singleStream: "one stream, \(tokens ?? 128) tokens"
        case .streams: "\(streams) streams of \(tokens ?? 128) tokens"
        case .prompt: "prompt of \(prompt ?? 512) tokens"
        case .continuations:
            "\(self.workload == nil ? 64 : streams) continuations of \(tokens ?? 32) tokens of one \(prompt ?? 1024)-token prompt"
        case .votes, .votesInTurn:
            "\(questions) questions, \(samples) samples of \(tokens ?? 32) tokens each"
                + (workload == .votesInTurn ? ", one by one" : "")
        case .steering: "steering 16 heads, \(tokens ?? 128) tokens after \(prompt ?? 256)"
        case .contrast: "a contrasted prompt, \(tokens ?? 128) tokens after \(prompt ?? 256)"
        case .tokenize: "tokenise"
        case .training: "training, \(what.rawValue)"
        }
    }

    private func report(_ workload: Workload, _ values: [Double]) {
        guard Ranks.own.isFirst else { return }
        if json { return Output.json(["values": .array(values.map { .number($0) })]) }
        let median = values.sorted()[values.count / 2]
        let style = NumberStyle.decimals(workload == .steering || workload == .contrast ? 2 : 1)
        Output.line("\(title(workload)): \(style.text(median)) \(workload.unit)")
    }
}
