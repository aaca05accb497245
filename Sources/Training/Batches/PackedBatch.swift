import Tensors
import Text

/// Several texts as the rows of one forward pass, one after another without padding. Row r stands for one token and predicts the next
/// one of its own text.
public struct PackedBatch: Sendable {
    public let sequences: PackedSequences
    /// [rows]
    public let tokens: [TokenID]
    /// [rows] The place of each token in its own text.
    public let positions: [Int32]
    /// i32 [rows]: the next token of the same text, -1 at its end and where predicting it counts nothing.
    public let targets: Tensor
    /// [rows] What predicting the target counts; 0 where there is none.
    public let weights: [Float]

    public init(_ texts: [TokenSequence]) {
        let rows = texts.reduce(0) { $0 + $1.count }
        var (tokens, targets, weights): ([TokenID], [Int32], [Float]) = ([], [], [])
        tokens.reserveCapacity(rows)
        targets.reserveCapacity(rows)
        weights.reserveCapacity(rows)
        for text in texts where text.count > 0 {
            tokens += text.tokens
            for next in 1..<text.count {
                let weight = text.weights[next]
                targets.append(weight > 0 ? text.tokens[next] : -1)
                weights.append(weight)
            }
            targets.append(-1)
            weights.append(0)
        }
        sequences = PackedSequences(lengths: texts.map(\.count))
        positions = sequences.positions
        self.tokens = tokens
        self.targets = Tensor(targets)
        self.weights = weights
    }

    public var rows: Int { tokens.count }

    /// Σ weights[r] · values[r] over the rows of each text, for values [rows]: [texts]. Differentiable.
    public func weightedSums(_ values: Tensor) -> Tensor {
        // One product with a sparse matrix [texts, rows] that holds each text's weights.
        let shares = Tensor.zeros([sequences.count, rows])
        shares.withMutableFloats { shares in
            for text in 0..<sequences.count {
                for row in sequences.range(text) { shares[text * rows + row] = weights[row] }
            }
        }
        return matmul(shares, values.reshaped([rows, 1])).reshaped([sequences.count])
    }

    /// The weighted mean of values [rows] over the rows of each text, 0 for a text of which nothing counts: [texts]. Differentiable.
    public func weightedMeans(_ values: Tensor) -> Tensor {
        let inverse = (0..<sequences.count).map { text -> Float in
            let total = sequences.range(text).reduce(Float(0)) { $0 + weights[$1] }
            return total > 0 ? 1 / total : 0
        }
        return weightedSums(values) * Tensor(inverse)
    }
}
