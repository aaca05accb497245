/// How well a prediction and a reference cover each other, each from 0 to 1.
public struct OverlapScore: Sendable, Hashable {
    /// The share of the prediction that is in the reference.
    public var precision: Double
    /// The share of the reference that is in the prediction.
    public var recall: Double

    public static let zero = OverlapScore(precision: 0, recall: 0)

    public init(precision: Double, recall: Double) {
        self.precision = precision
        self.recall = recall
    }

    /// From the number of shared items and the numbers of all items; 0 where there are none.
    init(shared: Int, predicted: Int, expected: Int) {
        precision = predicted > 0 ? Double(shared) / Double(predicted) : 0
        recall = expected > 0 ? Double(shared) / Double(expected) : 0
    }

    /// The harmonic mean of precision and recall, 2PR / (P + R); 0 when both are 0.
    public var f1: Double { precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0 }
}
