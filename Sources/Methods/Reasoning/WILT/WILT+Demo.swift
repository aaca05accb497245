import Inference
import Laboratory
import Text

extension WILT {
    /// Guesses that miss a rule of the full split, by its number, at an edge.
    package static let nearMisses: [(rule: Int, guess: String)] = [
        (1, "lambda x, y, z: x >= y > z"), (2, "lambda x, y, z: x < y <= z"), (3, "lambda x, y, z: x > y > z"),
        (4, "lambda x, y, z: x <= y < z"), (12, "lambda x, y, z: x >= 0 and y > 0 and z > 0"),
        (11, "lambda x, y, z: x < 0 and y < 0 and z <= 0"),
        (2, "lambda x, y, z: x < y < z and all(n == int(n) for n in (x, y, z))"),
        (12, "lambda x, y, z: all(n >= 1 for n in [x, y, z])"),
        (39, "lambda x, y, z: all(-19 <= n <= 19 for n in (x, y, z))"),
        (34, "lambda x, y, z: all(-5 < n < 5 for n in (x, y, z))"), (9, "lambda x, y, z: x == y"),
        (50, "lambda x, y, z: x < y < z and z - x < 1"),
    ]

    /// Plays with reference players on the full split, checks the scorer on all pairs of rules, and lets the subject play.
    ///
    /// The bars are the sheet's: the eliminator names at least 46 of 50 rules in at most 10 tests, the random tester at most 32
    /// in at least twice the tests, and a constant guess is right once. On the membership splits, for which there is no bar, the players are
    /// controls.
    public func demo(in lab: Lab) async throws -> Demonstration {
        let rules = try WILTRule.full()
        let scorer = WILTScorer(using: lab.random("points"))
        let columns = try await Self.columns(rules, scorer, in: lab)
        let grid = scorer.points.indices.dropFirst(10_000).dropLast(WILTScorer.decimals.count)
        let wrongPairs = Self.equalPairs(columns)
        let gridPairs = Self.equalPairs(columns.map { $0.verdicts[grid] })
        let rejected = await Self.rejections(rules, scorer)

        let generated = try WILTRule.generated(150, using: lab.random("hypotheses"))
        let mixed = try WILTHypotheses(rules + generated, integersOnly: false, using: lab.random("pool"))
        let whole = try WILTHypotheses(rules + generated, integersOnly: true, using: lab.random("whole pool"))
        let eliminator = try await Self.result(of: mixed, 400, rules, scorer, columns, in: lab)
        let random = try await Self.result(of: whole, 1, rules, scorer, columns, in: lab)
        let constant = await scorer.column(try PythonExpression("lambda x, y, z: x < y < z"))
        let constantRight = columns.count { $0 == constant }

        let sets = [try await Self.setPlay(.membership, in: lab), try await Self.setPlay(.membershipSingle, in: lab)]

        // A control only: a few short games, as a small model names no rule.
        var options = Options()
        options.maxAttempts = 3
        options.maxTokens = 48
        let played = try await Self.games(
            Array(WILTRule.lite().prefix(lab.limit ?? 3)), options, scorer: scorer, asking: lab.languageModel(), in: lab
        )

        var report = Report(
            "WILT's reference players on \(rules.count) rules",
            summary:
                "The eliminator names \(eliminator.right) rules with \(NumberStyle.decimals(1).text(eliminator.tests)) tests, "
                + "the random tester \(random.right) with \(NumberStyle.decimals(1).text(random.tests)), and a constant guess "
                + "\(constantRight).")
        var table = Table("Players", columns: [.text("player"), .number("right"), .number("tests")])
        table.add("eliminator", "\(eliminator.right)", NumberStyle.decimals(1).text(eliminator.tests))
        table.add("random tester", "\(random.right)", NumberStyle.decimals(1).text(random.tests))
        table.add("constant guess", "\(constantRight)", "0")
        table.add("the subject, \(played.count) short games", "\(played.count(where: \.isCorrect))", "")
        report.add(table)
        var setTable = Table(
            "Players on sets of 1 to 100, 5 tests a game",
            columns: [
                .text("split"), .number("sets"), .number("eliminator right"), .number("tests"),
                .number("random tester right"), .number("tests"), .number("constant guess right"),
            ])
        for play in sets {
            setTable.add(
                play.split.rawValue, "\(play.rules)", "\(play.eliminator.right)",
                NumberStyle.decimals(1).text(play.eliminator.tests), "\(play.random.right)",
                NumberStyle.decimals(1).text(play.random.tests), "\(play.constant)")
        }
        report.add(setTable)
        report.note("Five answers tell at most 32 sets apart, so that no player names all 51.")
        report.note("A small model names no rule; what is shown is that the game measures evidence and deduction.")
        return Demonstration(
            report,
            checks: [
                Check("rules right, eliminator", Double(eliminator.right), .atLeast(46), role: .mechanism),
                Check("tests, eliminator", eliminator.tests, .atMost(10), role: .mechanism),
                Check("rules right, random tester", Double(random.right), .atMost(32), role: .mechanism),
                Check(
                    "tests, random tester over eliminator", random.tests / eliminator.tests, .atLeast(2),
                    role: .mechanism),
                Check("rules right, constant guess", Double(constantRight), .between(1, 1), role: .mechanism),
                Check("pairs of different rules scored equal", Double(wrongPairs), .between(0, 0), role: .mechanism),
                Check(
                    "pairs of different sets scored equal", Double(sets.reduce(0) { $0 + $1.equalPairs }),
                    .between(0, 0),
                    role: .mechanism),
                Check("pairs equal on the grid alone", Double(gridPairs), .between(4, 4), role: .mechanism),
                Check("near misses rejected", Double(rejected), .between(12, 12), role: .mechanism),
            ],
            controls: [
                .init("rules right, subject", Double(played.count(where: \.isCorrect))),
                .init("games, subject", Double(played.count)),
            ]
                + sets.flatMap(\.controls))
    }

    private struct SetPlay: Sendable {
        var split: Options.Split
        var rules: Int
        var equalPairs: Int
        var eliminator: (right: Int, tests: Double)
        var random: (right: Int, tests: Double)
        var constant: Int

        var controls: [Demonstration.Control] {
            [
                .init("sets right of \(rules), eliminator", Double(eliminator.right)),
                .init("sets right of \(rules), random tester", Double(random.right)),
            ]
        }
    }

    /// The reference players on a membership split: the eliminator tests equal numbers, the random tester any.
    private static func setPlay(_ split: Options.Split, in lab: Lab) async throws -> SetPlay {
        let (domain, rules) = (Self.domain(split), try Self.rules(split))
        let scorer = WILTScorer(domain, using: lab.random("points \(split.rawValue)"))
        let columns = try await Self.columns(rules, scorer, in: lab)
        let pool = lab.random("pool \(split.rawValue)")
        let equal = try WILTHypotheses(membership: rules, domain, equal: true, using: pool)
        let any = try WILTHypotheses(membership: rules, domain, equal: false, using: pool)
        return SetPlay(
            split: split, rules: rules.count, equalPairs: equalPairs(columns),
            eliminator: try await result(of: equal, 400, rules, scorer, columns, in: lab),
            random: try await result(of: any, 1, rules, scorer, columns, in: lab),
            constant: columns.count { $0 == columns[0] })
    }

    private static func columns(
        _ rules: [WILTRule], _ scorer: WILTScorer, in lab: Lab
    ) async throws -> [WILTScorer.Column] {
        try await lab.forEach("rules", rules, inFlight: 1) { await scorer.column($0.function) }
    }

    private static func equalPairs<Column: Equatable>(_ columns: [Column]) -> Int {
        columns.indices.reduce(0) { sum, first in
            sum + columns.dropFirst(first + 1).count { $0 == columns[first] }
        }
    }

    private static func rejections(_ rules: [WILTRule], _ scorer: WILTScorer) async -> Int {
        var rejected = 0
        for (number, guess) in nearMisses where await scorer.score(guess, against: rules[number - 1]).outcome == .wrong
        {
            rejected += 1
        }
        return rejected
    }

    private static func result(
        of player: WILTHypotheses, _ candidates: Int, _ rules: [WILTRule], _ scorer: WILTScorer,
        _ columns: [WILTScorer.Column], in lab: Lab
    ) async throws -> (right: Int, tests: Double) {
        let rights = try await lab.forEach("players", Array(zip(rules, columns)), inFlight: 2) { rule, column in
            let play = try player.play(rule, candidates: candidates, using: lab.random("game \(rule.id)"))
            return (await scorer.column(play.guess.function) == column, play.tests)
        }
        return (rights.count(where: \.0), Double(rights.map(\.1).reduce(0, +)) / Double(max(1, rights.count)))
    }
}
