import Inference
import Models
import Text
import Training

/// A text that a model wrote, as a reward sees it.
public struct RewardedText: Sendable {
    /// Which of the run's prompts it answers.
    public var promptIndex: Int
    public var prompt: [TokenID]
    public var text: String
    /// With the token that ended the text, where one did.
    public var completion: [TokenID]
    public var isFinished: Bool

    public init(promptIndex: Int, prompt: [TokenID], text: String, completion: [TokenID], isFinished: Bool) {
        self.promptIndex = promptIndex
        self.prompt = prompt
        self.text = text
        self.completion = completion
        self.isFinished = isFinished
    }
}

/// What a text earned.
public struct Reward: Sendable, Hashable {
    /// One a token of the completion.
    public var tokens: [Float]
    public var figures: [String: Double]

    public init(tokens: [Float], figures: [String: Double] = [:]) {
        self.tokens = tokens
        self.figures = figures
    }

    /// Paid at the last token.
    public init(_ reward: Double, for text: RewardedText, figures: [String: Double] = [:]) {
        tokens = [Float](repeating: 0, count: text.completion.count)
        tokens[tokens.count - 1] = Float(reward)
        self.figures = figures
    }
}

/// Texts by the engine over a model in memory, all at once, and their rewards.
public struct EngineSampler: RolloutSampler {
    /// The rewards of all texts of a round, in order, so that a learnt reward can judge them together.
    public typealias Judge = @Sendable ([RewardedText]) async throws -> [Reward]

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

    public func rollouts(_ requests: [RolloutRequest]) async throws -> [Rollout] {
        let texts = try await model.texts(requests, ignoresEndOfText: ignoresEndOfText)
        let rewards = try await judge(texts)
        return zip(texts, rewards).map { text, reward in
            Rollout(
                prompt: text.prompt, completion: text.completion, isFinished: text.isFinished, rewards: reward.tokens,
                figures: reward.figures)
        }
    }
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
    ) async throws -> [RewardedText] {
        try await withThrowingTaskGroup(of: (Int, RewardedText).self) { group in
            for (index, request) in requests.enumerated() {
                let stop = StopRule(maxTokens: request.limit, ignoresEndOfText: ignoresEndOfText)
                group.addTask { (index, try await self.text(request, temperature: temperature, stop: stop)) }
            }
            return try await group.reduce(into: [(Int, RewardedText)]()) { $0.append($1) }
                .sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func text(
        _ request: RolloutRequest, temperature: Double, stop: StopRule
    ) async throws -> RewardedText {
        let found = try await complete(
            CompletionRequest(
                .tokens(request.prompt), sampling: .random(temperature: temperature, seed: request.seed), stop: stop))
        var tokens = found.ids
        let isFinished = found.finish == .endOfText
        // The engine tells that a text ended, not by which token; the first one that ends texts stands for all of them.
        if isFinished, let end = tokenizer.endOfTextTokens.first { tokens.append(end) }
        return RewardedText(
            promptIndex: request.promptIndex, prompt: request.prompt, text: found.text, completion: tokens,
            isFinished: isFinished)
    }
}
