import Models
import Tensors

/// Distillation of a teacher that is at hand (Hinton et al. 2015), over the tokens that count:
///
///     (1 - λ) T² D(q, p) - λ log p(token),   q, p = softmax(logits / T) of teacher and learner
///
/// where D is the forward or the reverse Kullback–Leibler divergence (Gu et al. 2024).
public struct Distillation: Objective {
    public var teacher: DecoderModel
    /// Which model the teacher is, for the key of checkpoints.
    public var teacherKey: String
    public var direction: DivergenceDirection
    /// T
    public var temperature: Double
    /// λ: the share of the texts' own tokens.
    public var dataShare: Double

    public init(
        teacher: DecoderModel, teacherKey: String = "", direction: DivergenceDirection = .forward,
        temperature: Double = 1, dataShare: Double = 0
    ) throws {
        try TrainingError.demandPositive(temperature, "temperature")
        guard (0...1).contains(dataShare) else {
            throw TrainingError.badSetting("data share", reason: "must be from 0 to 1, not \(dataShare)")
        }
        self.teacher = teacher
        self.teacherKey = teacherKey
        self.direction = direction
        self.temperature = temperature
        self.dataShare = dataShare
    }

    public var name: String { "distillation, \(direction.rawValue)" }

    public func texts(of sample: TokenSequence) -> [TokenSequence] { [sample] }

    public func weight(of sample: TokenSequence) -> Double { sample.weight }

    public func loss(of batch: ObjectiveBatch<TokenSequence>, policy: Policy) throws -> ObjectiveLoss {
        guard teacher.configuration.vocabularySize == policy.model.configuration.vocabularySize else {
            throw TrainingError.badSetting(
                "teacher",
                reason: "has a vocabulary of \(teacher.configuration.vocabularySize), the learner one of "
                    + "\(policy.model.configuration.vocabularySize); they must be the same")
        }
        let found = policy.divergences(batch.texts, from: teacher, direction: direction, temperature: temperature)
        let divergence = found.batch.weightedSums(found.values).sum()
        var total = divergence * Float((1 - dataShare) * temperature * temperature)
        if dataShare > 0 { total = total + policy.crossEntropy(batch.texts) * Float(dataShare) }
        let tokens = batch.samples.reduce(0) { $0 + $1.weight }
        let mean = Double(divergence.detached().item) / max(1, tokens)
        return ObjectiveLoss(total, sums: ["divergence": mean * Double(batch.samples.count)])
    }
}
