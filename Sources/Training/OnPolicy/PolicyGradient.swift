import Models
import Tensors

/// A roll-out ready to learn from. Lists have one entry a token of the completion.
public struct Experience: Sendable, Hashable {
    /// The prompt, and the completion, which counts.
    public var text: TokenSequence
    public var advantages: [Float]
    /// log p of each token when the text was written; nil: the model hasn't changed since.
    public var behaviour: [Float]?
    /// log p of each token under the reference; nil: none is asked for.
    public var reference: [Float]?
    /// What values are to become, with what they were when the text was written; nil: no values are learnt.
    public var values: (old: [Float], returns: [Float])? {
        get { oldValues.flatMap { old in returns.map { (old, $0) } } }
        set { (oldValues, returns) = (newValue?.old, newValue?.returns) }
    }
    private var oldValues: [Float]?
    private var returns: [Float]?

    public init(
        _ text: TokenSequence, advantages: [Float], behaviour: [Float]? = nil, reference: [Float]? = nil,
        values: (old: [Float], returns: [Float])? = nil
    ) {
        self.text = text
        self.advantages = advantages
        self.behaviour = behaviour
        self.reference = reference
        self.values = values
    }
}

/// The policy-gradient losses, by what they do with the probability ratio ρ_t = π(o_t) / π_old(o_t) and the advantage A_t:
///
///     none:      -A_t log π(o_t)                                            (REINFORCE, Williams 1992)
///     tokens:    -min(ρ_t A_t, clip(ρ_t, 1 - ε, 1 + ε′) A_t)                 (PPO, Schulman et al. 2017, equation 7; GRPO, equation 3)
///     sequences: the same with ρ = Π_t ρ_t of the whole text                 (RLOO, Ahmadian et al. 2024)
///
/// each plus β (e^d - d - 1), d = log π_ref(o_t) - log π(o_t), the k3 estimate of the divergence from the reference (Schulman 2020), and, where values
/// are learnt, c/2 · max((V - R)², (clip(V, V_old ± ε_V) - R)²).
public struct PolicyGradient: Objective, Hashable {
    public enum Ratio: Sendable, Hashable {
        case none
        case tokens(below: Double, above: Double)
        case sequences(below: Double, above: Double)
    }

    /// How the tokens of a text, and the texts of a step, are brought together.
    public enum Mean: String, Sendable, Hashable {
        /// The mean over texts of the mean over their tokens: GRPO as published.
        case overTexts
        /// The mean over all tokens: PPO, DAPO.
        case overTokens
        /// The mean over texts of the sum over their tokens: the gradient of the expected reward itself.
        case ofSums
    }

    public static let valueHead = "value"

    public var ratio: Ratio
    public var mean: Mean
    /// β
    public var divergence: Double
    /// c, and ε_V (nil: not clipped); nil: no values are learnt.
    public var value: Value?

    public struct Value: Sendable, Hashable {
        public var weight: Double
        public var clip: Double?

        public init(weight: Double = 0.1, clip: Double? = 0.2) {
            self.weight = weight
            self.clip = clip
        }
    }

    public init(ratio: Ratio, mean: Mean, divergence: Double = 0, value: Value? = nil) throws {
        switch ratio {
        case .none: break
        case .tokens(let below, let above), .sequences(let below, let above):
            try TrainingError.demandPositive(below, "lower clip")
            try TrainingError.demandPositive(above, "upper clip")
        }
        try TrainingError.demandNotNegative(divergence, "divergence from the reference")
        if let value {
            try TrainingError.demandPositive(value.weight, "weight of the value loss")
            if let clip = value.clip { try TrainingError.demandPositive(clip, "clip of values") }
        }
        self.ratio = ratio
        self.mean = mean
        self.divergence = divergence
        self.value = value
    }

    public var name: String { "policy gradient" }

    public var sharesPrompts: Bool { true }
    public func texts(of sample: Experience) -> [TokenSequence] { [sample.text] }

    public func weight(of sample: Experience) -> Double { mean == .overTokens ? Double(sample.advantages.count) : 1 }

    public func loss(of batch: ObjectiveBatch<Experience>, policy: Policy) throws -> ObjectiveLoss {
        let packed = policy.pack(batch.texts, together: batch.texts.count)
        let hidden = policy.hiddenStates(packed)
        var values: Tensor?
        if value != nil {
            values = try policy.outputs(of: Self.valueHead, hidden: hidden, rows: (0..<Int32(packed.rows)).map { $0 })
                .reshaped([packed.rows])
        }
        return loss(
            TokenLogProbabilities(
                batch: packed, values: policy.model.logProbabilities(of: hidden, targets: packed.targets)),
            values: values, of: batch.samples)
    }

    /// - Parameters:
    ///   - found: log π of the tokens of the samples' texts.
    ///   - values: [rows] V of what stands before each row's target; nil: no values are learnt.
    public func loss(_ found: TokenLogProbabilities, values: Tensor?, of samples: [Experience]) -> ObjectiveLoss {
        let batch = found.batch
        let logProbabilities = found.values
        let now = logProbabilities.floats()
        /// Numbers of the completions' tokens at the rows that predict them, 0 elsewhere.
        func rows(_ values: (Int, Experience) -> [Float]) -> [Float] {
            var all = [Float](repeating: 0, count: batch.rows)
            for (text, sample) in samples.enumerated() {
                let first = batch.firstRow(of: text, completion: sample.advantages.count)
                for (offset, value) in values(text, sample).enumerated() { all[first + offset] = value }
            }
            return all
        }
        func present(_ text: Int, _ sample: Experience) -> [Float] {
            let first = batch.firstRow(of: text, completion: sample.advantages.count)
            return Array(now[first..<first + sample.advantages.count])
        }
        let advantages = Tensor(rows { $1.advantages })
        // Where the model hasn't changed since, ρ is 1 with the gradient of log π.
        let old = rows { $1.behaviour ?? present($0, $1) }
        let weights = Tensor(
            rows { _, sample in
                let count = sample.advantages.count
                return [Float](repeating: mean == .overTexts ? 1 / Float(count) : 1, count: count)
            })

        var sums: [String: Double] = [:]
        var total: Tensor
        switch ratio {
        case .none:
            total = (logProbabilities * advantages * weights).sum() * -1
        case .tokens(let below, let above):
            let ratios = exp(logProbabilities - Tensor(old))
            let gains = Self.clipped(ratios, advantages, below, above)
            total = (gains * weights).sum() * -1
            let values = ratios.floats()
            sums["clipped"] = each(samples) { text, sample in
                let first = batch.firstRow(of: text, completion: sample.advantages.count)
                let outside = sample.advantages.indices.count {
                    let (ratio, advantage) = (Double(values[first + $0]), sample.advantages[$0])
                    return ratio < 1 - below && advantage < 0 || ratio > 1 + above && advantage > 0
                }
                return Double(outside) / Double(sample.advantages.count)
            }
        case .sequences(let below, let above):
            let ratios = exp(batch.weightedSums(logProbabilities - Tensor(old)))  // [texts]
            let own = Tensor(samples.map { $0.advantages.last ?? 0 })
            total = Self.clipped(ratios, own, below, above).sum() * -1
        }

        if samples.contains(where: { $0.reference != nil }) {
            let gaps = Tensor(rows { $1.reference ?? present($0, $1) }) - logProbabilities
            if divergence > 0 { total = total + ((exp(gaps) - gaps - 1) * weights).sum() * Float(divergence) }
            sums["divergence"] = each(samples) { text, sample in
                zip(sample.reference ?? [], present(text, sample)).reduce(0) {
                    let gap = $1.0 - $1.1
                    return $0 + Double(exponential(gap) - gap - 1)
                } / Double(sample.advantages.count)
            }
        }
        if let value, let values {
            let returns = Tensor(rows { $1.values?.returns ?? [] })
            var errors = square(values - returns)
            if let clip = value.clip {
                let before = Tensor(rows { $1.values?.old ?? [] })
                errors = maximum(
                    errors, square(before + clamp(values - before, Float(-clip), Float(clip)) - returns))
            }
            total = total + (errors * weights).sum() * Float(value.weight / 2)
            let found = values.floats()
            sums["value error"] = each(samples) { text, sample in
                let first = batch.firstRow(of: text, completion: sample.advantages.count)
                return (sample.values?.returns ?? []).enumerated().reduce(0) {
                    let error = Double(found[first + $1.offset] - $1.element)
                    return $0 + error * error
                } / Double(sample.advantages.count)
            }
        }
        sums["length"] = each(samples) { Double($1.advantages.count) }
        // -log p of what was sampled: its mean is the entropy where the text is the model's own.
        sums["entropy"] = each(samples) { text, sample in
            -present(text, sample).reduce(0) { $0 + Double($1) } / Double(sample.advantages.count)
        }
        return ObjectiveLoss(total, sums: sums)
    }

    private static func clipped(_ ratios: Tensor, _ advantages: Tensor, _ below: Double, _ above: Double) -> Tensor {
        minimum(ratios * advantages, clamp(ratios, Float(1 - below), Float(1 + above)) * advantages)
    }

    private func each(_ samples: [Experience], _ figure: (Int, Experience) -> Double) -> Double {
        samples.enumerated().reduce(0) { $0 + figure($1.offset, $1.element) }
    }
}
