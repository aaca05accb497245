import Tensors

/// How likely a model finds some answers, beside how likely it found them before training.
public struct AnswerLikelihoods: Sendable {
    /// Σ log π(y) over the tokens of each answer, in nats: [answers].
    public var sums: Tensor
    /// The same before training: [answers]; zeros where nothing asked for it.
    public var reference: Tensor
    /// Tokens of each answer.
    public var lengths: [Double]

    public init(sums: Tensor, reference: Tensor, lengths: [Double]) {
        self.sums = sums
        self.reference = reference
        self.lengths = lengths
    }

    /// log π(y)/π_ref(y)
    public var logRatios: Tensor { sums - reference }

    /// log π(y) per token.
    public var means: Tensor { sums / Tensor(lengths.map { Float(max(1, $0)) }) }
}

/// The part of an unlearning loss that pushes answers away.
public protocol ForgetTerm: Sendable {
    /// The name in reports.
    var name: String { get }
    /// Whether it compares with the model before training.
    var usesReference: Bool { get }
    /// Whether the answers that are to be forgotten go through the model.
    var usesAnswers: Bool { get }
    /// Whether a refusal to the same question goes through the model.
    var usesRefusals: Bool { get }

    /// Σ over the samples.
    /// - Parameters:
    ///   - answers: what is to be forgotten; nil where ``usesAnswers`` is false.
    ///   - refusals: nil where ``usesRefusals`` is false.
    func loss(answers: AnswerLikelihoods?, refusals: AnswerLikelihoods?) -> Tensor
}

extension ForgetTerm {
    public var usesReference: Bool { false }
    public var usesAnswers: Bool { true }
    public var usesRefusals: Bool { false }
}

/// Negative preference optimisation (Zhang et al. 2024, equation 3): DPO's loss without its preferred answer,
///
///     -(2/β) log σ(-β r) = (2/β) log(1 + (π/π_ref)^β),   r = log π(y)/π_ref(y) over the whole answer,
///
/// whose gradient is that of gradient ascent times a weight W = 2 σ(β r), 1 at the start and 0 for what is forgotten.
public struct NegativePreference: ForgetTerm {
    /// Acts on the sum over an answer's tokens, so its useful size falls with their number.
    public var beta: Double

    public init(beta: Double = 0.1) throws {
        try TrainingError.demandPositive(beta, "beta")
        self.beta = beta
    }

    public var name: String { "npo" }
    public var usesReference: Bool { true }

    public func loss(answers: AnswerLikelihoods?, refusals: AnswerLikelihoods?) -> Tensor {
        guard let answers else { return Tensor(0) }
        return loss(logRatios: answers.logRatios)
    }

    /// - Parameter logRatios: r of each answer: [answers].
    public func loss(logRatios: Tensor) -> Tensor {
        logSigmoid(logRatios * Float(-beta)).sum() * Float(-2 / beta)
    }

    /// W, what each answer's gradient of log π is multiplied by.
    public func weights(logRatios: Tensor) -> Tensor { sigmoid(logRatios * Float(beta)) * 2 }
}

/// Gradient ascent: log π(y) itself is made smaller, without end.
public struct GradientAscent: ForgetTerm {
    /// Takes the mean over an answer's tokens, as the negated training loss of common code does, instead of the sum, as the papers write.
    public var isPerToken: Bool

    public init(isPerToken: Bool = false) { self.isPerToken = isPerToken }

    public var name: String { "gradient ascent" }

    public func loss(answers: AnswerLikelihoods?, refusals: AnswerLikelihoods?) -> Tensor {
        guard let answers else { return Tensor(0) }
        return (isPerToken ? answers.means : answers.sums).sum()
    }
}

/// Learns to refuse (IDK): -mean log π of a refusal to each question.
public struct RefusalLearning: ForgetTerm {
    public init() {}

    public var name: String { "idk" }
    public var usesAnswers: Bool { false }
    public var usesRefusals: Bool { true }

    public func loss(answers: AnswerLikelihoods?, refusals: AnswerLikelihoods?) -> Tensor {
        guard let refusals else { return Tensor(0) }
        return refusals.means.sum() * -1
    }
}

/// DPO with a refusal as the preferred answer, scaled as NPO is: -(2/β) log σ(β (r_refusal - r)).
public struct RefusalPreference: ForgetTerm {
    public var beta: Double

    public init(beta: Double = 0.1) throws {
        try TrainingError.demandPositive(beta, "beta")
        self.beta = beta
    }

    public var name: String { "dpo" }
    public var usesReference: Bool { true }
    public var usesRefusals: Bool { true }

    public func loss(answers: AnswerLikelihoods?, refusals: AnswerLikelihoods?) -> Tensor {
        guard let answers, let refusals else { return Tensor(0) }
        return logSigmoid((refusals.logRatios - answers.logRatios) * Float(beta)).sum() * Float(-2 / beta)
    }
}

/// The unwanted half of KTO (Ethayarajh et al. 2024) in the logarithmic form that NPO's authors compare with:
/// -(2/β) log σ(β (z - r)), where z, the mean log-ratio of the pass's refusals and at least 0, has no gradient.
public struct UnwantedAnswer: ForgetTerm {
    public var beta: Double

    public init(beta: Double = 0.1) throws {
        try TrainingError.demandPositive(beta, "beta")
        self.beta = beta
    }

    public var name: String { "kto" }
    public var usesReference: Bool { true }
    public var usesRefusals: Bool { true }

    public func loss(answers: AnswerLikelihoods?, refusals: AnswerLikelihoods?) -> Tensor {
        guard let answers, let refusals else { return Tensor(0) }
        let divergence = max(0, refusals.logRatios.detached().mean().item)
        return logSigmoid((divergence - answers.logRatios) * Float(beta)).sum() * Float(-2 / beta)
    }
}
