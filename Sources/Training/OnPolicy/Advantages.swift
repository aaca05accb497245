/// How much better each roll-out, or each of its tokens, was than expected.
public enum Advantages {
    /// r - mean of the *other* roll-outs of the same prompt (Ahmadian et al. 2024, RLOO, equation 8). Groups stand one after another.
    public static func leaveOneOut(_ rewards: [Double], group: Int) -> [Double] {
        byGroup(rewards, group) { own in
            let sum = own.reduce(0, +)
            return own.map { own.count > 1 ? $0 - (sum - $0) / Double(own.count - 1) : $0 }
        }
    }

    /// (r - mean) / (deviation + 1e-4) over the roll-outs of the same prompt (Shao et al. 2024, GRPO, section 4.1.2), with the sample deviation (n - 1)
    /// as TRL takes it; without `scales` r - mean alone (Liu et al. 2025, Dr. GRPO).
    public static func groupNormalised(_ rewards: [Double], group: Int, scales: Bool) -> [Double] {
        byGroup(rewards, group) { own in
            let mean = own.reduce(0, +) / Double(own.count)
            guard scales else { return own.map { $0 - mean } }
            let variance = own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, own.count - 1))
            return own.map { ($0 - mean) / (variance.squareRoot() + 1e-4) }
        }
    }

    private static func byGroup(_ rewards: [Double], _ group: Int, _ body: ([Double]) -> [Double]) -> [Double] {
        precondition(group > 0 && rewards.count % group == 0, "\(rewards.count) rewards in groups of \(group)")
        return stride(from: 0, to: rewards.count, by: group).flatMap { body(Array(rewards[$0..<$0 + group])) }
    }

    /// Generalised advantage estimation (Schulman et al. 2016, equation 16), from the end of a text that ends:
    ///
    ///     δ_t = r_t + γ V_{t+1} - V_t,   A_t = δ_t + γ λ A_{t+1},   V = A = 0 behind the last token
    ///
    /// - Returns: the advantages and the returns A_t + V_t that values are to learn.
    public static func generalised(
        rewards: [Float], values: [Float], discount: Double, smoothing: Double
    ) -> (advantages: [Float], returns: [Float]) {
        precondition(rewards.count == values.count)
        var advantages = [Float](repeating: 0, count: rewards.count)
        var (next, nextValue) = (0.0, 0.0)
        for t in rewards.indices.reversed() {
            let delta = Double(rewards[t]) + discount * nextValue - Double(values[t])
            next = delta + discount * smoothing * next
            nextValue = Double(values[t])
            advantages[t] = Float(next)
        }
        return (advantages, zip(advantages, values).map(+))
    }

    /// (A - mean) / √(variance + 1e-8) over all tokens of all texts, with the variance of a sample (n - 1), as TRL's PPO has it.
    public static func whitened(_ advantages: [[Float]]) -> [[Float]] {
        let all = advantages.flatMap { $0 }.map(Double.init)
        guard all.count > 1 else { return advantages }
        let mean = all.reduce(0, +) / Double(all.count)
        let variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count - 1)
        let factor = 1 / (variance + 1e-8).squareRoot()
        return advantages.map { $0.map { Float((Double($0) - mean) * factor) } }
    }
}
