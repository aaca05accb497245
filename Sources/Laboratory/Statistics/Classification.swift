/// How well scores separate positives from negatives.
public enum Classification {
    /// The area under the ROC curve: the chance that a positive scores above a negative, ties counting half
    /// (Mann-Whitney), with Hanley and McNeil's (1982) interval.
    public static func areaUnderROC(
        scores: [Double], positives: [Bool], confidence: Double = 0.95
    ) throws(StatisticsError) -> Estimate {
        let statistic = "The area under the ROC curve"
        guard scores.count == positives.count else {
            throw .unequal(statistic: statistic, scores.count, positives.count)
        }
        guard scores.allSatisfy({ !$0.isNaN }) else { throw .invalid(statistic: statistic, "a score is not a number.") }
        let positive = Double(positives.count { $0 })
        let negative = Double(positives.count) - positive
        guard positive > 0, negative > 0 else {
            throw .invalid(statistic: statistic, "needs at least one positive and one negative.")
        }
        let rankSum = zip(Ranks.of(scores), positives).reduce(0) { $0 + ($1.1 ? $1.0 : 0) }
        let area = (rankSum - positive * (positive + 1) / 2) / (positive * negative)

        let bothPositive = area / (2 - area)
        let bothNegative = 2 * area * area / (1 + area)
        let variance =
            (area * (1 - area) + (positive - 1) * (bothPositive - area * area)
                + (negative - 1) * (bothNegative - area * area)) / (positive * negative)
        let half = Distributions.normalQuantile(1 - (1 - confidence) / 2) * max(0, variance).squareRoot()
        return Estimate(
            area, low: max(0, area - half), high: min(1, area + half), confidence: confidence, count: scores.count,
            method: "Hanley-McNeil")
    }
}

/// How far stated probabilities are from what happens.
public struct Calibration: Sendable, Hashable, Codable {
    /// One bin of the reliability diagram.
    public struct Bin: Sendable, Hashable, Codable {
        public var low: Double
        public var high: Double
        public var count: Int
        /// The mean stated probability; 0 in an empty bin.
        public var confidence: Double
        /// The share that was right; 0 in an empty bin.
        public var accuracy: Double
    }

    /// The mean over bins of |confidence − accuracy|, weighted by their counts.
    public var expectedError: Double
    /// The mean squared difference of probability and outcome (Brier, 1950).
    public var brier: Double
    public var bins: [Bin]

    /// - Parameters:
    ///   - probabilities: stated probabilities, 0 to 1.
    ///   - outcomes: whether each came true.
    ///   - count: equal-width bins, each holding its upper end; the first also holds 0 (Guo and others, 2017).
    public init(probabilities: [Double], outcomes: [Bool], bins count: Int = 10) throws(StatisticsError) {
        let statistic = "A calibration"
        guard probabilities.count == outcomes.count else {
            throw .unequal(statistic: statistic, probabilities.count, outcomes.count)
        }
        guard !probabilities.isEmpty else { throw .empty(statistic: statistic) }
        guard count > 0, probabilities.allSatisfy({ (0...1).contains($0) }) else {
            throw .invalid(statistic: statistic, "needs probabilities from 0 to 1 and at least one bin.")
        }
        var totals = [(count: Int, probability: Double, right: Int)](repeating: (0, 0, 0), count: count)
        var squares = 0.0
        for (probability, outcome) in zip(probabilities, outcomes) {
            var bin = min(count - 1, max(0, Int((probability * Double(count)).rounded(.up)) - 1))
            if bin > 0, probability <= Double(bin) / Double(count) { bin -= 1 }
            totals[bin].count += 1
            totals[bin].probability += probability
            totals[bin].right += outcome ? 1 : 0
            squares += (probability - (outcome ? 1 : 0)) * (probability - (outcome ? 1 : 0))
        }
        let total = Double(probabilities.count)
        var error = 0.0
        var result: [Bin] = []
        for (index, bin) in totals.enumerated() {
            let n = Double(max(1, bin.count))
            let confidence = bin.probability / n
            let accuracy = Double(bin.right) / n
            error += Double(bin.count) / total * abs(confidence - accuracy)
            result.append(
                Bin(
                    low: Double(index) / Double(count), high: Double(index + 1) / Double(count), count: bin.count,
                    confidence: confidence, accuracy: accuracy))
        }
        expectedError = error
        brier = squares / total
        self.bins = result
    }
}
