import Laboratory
import Testing

@Suite struct KolmogorovSmirnovTests {
    /// Of the C(6, 3) = 20 orderings two are as far apart as these; any ordering of two and two reaches 1/2.
    @Test func handWorked() throws {
        let apart = try KolmogorovSmirnov([1, 2, 3], [4, 5, 6])
        #expect(apart.statistic == 1 && abs(apart.test.pValue - 0.1) < 1e-12)
        let mixed = try KolmogorovSmirnov([1, 3], [2, 4])
        #expect(mixed.statistic == 0.5 && abs(mixed.test.pValue - 1) < 1e-12)
        let same = try KolmogorovSmirnov([1, 2, 2, 3], [1, 2, 2, 3])
        #expect(same.statistic == 0 && same.test.pValue == 1)
        // Two of C(5, 2) = 10.
        let uneven = try KolmogorovSmirnov([1, 2, 3], [4, 5])
        #expect(uneven.statistic == 1 && abs(uneven.test.pValue - 0.2) < 1e-12)
    }

    /// Far apart, the exact p-value is 2 n! m! / (n + m)! and keeps its digits.
    @Test func smallProbabilitiesKeepTheirDigits() throws {
        let x = (0..<48).map(Double.init)
        let found = try KolmogorovSmirnov(x, x.map { $0 + 100 })
        var expected = 2.0
        for k in 1...48 { expected *= Double(k) / Double(48 + k) }
        #expect(abs(found.test.pValue / expected - 1) < 1e-9)
        #expect(found.counts == [48, 48])
    }

    /// Large samples: the exact value and Kolmogorov's limit agree.
    @Test func limitAgrees() throws {
        var generator = SeededGenerator(seed: 5)
        let x = (0..<4_000).map { _ in generator.uniform() }
        let y = (0..<4_000).map { _ in generator.uniform() * 1.02 }
        let limit = try KolmogorovSmirnov(x, y)
        let exact = try KolmogorovSmirnov(Array(x.prefix(2_000)), Array(y.prefix(2_000)))
        #expect(limit.test.name.hasSuffix("asymptotic") && exact.test.name.hasSuffix("exact"))
        let size = 1_000.0 * exact.statistic * exact.statistic
        var series = 0.0
        for k in 1...20 { series += (k % 2 == 1 ? 2 : -2) * exponential(-2 * Double(k * k) * size) }
        #expect(abs(exact.test.pValue - series) < 0.02)
    }

    @Test func refuses() {
        #expect(throws: StatisticsError.self) { try KolmogorovSmirnov([], [1]) }
        #expect(throws: StatisticsError.self) { try KolmogorovSmirnov([.nan], [1]) }
    }

    private func exponential(_ x: Double) -> Double { 1 / Perplexity.of(meanLogProbability: x) }
}
