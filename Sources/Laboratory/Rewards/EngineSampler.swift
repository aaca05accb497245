import Inference
import Models
import Text
import Training

/// Texts by the engine over a model in memory, all at once, and their rewards.
public struct EngineSampler: RolloutSampler {
    /// The rewards of all texts of a round, in order, so that a learnt reward can judge them together.
    public typealias Judge = @Sendable ([WrittenText]) async throws -> [Reward]

    public let model: LocalModel
    private let ignoresEndOfText: Bool
    private let judge: Judge

    /// - Parameters:
    ///   - source: the file that the model was loaded from, for its words.
    ///   - ignoresEndOfText: whether all texts are written to their limit.
    public init(
        _ model: DecoderModel, from source: any WeightSource, precision: ComputePrecision,
        ignoresEndOfText: Bool = false, judge: @escaping Judge
    ) throws {
        var options = LocalModel.Options()
        if precision == .f32 { options.precision = .f32 }
        self.model = try LocalModel(model, from: source, reference: source.path, options: options)
        self.ignoresEndOfText = ignoresEndOfText
        self.judge = judge
    }

    public func weightsChanged() async { await model.forgetPrefixes() }

    public func texts(_ requests: [RolloutRequest]) async throws -> [WrittenText] {
        try await model.texts(requests, ignoresEndOfText: ignoresEndOfText)
    }

    public func rewards(of texts: [WrittenText]) async throws -> [Reward] { try await judge(texts) }
}

extension RolloutRequest {
    /// Several texts after one prompt, each with a random stream of its own.
    ///
    /// - Parameter place: sets the streams of this prompt apart from those of others under the same seed.
    public static func samples(
        _ count: Int, promptIndex: Int, prompt: [TokenID], limit: Int, seed: UInt64, place: Int
    ) -> [RolloutRequest] {
        (0..<count).map {
            RolloutRequest(
                promptIndex: promptIndex, prompt: prompt, limit: limit,
                seed: SeededGenerator.derive(seed, "\(place) \($0)"))
        }
    }
}

extension LocalModel {
    /// Texts after prompts, all at once, in the order of the requests.
    ///
    /// - Parameters:
    ///   - temperature: 0 takes the most likely tokens.
    ///   - ignoresEndOfText: whether all texts are written to their limit.
    public func texts(
        _ requests: [RolloutRequest], temperature: Double = 1, ignoresEndOfText: Bool = false
    ) async throws -> [WrittenText] {
        let found = try await completions(
            requests.map {
                CompletionRequest(
                    .tokens($0.prompt), sampling: .random(temperature: temperature, seed: $0.seed),
                    stop: StopRule(maxTokens: $0.limit, ignoresEndOfText: ignoresEndOfText))
            })
        return zip(requests, found).map(text)
    }

    private func text(_ request: RolloutRequest, _ found: Completion) -> WrittenText {
        var tokens = found.ids
        let isFinished = found.finish == .endOfText
        // The engine tells that a text ended, not by which token; the first one that ends texts stands for all of them.
        if isFinished, let end = tokenizer.endOfTextTokens.first { tokens.append(end) }
        return WrittenText(
            promptIndex: request.promptIndex, prompt: request.prompt, text: found.text, completion: tokens,
            isFinished: isFinished)
    }
}
