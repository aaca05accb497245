import Foundation
import Laboratory
import Text

/// How sure a distribution is, on a scale where a one-hot distribution has 1 and lower means less sure.
public enum ConfidenceMeasure: String, OptionChoice {
    /// The paper's: the standard deviation over the vocabulary, μ, times √V. A one-hot distribution has μ = 1/√V.
    case deviation
    /// 1 − H / ln V with the entropy H in nats; 0 for the uniform distribution.
    case entropy
    /// The probability of the most likely token.
    case maximum
    /// 1 over the number of most likely tokens that hold nine tenths of the probability.
    case quantile
}

/// The rule that makes one distribution of two, at one step.
///
/// With p⁺ = softmax(logits after the standard prompt) and p⁻ = softmax(logits after the lame prompt), over V entries:
/// ```
/// μ    = standard deviation of the entries of p⁺, divisor V − 1
/// sure   if μ > ϑ: the logits stay as they are
/// K    = { v : p⁺(v) ≥ η / V }
/// s(v) = λ₁ p⁺(v) + λ₂ p⁻(v) on K, 0 elsewhere         in probability space, not in log space
/// new logits = log s(v), −∞ where s ≤ 0
/// ```
/// Where no s is positive, p⁺ stays. The relative threshold compares μ·√V with ρ, so that it means the same for every
/// vocabulary: 0.005 of the paper's 32,016 entries is 0.895, and could never be exceeded with 49,152.
///
/// Source: Wang et al. (2024), arXiv:2409.05923, and its reference code for λ and η.
public struct SelectiveContrast: Sendable, Hashable {
    public enum Threshold: Sendable, Hashable {
        /// ϑ, compared with the standard deviation itself.
        case absolute(Double)
        /// ρ, compared with the measure on its scale from 0 to 1.
        case relative(Double)
        /// No threshold: every step is contrasted.
        case none
    }

    public var threshold: Threshold = .relative(0.895)
    public var measure = ConfidenceMeasure.deviation
    /// λ₁ and λ₂.
    public var standardWeight = 1.0
    public var lameWeight = -0.7
    /// η; nil keeps every token.
    public var keepFactor: Double? = 2.0 / 3
    /// The entries that are tokens; what lies behind them (padding) is no part of V. nil: all.
    public var vocabularySize: Int?

    public init() {}

    /// What was decided at one step.
    public struct Step: Sendable, Hashable {
        /// μ, the standard deviation over the vocabulary.
        public var deviation: Double
        /// The measure that was compared with the threshold.
        public var confidence: Double
        public var isContrasted: Bool
        /// |K|; 0 where nothing was contrasted.
        public var kept: Int
        /// The most likely token before and after.
        public var topBefore: TokenID
        public var topAfter: TokenID
        /// Whether no score was positive, so that p⁺ stayed.
        public var fellBack: Bool

        public var isChanged: Bool { topBefore != topAfter }
    }

    /// Applies the rule to the standard logits in place. A sure step, and one that falls back, leaves them as they are to the bit.
    ///
    /// - Parameters:
    ///   - standard: logits after x⁺; receives the result.
    ///   - lame: logits after x⁻, as many.
    @discardableResult
    public func apply(to standard: UnsafeMutableBufferPointer<Float>, lame: UnsafeBufferPointer<Float>) -> Step {
        let count = min(vocabularySize ?? standard.count, standard.count, lame.count)
        let size = Double(count)
        let probabilities = Self.softmax(UnsafeBufferPointer(standard), count)
        let top = Self.indexOfMaximum(probabilities)
        let squares = probabilities.reduce(0) { $0 + $1 * $1 }
        let deviation = (max(0, squares - 1 / size) / max(1, size - 1)).squareRoot()
        let confidence = confidence(of: probabilities, deviation: deviation)
        var step = Step(
            deviation: deviation, confidence: confidence, isContrasted: !isSure(deviation, confidence), kept: 0,
            topBefore: TokenID(top), topAfter: TokenID(top), fellBack: false)
        guard step.isContrasted else { return step }

        let lameProbabilities = Self.softmax(lame, count)
        let least = keepFactor.map { $0 / size } ?? -1
        var scores = probabilities
        var best = -1
        for token in scores.indices {
            guard probabilities[token] >= least else {
                scores[token] = 0
                continue
            }
            step.kept += 1
            scores[token] = standardWeight * probabilities[token] + lameWeight * lameProbabilities[token]
            if scores[token] > 0, best < 0 || scores[token] > scores[best] { best = token }
        }
        guard best >= 0 else {
            step.fellBack = true
            return step
        }
        step.topAfter = TokenID(best)
        for token in scores.indices { standard[token] = scores[token] > 0 ? Float(log(scores[token])) : -.infinity }
        for token in count..<standard.count { standard[token] = -.infinity }
        return step
    }

    /// The rule on arrays of logits, for looking at one position.
    public func combined(standard: [Float], lame: [Float]) -> (logits: [Float], step: Step) {
        var logits = standard
        let step = logits.withUnsafeMutableBufferPointer { logits in
            lame.withUnsafeBufferPointer { apply(to: logits, lame: $0) }
        }
        return (logits, step)
    }

    /// Whether the threshold can be exceeded at all by a vocabulary of this size.
    public func canBeSure(vocabularySize: Int) -> Bool {
        switch threshold {
        case .none: false
        case .relative(let bound): bound < 1
        case .absolute(let bound): bound < 1 / Double(vocabularySize).squareRoot()
        }
    }

    private func isSure(_ deviation: Double, _ confidence: Double) -> Bool {
        switch threshold {
        case .none: false
        case .relative(let bound): confidence > bound
        case .absolute(let bound): deviation > bound
        }
    }

    private func confidence(of probabilities: [Double], deviation: Double) -> Double {
        let size = Double(probabilities.count)
        switch measure {
        case .deviation: return deviation * size.squareRoot()
        case .maximum: return probabilities.max() ?? 0
        case .entropy:
            let entropy = probabilities.reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
            return size > 1 ? 1 - entropy / log(size) : 1
        case .quantile:
            var mass = 0.0
            var tokens = 0.0
            for probability in probabilities.sorted(by: >) {
                mass += probability
                tokens += 1
                if mass >= 0.9 { break }
            }
            return tokens > 0 ? 1 / tokens : 0
        }
    }

    // MARK: Distributions

    /// The probabilities of the first `count` logits.
    package static func softmax(_ logits: UnsafeBufferPointer<Float>, _ count: Int) -> [Double] {
        var peak = -Float.infinity
        for index in 0..<count { peak = max(peak, logits[index]) }
        guard peak > -.infinity else { return [Double](repeating: 1 / Double(max(1, count)), count: count) }
        var sum = 0.0
        var probabilities = [Double](unsafeUninitializedCapacity: count) { buffer, filled in
            for index in 0..<count {
                let weight = exp(Double(logits[index] - peak))
                buffer.initializeElement(at: index, to: weight)
                sum += weight
            }
            filled = count
        }
        for index in probabilities.indices { probabilities[index] /= sum }
        return probabilities
    }

    package static func softmax(_ logits: [Float]) -> [Double] {
        logits.withUnsafeBufferPointer { softmax($0, $0.count) }
    }

    private static func indexOfMaximum(_ values: [Double]) -> Int {
        var best = 0
        for index in values.indices where values[index] > values[best] { best = index }
        return best
    }
}
