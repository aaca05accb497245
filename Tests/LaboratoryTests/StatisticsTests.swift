import Foundation
import Laboratory
import Testing
import Text

/// Golden values made with SciPy by `Tests/Golden/statistics_goldens.py`, and hand-worked ones beside them.
@Suite struct StatisticsTests {
    private static let golden: JSONValue = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../Golden/statistics.json"
        ).standardized
        guard let data = try? Data(contentsOf: file), let value = try? JSONValue(parsing: Array(data)) else {
            return .null
        }
        return value
    }()

    private static func cases(_ name: String) -> [JSONValue] { golden[name]?.arrayValue ?? [] }

    @Test func goldenValuesAreThere() {
        for name in ["wilson", "binomial", "mcnemar", "correlation", "auroc"] {
            #expect(Self.cases(name).count >= 4, "\(name)")
        }
    }

    @Test func wilsonAgreesWithSciPy() throws {
        for golden in Self.cases("wilson") {
            let estimate = try Estimate.accuracy(
                correct: #require(golden["k"]?.intValue), of: #require(golden["n"]?.intValue),
                confidence: #require(golden["confidence"]?.doubleValue))
            #expect(close(estimate.low, golden["low"]), "\(golden)")
            #expect(close(estimate.high, golden["high"]), "\(golden)")
        }
    }

    @Test func binomialAgreesWithSciPy() throws {
        for golden in Self.cases("binomial") {
            let test = try SignificanceTest.binomial(
                successes: #require(golden["k"]?.intValue), of: #require(golden["n"]?.intValue),
                probability: #require(golden["p"]?.doubleValue))
            #expect(close(test.pValue, golden["pvalue"], tolerance: 1e-9), "\(golden) \(test.pValue)")
        }
    }

    @Test func mcNemarAgreesWithSciPy() throws {
        for golden in Self.cases("mcnemar") {
            let b = try #require(golden["b"]?.intValue)
            let c = try #require(golden["c"]?.intValue)
            let both = [true, true, false]
            let baseline = both + Array(repeating: true, count: b) + Array(repeating: false, count: c)
            let method = both + Array(repeating: false, count: b) + Array(repeating: true, count: c)
            let test = try SignificanceTest.mcNemar(baseline: baseline, method: method)
            #expect(close(test.pValue, golden["pvalue"], tolerance: 1e-10), "\(golden)")
        }
    }

    @Test func correlationsAgreeWithSciPy() throws {
        for golden in Self.cases("correlation") {
            let x = try #require(golden["x"]?.arrayValue).compactMap(\.doubleValue)
            let y = try #require(golden["y"]?.arrayValue).compactMap(\.doubleValue)
            let pearson = try Correlation.pearson(x, y)
            let spearman = try Correlation.spearman(x, y)
            #expect(close(pearson.coefficient, golden["pearson"]))
            #expect(close(pearson.test.pValue, golden["pearson_p"], tolerance: 1e-9))
            #expect(close(spearman.coefficient, golden["spearman"]))
            #expect(close(spearman.test.pValue, golden["spearman_p"], tolerance: 1e-9))
        }
    }

    @Test func areaUnderROCAgreesWithMannWhitney() throws {
        for golden in Self.cases("auroc") {
            let scores = try #require(golden["scores"]?.arrayValue).compactMap(\.doubleValue)
            let positives = try #require(golden["labels"]?.arrayValue).map { $0 == 1 }
            let area = try Classification.areaUnderROC(scores: scores, positives: positives)
            #expect(close(area.value, golden["auroc"]))
            #expect((area.low ?? 2) <= area.value && (area.high ?? -1) >= area.value)
        }
    }

    @Test func wilsonByHand() throws {
        // 8 of 10 at 95 %: the interval published in textbooks is 0.490 to 0.943.
        let estimate = try Estimate.accuracy(correct: 8, of: 10)
        #expect(abs((estimate.low ?? 0) - 0.4902) < 1e-4)
        #expect(abs((estimate.high ?? 0) - 0.9433) < 1e-4)
        let none = try Estimate.accuracy(correct: 0, of: 20)
        #expect(none.low == 0 && (none.high ?? 0) > 0.1)
        let all = try Estimate.accuracy(correct: 20, of: 20)
        #expect(all.high == 1 && (all.low ?? 1) < 0.9)
    }

    @Test func calibrationByHand() throws {
        // Bin (0.2, 0.3]: confidence 0.25, accuracy 0.5. Bin (0.8, 0.9]: confidence 0.85, accuracy 1. Both hold two of four.
        let calibration = try Calibration(
            probabilities: [0.2 + 0.05, 0.25, 0.85, 0.85], outcomes: [true, false, true, true])
        #expect(abs(calibration.expectedError - (0.5 * 0.25 + 0.5 * 0.15)) < 1e-12)
        let brier = (0.75 * 0.75 + 0.25 * 0.25 + 2 * 0.15 * 0.15) / 4
        #expect(abs(calibration.brier - brier) < 1e-12)
        #expect(calibration.bins.map(\.count) == [0, 0, 2, 0, 0, 0, 0, 0, 2, 0])
    }

    @Test(arguments: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    func calibrationBinsHoldTheirUpperEnd(probability: Double) throws {
        let bins = try Calibration(probabilities: [probability], outcomes: [true]).bins
        let bin = try #require(bins.first { $0.count == 1 })
        #expect(abs(bin.high - probability) < 1e-12)
    }

    @Test func bootstrapCoversTheMeanOfANormalSample() throws {
        // Theory: mean ± 1.96 σ/√n; 400 draws give ± 0.098.
        var generator = SeededGenerator(seed: 11)
        let values = (0..<400).map { _ in 5 + generator.gaussian() }
        let estimate = try Estimate.mean(values, resamples: 4_000, seed: 2)
        let width = try #require(estimate.high) - #require(estimate.low)
        #expect(abs(width - 2 * 1.96 / 20) < 0.03)
        #expect(abs(estimate.value - 5) < 0.2)
        #expect(try Estimate.mean(values, resamples: 4_000, seed: 2) == estimate)
        #expect(try Estimate.mean([2.5]).low == nil)
    }

    @Test func pairedDifferenceSeesASmallButSteadyGain() throws {
        // The items differ much among each other, the arms by a steady 0.1: only pairing shows it.
        var generator = SeededGenerator(seed: 4)
        let baseline = (0..<60).map { _ in 10 * generator.uniform() }
        let method = baseline.map { $0 + 0.1 + 0.01 * generator.gaussian() }
        let paired = try PairedDifference(baseline: baseline, method: method)
        #expect(try #require(paired.difference.low) > 0.09)
        #expect(paired.test.pValue < 0.001)
        let same = try PairedDifference(baseline: baseline, method: baseline)
        #expect(same.difference.value == 0 && same.test.pValue == 1)
    }

    @Test func pairedOutcomes() throws {
        let baseline = [true, false, false, false, false, false, true, false]
        let method = [true, true, true, true, true, true, true, false]
        let paired = try PairedDifference(baseline: baseline, method: method)
        #expect(paired.difference.value == 5.0 / 8)
        // Five pairs changed, all one way: 2 × 0.5⁵.
        #expect(paired.test.pValue == 0.0625)
        #expect(paired.baseline.method == "Wilson")
    }

    @Test func impossibleInputIsAnError() {
        #expect(throws: StatisticsError.self) { try Estimate.accuracy(correct: 3, of: 2) }
        #expect(throws: StatisticsError.self) { try Estimate.accuracy(correct: 0, of: 0) }
        #expect(throws: StatisticsError.self) { try Estimate.mean([]) }
        #expect(throws: StatisticsError.self) { try Estimate.mean([1, .nan]) }
        #expect(throws: StatisticsError.self) { try PairedDifference(baseline: [1], method: [1, 2]) }
        #expect(throws: StatisticsError.self) { try Correlation.pearson([1, 1, 1], [1, 2, 3]) }
        #expect(throws: StatisticsError.self) {
            try Classification.areaUnderROC(scores: [1, 2], positives: [true, true])
        }
        #expect(throws: StatisticsError.self) { try Calibration(probabilities: [1.5], outcomes: [true]) }
    }

    private func close(_ value: Double?, _ golden: JSONValue?, tolerance: Double = 1e-10) -> Bool {
        guard let value, let golden = golden?.doubleValue else { return false }
        return abs(value - golden) <= tolerance * max(1, abs(golden))
    }
}

@Suite struct SeededGeneratorTests {
    @Test func agreesWithTheReferenceAlgorithms() {
        // xoshiro256** from a state of SplitMix64(0), computed by an independent implementation (Tests/Golden/statistics_goldens.py).
        var generator = SeededGenerator(seed: 0)
        #expect(
            (0..<4).map { _ in generator.next() } == [
                11_091_344_671_253_066_420, 13_793_997_310_169_335_082, 1_900_383_378_846_508_768,
                7_684_712_102_626_143_532,
            ])
    }

    @Test func streamsAreIndependentAndRepeat() {
        var a = SeededGenerator(seed: 1, stream: "a")
        var again = SeededGenerator(seed: 1, stream: "a")
        var b = SeededGenerator(seed: 1, stream: "b")
        var other = SeededGenerator(seed: 2, stream: "a")
        let draws = (0..<8).map { _ in a.next() }
        #expect(draws == (0..<8).map { _ in again.next() })
        #expect(draws != (0..<8).map { _ in b.next() })
        #expect(draws != (0..<8).map { _ in other.next() })
    }

    @Test func numbersAreEven() {
        var generator = SeededGenerator(seed: 9)
        var counts = [Int](repeating: 0, count: 6)
        for _ in 0..<60_000 { counts[generator.below(6)] += 1 }
        // 10,000 ± 4.5 standard deviations of √(60,000 · 1/6 · 5/6) = 91.
        #expect(counts.allSatisfy { abs($0 - 10_000) < 410 })
        let normals = (0..<20_000).map { _ in generator.gaussian() }
        let mean = normals.reduce(0, +) / 20_000
        let variance = normals.reduce(0) { $0 + $1 * $1 } / 20_000
        #expect(abs(mean) < 0.03 && abs(variance - 1) < 0.05)
        #expect((0..<1_000).allSatisfy { _ in (0..<1).contains(generator.uniform()) })
    }

    @Test func shufflesKeepTheElements() {
        var generator = SeededGenerator(seed: 3)
        let shuffled = generator.shuffled(0..<50)
        #expect(shuffled != Array(0..<50))
        #expect(shuffled.sorted() == Array(0..<50))
        let sample = generator.sample(5, of: 0..<50)
        #expect(Set(sample).count == 5)
        #expect(generator.sample(9, of: [1, 2]).sorted() == [1, 2])
        #expect(generator.pick([Int]()) == nil)
    }
}
