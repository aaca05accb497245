import Tensors

/// A text some places of which have a score, such as the ends of the steps of a solution.
public struct ScoredText: Sendable, Hashable {
    public struct Mark: Sendable, Hashable {
        /// The token whose hidden state is judged, counted from the text's start.
        public var place: Int
        public var score: Float

        public init(place: Int, score: Float) {
            self.place = place
            self.score = score
        }
    }

    public var text: TokenSequence
    public var marks: [Mark]

    public init(_ text: TokenSequence, marks: [Mark]) {
        precondition(marks.allSatisfy { (0..<text.count).contains($0.place) }, "a mark outside its text")
        self.text = text
        self.marks = marks
    }
}

/// Learns a number at marked places: by the head `number` with the squared error (v - y)², or, for scores that are probabilities (a process
/// reward model's labels, hard or soft), by the head `score` with the binary cross-entropy -y log σ(v) - (1 - y) log σ(-v). The mean is over
/// all marks.
public struct StepScores: Objective {
    public enum Loss: String, Sendable, Hashable {
        case squaredError
        case crossEntropy
    }

    /// Where the scores are probabilities.
    public static let head = "score"
    /// Where they are any numbers.
    public static let numberHead = "number"

    public var lossForm: Loss

    public init(loss: Loss = .crossEntropy) { lossForm = loss }

    public var name: String { lossForm == .crossEntropy ? "step scores" : "regression" }

    public var head: String { lossForm == .crossEntropy ? Self.head : Self.numberHead }

    public func texts(of sample: ScoredText) -> [TokenSequence] { [sample.text] }
    public func weight(of sample: ScoredText) -> Double { Double(sample.marks.count) }

    public func loss(of batch: ObjectiveBatch<ScoredText>, policy: Policy) throws -> ObjectiveLoss {
        let packed = PackedBatch(batch.texts)
        var (rows, scores): ([Int32], [Float]) = ([], [])
        for (text, sample) in batch.samples.enumerated() {
            for mark in sample.marks {
                guard lossForm == .squaredError || (0...1).contains(mark.score) else {
                    throw TrainingError.badSetting("score", reason: "must be from 0 to 1, not \(mark.score)")
                }
                rows.append(Int32(packed.sequences.range(text).lowerBound + mark.place))
                scores.append(mark.score)
            }
        }
        let outputs = try policy.outputs(of: head, hidden: policy.hiddenStates(packed), rows: rows)
        return loss(outputs.reshaped([rows.count]), scores: scores)
    }

    /// - Parameter outputs: [marks]
    public func loss(_ outputs: Tensor, scores: [Float]) -> ObjectiveLoss {
        let target = Tensor(scores)
        switch lossForm {
        case .squaredError:
            let errors = zip(outputs.floats(), scores).reduce(0) { $0 + Double(abs($1.0 - $1.1)) }
            return ObjectiveLoss(
                square(outputs - target).sum(), sums: ["absolute error": errors],
                counts: ["absolute error": Double(scores.count)])
        case .crossEntropy:
            let losses = logSigmoid(outputs) * target + logSigmoid(-outputs) * (1 - target)
            let right = zip(outputs.floats(), scores).count { ($0 > 0) == ($1 > 0.5) }
            return ObjectiveLoss(
                losses.sum() * -1, sums: ["accuracy": Double(right)], counts: ["accuracy": Double(scores.count)])
        }
    }
}
