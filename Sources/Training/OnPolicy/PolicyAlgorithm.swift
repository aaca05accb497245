/// How rewards become a gradient: the estimate of advantages and the loss that goes with it.
public struct PolicyAlgorithm: OnPolicyObjective, Hashable {
    public enum Baseline: Sendable, Hashable {
        case none
        /// The mean reward of the batch.
        case batchMean
        /// An average of the earlier batches' mean rewards that forgets with this factor, from the first batch's own.
        case movingAverage(decay: Double)
    }

    public enum Estimator: Sendable, Hashable {
        case baseline(Baseline)
        /// Against the other texts of the same prompt.
        case leaveOneOut
        /// Against the mean of the texts of the same prompt, over their deviation where `scales`.
        case group(scales: Bool)
        /// Token by token with learnt values: GAE(γ, λ).
        case generalised(discount: Double, smoothing: Double, whitens: Bool)
    }

    public var name: String
    public var estimator: Estimator
    public var loss: PolicyGradient
    /// Taken from the rewards, token by token, times log π_old/π_ref.
    public var penalty: Double

    public init(_ name: String, _ estimator: Estimator, loss: PolicyGradient, penalty: Double = 0) throws {
        try TrainingError.demandNotNegative(penalty, "divergence penalty")
        switch estimator {
        case .baseline(.movingAverage(let decay)):
            guard (0..<1).contains(decay) else {
                throw TrainingError.badSetting("decay of the average", reason: "must be at least 0 and below 1")
            }
        case .generalised(let discount, let smoothing, _):
            guard (0...1).contains(discount), (0...1).contains(smoothing) else {
                throw TrainingError.badSetting("discount and smoothing", reason: "must be from 0 to 1")
            }
            guard loss.value != nil else {
                throw TrainingError.badSetting("value loss", reason: "must be given where values are used")
            }
        default: break
        }
        if case .sequences = loss.ratio, case .generalised = estimator {
            throw TrainingError.badSetting("ratio", reason: "of whole texts goes with one advantage a text")
        }
        self.name = name
        self.estimator = estimator
        self.loss = loss
        self.penalty = penalty
    }

    public static func reinforce(_ baseline: Baseline = .batchMean, penalty: Double = 0) throws -> PolicyAlgorithm {
        try PolicyAlgorithm(
            "reinforce", .baseline(baseline), loss: PolicyGradient(ratio: .none, mean: .ofSums), penalty: penalty)
    }

    /// The defaults are TRL's.
    public static func rloo(clip: Double = 0.2, penalty: Double = 0.05) throws -> PolicyAlgorithm {
        try PolicyAlgorithm(
            "rloo", .leaveOneOut,
            loss: PolicyGradient(ratio: .sequences(below: clip, above: clip), mean: .ofSums), penalty: penalty)
    }

    /// - Parameter divergence: β; the paper has 0.04.
    public static func grpo(
        clip: Double = 0.2, clipAbove: Double? = nil, divergence: Double = 0.04, scales: Bool = true,
        mean: PolicyGradient.Mean = .overTexts
    ) throws -> PolicyAlgorithm {
        try PolicyAlgorithm(
            "grpo", .group(scales: scales),
            loss: PolicyGradient(
                ratio: .tokens(below: clip, above: clipAbove ?? clip), mean: mean, divergence: divergence))
    }

    public static func ppo(
        clip: Double = 0.2, discount: Double = 1, smoothing: Double = 0.95, penalty: Double = 0.05,
        divergence: Double = 0, value: PolicyGradient.Value = .init(), whitens: Bool = true
    ) throws -> PolicyAlgorithm {
        try PolicyAlgorithm(
            "ppo", .generalised(discount: discount, smoothing: smoothing, whitens: whitens),
            loss: PolicyGradient(
                ratio: .tokens(below: clip, above: clip), mean: .overTokens, divergence: divergence, value: value),
            penalty: penalty)
    }

    public var usesReference: Bool { penalty > 0 || loss.divergence > 0 }
    public var sharesPrompts: Bool { true }
    public var usesBehaviour: Bool { penalty > 0 || loss.value != nil }
    public var valueHead: String? { loss.value == nil ? nil : PolicyGradient.valueHead }

    public func texts(of sample: Experience) -> [TokenSequence] { loss.texts(of: sample) }
    public func weight(of sample: Experience) -> Double { loss.weight(of: sample) }
    public func loss(of batch: ObjectiveBatch<Experience>, policy: Policy) throws -> ObjectiveLoss {
        try loss.loss(of: batch, policy: policy)
    }

    public func samples(from round: OnPolicyRound) -> [Experience] {
        let rollouts = round.rollouts
        var rewards = rollouts.map(\.rewards)
        if penalty > 0, let behaviour = round.behaviour, let reference = round.reference {
            for text in rewards.indices {
                for token in rewards[text].indices {
                    rewards[text][token] -= Float(penalty) * (behaviour[text][token] - reference[text][token])
                }
            }
        }
        let whole = rewards.map { $0.reduce(0) { $0 + Double($1) } }
        func spread(_ advantages: [Double]) -> [[Float]] {
            zip(rollouts, advantages).map { [Float](repeating: Float($1), count: $0.completion.count) }
        }
        var (advantages, returns): ([[Float]], [[Float]]) = ([], [])
        switch estimator {
        case .baseline(let baseline):
            let mean = whole.reduce(0, +) / Double(whole.count)
            let level =
                switch baseline {
                case .none: 0.0
                case .batchMean: mean
                case .movingAverage(let decay):
                    round.earlierRewards.dropFirst().reduce(round.earlierRewards.first ?? mean) {
                        decay * $0 + (1 - decay) * $1
                    }
                }
            advantages = spread(whole.map { $0 - level })
        case .leaveOneOut: advantages = spread(Advantages.leaveOneOut(whole, group: round.samplesPerPrompt))
        case .group(let scales):
            advantages = spread(Advantages.groupNormalised(whole, group: round.samplesPerPrompt, scales: scales))
        case .generalised(let discount, let smoothing, let whitens):
            for (own, values) in zip(rewards, round.values ?? []) {
                let found = Advantages.generalised(
                    rewards: own, values: values, discount: discount, smoothing: smoothing)
                advantages.append(found.advantages)
                returns.append(found.returns)
            }
            if whitens { advantages = Advantages.whitened(advantages) }
        }
        return rollouts.indices.map { index in
            Experience(
                rollouts[index].text, advantages: advantages[index], behaviour: round.behaviour?[index],
                reference: round.reference?[index],
                values: returns.isEmpty ? nil : round.values.map { ($0[index], returns[index]) })
        }
    }
}
