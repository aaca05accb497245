import Decoding
import Foundation
import Inference
import Laboratory
import Testing
import Text

@Suite struct QKScoreTests {
    // MARK: The equations

    @Test func productsOfGroupedHeads() {
        // Two heads of size 2 share one key head.
        let query: [Float] = [1, 2, 3, -1]
        let keys: [[Float]] = [[1, 0], [0, 1], [2, 2]]
        let scores = HeadScores.products(query: query, keys: keys, heads: 2, keyValueHeads: 1)
        #expect(scores == [[1, 2, 6], [3, -1, 4]])
        let cosines = HeadScores.products(query: query, keys: keys, heads: 2, keyValueHeads: 1, isCosine: true)
        #expect(abs(cosines[0][0] - 1 / 5.0.squareRoot()) < 1e-12)
        #expect(abs(cosines[0][2] - 6 / 40.0.squareRoot()) < 1e-12)
        let own = HeadScores.products(query: query, keys: [[1, 0, 0, 1]], heads: 2, keyValueHeads: 2)
        #expect(own == [[1], [-1]])
    }

    @Test func keyHeads() {
        #expect((0..<9).map { HeadScores.keyHead($0, heads: 9, keyValueHeads: 3) } == [0, 0, 0, 1, 1, 1, 2, 2, 2])
        #expect((0..<8).map { HeadScores.keyHead($0, heads: 8, keyValueHeads: 8) } == Array(0..<8))
    }

    @Test func headsTogether() {
        var scores = HeadScores(layers: 1, heads: 3, options: 3)
        // A head of large scale must not outvote two of small scale.
        scores[Head(0, 0)] = [100, 0, 90]
        scores[Head(0, 1)] = [0, 0.1, 0.3]
        scores[Head(0, 2)] = [0, 0.1, 0.3]
        #expect(scores.choice(of: [Head(0, 0)]) == 0)
        #expect(scores.choice(of: [Head(0, 1)]) == 2)
        #expect(scores.choice(of: [Head(0, 0), Head(0, 1), Head(0, 2)]) == 2)
        #expect(scores.choiceOfAllHeads == 0)
        #expect(HeadScores.standardised([1, 3]) == [-1, 1])
        #expect(HeadScores.standardised([2, 2]) == [0, 0])
        #expect(HeadScores.largest([1, 4, 4]) == 1)
    }

    /// Questions whose one layer of three heads points at given options.
    private func readings(_ choices: [[Int]], gold: [Int], mass: [Double] = [0.5, 0.5, 0.5]) -> [ChoiceReading] {
        zip(choices, gold).map { choices, gold in
            var qk = HeadScores(layers: 1, heads: 3, options: 4)
            var attention = qk
            for (head, choice) in choices.enumerated() {
                var scores = [0.0, 0, 0, 0]
                scores[choice] = 1
                qk[Head(0, head)] = scores
                attention[Head(0, head)] = [mass[head], 0, 0, 0]
            }
            return ChoiceReading(
                gold: gold, qk: qk, attention: attention, letters: [.bare: [0, 0, 0, 1], .spaced: [1, 0, 0, 0]])
        }
    }

    @Test func rankingWithLabels() {
        let found = readings([[0, 1, 2], [1, 1, 0], [2, 2, 0], [3, 0, 0]], gold: [0, 1, 2, 0])
        let ranked = HeadRanking.ranked(found, by: .labelled, score: .qk)
        #expect(ranked.map(\.head) == [Head(0, 0), Head(0, 1), Head(0, 2)])
        #expect(ranked.map(\.score) == [0.75, 0.75, 0.25])
        #expect(HeadRanking.outcomes(of: [Head(0, 2)], found, score: .qk) == [false, false, false, true])
    }

    @Test func rankingWithoutLabels() {
        // Head 0 points everywhere with little mass, head 1 at two options with more, head 2 always at one with all mass.
        let found = readings(
            [[0, 0, 3], [1, 1, 3], [2, 0, 3], [3, 1, 3]], gold: [0, 0, 0, 0], mass: [0.1, 0.6, 1])
        let ranked = HeadRanking.ranked(found, by: .unlabelled, score: .qk)
        #expect(ranked.map(\.head) == [Head(0, 1), Head(0, 0), Head(0, 2)])
        #expect(abs(ranked[0].score - 0.6 * log(2)) < 1e-12)
        #expect(abs(ranked[1].score - 0.1 * log(4)) < 1e-12)
        #expect(ranked[2].score == 0)
        #expect(abs(HeadRanking.concentration(of: Head(0, 1), found) - 0.6) < 1e-12)
    }

    @Test func theBetterLettersAreTheBaseline() {
        let found = readings([[0, 0, 0], [0, 0, 0], [0, 0, 0]], gold: [3, 3, 0])
        let baseline = LetterBaseline(found)
        #expect(baseline.form == .bare)
        #expect(baseline.outcomes(found) == [true, true, false])
    }

    @Test func priorOfLetters() {
        // Two letters; the model says A with 0.8 whatever stands there, so its prior is 0.8 and 0.2.
        let biased = [log(0.8), log(0.2)]
        let prior = LetterPrior([[biased, biased], [biased, biased]])
        #expect(abs(exp(prior.logPrior[0]) - 0.8) < 1e-12)
        // .7 for A is less than the prior, .9 more.
        #expect(prior.choice([log(0.7), log(0.3)]) == 1)
        #expect(prior.choice([log(0.9), log(0.1)]) == 0)
        // One question: log-probabilities are averaged over its rotations, √(.9·.5) : √(.1·.5) = 3 : 1.
        let one = LetterPrior([[[log(0.9), log(0.1)], [log(0.5), log(0.5)]]])
        #expect(abs(exp(one.logPrior[0]) - 0.75) < 1e-12)
        #expect(abs(exp(one.logPrior[1]) - 0.25) < 1e-12)
    }

    @Test func metrics() {
        let original = [true, true, false, false]
        let permuted = [true, false, true, false]
        #expect(ChoiceMetrics.both(original, permuted) == [true, false, false, false])
        var random = SeededGenerator(seed: 3)
        for _ in 0..<50 {
            let a = (0..<20).map { _ in random.chance(0.6) }
            let b = (0..<20).map { _ in random.chance(0.4) }
            let both = ChoiceMetrics.share(ChoiceMetrics.both(a, b))
            #expect(both <= min(ChoiceMetrics.share(a), ChoiceMetrics.share(b)))
        }
        #expect(ChoiceMetrics.rates([0, 2, 2, 1], options: 4) == [0.25, 0.25, 0.5, 0])
        #expect(ChoiceMetrics.rates([], options: 2) == [0, 0])
    }

    @Test func randomHeadsAreOfTheSameLayers() {
        var random = SeededGenerator(seed: 1)
        let best = [Head(3, 0), Head(3, 1), Head(5, 2)]
        let others = HeadAblation.randomHeads(like: best, headsInLayer: 9, using: &random)
        #expect(others.map(\.layer) == [3, 3, 5])
        #expect(Set(others).count == 3 && Set(others).isDisjoint(with: best))
        // A layer of three heads with two taken has one other.
        #expect(HeadAblation.randomHeads(like: best, headsInLayer: 3, using: &random).map(\.layer) == [3, 5])
    }

    // MARK: Items and prompts

    private let item = ChoiceItem(
        id: "one", question: "Which?", context: "It is so.", options: ["red", "two\nlines", "a thing."], gold: 1)

    @Test func thePromptAsText() {
        let text = ChoiceText(item, extraOptions: ChoiceText.extraOptions)
        #expect(
            text.text == """
                Context: It is so.
                Question: Which?
                Options:
                A. red
                B. two
                lines
                C. a thing.
                D. None of the above
                E. I don't know
                Answer:
                """)
        let bytes = Array(text.text.utf8)
        #expect(text.options.count == 5)
        #expect(text.options.allSatisfy { bytes[$0.lineBreak] == 10 && bytes[$0.period] == 46 })
        #expect(text.options.map { bytes[$0.letter] } == Array("ABCDE".utf8))
        #expect(String(decoding: bytes[text.options[1].content], as: UTF8.self) == "two\nlines")
        let shot = ChoiceItem(id: "shot", question: "Who?", options: ["I", "you"], gold: 1)
        let withShot = ChoiceText(item, extraOptions: [], shots: [shot])
        #expect(withShot.text.hasPrefix("Question: Who?\nOptions:\nA. I\nB. you\nAnswer: B\n\nContext:"))
        #expect(withShot.options.count == 3)
        #expect(withShot.options[0].letter > withShot.text.utf8.count - 60)
    }

    @Test func representativeTokensByOffsets() throws {
        // "A. re" "d.\n": the line break shares its token.
        let option = ChoiceText.Option(letter: 0, period: 1, content: 3..<7, lineBreak: 7)
        let pieces: [(Range<Int>, String)] = [
            (0..<1, "A"), (1..<2, "."), (2..<5, " re"), (5..<8, "d.\n"), (8..<9, "X"),
        ]
        let located = pieces.enumerated().map { LocatedToken(id: TokenID($0.offset), range: $0.element.0) }
        func tokens(_ token: RepresentativeToken, _ pieces: [(Range<Int>, String)]) throws -> [Int] {
            try ChoicePrompt.tokens(of: option, as: token, in: located, letter: "A", id: "x") {
                Array(pieces[Int($0)].1.utf8)
            }
        }
        #expect(try tokens(.eol, pieces) == [3])
        #expect(try tokens(.label, pieces) == [0])
        #expect(try tokens(.period, pieces) == [1])
        #expect(try tokens(.content, pieces) == [3])
        #expect(try tokens(.mean, pieces) == [2, 3])
        // A tokenizer that turns line breaks into spaces.
        var spaces = pieces
        spaces[3].1 = "d. "
        #expect(throws: QKScoreError.noLineBreak(id: "x", letter: "A")) { try tokens(.eol, spaces) }
        #expect(try tokens(.content, spaces) == [3])
    }

    @Test func optionsMove() {
        let moved = item.reordered([2, 0, 1])
        #expect(moved.options == ["a thing.", "red", "two\nlines"] && moved.gold == 2)
        #expect(item.rotated(by: 1).options == ["two\nlines", "a thing.", "red"] && item.rotated(by: 1).gold == 0)
        for number in 0..<20 {
            let permuted = item.permuted(number: number)
            #expect(permuted.options[permuted.gold] == "two\nlines")
            #expect(permuted == item.permuted(number: number))
        }
        #expect(Set((0..<20).map { item.permuted(number: $0).options }).count > 3)
    }

    private func read(_ record: JSONValue) throws -> ChoiceItem {
        try ChoiceItem(Record(record, at: RecordPlace(source: "mc.jsonl", line: 4)))
    }

    @Test func recordsAreRead() throws {
        let base: JSONValue = ["question": "Q?", "options": ["x", " y "], "gold": 1, "subject": "law", "context": "c"]
        let item = try read(base)
        #expect(item.options == ["x", "y"] && item.gold == 1 && item.subject == "law" && item.context == "c")
        #expect(try read(["question": "Q?", "choices": ["x", "y"], "answer": "A"]).gold == 0)
        #expect(try read(["question": "Q?", "options": ["x", "y"], "gold": "y"]).gold == 1)
    }

    @Test func badRecordsAreRefused() {
        let bad: [JSONValue] = [
            ["question": "Q?", "options": ["x"], "gold": 0], ["question": "Q?", "options": ["x", "  "], "gold": 0],
            ["question": "Q?", "options": ["x", "y"]], ["question": "Q?", "options": ["x", "y"], "gold": 2],
            ["question": "Q?", "options": .array((0..<25).map { .string("o\($0)") }), "gold": 0],
            ["options": ["x", "y"], "gold": 0],
        ]
        for record in bad {
            let error = #expect(throws: DataError.self) { try read(record) }
            #expect(error?.description.contains("mc.jsonl:4") == true)
        }
    }

    @Test func syntheticItems() throws {
        let words = ["apple", "berry", "cherry", "dates", "elder"]
        var random = SeededGenerator(seed: 2)
        let items = try SyntheticChoices.items(200, words: words, name: "t", using: &random)
        #expect(items.count == 200 && items.allSatisfy { Set($0.options).count == 4 })
        #expect(items.allSatisfy { $0.question.contains("\"\($0.options[$0.gold])\"") })
        #expect(Set(items.map(\.gold)) == [0, 1, 2, 3])
        #expect(throws: QKScoreError.tooFewWords(5, needed: 6)) {
            try SyntheticChoices.items(1, options: 6, words: words, name: "t", using: &random)
        }
    }

    // MARK: Options and refusals

    @Test func optionsAreChecked() throws {
        #expect(throws: OptionError.self) { try QKScore.Options { $0.calibrationFraction = 0 } }
        #expect(throws: OptionError.self) { try QKScore.Options { $0.ensemble = 0 } }
        #expect(throws: OptionError.self) {
            try QKScore.Options {
                $0.normalise = true
                $0.score = .attention
            }
        }
        #expect(throws: OptionError.self) {
            try QKScore.Options {
                $0.heads = [HeadName(Head(0, 0))]
                $0.headFile = Path("heads.json")
            }
        }
        let parsed = try QKScore.Options(flags: ["--heads", "13:6,14:2", "--rep-token", "mean", "--no-extra-options"])
        #expect(
            parsed.heads.map(\.head) == [Head(13, 6), Head(14, 2)] && parsed.token == .mean && !parsed.extraOptions)
    }

    @Test func questionsAreSplit() {
        let items = (0..<40).map { ChoiceItem(id: "\($0)", question: "?", options: ["a", "b"], gold: 0) }
        let (calibration, test) = QKScore.split(items, share: 0.05, seed: 1)
        #expect(calibration.count == 2 && test.count == 38)
        #expect(Set((calibration + test).map(\.id)).count == 40)
        #expect(QKScore.split(Array(items.prefix(2)), share: 0.05, seed: 1).calibration.count == 1)
        #expect(QKScore.split(Array(items.prefix(1)), share: 0.05, seed: 1).calibration.isEmpty)
    }

    @Test func endpointsAreRefused() async throws {
        let lab = Lab(
            slug: "qk-score", subject: ScriptedModel([]),
            dataSet: DataSet(name: "made", records: [["question": "Q?", "options": ["x", "y"], "gold": 0]]))
        let error = await #expect(throws: CapabilityError.self) { try await QKScore().run(.init(), in: lab) }
        #expect(error?.description.contains("open model") == true)
    }

    @Test func headFilesBelongToTheirModel() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("heads-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        let architecture = ArchitectureSummary(
            family: "llama", layers: 2, hiddenSize: 8, heads: 2, keyValueHeads: 1, headSize: 4, vocabularySize: 10,
            parameters: 100)
        var selection = HeadSelection(
            fingerprint: "f", model: "m", score: .qk, token: .eol, rule: .labelled, items: 5,
            ranking: [RankedHead(Head(1, 1), 0.5)], selected: [Head(1, 1)])
        try selection.write(to: file)
        #expect(try HeadSelection(path: file.path, fingerprint: "f", architecture: architecture) == selection)
        let other = #expect(throws: HeadFileError.self) {
            try HeadSelection(path: file.path, fingerprint: "g", architecture: architecture)
        }
        #expect(other?.description.contains("--head-file") == true)
        selection.selected = [Head(2, 0)]
        try selection.write(to: file)
        #expect(throws: HeadFileError.self) {
            try HeadSelection(path: file.path, fingerprint: "f", architecture: architecture)
        }
        try Data("{\"model\": \"m\"}".utf8).write(to: file)
        #expect(throws: HeadFileError.self) {
            try HeadSelection(path: file.path, fingerprint: "f", architecture: architecture)
        }
        #expect(throws: HeadFileError.self) {
            try HeadSelection(path: "/nonexistent.json", fingerprint: "f", architecture: architecture)
        }
    }
}
