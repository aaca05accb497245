extension Estimate {
    /// A proportion with Wilson's score interval (Wilson, 1927), which stays inside [0, 1] and is honest at 0 and 1.
    public static func accuracy(
        correct: Int, of total: Int, confidence: Double = 0.95
    ) throws(StatisticsError) -> Estimate {
        guard total > 0 else { throw .empty(statistic: "An accuracy") }
        guard (0...total).contains(correct) else {
            throw .invalid(statistic: "An accuracy", "\(correct) correct of \(total) is impossible.")
        }
        guard confidence > 0, confidence < 1 else {
            throw .invalid(statistic: "An accuracy", "a confidence of \(confidence) is not between 0 and 1.")
        }
        let z = Distributions.normalQuantile(1 - (1 - confidence) / 2)
        let n = Double(total)
        let p = Double(correct) / n
        let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        return Estimate(
            p, low: correct == 0 ? 0 : max(0, centre - half), high: correct == total ? 1 : min(1, centre + half),
            confidence: confidence, count: total, method: "Wilson")
    }

    /// The share of true observations, with Wilson's interval.
    public static func accuracy(
        _ outcomes: some Sequence<Bool>, confidence: Double = 0.95
    ) throws(StatisticsError) -> Estimate {
        var correct = 0
        var total = 0
        for outcome in outcomes {
            total += 1
            if outcome { correct += 1 }
        }
        return try accuracy(correct: correct, of: total, confidence: confidence)
    }
}

extension SignificanceTest {
    /// The exact two-sided binomial test: the probability of all outcomes no more likely than the observed one.
    public static func binomial(
        successes: Int, of total: Int, probability: Double = 0.5
    ) throws(StatisticsError) -> SignificanceTest {
        guard total > 0 else { throw .empty(statistic: "A binomial test") }
        guard (0...total).contains(successes), (0...1).contains(probability) else {
            throw .invalid(
                statistic: "A binomial test", "\(successes) of \(total) at probability \(probability) is impossible.")
        }
        let observed = Distributions.binomial(successes, of: total, probability)
        var sum = 0.0
        for k in 0...total {
            let p = Distributions.binomial(k, of: total, probability)
            if p <= observed * (1 + 1e-7) { sum += p }
        }
        return SignificanceTest(name: "binomial, exact", pValue: min(1, sum))
    }

    /// McNemar's exact test on pairs of right-or-wrong outcomes: whether two arms differ on the same items. Only pairs that
    /// disagree count.
    public static func mcNemar(
        baseline: [Bool], method: [Bool]
    ) throws(StatisticsError) -> SignificanceTest {
        guard baseline.count == method.count else {
            throw .unequal(statistic: "McNemar's test", baseline.count, method.count)
        }
        guard !baseline.isEmpty else { throw .empty(statistic: "McNemar's test") }
        let onlyBaseline = zip(baseline, method).count { $0 && !$1 }
        let onlyMethod = zip(baseline, method).count { !$0 && $1 }
        let discordant = onlyBaseline + onlyMethod
        guard discordant > 0 else { return SignificanceTest(name: "McNemar, exact", pValue: 1) }
        var tail = 0.0
        for k in 0...min(onlyBaseline, onlyMethod) { tail += Distributions.binomial(k, of: discordant, 0.5) }
        return SignificanceTest(name: "McNemar, exact", pValue: min(1, 2 * tail))
    }
}
