import ArgumentParser
import Inference
import Laboratory
import Models
import Training

extension ModelReference: ExpressibleByArgument {
    public init?(argument: String) {
        guard let reference = try? ModelReference(argument) else { return nil }
        self = reference
    }
}

extension RunSettings.Precision: ExpressibleByArgument {}

/// The flags of every command that asks a model.
struct ModelArguments: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The model: embedded, gemma3-270m, a GGUF file or Hugging Face folder, openai:NAME@URL, ollama:NAME.",
            valueName: "model"),
        completion: .file())
    var model = "embedded"

    @Option(help: "How a local model computes: default, fast (8-bit activations) or f32.")
    var precision = RunSettings.Precision.default

    @Option(
        help: ArgumentHelp(
            "An adapter in PEFT's format beside a local model; several are added up, each times its weight (else 1).",
            valueName: "folder[=weight]"),
        completion: .directory)
    var adapter: [WeightedAdapter] = []

    /// The reference, or the sentence that says what is wrong with it.
    func reference() throws -> ModelReference { try ModelReference(model) }
    var settings: ModelSettings {
        var settings = ModelSettings(precision: precision)
        settings.adapters = adapter
        return settings
    }
}

/// An adapter's folder and how much of it is added.
struct WeightedAdapter: Sendable, Hashable, ExpressibleByArgument, CustomStringConvertible {
    var folder: String
    var weight = 1.0

    var description: String { weight == 1 ? folder : "\(folder)=\(weight)" }

    init?(argument: String) {
        folder = argument
        if let mark = argument.lastIndex(of: "="), let weight = Double(argument[argument.index(after: mark)...]) {
            folder = String(argument[..<mark])
            self.weight = weight
        }
        guard !folder.isEmpty, weight.isFinite else { return nil }
    }

    /// The adapter for a model of this configuration, its changes times the weight.
    func read(for configuration: ModelConfiguration) throws -> AdapterSet {
        try AdapterFolder.read(Folders.expandingHome(folder), for: configuration).scaled(by: weight)
    }
}

/// The flags that say how the next token is chosen.
struct SamplingArguments: ParsableArguments {
    @Option(help: "The most tokens to generate.")
    var maxTokens = 256

    @Option(help: "0 takes the most likely token; higher is more varied.")
    var temperature = 0.0

    @Option(help: "Keep the k most likely tokens; 0 keeps all.")
    var topK = 0

    @Option(help: "Keep the most likely tokens up to this probability.")
    var topP = 1.0

    @Option(help: "Keep tokens at least this fraction as likely as the most likely one.")
    var minP = 0.0

    @Option(help: "Divide the logits of tokens seen so far by this (1: off).")
    var repetitionPenalty = 1.0

    @Option(help: "Start the random stream here, to get the same text again.")
    var seed: UInt64?

    @Option(help: "Stop before this text; may be given several times.")
    var stop: [String] = []

    func validate() throws {
        guard maxTokens > 0 else { throw ValidationError("--max-tokens can't be \(maxTokens): it expects at least 1.") }
        guard temperature >= 0, temperature.isFinite else {
            throw ValidationError("--temperature can't be \(temperature): it expects 0 or more.")
        }
        guard topK >= 0 else { throw ValidationError("--top-k can't be \(topK): it expects 0 or more.") }
        guard topP > 0, topP <= 1 else {
            throw ValidationError("--top-p can't be \(topP): it expects above 0, at most 1.")
        }
        guard (0...1).contains(minP) else { throw ValidationError("--min-p can't be \(minP): it expects from 0 to 1.") }
        guard repetitionPenalty > 0 else {
            throw ValidationError("--repetition-penalty can't be \(repetitionPenalty): it expects above 0.")
        }
        guard stop.allSatisfy({ !$0.isEmpty }) else { throw ValidationError("--stop can't be empty.") }
    }

    var sampling: Sampling {
        var sampling = Sampling.random(temperature: temperature, topK: topK, topP: topP, minP: minP, seed: seed)
        sampling.repetitionPenalty = repetitionPenalty
        return sampling
    }
}

extension WeightFormat {
    /// Reads --numbers; formats of blocks only where the result is GGUF.
    init(flag text: String, asGGUF: Bool = true) throws {
        let format = WeightFormat(rawValue: text.uppercased())
        guard let format, Self.writable.contains(format) else {
            throw ValidationError("--numbers can't be \(text): it expects \(Self.writableNames(blocks: asGGUF)).")
        }
        guard asGGUF || !format.isQuantised else {
            throw ValidationError(
                "--numbers can't be \(format.rawValue) in a Hugging Face folder: it expects \(Self.writableNames(blocks: false))."
            )
        }
        self = format
    }
}
