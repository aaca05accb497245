import Inference
import Laboratory
import Text

/// WILT: a game in which the model tests triples of numbers and must name the hidden rule in one guess.
///
/// 1. The model sees only the instruction. Each turn ends with a test case, answered True or False, or with the final guess.
/// 2. A test costs an attempt, and so does a reply without an action; a second such reply in a row ends the game with 0.
/// 3. The guess is right if it equals the rule on 10,000 random points, the grid of whole numbers to ±20 and ten fixed decimal
///    triples: 1,000 points and up to 100 for the attempts left. Guesses are parsed, never executed.
/// 4. Beside the score: repeated tests, how much of a set of hypotheses each test rules out, whether the guess is too narrow or
///    too wide, and how many operators it has.
/// 5. Test swap: every model guesses from every model's tests, which tells the quality of evidence from that of deduction.
/// 6. A judge, where there is one, says which wrong guesses are nearly right; exact accuracy never depends on it.
///
/// The membership splits, which the paper's code has beside those of the paper, are played on whole numbers from 1 to 100 with 5 tests: which
/// of 24 sets holds all three numbers, or which of 51 a single one.
///
/// Replies that cost no attempt end after 2 × max-attempts + 10 turns.
///
/// Source: Banatt, Cheng, Vaidyanath, Hwu, "WILT" (2024), arXiv:2410.10998.
public struct WILT: Method {
    public static let card = MethodCard(
        "wilt", .reasoning, name: "WILT", [.evaluation],
        "Plays the 2-4-6 game: the model tests triples and must name the hidden rule in one guess.",
        paper: Paper(
            "WILT: A Multi-Turn, Memorization-Robust Inductive Logic Benchmark for LLMs", "Banatt et al.", 2024,
            arXiv: "2410.10998"),
        data: "rule: a Python expression of x, y and z; only where --split is user",
        claim:
            "Tests chosen to rule out hypotheses find nearly all rules in few turns; random tests find fewer in more.")

    public init() {}

    public struct Options: MethodOptions {
        public var split = Split.lite
        public var maxAttempts: Int?
        public var temperature = 0.0
        public var samples = 5_000
        public var maxTokens = 512
        public var swapWith: [String] = []
        public var judge: String?

        public init() {}

        public enum Split: String, OptionChoice {
            case lite, full, membership
            case membershipSingle = "membership-single"
            case user
        }

        public static let fields: [Field<Self>] = [
            Field(
                "split", \.split,
                "the rules: ten easy ones, all fifty, sets of three numbers or of one, or those of --data"),
            Field(
                "max-attempts", \.maxAttempts, "tests a game; none: 30, in the membership splits 5", .within(1...100)),
            Field("temperature", \.temperature, "temperature of the replies", .atLeast(0)),
            Field("samples", \.samples, "random scoring points of either width", .within(0...100_000)),
            Field("max-tokens", \.maxTokens, "most tokens of a reply", .atLeast(1)),
            Field("swap-with", \.swapWith, "other models, which play and guess from each other's tests", .filled),
            Field("judge", \.judge, "a model that says which wrong guesses are nearly right", .filled),
        ]
    }

    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        let model = try lab.languageModel()
        let rules = try Self.rules(options.split, in: lab)
        let domain = Self.domain(options.split)
        let scorer = WILTScorer(domain, samples: options.samples, using: lab.random("points"))
        let records = try await Self.games(rules, options, scorer: scorer, asking: model, in: lab)
        // A set is one of its split's; other rules are any of the fifty and generated ones.
        let hypotheses = try WILTHypotheses(
            domain.range != nil
                ? Self.rules(options.split)
                : WILTRule.full() + WILTRule.generated(150, using: lab.random("hypotheses")), pool: [])
        var report = try Self.report(records, hypotheses)
        if let encoder = try lab.sentenceEncoder() {
            try await Self.addNovelty(of: records, by: encoder, to: &report)
        }
        if let judge = options.judge {
            try await Self.addApproximate(records, judge: try await lab.loadModel(judge), to: &report, in: lab)
        }
        if !options.swapWith.isEmpty {
            var players = [(name: "subject", model: model, records: records)]
            for reference in options.swapWith {
                let other = try await lab.loadModel(reference)
                let games = try await Self.games(rules, options, scorer: scorer, asking: other, in: lab)
                players.append((reference, other, games))
            }
            try await Self.addSwap(players, options, scorer: scorer, to: &report, in: lab)
        }
        return report
    }

    static func domain(_ split: Options.Split) -> WILTDomain {
        switch split {
        case .lite, .full, .user: .numbers
        case .membership: .membership
        case .membershipSingle: .membershipSingle
        }
    }

    /// The rules of a split that has its own.
    static func rules(_ split: Options.Split) throws -> [WILTRule] {
        switch split {
        case .lite: try WILTRule.lite()
        case .full: try WILTRule.full()
        case .membership: try WILTRule.membership()
        case .membershipSingle: try WILTRule.membershipSingle()
        case .user: []
        }
    }

    static func rules(_ split: Options.Split, in lab: Lab) throws -> [WILTRule] {
        guard split != .user else {
            return try lab.data().records.enumerated().map { index, record in
                do {
                    return try WILTRule("\(index + 1)", record.string("rule"))
                } catch let error as PythonError {
                    throw DataError.malformed(record.place, error.description)
                }
            }
        }
        let rules = try Self.rules(split)
        return lab.limit.map { Array(rules.prefix($0)) } ?? rules
    }

    static func games(
        _ rules: [WILTRule], _ options: Options, scorer: WILTScorer, asking model: any LanguageModel, in lab: Lab
    ) async throws -> [WILTRecord] {
        let records = try await lab.forEach("games", rules) { rule in
            try await WILTRecord.play(
                rule, maxAttempts: options.maxAttempts, temperature: options.temperature, maxTokens: options.maxTokens,
                scorer: scorer, asking: model, seed: lab.seed("rule \(rule.id)"))
        }
        for record in records {
            let steps = record.messages.map { SampleTrace.Step($0.role.description, $0.content) }
            await lab.recorder.record(
                SampleTrace(
                    record.rule.id, input: "the hidden rule \(record.rule.id)", expected: record.rule.text,
                    arms: [
                        .init(
                            "player", record.guess ?? record.ending, isCorrect: record.isCorrect, score: record.points,
                            steps: steps)
                    ]))
        }
        return records
    }

    static func report(_ records: [WILTRecord], _ hypotheses: WILTHypotheses) throws -> Report {
        let count = Double(max(1, records.count))
        func mean(_ value: (WILTRecord) -> Double) -> Double { records.map(value).reduce(0, +) / count }
        let invalid = records.count { if case .invalid? = $0.score?.outcome { true } else { false } }
        var report = Report(
            "WILT on \(records.count) rules",
            summary: "\(records.count(where: \.isCorrect)) of \(records.count) rules are named exactly.")
        report.add([
            Metric("exact accuracy", try Estimate.accuracy(records.map(\.isCorrect)), style: .percent),
            Metric("points a game", mean(\.points), style: .decimals(1)),
            Metric("tests a game", mean { Double($0.game.tests.count) }, style: .decimals(1)),
            Metric("repeated tests a game", mean { Double($0.repeats) }, style: .decimals(1)),
            Metric("invalid guesses", Double(invalid), style: .whole),
            Metric("games without a guess", Double(records.count { $0.guess == nil }), style: .whole),
        ])
        var table = Table(
            "Games",
            columns: [
                .text("rule"), .text("guess"), .text("outcome"), .number("tests"), .number("ruled out"),
                .number("confirming"), .number("inclusion"), .number("operators"),
            ])
        for record in records {
            let reductions = hypotheses.reductions(of: record.game.tests)
            let outcome =
                switch record.score?.outcome {
                case .correct?: "correct"
                case .wrong?: "wrong"
                case .invalid(let why)?: why
                case nil: record.ending
                }
            table.add(
                record.rule.text, record.guess ?? "", outcome, "\(record.game.tests.count)",
                NumberStyle.percent.text(reductions.gains.reduce(0, +)), "\(reductions.biased)",
                record.score?.inclusion.map { NumberStyle.decimals(3).text($0) } ?? "",
                record.score?.operators.map(String.init) ?? "")
        }
        report.add(table)
        return report
    }
}
