import Models
import Tensors
import Text

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A text with a teacher's most likely next tokens at each place where predicting counts.
public struct SoftLabelSample: Sendable, Hashable {
    public var text: TokenSequence
    /// [counting places][k] tokens, and their probabilities; each place's sum is at most 1.
    public var tokens: [[TokenID]]
    public var probabilities: [[Float]]

    /// - Throws: where a text, its labels and their probabilities don't fit one another.
    public init(_ text: TokenSequence, tokens: [[TokenID]], probabilities: [[Float]]) throws {
        let places = text.weights.count { $0 > 0 }
        guard tokens.count == places, probabilities.count == places,
            zip(tokens, probabilities).allSatisfy({
                !$0.isEmpty && $0.count == $1.count && $1.allSatisfy { $0 >= 0 && $0.isFinite }
                    && $1.reduce(0, +) <= 1.001 && $1.reduce(0, +) > 0
            })
        else {
            throw TrainingError.badSetting(
                "soft labels",
                reason:
                    "must hold tokens with probabilities that add up to at most 1 for each of the \(places) places that count"
            )
        }
        self.text = text
        self.tokens = tokens
        self.probabilities = probabilities
    }

    /// The k most likely next tokens of a teacher for each text: computed once, so that the teacher needn't stay in memory.
    public static func make(
        _ texts: [TokenSequence], teacher: DecoderModel, k: Int, temperature: Double = 1
    ) throws -> [SoftLabelSample] {
        guard k > 0, k <= teacher.configuration.vocabularySize else {
            throw TrainingError.badSetting("k", reason: "must be from 1 to the size of the vocabulary, not \(k)")
        }
        try TrainingError.demandPositive(temperature, "temperature")
        return try GradientMode.withoutGradients {
            try texts.map { text in
                let batch = PackedBatch([text])
                let rows = batch.weights.indices.filter { batch.weights[$0] > 0 }
                let hidden = Policy(teacher).hiddenStates(batch)
                var (tokens, probabilities): ([[TokenID]], [[Float]]) = ([], [])
                let width = teacher.configuration.vocabularySize
                let chunk = max(1, Policy.logitsAtOnce / width)
                for start in stride(from: 0, to: rows.count, by: chunk) {
                    let part = Array(rows[start..<min(start + chunk, rows.count)])
                    let all = softmax(teacher.logits(of: hidden, rows: part) * Float(1 / temperature)).floats()
                    all.withUnsafeBufferPointer { all in
                        for row in part.indices {
                            let values = UnsafeBufferPointer(rebasing: all[row * width..<(row + 1) * width])
                            let best = indicesOfLargest(k, in: values)
                            tokens.append(best.map { TokenID($0) })
                            probabilities.append(best.map { values[$0] })
                        }
                    }
                }
                return try SoftLabelSample(text, tokens: tokens, probabilities: probabilities)
            }
        }
    }
}

/// Distillation from stored soft labels: T² times the forward divergence from the teacher's k most likely tokens, their probabilities scaled to add up to 1,
///
///     Σ q (log q - log p),   p = softmax(logits / T) of the learner over the whole vocabulary.
public struct SoftLabelDistillation: Objective {
    /// T, the one that the labels were made with.
    public var temperature: Double

    public init(temperature: Double = 1) throws {
        try TrainingError.demandPositive(temperature, "temperature")
        self.temperature = temperature
    }

    public var name: String { "soft labels" }

    public func texts(of sample: SoftLabelSample) -> [TokenSequence] { [sample.text] }

    public func weight(of sample: SoftLabelSample) -> Double { sample.text.weight }

    public func loss(of batch: ObjectiveBatch<SoftLabelSample>, policy: Policy) throws -> ObjectiveLoss {
        let packed = PackedBatch(batch.texts)
        let rows = packed.weights.indices.filter { packed.weights[$0] > 0 }
        let width = policy.model.configuration.vocabularySize
        let hidden = policy.hiddenStates(packed)
        let labels = batch.samples.flatMap { Array(zip($0.tokens, $0.probabilities)) }
        let chunk = max(1, Policy.logitsAtOnce / width)
        let parts = try stride(from: 0, to: rows.count, by: chunk).map { start in
            let part = start..<min(start + chunk, rows.count)
            var (targets, entropies) = ([Float](repeating: 0, count: part.count * width), [Float]())
            for (line, place) in part.enumerated() {
                let (tokens, probabilities) = labels[place]
                let total = probabilities.reduce(0, +)
                var entropy: Float = 0
                for (token, probability) in zip(tokens, probabilities) where probability > 0 {
                    guard token >= 0, Int(token) < width else {
                        throw TrainingError.badSetting(
                            "soft labels", reason: "name the token \(token), which the learner lacks")
                    }
                    let q = probability / total
                    targets[line * width + Int(token)] += q
                    entropy += q * logf(q)
                }
                entropies.append(entropy)
            }
            let (q, negatedEntropy) = (Tensor(targets, [part.count, width]), Tensor(entropies))
            let all = Array(0..<part.count)
            return checkpoint([takeRows(hidden, rows[part].map(Int32.init))]) { [model = policy.model, temperature] in
                let p = logSoftmax(model.logits(of: $0[0], rows: all) * Float(1 / temperature))
                return negatedEntropy - (q * p).sum(-1)
            }
        }
        let values = packed.spread(concatenate(parts), over: rows)
        return ObjectiveLoss(packed.weightedSums(values).sum() * Float(temperature * temperature))
    }
}
