/// The chance that at least one of k answers is right.
public enum PassRate {
    /// pass@k of one problem from n answers of which c are right, without bias:
    ///
    ///     pass@k = 1 − C(n − c, k) / C(n, k) = 1 − ∏_{i = n − c + 1}^{n} (1 − k / i)
    ///
    /// Source: Chen et al. (2021), arXiv:2107.03374, equation 1.
    public static func estimate(correct: Int, of total: Int, k: Int) throws(StatisticsError) -> Double {
        guard k >= 1, total >= k, (0...total).contains(correct) else {
            throw .invalid(
                statistic: "pass@\(k)",
                "\(correct) right of \(total) answers can't give it; it needs at least \(k) answers.")
        }
        // Fewer wrong answers than are drawn: one of those drawn is right.
        if total - correct < k { return 1 }
        var allWrong = 1.0
        for i in stride(from: total - correct + 1, through: total, by: 1) { allWrong *= 1 - Double(k) / Double(i) }
        return 1 - allWrong
    }

    /// The mean of pass@k over problems, by the grades of each problem's answers, with a bootstrap interval over problems.
    public static func estimate(
        _ outcomes: [[Bool]], k: Int, seed: UInt64 = 1
    ) throws(StatisticsError) -> Estimate {
        var rates: [Double] = []
        for answers in outcomes {
            rates.append(try estimate(correct: answers.count { $0 }, of: answers.count, k: k))
        }
        return try Estimate.mean(rates, seed: seed)
    }
}
