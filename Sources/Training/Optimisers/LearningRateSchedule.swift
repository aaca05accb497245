#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How the learning rate runs over the steps: a warm-up from 0 to the full rate, then one of four ways on.
public struct LearningRateSchedule: Sendable, Hashable, Codable {
    /// The way after the warm-up.
    public enum Course: Sendable, Hashable, Codable {
        case constant
        /// Straight down, so that a step after the last one would have `end` times the full rate.
        case linear(end: Double)
        /// Half a cosine down to the same.
        case cosine(end: Double)
        /// The full rate, then straight down to `end` times it over the last `decay` share of all steps (warm-up, stable, decay).
        case stableThenDecay(decay: Double, end: Double)
    }

    public var course: Course
    /// Steps until the full rate is reached.
    public var warmUp: Int

    public init(_ course: Course = .constant, warmUp: Int = 0) {
        self.course = course
        self.warmUp = max(0, warmUp)
    }

    public static let constant = LearningRateSchedule()

    /// What the full rate is multiplied by.
    /// - Parameters:
    ///   - step: from 1.
    ///   - total: how many steps there are.
    public func factor(step: Int, of total: Int) -> Double {
        // Step 1 of a warm-up has a rate above 0: it would do nothing otherwise.
        if step <= warmUp { return Double(step) / Double(warmUp + 1) }
        let rest = max(1, total - warmUp)
        let share = min(1, Double(step - warmUp - 1) / Double(rest))
        switch course {
        case .constant: return 1
        case .linear(let end): return 1 - (1 - end) * share
        case .cosine(let end): return end + (1 - end) * (1 + cos(.pi * share)) / 2
        case .stableThenDecay(let decay, let end):
            let start = 1 - min(1, max(0, decay))
            return share <= start ? 1 : 1 - (1 - end) * (share - start) / (1 - start)
        }
    }
}
