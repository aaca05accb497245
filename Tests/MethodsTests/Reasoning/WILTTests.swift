import Inference
import Laboratory
import Reasoning
import Testing
import Text

@Suite struct WILTTests {
    private func triple(_ values: [Double]) -> WILTTriple { values.map { .float($0) } }

    @Test(arguments: [
        (1, [3, 2, 1], true), (1, [3, 3, 1], false), (3, [3, 3, 1], true), (5, [1, 3, 2], true), (6, [1, 3, 3], true),
        (7, [2, 3, 1], true), (8, [2, 2, 2], true), (9, [2, 2, 2], true), (10, [1, 2, 1], false),
        (11, [-1, -2, 0], false),
        (13, [-2, 0, 4], true), (14, [-3, 1, 5], true), (14, [0.5, 1, 3], true), (15, [1, 2, 3], true),
        (15, [0.1, 0.2, 0.3], false), (16, [2, 3, 6], true), (17, [1, 3, 2], true), (18, [2, 6, 3], true),
        (19, [5, 2, 3], true), (20, [6, 2, 3], true), (21, [3, 3, 1], true), (24, [1, 1, 2], true),
        (26, [3, 2, 1], true),
        (27, [1, -3, 2], true), (28, [0, 7, 9], true), (29, [-1, -1, -2], true), (30, [-1, -1, -1], true),
        (31, [1, 2, 3], true), (32, [-1, 1, 3], true), (33, [1, 2, 1.5], true), (34, [5, -5, 0], true),
        (36, [0, -5, 1], false), (39, [20, -20, 20.5], false), (40, [3, 4, -5], true), (41, [3, 5, 4], true),
        (42, [5, 3, 4], true), (43, [6, 3, 2], true), (43, [-1, 7, 7], true), (44, [6, 3, 7], true),
        (45, [6, 3, 5], true),
        (46, [2, 3, 5], true), (46, [2, 4, 5], false), (46, [2.5, 3, 5], false), (47, [4, 9, 0], true),
        (47, [-4, 9, 0], false), (47, [2.25, 4, 1], false), (48, [-0.5, 0.5, 1.5], true), (49, [1.1, 3.2, 2.3], true),
        (50, [0, 0.5, 1], true), (50, [0, 1, 2], false),
    ])
    func rulesFollowTheirDefinitions(number: Int, values: [Double], verdict: Bool) throws {
        #expect(try WILTRule.full()[number - 1].verdict(triple(values)) == verdict)
    }

    @Test func theRulesAreThere() throws {
        #expect(try WILTRule.full().count == 50 && WILTRule.lite().count == 10)
        #expect(try WILTRule.lite()[9].verdict(triple([1, 3, 2])) && WILTRule.lite()[7].verdict(triple([1, 2, 3])))
        let points = WILTScorer(using: SeededGenerator(seed: 1, stream: "p")).points
        #expect(points.count == 5_000 + 5_000 + 41 * 41 * 41 + 10)
    }

    // MARK: Protocol

    private func game(_ limit: Int = 30) throws -> WILTGame {
        try WILTGame(WILTRule("1", "x < y < z"), maxAttempts: limit)
    }

    @Test func testsAreAnsweredWithTheAttemptsBefore() throws {
        var game = try game(2)
        #expect(
            try game.read("Test Case: ```(1, 1, 1)```\nor test case: ```(1, 2.5, 3)```")
                == .reply("Result for input (1.0, 2.5, 3.0): True. Attempts Remaining: 2"))
        #expect(
            try game.read("Test Case: (1, 2.5, 3)")
                == .reply("Result for input (1.0, 2.5, 3.0): True. Attempts Remaining: 1"))
        #expect(game.tests.map(\.isRepeat) == [false, true])
        #expect(try game.read("Test Case: (1, 2, 3)") == .reply("Maximum attempts reached. Please make a guess."))
        #expect(game.attempts == 2)
        #expect(try game.read("Final Guess: `lambda x, y, z: x < y`") == .guess("lambda x, y, z: x < y"))
    }

    @Test func badTestsCostNothing() throws {
        var game = try game()
        #expect(try game.read("test case: (1, 2)") == .reply("A test case has exactly 3 numbers."))
        #expect(try game.read("test case: (1, two, 3)") == .reply("The test case can't be read."))
        #expect(try game.read("test case: (1, inf, 3)") == .reply("The test case can't be read."))
        #expect(try game.read("test case: none") == .reply("There is no test case in your reply."))
        #expect(game.attempts == 0 && game.tests.isEmpty)
    }

    @Test func oneWarningThenTheEnd() throws {
        var game = try game()
        guard case .reply = try game.read("Hello") else { return #expect(Bool(false)) }
        #expect(game.attempts == 1)
        _ = try game.read("test case: (1, 2, 3)")
        guard case .reply = try game.read("Hello") else { return #expect(Bool(false)) }
        #expect(try game.read("Hello") == .end("no action twice"))
        #expect(game.attempts == 3)
    }

    @Test func emptyAndUnquotedReplies() throws {
        var empty = try game()
        #expect(try empty.read(" \n") == .retry)
        #expect(try empty.read("") == .end("no reply"))
        var unquoted = try game()
        guard case .reply = try unquoted.read("Final guess: x < y") else { return #expect(Bool(false)) }
        #expect(unquoted.attempts == 0)
        #expect(try unquoted.read("Final guess: x < y") == .end("a guess without back-quotes"))
        var fenced = try game()
        #expect(
            try fenced.read("test case: (1,2,3)\nFINAL GUESS: ```python\nlambda x, y, z: x\n```")
                == .guess("lambda x, y, z: x"))
    }

    @Test func aGameThatNeverGuessesEnds() throws {
        var game = try game(2)
        var steps = 0
        while case .reply = try game.read("test case: (1)") { steps += 1 }
        #expect(steps == 13)
    }

    // MARK: Scorer

    @Test func guessesAreScored() async throws {
        let scorer = WILTScorer(samples: 200, using: SeededGenerator(seed: 1, stream: "p"))
        let rules = try WILTRule.full()
        for (number, guess) in WILT.nearMisses {
            #expect(await scorer.score(guess, against: rules[number - 1]).outcome == .wrong, "\(guess)")
        }
        let right = await scorer.score("def f(a: float, b, c):\n    return c > b and b > a", against: rules[1])
        #expect(right.outcome == .correct && right.inclusion == 1 && right.operators == 3)
        let narrow = await scorer.score("lambda x, y, z: x == y == z == 0", against: rules[8])
        #expect(narrow.outcome == .wrong && narrow.inclusion == 1 / 41.0)
        for guess in ["lambda x, y: x < y", "x < y", "lambda x, y, z: open(x)", "lambda x, y, z: 1 / 0 == x"] {
            guard case .invalid = await scorer.score(guess, against: rules[1]).outcome else {
                Issue.record("\(guess) isn't invalid")
                continue
            }
        }
    }

    @Test func onlyDecimalsTellSomeRulesApart() async throws {
        let rules = try WILTRule.full()
        func areEqual(decimals: Bool) async -> Bool {
            let scorer = WILTScorer(
                samples: 0, radius: 5, decimals: decimals, using: SeededGenerator(seed: 1, stream: "p"))
            return await scorer.column(rules[47].function) == scorer.column(rules[48].function)
        }
        #expect(await areEqual(decimals: false))
        #expect(!(await areEqual(decimals: true)))
    }

    @Test func theSubjectPlaysUserRules() async throws {
        let model = ScriptedModel(["Test Case: ```(1, 2, 3)```", "Final Guess: ```lambda a, b, c: a < b```"])
        let data = DataSet(name: "rules", records: [["rule": "x < y"]])
        let lab = Lab(slug: "wilt", subject: model, dataSet: data)
        let report = try await WILT().run(
            try WILT.Options {
                $0.split = .user
                $0.samples = 50
            }, in: lab)
        #expect(report.metrics.first { $0.name == "exact accuracy" }?.estimate.value == 1)
        #expect(
            abs((report.metrics.first { $0.name == "points a game" }?.estimate.value ?? 0) - (1_100 - 100 / 30.0))
                < 1e-9)
        #expect(model.requests.count == 2)
        let bad = Lab(slug: "wilt", subject: model, dataSet: DataSet(name: "rules", records: [["rule": "x <"]]))
        await #expect(throws: DataError.self) {
            try await WILT().run(try WILT.Options { $0.split = .user }, in: bad)
        }
    }
}

@Suite struct WILTMeasureTests {
    @Test func noveltyLooksAtTheNearestEarlierReply() {
        let replies: [[Float]] = [[1, 0], [0, 1], [0.6, 0.8], [1, 0]]
        let values = WILT.novelties(replies)
        #expect(values.count == 3)
        #expect(zip(values, [1, 0.2, 0]).allSatisfy { abs($0 - $1) < 1e-6 })
        #expect(WILT.novelties([[1, 0]]).isEmpty)
    }

    @Test(arguments: [("B", true), ("C.", true), ("A", false), ("(D)", false), ("who knows", nil as Bool?)])
    func theJudgesLetterIsAClass(reply: String, isNear: Bool?) async throws {
        let judge = ScriptedModel([reply])
        let rule = try WILTRule("1", "x < y < z")
        let nearness = try await WILT.nearness(of: "lambda x, y, z: x <= y <= z", to: rule, asking: judge)
        #expect(nearness?.isNear == isNear)
        let prompt = judge.requests.first?.prompt.plainText ?? ""
        #expect(prompt.contains("x < y < z") && prompt.contains("x <= y <= z"))
    }

    @Test func everyPlayerGuessesFromEveryPlayersTests() async throws {
        // The subject tests and guesses right, the other guesses wrong in its own game and right from a table.
        let subject = ScriptedModel { request, _ in
            request.prompt.plainText.contains("Name it from these tests") || request.prompt.plainText.contains("Result")
                ? "Final Guess: ```lambda x, y, z: x > y > z```" : "Test Case: ```(3, 2, 1)```"
        }
        let other = ScriptedModel(rules: [
            ("Name it from these tests", "Final Guess: ```lambda x, y, z: x > y > z```"),
            ("I have a hidden rule", "Final Guess: ```lambda x, y, z: x < y```"),
            ("Reply with the letter", "B"),
        ])
        let lab = Lab(slug: "wilt", subject: subject, limit: 1) { _ in other }
        let options = try WILT.Options {
            $0.swapWith = ["other"]
            $0.judge = "judge"
            $0.samples = 100
        }
        let report = try await WILT().run(options, in: lab)
        let tables = report.blocks.compactMap { if case .table(let table) = $0 { table } else { nil } }
        let swap = try #require(tables.first { $0.caption.hasPrefix("Guesses from") })
        #expect(swap.rows == [["subject", "100.0 %", "100.0 %"], ["other", "100.0 %", "100.0 %"]])
        #expect(tables.contains { $0.caption.hasPrefix("Wrong guesses") })
    }
}
