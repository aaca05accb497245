import Tensors

/// A text some tokens of which belong to a class; a class of the whole text is its last token's.
public struct LabelledText: Sendable, Hashable {
    public struct Label: Sendable, Hashable {
        /// The token, counted from the text's start.
        public var place: Int
        /// From 0.
        public var label: Int

        public init(place: Int, label: Int) {
            self.place = place
            self.label = label
        }
    }

    public var text: TokenSequence
    public var labels: [Label]

    /// Tokens that belong to classes.
    public init(_ text: TokenSequence, labels: [Label]) {
        precondition(labels.allSatisfy { (0..<text.count).contains($0.place) }, "a label outside its text")
        self.text = text
        self.labels = labels
    }

    /// A text that belongs to a class.
    public init(_ text: TokenSequence, label: Int) {
        self.init(text, labels: [Label(place: text.count - 1, label: label)])
    }
}

/// Classification of texts or tokens by the head `class`: the mean -log softmax(W h + b)[label] over all labels.
public struct Classification: Objective {
    public static let head = "class"

    public init() {}

    public var name: String { "classification" }

    public func texts(of sample: LabelledText) -> [TokenSequence] { [sample.text] }
    public func weight(of sample: LabelledText) -> Double { Double(sample.labels.count) }

    public func loss(of batch: ObjectiveBatch<LabelledText>, policy: Policy) throws -> ObjectiveLoss {
        let packed = PackedBatch(batch.texts)
        let classes = try policy.head(Self.head).outputs
        var (rows, labels): ([Int32], [Int32]) = ([], [])
        for (text, sample) in batch.samples.enumerated() {
            for label in sample.labels {
                guard (0..<classes).contains(label.label) else {
                    throw TrainingError.badSetting(
                        "label", reason: "must be from 0 to \(classes - 1), as the head has it, not \(label.label)")
                }
                rows.append(Int32(packed.sequences.range(text).lowerBound + label.place))
                labels.append(Int32(label.label))
            }
        }
        let logits = try policy.outputs(of: Self.head, hidden: policy.hiddenStates(packed), rows: rows)
        let best = logits.detached().maxRows().places.integers()
        let right = zip(best, labels).count { $0 == $1 }
        return ObjectiveLoss(
            Tensors.logProbabilities(logits, Tensor(labels)).sum() * -1,
            sums: ["accuracy": Double(right)], counts: ["accuracy": Double(labels.count)])
    }
}
