import Inference
import Laboratory
import Text

// What is measured beside exact accuracy.
extension WILT {
    // MARK: Test swap

    /// The share of right guesses of each player (column) from the tests of each player (row).
    static func addSwap(
        _ players: [(name: String, model: any LanguageModel, records: [WILTRecord])], _ options: Options,
        scorer: WILTScorer, to report: inout Report, in lab: Lab
    ) async throws {
        var table = Table(
            "Guesses from each other's tests",
            columns: [.text("who tested")] + players.map { .number("\($0.name) guesses") })
        for tester in players {
            var row = [tester.name]
            for guesser in players {
                let rights = try await lab.forEach("swap", tester.records) { record in
                    try await Self.guess(
                        from: record, options, scorer: scorer, asking: guesser.model,
                        seed: lab.seed("swap \(record.rule.id)"))
                }
                row.append(try NumberStyle.percent.text(Estimate.accuracy(rights).value))
            }
            table.add(row)
        }
        report.add(table)
        report.note("A guess from a table of tests has one try and no turns, so that only deduction counts.")
    }

    /// One guess from another game's tests, without turns.
    static func guess(
        from record: WILTRecord, _ options: Options, scorer: WILTScorer, asking model: any LanguageModel, seed: UInt64
    ) async throws -> Bool {
        let domain = record.rule.domain
        let tests = record.game.tests.map { "(\(domain.text($0.triple))): \($0.verdict ? "True" : "False")" }
        let prompt =
            "A hidden rule says True or False of \(domain.arity == 1 ? "a number" : "three numbers"). Name it from these tests, as "
            + "Final Guess: ```lambda \(domain.parameters.joined(separator: ", ")): <expression>```\n\n"
            + tests.joined(separator: "\n")
        var sampling = Sampling()
        sampling.temperature = options.temperature
        sampling.seed = seed
        let text = try await model.complete(
            CompletionRequest(
                .chat([.user(prompt)]), sampling: sampling,
                stop: StopRule(maxTokens: options.maxTokens))
        ).text
        var game = WILTGame(record.rule, maxAttempts: 1)
        guard case .guess(let guess) = try game.read(text) else { return false }
        return await scorer.score(guess, against: record.rule).outcome == .correct
    }

    // MARK: Novelty

    /// 1 − the largest cosine of each reply's embedding to an earlier one of its game; the first reply has none.
    package static func novelties(_ replies: [[Float]]) -> [Double] {
        replies.indices.dropFirst().map { place in
            let nearest = replies[..<place].map { earlier in
                zip(earlier, replies[place]).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            }.max()
            return 1 - (nearest ?? 0)
        }
    }

    static func addNovelty(
        of records: [WILTRecord], by encoder: any EmbeddingModel, to report: inout Report
    ) async throws {
        var all: [Double] = []
        var least: [Double] = []
        for record in records {
            let replies = record.messages.filter { $0.role == .assistant }.map(\.content)
            guard replies.count > 1 else { continue }
            let values = Self.novelties(try await encoder.embed(replies))
            all += values
            least += values.min().map { [$0] } ?? []
        }
        guard !all.isEmpty else { return }
        report.add([
            Metric("novelty of replies", try Estimate.mean(all, seed: 1), style: .decimals(3)),
            Metric("least novelty of a game", try Estimate.mean(least, seed: 1), style: .decimals(3)),
        ])
    }

    // MARK: Approximate correctness

    /// How near a wrong guess comes, in a judge's eyes.
    package enum Nearness: String, CaseIterable {
        case same, edgeCase, magnitudes, different

        var text: String {
            switch self {
            case .same: "the same rule"
            case .edgeCase: "the same rule but for an edge case, as < for <="
            case .magnitudes: "the same form with other numbers"
            case .different: "another rule"
            }
        }

        /// Whether it counts as approximately right.
        package var isNear: Bool { self == .edgeCase || self == .magnitudes }
    }

    /// A judge's class of a guess; nil when its reply is none.
    package static func nearness(
        of guess: String, to rule: WILTRule, asking judge: any LanguageModel
    ) async throws -> Nearness? {
        let classes = zip("ABCD", Nearness.allCases).map { "\($0). \($1.text)" }.joined(separator: "\n")
        let prompt = """
            A hidden rule on \(rule.domain.parameters.joined(separator: ", ")) was to be guessed. How does the guess compare with it?

            Rule: \(rule.text)
            Guess: \(guess)

            \(classes)

            Reply with the letter alone.
            """
        let reply = try await judge.complete(
            CompletionRequest(.chat([.user(prompt)]), sampling: .greedy, stop: StopRule(maxTokens: 16))
        ).text
        let letter = AnswerExtractor(.options(4), letters: .standalone).candidates(in: reply).first
        return zip("ABCD", Nearness.allCases).first { String($0.0) == letter }?.1
    }

    static func addApproximate(
        _ records: [WILTRecord], judge: any LanguageModel, to report: inout Report, in lab: Lab
    ) async throws {
        let wrong = records.filter { !$0.isCorrect && $0.guess != nil }
        let classes = try await lab.forEach("judge", wrong) { record in
            try await Self.nearness(of: record.guess ?? "", to: record.rule, asking: judge)
        }
        let near = classes.count { $0?.isNear == true }
        let right = records.count(where: \.isCorrect)
        report.add([
            Metric(
                "approximately right, by the judge",
                try Estimate.accuracy((0..<records.count).map { $0 < right + near }), style: .percent)
        ])
        var table = Table("Wrong guesses in the judge's eyes", columns: [.text("guess is"), .number("guesses")])
        for nearness in Nearness.allCases { table.add(nearness.text, "\(classes.count { $0 == nearness })") }
        table.add("no verdict", "\(classes.count { $0 == nil })")
        report.add(table)
    }
}
