import Laboratory

/// What a process reward model's scores of a response's steps add to its rewards, one number a step (Gao et al. 2024, sections 4.1 and 4.2).
///
/// p_k stands for the score of step k of K, from 0 to 1. The last step gives the answer.
///
///     process         p_k                               pays for every harmless step more
///     normed          p_k / K
///     clip            min(p_k - η, 0)                   never above 0: a step more never earns
///     delta           p_k - p_{k+1} for k < K - 1,      what is still to come from step k on telescopes to p_k,
///                     p_k for k = K - 1, 0 for k = K    however many steps follow
///     clip-delta      delta of the clipped scores
///
/// A step more with its neighbour's score is paid by `process` and changes neither return of `delta`. The last step of Delta earns 0 by
/// design: the answer is judged by whether it is right. The telescope needs a discount of 1.
public enum StepReward: String, OptionChoice {
    /// Right or wrong alone.
    case success
    /// The score that an outcome reward model gives the whole text, at its end. It has no scores of steps.
    case outcome
    case process
    case normed
    case clip
    case delta
    case clipDelta = "clip-delta"

    /// The rewards of the steps.
    ///
    /// - Parameters:
    ///   - scores: of the steps that were closed, in order.
    ///   - threshold: η.
    package func rewards(_ scores: [Double], threshold: Double) -> [Double] {
        switch self {
        case .success, .outcome: scores.map { _ in 0 }
        case .process: scores
        case .normed: scores.map { $0 / Double(scores.count) }
        case .clip: Self.clipped(scores, threshold)
        case .delta: Self.differences(scores)
        case .clipDelta: Self.differences(Self.clipped(scores, threshold))
        }
    }

    /// Whether returns telescope, which takes a discount of 1.
    package var telescopes: Bool { self == .delta || self == .clipDelta }
    /// Whether steps are scored.
    package var usesProcess: Bool { self != .success && self != .outcome }
    package var usesThreshold: Bool { self == .clip || self == .clipDelta }

    private static func clipped(_ scores: [Double], _ threshold: Double) -> [Double] {
        scores.map { min($0 - threshold, 0) }
    }

    private static func differences(_ scores: [Double]) -> [Double] {
        scores.indices.map { k in
            switch scores.count - 1 - k {
            case 0: 0
            case 1: scores[k]
            default: scores[k] - scores[k + 1]
            }
        }
    }
}

extension StepReward {
    /// The learnt rewards of a completion, token by token: α times the step's reward at the token that ends it, where it was scored.
    package func tokenRewards(
        scores: [Double], at ends: [Int], count: Int, threshold: Double, weight: Double
    ) -> [Float] {
        var rewards = [Float](repeating: 0, count: count)
        for (end, reward) in zip(ends, self.rewards(scores, threshold: threshold)) {
            rewards[end] += Float(weight * reward)
        }
        return rewards
    }
}
