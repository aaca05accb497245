import Text

/// One text that the model wrote, and what it earned.
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

    /// What the whole text earned.
    public var reward: Double { rewards.reduce(0) { $0 + Double($1) } }
}

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

/// Writes and rewards texts: an engine over the model that trains, and a reward.
public protocol RolloutSampler: Sendable {
    /// One roll-out a request, in order, sampled at temperature 1 from the model as it is now. The result depends on the requests and
    /// the weights alone.
    func rollouts(_ requests: [RolloutRequest]) async throws -> [Rollout]

    /// The weights have changed.
    func weightsChanged() async
}
