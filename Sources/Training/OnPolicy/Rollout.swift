import Text

/// What is asked of a sampler: one text after a prompt.
public struct RolloutRequest: Sendable, Hashable {
    /// Which of the run's prompts it is.
    public var promptIndex: Int
    public var prompt: [TokenID]
    /// The most tokens to write.
    public var limit: Int
    /// Of the text's own random stream.
    public var seed: UInt64

    public init(promptIndex: Int, prompt: [TokenID], limit: Int, seed: UInt64) {
        self.promptIndex = promptIndex
        self.prompt = prompt
        self.limit = limit
        self.seed = seed
    }
}

/// A text that a model wrote.
public struct WrittenText: Sendable, Hashable, Codable {
    /// Which of the run's prompts it answers.
    public var promptIndex: Int
    public var prompt: [TokenID]
    public var text: String
    /// With the token that ended the text, where one did; at least one.
    public var completion: [TokenID]
    /// Whether the text came to its end before the limit.
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
public struct Reward: Sendable, Hashable, Codable {
    /// One a token of the completion, paid for writing it.
    public var tokens: [Float]
    /// Other numbers to watch, by name.
    public var figures: [String: Double]

    public init(tokens: [Float], figures: [String: Double] = [:]) {
        self.tokens = tokens
        self.figures = figures
    }

    /// Paid at the last token.
    public init(_ reward: Double, for text: WrittenText, figures: [String: Double] = [:]) {
        tokens = [Float](repeating: 0, count: text.completion.count)
        tokens[tokens.count - 1] = Float(reward)
        self.figures = figures
    }
}

/// A text with what it earned.
public struct Rollout: Sendable, Hashable {
    public var prompt: [TokenID]
    /// With the token that ended it, where one did.
    public var completion: [TokenID]
    /// Whether the text came to its end before the limit.
    public var isFinished: Bool
    /// One a token of the completion, paid for writing it.
    public var rewards: [Float]
    /// Other numbers to watch, by name.
    public var figures: [String: Double]

    /// - Parameter rewards: one a token of the completion, which has one at least.
    public init(
        prompt: [TokenID], completion: [TokenID], isFinished: Bool, rewards: [Float], figures: [String: Double] = [:]
    ) {
        precondition(!prompt.isEmpty && !completion.isEmpty && rewards.count == completion.count)
        self.prompt = prompt
        self.completion = completion
        self.isFinished = isFinished
        self.rewards = rewards
        self.figures = figures
    }

    /// - Throws: where the reward is no finite number for each token of the text.
    public init(_ text: WrittenText, _ reward: Reward) throws {
        guard reward.tokens.count == text.completion.count, reward.tokens.allSatisfy(\.isFinite) else {
            throw TrainingError.badSetting(
                "reward",
                reason: "must be a finite number for each of a text's \(text.completion.count) tokens, not "
                    + "\(reward.tokens.count) numbers or one that is not finite")
        }
        self.init(
            prompt: text.prompt, completion: text.completion, isFinished: text.isFinished, rewards: reward.tokens,
            figures: reward.figures)
    }

    /// What the whole text earned.
    public var reward: Double { rewards.reduce(0) { $0 + Double($1) } }

    /// The prompt, and the completion, which counts.
    public var text: TokenSequence { TokenSequence(prompt: prompt, completion: completion) }
}

/// Writes and rewards texts: an engine over the model that trains, and a judge.
public protocol RolloutSampler: Sendable {
    /// One text a request, in order, sampled at temperature 1 from the model as it is now. The result depends on the requests and
    /// the weights alone.
    func texts(_ requests: [RolloutRequest]) async throws -> [WrittenText]

    /// What all texts of a round earned, in their order. Of several ranks the first one judges for all.
    func rewards(of texts: [WrittenText]) async throws -> [Reward]

    /// The weights have changed.
    func weightsChanged() async
}
