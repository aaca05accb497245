import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An answer that is wanted or not.
public struct JudgedAnswer: Sendable, Hashable {
    public var text: TokenSequence
    public var isDesirable: Bool
    /// The same answer after another prompt, for the estimate of how far the model has moved; nil: none.
    public var mismatched: TokenSequence?

    public init(_ text: TokenSequence, isDesirable: Bool, mismatched: TokenSequence? = nil) {
        self.text = text
        self.isDesirable = isDesirable
        self.mismatched = mismatched
    }
}

/// Kahneman–Tversky optimisation (Ethayarajh et al. 2024, equation 8): unpaired answers, each wanted or not:
///
///     wanted: λ_D (1 - σ(β r - z)),  unwanted: λ_U (1 - σ(z - β r)),   r = log π(y)/π_ref(y)
///
/// where z = β max(0, mean of r over mismatched answers) estimates the divergence from the reference, without gradient. Samples without a
/// mismatched answer don't enter the estimate; it is taken over the pass's samples.
public struct KTO: Objective {
    public var beta: Double
    /// λ_D
    public var desirableWeight: Double
    /// λ_U
    public var undesirableWeight: Double

    public init(beta: Double = 0.1, desirableWeight: Double = 1, undesirableWeight: Double = 1) throws {
        try TrainingError.demandPositive(beta, "beta")
        guard desirableWeight >= 0, undesirableWeight >= 0 else {
            throw TrainingError.badSetting("weights of answers", reason: "must be 0 or more")
        }
        self.beta = beta
        self.desirableWeight = desirableWeight
        self.undesirableWeight = undesirableWeight
    }

    public var name: String { "kto" }
    public var usesReference: Bool { true }
    public var comparesSamples: Bool { true }

    public func texts(of sample: JudgedAnswer) -> [TokenSequence] {
        [sample.text] + [sample.mismatched].compactMap { $0 }
    }

    public func loss(of batch: ObjectiveBatch<JudgedAnswer>, policy: Policy) throws -> ObjectiveLoss {
        var (answers, mismatched): ([Int32], [Int32]) = ([], [])
        for sample in batch.samples {
            answers.append(Int32(answers.count + mismatched.count))
            if sample.mismatched != nil { mismatched.append(Int32(answers.count + mismatched.count)) }
        }
        // The estimate has no gradient, so its texts go through alone, unrecorded.
        let estimate = GradientMode.withoutGradients {
            sum(of: mismatched, in: batch, policy) / Double(max(1, mismatched.count))
        }
        let texts = answers.map { batch.texts[Int($0)] }
        let reference = Tensor(answers.map { batch.referenceSums[Int($0)] })
        return loss(
            logRatios: policy.logProbabilities(texts).sums - reference,
            isDesirable: batch.samples.map(\.isDesirable), divergence: max(0, estimate))
    }

    private func sum(
        of places: [Int32], in batch: ObjectiveBatch<JudgedAnswer>, _ policy: Policy
    ) -> Double {
        guard !places.isEmpty else { return 0 }
        let sums = policy.logProbabilities(places.map { batch.texts[Int($0)] }).sums.floats()
        return zip(places, sums).reduce(0) { $0 + Double($1.1 - batch.referenceSums[Int($1.0)]) }
    }

    /// - Parameters:
    ///   - logRatios: log π/π_ref of each answer: [samples].
    ///   - divergence: in nats, 0 or more.
    public func loss(logRatios: Tensor, isDesirable: [Bool], divergence: Double) -> ObjectiveLoss {
        let signs = Tensor(isDesirable.map { Float($0 ? 1 : -1) })
        let weights = Tensor(isDesirable.map { Float($0 ? desirableWeight : undesirableWeight) })
        let values = sigmoid((logRatios - Float(divergence)) * Float(beta) * signs)
        let rewards = logRatios.floats().map { Double($0) * beta }
        var sums = ["wanted reward": 0.0, "unwanted reward": 0.0, "divergence": divergence * Double(rewards.count)]
        var counts = ["wanted reward": 0.0, "unwanted reward": 0.0]
        for (reward, wanted) in zip(rewards, isDesirable) {
            sums[wanted ? "wanted reward" : "unwanted reward", default: 0] += reward
            counts[wanted ? "wanted reward" : "unwanted reward", default: 0] += 1
        }
        return ObjectiveLoss((weights * (1 - values)).sum(), sums: sums, counts: counts)
    }
}
