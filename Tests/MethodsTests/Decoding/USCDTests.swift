import Decoding
import Foundation
import Inference
import Laboratory
import Testing
import Text

@Suite struct USCDTests {
    private let standard: [Float] = [0.5, 0.3, 0.15, 0.05].map { log($0) }
    private let lame: [Float] = [0.6, 0.1, 0.1, 0.2].map { log($0) }

    // MARK: The rule

    @Test func handCase() {
        let (logits, step) = SelectiveContrast().combined(standard: standard, lame: lame)
        // μ² = ((.25)² + (.05)² + (.1)² + (.2)²) / 3 = .115 / 3; μ·√4 = .3916
        #expect(abs(step.deviation - (0.115 / 3).squareRoot()) < 1e-7)
        #expect(abs(step.confidence - 2 * (0.115 / 3).squareRoot()) < 1e-7)
        #expect(step.isContrasted && step.kept == 2 && !step.fellBack)
        #expect(step.topBefore == 0 && step.topAfter == 1 && step.isChanged)
        #expect(abs(exp(Double(logits[0])) - 0.08) < 1e-6)
        #expect(abs(exp(Double(logits[1])) - 0.23) < 1e-6)
        #expect(logits[2] == -.infinity && logits[3] == -.infinity)
        let output = SelectiveContrast.softmax(logits)
        #expect(abs(output[0] - 8.0 / 31) < 1e-6)
        #expect(abs(output[1] - 23.0 / 31) < 1e-6)
    }

    @Test func sureStepsStayToTheBit() {
        var rule = SelectiveContrast()
        rule.threshold = .relative(0.39)
        let sure = rule.combined(standard: standard, lame: lame)
        #expect(!sure.step.isContrasted && sure.step.kept == 0)
        #expect(sure.logits.map(\.bitPattern) == standard.map(\.bitPattern))
        rule.threshold = .relative(0.3917)
        #expect(rule.combined(standard: standard, lame: lame).step.isContrasted)
        rule.threshold = .none
        #expect(rule.combined(standard: [0, -.infinity], lame: [0, -.infinity]).step.isContrasted)
    }

    @Test(arguments: [2, 7, 1_000, 32_016, 49_152])
    func oneHotDeviation(size: Int) {
        var logits = [Float](repeating: -.infinity, count: size)
        logits[1] = 3
        let step = SelectiveContrast().combined(standard: logits, lame: logits).step
        #expect(abs(step.deviation - 1 / Double(size).squareRoot()) < 1e-12)
        #expect(abs(step.confidence - 1) < 1e-9)
        #expect(!step.isContrasted)
    }

    @Test func absoluteThresholdsDependOnTheVocabulary() {
        var rule = SelectiveContrast()
        rule.threshold = .absolute(0.005)
        #expect(rule.canBeSure(vocabularySize: 32_016))
        #expect(!rule.canBeSure(vocabularySize: 49_152))
        var logits = [Float](repeating: -.infinity, count: 49_152)
        logits[0] = 0
        #expect(rule.combined(standard: logits, lame: logits).step.isContrasted)
        let small = [Float](logits.prefix(32_016))
        #expect(!rule.combined(standard: small, lame: small).step.isContrasted)
    }

    @Test func contrastIsOfProbabilitiesNotOfTheirLogarithms() {
        // In log space 0.2/0.1 against 0.3/0.25 would favour the second; as differences .13 > .125 favours the first.
        let logits = SelectiveContrast().combined(
            standard: [0.3, 0.2, 0.25, 0.25].map { Float(log($0)) },
            lame: [0.25, 0.1, 0.3, 0.35].map { Float(log($0)) }
        ).logits
        #expect(abs(exp(Double(logits[0])) - 0.125) < 1e-6)
        #expect(abs(exp(Double(logits[1])) - 0.13) < 1e-6)
    }

    @Test func withoutPositiveScoresTheStandardStays() {
        var rule = SelectiveContrast()
        rule.lameWeight = -2
        let same: [Float] = [1, 0.5, 0]
        let result = rule.combined(standard: same, lame: same)
        #expect(result.step.isContrasted && result.step.fellBack && !result.step.isChanged)
        #expect(result.logits.map(\.bitPattern) == same.map(\.bitPattern))
    }

    @Test func paddedEntriesAreNoTokens() {
        var rule = SelectiveContrast()
        rule.vocabularySize = 4
        let padded = rule.combined(standard: standard + [50, 50], lame: lame + [0, 0])
        let plain = rule.combined(standard: standard, lame: lame)
        #expect(padded.step == plain.step)
        #expect(padded.logits == plain.logits + [-.infinity, -.infinity])
        rule.threshold = .relative(0)
        #expect(rule.combined(standard: standard + [1], lame: lame + [0]).logits == standard + [1])
    }

    @Test func aUniformDistributionKeepsAllAtFactorOne() {
        var rule = SelectiveContrast()
        rule.keepFactor = 1
        #expect(rule.combined(standard: [0, 0, 0], lame: [2, 0, 0]).step.kept == 3)
        rule.keepFactor = nil
        #expect(rule.combined(standard: standard, lame: lame).step.kept == 4)
    }

    @Test func contrastWithItselfKeepsTheRanking() {
        var generator = SeededGenerator(seed: 5)
        let logits = (0..<500).map { _ in Float(3 * generator.gaussian()) }
        let result = SelectiveContrast().combined(standard: logits, lame: logits)
        let kept = logits.indices.filter { result.logits[$0] > -.infinity }
        #expect(kept.count == result.step.kept && kept.count > 10)
        #expect(
            kept.sorted { logits[$0] > logits[$1] } == kept.sorted { result.logits[$0] > result.logits[$1] })
    }

    @Test func otherMeasuresOfConfidence() {
        let quarter = [Float](repeating: 0, count: 4)
        func confidence(_ measure: ConfidenceMeasure, _ logits: [Float]) -> Double {
            var rule = SelectiveContrast()
            rule.measure = measure
            return rule.combined(standard: logits, lame: logits).step.confidence
        }
        let sure: [Float] = [0, -.infinity, -.infinity, -.infinity]
        for measure in ConfidenceMeasure.allCases { #expect(abs(confidence(measure, sure) - 1) < 1e-9) }
        #expect(abs(confidence(.entropy, quarter)) < 1e-9)
        #expect(abs(confidence(.maximum, quarter) - 0.25) < 1e-9)
        #expect(abs(confidence(.quantile, quarter) - 0.25) < 1e-9)
        #expect(abs(confidence(.deviation, quarter)) < 1e-7)
        // .5 + .3 + .15 is the first sum that reaches .9.
        #expect(abs(confidence(.quantile, standard) - 1.0 / 3) < 1e-9)
    }

    @Test func theCombinerLogsWhatItDid() {
        let combiner = ContrastCombiner(SelectiveContrast())
        var main = standard
        main.withUnsafeMutableBufferPointer { main in
            lame.withUnsafeBufferPointer { lame in combiner.combine(main: main, companions: [lame], generated: []) }
        }
        #expect(main == SelectiveContrast().combined(standard: standard, lame: lame).logits)
        #expect(combiner.steps == [SelectiveContrast().combined(standard: standard, lame: lame).step])
    }

    // MARK: Options and data

    @Test func optionsAreChecked() throws {
        #expect(throws: OptionError.self) { try USCD.Options { $0.lameWeight = 0.1 } }
        #expect(throws: OptionError.self) { try USCD.Options { $0.keepFactor = -1 } }
        #expect(throws: OptionError.self) { try USCD.Options { $0.relativeThreshold = 1.5 } }
        #expect(throws: OptionError.self) {
            try USCD.Options {
                $0.thresholdMode = .absolute
                $0.measure = .entropy
            }
        }
        let parsed = try USCD.Options(flags: ["--threshold-mode", "absolute", "--lame-weight", "-0.5", "--no-keep-set"])
        #expect(parsed.rule().threshold == .absolute(0.005))
        #expect(parsed.rule().lameWeight == -0.5)
        #expect(parsed.rule().keepFactor == nil)
    }

    private func item(_ record: JSONValue, _ rule: LameRule = .docstring, allowsEqual: Bool = false) throws -> CodeItem
    {
        try CodeItem(
            Record(record, at: RecordPlace(source: "code.jsonl", line: 2)), rule: LamePrompt(rule),
            allowsEqual: allowsEqual)
    }

    @Test func recordsOfBothBenchmarksAreRead() throws {
        let human = try item([
            "task_id": "HumanEval/0", "prompt": "def f():\n    \"\"\"\n    >>> f()\n    1\n    \"\"\"\n",
            "test": "def check(c): pass",
            "entry_point": "f",
        ])
        #expect(human.id == "HumanEval/0" && human.entryPoint == "f" && human.tests.count == 1)
        #expect(human.lamePrompt == "def f():\n    \"\"\"\n    \"\"\"\n")
        let mbpp = try item(
            ["task_id": 3, "text": "Write f.", "test_list": ["assert f(1) == 2", "assert f(2) == 3"]], .tests)
        #expect(mbpp.prompt == "\"\"\"\nWrite f.\nassert f(1) == 2\n\"\"\"\n")
        #expect(mbpp.lamePrompt == "\"\"\"\nWrite f.\n\"\"\"\n")
    }

    @Test func badRecordsAreRefused() throws {
        let equal = #expect(throws: DataError.self) { try item(["prompt": "def f():\n"]) }
        #expect(equal?.description.contains("code.jsonl:2") == true)
        #expect(equal?.description.contains("--allow-equal-prompts") == true)
        #expect(try item(["prompt": "def f():\n"], allowsEqual: true).lamePrompt == "def f():\n")
        #expect(throws: DataError.self) {
            try item(["prompt": "a\n    return x", "lame_prompt": "a\nreturn x"], .custom)
        }
        #expect(throws: DataError.self) { try item(["prompt": "a\nb"], .custom) }
        #expect(throws: DataError.self) { try item(["prompt": "  ", "lame_prompt": "x"], .custom) }
        #expect(throws: DataError.self) { try item(["id": "x"]) }
    }

    @Test func modelsThatCannotBeOpenedAreRefused() async throws {
        let lab = Lab(
            slug: "uscd", subject: ScriptedModel([]), dataSet: DataSet(name: "made", records: [["prompt": "def f():"]]))
        let error = await #expect(throws: CapabilityError.self) { try await USCD().run(.init(), in: lab) }
        #expect(error?.description.contains("open model") == true)
    }
}
