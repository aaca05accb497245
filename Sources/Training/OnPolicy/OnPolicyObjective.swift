/// An objective that learns from what the model itself writes.
///
/// Each round the run has texts written, rewarded and scored; the objective makes its samples of them, and its loss over these is like any other's.
/// With `usesReference` the texts are scored by the model before training, too: token by token in the round, not in a batch's `referenceSums`, since the
/// samples are what the objective makes of them.
public protocol OnPolicyObjective<Sample>: Objective {
    /// Whether the samples hold how likely the texts were when they were written, also where a single step learns from them. Where several
    /// steps do, a round always says so.
    var usesBehaviour: Bool { get }

    /// The head whose output at each token is taken for its value, which is trained along; nil: none.
    var valueHead: String? { get }

    /// What a round's texts teach, the same for the same round. Its steps share the samples evenly; where there are none, nothing is learnt.
    func samples(from round: OnPolicyRound) throws -> [Sample]
}

extension OnPolicyObjective {
    public var usesBehaviour: Bool { false }
    public var valueHead: String? { nil }
}

/// What a model wrote in one round, and all that is known of it.
public struct OnPolicyRound: Sendable {
    /// The texts of one prompt stand together.
    public var rollouts: [Rollout]
    /// How many there are of each prompt.
    public var samplesPerPrompt: Int
    /// log p of each token of the completions when they were written, in nats; nil: not asked for.
    public var behaviour: [[Float]]?
    /// The same under the model before training.
    public var reference: [[Float]]?
    /// The value head's output before each token.
    public var values: [[Float]]?
    /// The mean rewards of earlier rounds.
    public var earlierRewards: [Double]

    public init(
        _ rollouts: [Rollout], samplesPerPrompt: Int, behaviour: [[Float]]? = nil, reference: [[Float]]? = nil,
        values: [[Float]]? = nil, earlierRewards: [Double] = []
    ) {
        self.rollouts = rollouts
        self.samplesPerPrompt = samplesPerPrompt
        self.behaviour = behaviour
        self.reference = reference
        self.values = values
        self.earlierRewards = earlierRewards
    }

    /// The texts of each prompt.
    public var groups: [ArraySlice<Rollout>] {
        stride(from: 0, to: rollouts.count, by: samplesPerPrompt).map {
            rollouts[$0..<min($0 + samplesPerPrompt, rollouts.count)]
        }
    }

    /// Means over the texts: the reward, the share that came to an end, and whatever else the rewards tell.
    var figures: [String: Double] {
        let finished = Double(rollouts.count(where: \.isFinished)) / Double(max(1, rollouts.count))
        return ["finished": finished].merging(rollouts.meanFigures) { $1 }
    }
}

extension [Rollout] {
    /// Means of the reward and of whatever else the rewards tell.
    package var meanFigures: [String: Double] {
        var sums = ["reward": 0.0]
        for rollout in self {
            sums["reward", default: 0] += rollout.reward
            sums.merge(rollout.figures, uniquingKeysWith: +)
        }
        return sums.mapValues { $0 / Double(Swift.max(1, count)) }
    }
}
