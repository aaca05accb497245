import Models
import Tensors

/// Which of two distributions a divergence weighs by: the teacher's q, or the learner's p.
public enum DivergenceDirection: String, Sendable, Hashable, Codable, CaseIterable {
    /// KL(q ‖ p): p covers what q holds likely.
    case forward
    /// KL(p ‖ q): p keeps to what q holds likely.
    case reverse
}

extension Policy {
    /// The divergence between two models' distributions of the next token, over the whole vocabulary, where predicting it counts.
    ///
    /// Rows are taken in chunks and each chunk's logits are computed again on the way back, so that no matrix of tokens × vocabulary stays.
    ///
    /// - Parameters:
    ///   - teacher: a model with the same vocabulary; it gets no gradient.
    ///   - temperature: divides both models' logits.
    /// - Returns: the texts as rows, and the divergence at each row in nats, 0 where none counts: [rows].
    public func divergences(
        _ texts: [TokenSequence], from teacher: DecoderModel, direction: DivergenceDirection = .forward,
        temperature: Double = 1
    ) -> (batch: PackedBatch, values: Tensor) {
        let batch = PackedBatch(texts)
        let rows = batch.weights.indices.filter { batch.weights[$0] > 0 }
        guard !rows.isEmpty else { return (batch, Tensor.zeros([batch.rows])) }
        let taught = GradientMode.withoutGradients { Policy(teacher).hiddenStates(batch) }
        let learnt = hiddenStates(batch)
        let chunk = max(1, Self.logitsAtOnce / model.configuration.vocabularySize)
        let parts = stride(from: 0, to: rows.count, by: chunk).map { start in
            let own = rows[start..<min(start + chunk, rows.count)].map(Int32.init)
            let all = Array(own.indices)
            let q = GradientMode.withoutGradients {
                logSoftmax(teacher.logits(of: takeRows(taught, own), rows: all) * Float(1 / temperature))
            }
            return checkpoint([takeRows(learnt, own)]) { [model] inputs in
                let p = logSoftmax(model.logits(of: inputs[0], rows: all) * Float(1 / temperature))
                return switch direction {
                case .forward: (exp(q) * (q - p)).sum(-1)
                case .reverse: (exp(p) * (p - q)).sum(-1)
                }
            }
        }
        return (batch, batch.spread(concatenate(parts), over: rows))
    }

    /// Numbers of logits that are held together.
    static let logitsAtOnce = 1 << 22
}

extension PackedBatch {
    /// Values [chosen rows] at their rows, 0 at the others: [rows]. Differentiable.
    func spread(_ values: Tensor, over chosen: [Int]) -> Tensor {
        var places = [Int32](repeating: Int32(chosen.count), count: rows)
        for (place, row) in chosen.enumerated() { places[row] = Int32(place) }
        return takeRows(concatenate([values, Tensor([Float(0)])]), places)
    }
}
