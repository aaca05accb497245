import Models
import Tensors

/// What one sample of unlearning is made of.
public struct ForgetSample: Sendable, Hashable {
    /// A question, and the answer that is to be forgotten.
    public var forget: TokenSequence
    /// The same question with a refusal.
    public var refusal: TokenSequence?
    /// Another question, and the answer that is to be kept.
    public var retain: TokenSequence?

    public init(forget: TokenSequence, refusal: TokenSequence? = nil, retain: TokenSequence? = nil) {
        self.forget = forget
        self.refusal = refusal
        self.retain = retain
    }

    /// Several epochs of samples in the order in which they are to be seen: each epoch has every forget text once, in an order of its own,
    /// each time with retain texts drawn anew.
    ///
    /// - Parameters:
    ///   - forget: texts, with refusals where there are any.
    ///   - retain: none: samples without.
    public static func paired(
        forget: [(answer: TokenSequence, refusal: TokenSequence?)], retain: [TokenSequence], epochs: Int, seed: UInt64
    ) -> [ForgetSample] {
        var generator = SplitMixGenerator(seed: seed)
        return (0..<epochs).flatMap { _ in
            forget.shuffled(using: &generator).map {
                ForgetSample(
                    forget: $0.answer, refusal: $0.refusal, retain: retain.randomElement(using: &generator))
            }
        }
    }
}

/// Unlearning: a term that pushes answers away, and two that hold everything else in place:
///
///     w_f · forget(y_f) - w_r · mean log π(y_r) + w_k · mean KL(π_ref ‖ π) over the tokens of y_r
///
/// Means are over the answer's tokens of each retain text, prompts and padding excluded; the loss is the mean over samples. With gradient ascent
/// and w_r it is *gradient difference*, with gradient ascent and w_k *KL minimisation*.
public struct ForgetAndRetain: Objective {
    /// The model before training, for distributions over its whole vocabulary, and w_k.
    public struct Divergence: Sendable {
        public var weight: Double
        public var reference: DecoderModel

        public init(weight: Double = 1, reference: DecoderModel) {
            self.weight = weight
            self.reference = reference
        }
    }

    public var forgetting: any ForgetTerm
    public var forgetWeight: Double
    public var retainWeight: Double
    public var divergence: Divergence?

    public init(
        _ forgetting: any ForgetTerm, forgetWeight: Double = 1, retainWeight: Double = 0, divergence: Divergence? = nil
    ) throws {
        try TrainingError.demandNotNegative(forgetWeight, "forget weight")
        try TrainingError.demandNotNegative(retainWeight, "retain weight")
        try TrainingError.demandNotNegative(divergence?.weight ?? 0, "divergence weight")
        self.forgetting = forgetting
        self.forgetWeight = forgetWeight
        self.retainWeight = retainWeight
        self.divergence = divergence
    }

    public var name: String {
        forgetting.name + (retainWeight > 0 ? " + retain" : "") + (divergence == nil ? "" : " + kl")
    }

    public var usesReference: Bool { forgetting.usesReference }
    public var usesRetain: Bool { retainWeight > 0 || divergence != nil }

    public func texts(of sample: ForgetSample) -> [TokenSequence] {
        [
            forgetting.usesAnswers ? sample.forget : nil, forgetting.usesRefusals ? sample.refusal : nil,
            usesRetain ? sample.retain : nil,
        ].compactMap { $0 }
    }

    public func loss(of batch: ObjectiveBatch<ForgetSample>, policy: Policy) throws -> ObjectiveLoss {
        for (index, sample) in batch.samples.enumerated() {
            if forgetting.usesRefusals, sample.refusal == nil {
                throw TrainingError.badSample(index: index, reason: "\(name) needs a refusal, which it lacks")
            }
            if usesRetain, sample.retain == nil {
                throw TrainingError.badSample(index: index, reason: "\(name) needs a text to retain, which it lacks")
            }
        }
        // A sample's texts stand in this order, each kind or none for all samples.
        let kinds = [forgetting.usesAnswers, forgetting.usesRefusals, usesRetain]
        let perSample = kinds.count { $0 }
        func places(_ kind: Int) -> [Int32]? {
            guard kinds[kind] else { return nil }
            let offset = kinds[..<kind].count { $0 }
            return batch.samples.indices.map { Int32($0 * perSample + offset) }
        }
        let scored = retainWeight > 0 ? 3 : 2
        let all = (0..<scored).compactMap(places).flatMap { $0 }
        // [answers, then refusals, then retained]
        let sums = policy.logProbabilities(all.map { batch.texts[Int($0)] }).sums
        var start = 0
        func likelihoods(_ kind: Int) -> AnswerLikelihoods? {
            guard kind < scored, let places = places(kind) else { return nil }
            let own = sums.slice(0, start..<start + places.count)
            start += places.count
            let before =
                batch.referenceSums.isEmpty ? places.map { _ in 0 } : places.map { batch.referenceSums[Int($0)] }
            return AnswerLikelihoods(
                sums: own, reference: Tensor(before), lengths: places.map { batch.texts[Int($0)].weight })
        }
        let answers = likelihoods(0)
        var total = forgetting.loss(answers: answers, refusals: likelihoods(1)) * Float(forgetWeight)
        var figures: [String: Double] = [:]
        if let answers { figures["forget log p"] = Double(answers.means.detached().sum().item) }
        if let retained = likelihoods(2) {
            let loss = retained.means.sum() * -1
            figures["retain loss"] = Double(loss.detached().item)
            total = total + loss * Float(retainWeight)
        }
        if let divergence, let places = places(2) {
            let found = policy.divergences(places.map { batch.texts[Int($0)] }, from: divergence.reference)
            let sum = found.batch.weightedMeans(found.values).sum()
            figures["divergence"] = Double(sum.detached().item)
            total = total + sum * Float(divergence.weight)
        }
        return ObjectiveLoss(total, sums: figures)
    }
}
