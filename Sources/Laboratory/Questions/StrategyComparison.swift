import Inference
import Text

/// What several strategies made of the same questions with the same model, the first being the baseline.
public struct StrategyComparison: Sendable {
    public let benchmark: any Benchmark
    public let strategies: [any ReasoningStrategy]
    /// [strategies × questions]
    public let attempts: [[Attempt]]
    /// Wall time for all questions, a strategy each. Questions run together, so this is no sum over them.
    public let seconds: [Double]
    private let seed: UInt64

    /// Runs each strategy over all questions, one strategy after the other so that their times compare.
    ///
    /// Throws `StatisticsError` without questions or strategies, and `CapabilityError` before any work where the model can't do
    /// what a strategy needs.
    public init(
        _ strategies: [any ReasoningStrategy], on questions: [Question], asking model: any LanguageModel, in lab: Lab
    ) async throws {
        try await self.init(strategies, on: QuestionSet(questions), asking: model, in: lab)
    }

    /// Runs each strategy over a benchmark, which grades the answers.
    public init(
        _ strategies: [any ReasoningStrategy], on benchmark: any Benchmark, asking model: any LanguageModel, in lab: Lab
    ) async throws {
        let questions = benchmark.questions
        guard !questions.isEmpty else { throw StatisticsError.empty(statistic: "A comparison of strategies") }
        guard !strategies.isEmpty else {
            throw StatisticsError.invalid(statistic: "A comparison of strategies", "there is no strategy.")
        }
        for strategy in strategies {
            let missing = strategy.needs.subtracting(model.capabilities)
            if !missing.isEmpty { throw CapabilityError(slug: strategy.name, model: model, missing: missing) }
        }
        var attempts: [[Attempt]] = []
        var seconds: [Double] = []
        let clock = ContinuousClock()
        for strategy in strategies {
            let start = clock.now
            attempts.append(
                try await lab.forEach(strategy.name, questions) { question in
                    try await strategy.attempt(question, of: benchmark, asking: model, seed: lab.seed)
                })
            seconds.append((clock.now - start).seconds)
        }
        self.init(benchmark, strategies, attempts, seconds: seconds, seed: lab.seed)
        for sample in samples() { await lab.recorder.record(sample) }
    }

    private init(
        _ benchmark: any Benchmark, _ strategies: [any ReasoningStrategy], _ attempts: [[Attempt]],
        seconds: [Double], seed: UInt64
    ) {
        self.benchmark = benchmark
        self.strategies = strategies
        self.attempts = attempts
        self.seconds = seconds
        self.seed = seed
    }

    /// One strategy of another comparison alone.
    init(single index: Int, of other: StrategyComparison) {
        self.init(
            other.benchmark, [other.strategies[index]], [other.attempts[index]], seconds: [other.seconds[index]],
            seed: other.seed)
    }

    public var questions: [Question] { benchmark.questions }

    // MARK: Measurements

    public func rights(_ strategy: Int) -> [Bool] { attempts[strategy].map(\.isRight) }

    public func accuracy(_ strategy: Int) throws -> Estimate { try .accuracy(rights(strategy)) }

    /// A strategy against another one on the same questions.
    public func difference(_ strategy: Int, from baseline: Int = 0) throws -> PairedDifference {
        try PairedDifference(baseline: rights(baseline), method: rights(strategy), seed: seed)
    }

    /// Whether the benchmark gave part of the points for any answer.
    public var hasPartialScores: Bool { attempts.contains { $0.contains { $0.score > 0 && $0.score < 1 } } }

    /// The mean of the points.
    public func score(_ strategy: Int) throws -> Estimate {
        try .mean(attempts[strategy].map(\.score), seed: seed)
    }

    /// The mean over the questions.
    public func mean(_ strategy: Int, _ value: (Attempt) -> Int) -> Double {
        Double(attempts[strategy].reduce(0) { $0 + value($1) }) / Double(questions.count)
    }

    /// How often each outcome came about.
    public func outcomes(_ strategy: Int) -> [(outcome: String, count: Int)] {
        let counts = Dictionary(grouping: attempts[strategy].map(\.solution.outcome)) { $0 }.mapValues(\.count)
        return counts.filter { !$0.key.isEmpty }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    // MARK: Equal budget

    /// The strategy that costs most tokens a question.
    public var dearest: Int {
        strategies.indices.max { mean($0, \.cost.tokens) < mean($1, \.cost.tokens) } ?? 0
    }

    /// Each cheaper strategy as a vote of as many samples as the dearest one's tokens pay for, at most `most`; those whose
    /// samples don't make a vote of three are left out.
    public func equalBudgetVotes(most: Int, temperature: Double) -> [MajorityVote] {
        let budget = mean(dearest, \.cost.tokens)
        return strategies.indices.filter { $0 != dearest }.compactMap { index in
            let price = mean(index, \.cost.tokens)
            let samples = price > 0 ? min(most, Int(budget / price)) : 0
            return samples >= 3
                ? MajorityVote(of: strategies[index], samples: samples, temperature: temperature) : nil
        }
    }

    /// These strategies and those of another comparison of the same questions.
    func joined(_ other: StrategyComparison) -> StrategyComparison {
        StrategyComparison(
            benchmark, strategies + other.strategies, attempts + other.attempts, seconds: seconds + other.seconds,
            seed: seed)
    }
}
