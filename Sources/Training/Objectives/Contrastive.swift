import Tensors

/// Two texts that belong together, and any number that don't belong to the first.
public struct ContrastiveSample: Sendable, Hashable {
    public var anchor: TokenSequence
    public var positive: TokenSequence
    public var negatives: [TokenSequence]

    public init(anchor: TokenSequence, positive: TokenSequence, negatives: [TokenSequence] = []) {
        self.anchor = anchor
        self.positive = positive
        self.negatives = negatives
    }
}

/// InfoNCE (van den Oord et al. 2018; for sentences Gao et al. 2021): -log of the share that an anchor's own positive has in
/// Σ exp(cos(anchor, text) / τ) over the positives and negatives of all samples of the pass.
///
/// A text's vector is the mean of its final hidden states. The loss compares the samples of one pass with one another, so it depends on how a step is
/// cut: let a pass hold a step (`tokensPerPass`).
public struct Contrastive: Objective {
    /// τ
    public var temperature: Double

    public init(temperature: Double = 0.05) throws {
        try TrainingError.demandPositive(temperature, "temperature")
        self.temperature = temperature
    }

    public var name: String { "contrastive" }
    public var comparesSamples: Bool { true }

    public func texts(of sample: ContrastiveSample) -> [TokenSequence] {
        [sample.anchor, sample.positive] + sample.negatives
    }

    public func loss(of batch: ObjectiveBatch<ContrastiveSample>, policy: Policy) throws -> ObjectiveLoss {
        let packed = PackedBatch(batch.texts)
        let states = policy.model.normalised(policy.hiddenStates(packed))
        let vectors = packed.pooled(states)
        var (anchors, positives, negatives): ([Int32], [Int32], [Int32]) = ([], [], [])
        var next: Int32 = 0
        for sample in batch.samples {
            anchors.append(next)
            positives.append(next + 1)
            negatives += (0..<Int32(sample.negatives.count)).map { next + 2 + $0 }
            next += 2 + Int32(sample.negatives.count)
        }
        return loss(anchors: takeRows(vectors, anchors), candidates: takeRows(vectors, positives + negatives))
    }

    /// - Parameters:
    ///   - anchors: [samples, width]
    ///   - candidates: [samples or more, width], the first ones the anchors' positives in order.
    public func loss(anchors: Tensor, candidates: Tensor) -> ObjectiveLoss {
        func unit(_ x: Tensor) -> Tensor { x / sqrt(square(x).sum(-1, keeping: true) + 1e-12) }
        let scores = matmul(unit(anchors), unit(candidates).transposed()) * Float(1 / temperature)
        let count = Int32(anchors.shape[0])
        let best = scores.detached().maxRows().places.integers()
        let right = best.enumerated().count { $0.offset == Int($0.element) }
        return ObjectiveLoss(
            logProbabilities(scores, Tensor(Array(0..<count))).sum() * -1, sums: ["accuracy": Double(right)])
    }
}

extension PackedBatch {
    /// The mean of each text's rows: states [rows, width] → [texts, width]. Differentiable.
    public func pooled(_ states: Tensor) -> Tensor {
        let shares = Tensor.zeros([sequences.count, rows])
        shares.withMutableFloats { shares in
            for text in 0..<sequences.count {
                let range = sequences.range(text)
                for row in range { shares[text * rows + row] = 1 / Float(range.count) }
            }
        }
        return matmul(shares, states)
    }
}
