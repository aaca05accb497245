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

    // MARK: Membership

    @Test(arguments: [
        (1, [2, 4, 100], true), (1, [2, 4, 99], false), (2, [1, 3, 99], true), (3, [3, 6, 99], true),
        (4, [4, 6, 8], false),
        (5, [5, 10, 95], true), (6, [15, 30, 90], true), (6, [15, 30, 91], false), (7, [25, 25, 25], true),
        (7, [25, 26, 25], false), (8, [50, 50, 50], true), (9, [75, 75, 75], true), (10, [24, 25, 26], true),
        (12, [74, 75, 77], false), (15, [73, 75, 77], true), (18, [71, 75, 79], true), (20, [42, 50, 58], true),
        (22, [9, 25, 41], true), (24, [59, 75, 91], true), (24, [58, 75, 91], false),
    ])
    func setsOfThreeFollowTheirDefinitions(number: Int, values: [Double], verdict: Bool) throws {
        let rules = try WILTRule.membership()
        #expect(rules.count == 24)
        #expect(try rules[number - 1].verdict(WILTDomain.membership.arguments(values)) == verdict)
    }

    /// All members of sets that a closed form could get wrong, listed by hand.
    @Test(arguments: [
        (3, [1, 4, 9, 16, 25, 36, 49, 64, 81, 100]), (4, [1, 8, 27, 64]),
        (
            5,
            [
                2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
            ]
        ),
        (14, [11, 22, 33, 44, 55, 66, 77, 88, 99]), (15, [12, 24, 36, 48, 60, 72, 84, 96]),
        (16, [1, 2, 4, 8, 16, 32, 64]), (17, [1, 3, 9, 27, 81]), (18, [1, 4, 16, 64]), (19, [1, 5, 25]),
        (20, [1, 6, 36]), (21, [1, 7, 49]), (22, [1, 8, 64]), (23, [1, 9, 81]), (24, [1, 10, 100]),
        (25, [1, 11, 21, 31, 41, 51, 61, 71, 81, 91]), (33, [9, 19, 29, 39, 49, 59, 69, 79, 89, 99]), (34, [25]),
        (38, [49, 50, 51]), (42, [73, 74, 75, 76, 77]), (51, Array(59...91)),
    ])
    func setsOfOneHaveTheseMembers(number: Int, members: [Int]) throws {
        let rules = try WILTRule.membershipSingle()
        #expect(rules.count == 51)
        let found: [Int] = try (1...100).filter { try rules[number - 1].verdict([PythonValue.int($0)]) }
        #expect(found == members)
    }

    @Test func aSetsGameHasFiveTestsOfItsNumbers() throws {
        var game = WILTGame(try WILTRule.membershipSingle()[0])
        #expect(game.maxAttempts == 5)
        #expect(game.instruction.contains("takes a number and") && game.instruction.contains("up to 5 numbers"))
        #expect(game.instruction.contains("from 1 to 100") && game.instruction.contains("Test Case: ```(a)```"))
        #expect(game.instruction.contains("Final Guess: ```lambda x: <expression>```"))
        #expect(try game.read("Test Case: ```(8)```") == .reply("Result for input (8): True. Attempts Remaining: 5"))
        #expect(try game.read("Test Case: (8.5)") == .reply("The test case can't be read."))
        #expect(try game.read("Test Case: (0)") == .reply("The numbers of a test case are from 1 to 100."))
        #expect(try game.read("Test Case: (101)") == .reply("The numbers of a test case are from 1 to 100."))
        #expect(try game.read("Test Case: (1, 2)") == .reply("A test case has exactly 1 number."))
        #expect(game.attempts == 1)
        #expect(try game.read("Final guess: none").isReply(with: "```lambda x: True```"))
        let three = WILTGame(try WILTRule.membership()[0])
        #expect(three.maxAttempts == 5 && three.instruction.contains("takes three numbers and"))
        #expect(WILTGame(try WILTRule.lite()[0]).maxAttempts == 30)
    }

    @Test func setsAreScoredOnTheirOwnNumbers() async throws {
        let single = WILTScorer(.membershipSingle, using: SeededGenerator(seed: 1, stream: "p"))
        let numbers: [WILTTriple] = (1...100).map { [PythonValue.int($0)] }
        #expect(single.points == numbers)
        let powers = try WILTRule.membershipSingle()[15]
        #expect(await single.score("lambda n: n & (n - 1) == 0", against: powers).outcome == .correct)
        #expect(await single.score("lambda n: n in (2, 4, 8, 16, 32, 64)", against: powers).outcome == .wrong)
        let three = WILTScorer(.membership, samples: 0, using: SeededGenerator(seed: 1, stream: "p"))
        #expect(three.points.count == 33_793)
        let near = try WILTRule.membership()[9]
        #expect(
            await three.score("lambda a, b, c: 24 <= min(a, b, c) and max(a, b, c) <= 26", against: near).outcome
                == .correct)
        for guess in [
            "lambda x, y, z: False", "lambda x, y, z: abs(x - 25) <= 1 and abs(y - 25) <= 1",
            "lambda x, y, z: 24 <= x <= y <= z <= 26", "lambda x, y, z: x + y + z in (72, 75, 78) and x == y == z",
        ] {
            #expect(await three.score(guess, against: near).outcome == .wrong, "\(guess)")
        }
    }

    @Test func fiveTestsFindSetsWhereChanceDoesNot() throws {
        let rules = try WILTRule.membershipSingle()
        let generator = SeededGenerator(seed: 1, stream: "pool")
        let player = try WILTHypotheses(membership: rules, .membershipSingle, equal: true, using: generator)
        let plays = try rules.map { rule in
            try player.play(rule, candidates: 400, using: SeededGenerator(seed: 1, stream: rule.id))
        }
        let right = zip(plays, rules).count { $0.guess.text == $1.text }
        // Five answers tell 32 sets apart at most.
        #expect(plays.allSatisfy { $0.tests <= 5 } && (20...32).contains(right))
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

extension WILTGame.Step {
    fileprivate func isReply(with text: String) -> Bool {
        if case .reply(let reply) = self { reply.contains(text) } else { false }
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
