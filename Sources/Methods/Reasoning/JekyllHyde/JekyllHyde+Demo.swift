import Inference
import Laboratory

extension JekyllHyde {
    /// Pairs of a right and a wrong solution that the demo puts to the embedded model, and to the judge trained in the run.
    package static let demoItems = 80
    package static let demoTrainedItems = 600

    /// The embedded model's position bias and what the robust evaluator makes of it; a small judge that is trained in the run, with
    /// which abstaining is shown to pay; the closed forms, and the number of calls.
    ///
    /// The bars: the embedded model's choice flips with the order on at least half of the pairs; the robust evaluator's never does;
    /// at temperature 0 it abstains exactly where the single-order judge flips. All that is about the mechanism: the embedded model
    /// can't tell right from wrong, so its accuracy is reported without a bar. The trained judge can, if not always, and has learnt a
    /// position prior: among the pairs it answers it is right at least 0.05 more often when both orders are asked, at temperature 0 and
    /// at the evaluator's.
    public func demo(in lab: Lab) async throws -> Demonstration { try await demo(training: SmallJudge(), in: lab) }

    package func demo(training small: SmallJudge, in lab: Lab) async throws -> Demonstration {
        let pairs = JudgedPair.additions(lab.limit ?? Self.demoItems, using: lab.random("pairs"))
        let biased = try await JudgeFigures(pairs, by: lab.scoringModel(), as: "pairs", in: lab)
        let tested = JudgedPair.additions(
            lab.limit ?? Self.demoTrainedItems, tone: SmallJudge.tone, using: lab.random("pairs never seen"))
        let trained = try await JudgeFigures(
            tested, by: small.train(without: tested, in: lab), as: "pairs, trained judge", in: lab)
        let forms = try await Self.closedForms(using: lab.random("simulated judges"))
        let calls = try await Self.callCounts()
        let gain = min(trained.greedy.gain, trained.sampled.gain)

        var report = Report(
            "Jekyll & Hyde's judge on pairs of a right and a wrong solution",
            summary:
                "The embedded model names the first solution in \(Self.percent(biased.firstChosen.value)) of its verdicts, and "
                + "\(Self.percent(biased.flips.value)) of its choices flip with the order; the robust evaluator's never do. A judge "
                + "trained in the run is right on \(Self.percent(trained.sampled.single)) of unseen pairs when asked once, and on "
                + "\(Self.percent(trained.sampled.amongAnswered)) of the \(Self.percent(trained.sampled.answered)) that it answers "
                + "when asked in both orders.")
        for (name, figures) in [("embedded model", biased), ("trained judge", trained)] {
            report.add([
                Metric("verdicts for the first position, \(name)", figures.firstChosen, style: .percent),
                Metric("choices that flip with the order, single-order, \(name)", figures.flips, style: .percent),
            ])
        }
        report.add(Self.table([("embedded model", biased), ("trained judge", trained)]))
        report.note(
            "The judges score the labels A and B behind a begun reply; no solver is asked, as both solutions are made. The trained "
                + "judge saw \(Self.percent(small.rightFirst)) of its pairs with the right solution first; the tested ones are as often "
                + "second. It learns how sure a solution sounds, not to add: each sentence begins with a sure or a doubtful word, with "
                + "the sure one in \(Self.percent(SmallJudge.tone.right)) of the sentences of right solutions and "
                + "\(Self.percent(SmallJudge.tone.wrong)) of wrong ones.")
        return Demonstration(
            report,
            checks: [
                Check(
                    "choices that flip with the order, single-order", biased.flips.value, .atLeast(0.5),
                    role: .mechanism),
                Check(
                    "choices that flip with the order, robust", Double(biased.robustFlips + trained.robustFlips),
                    .between(0, 0), role: .mechanism),
                Check(
                    "pairs where abstaining at temperature 0 and flipping differ",
                    Double(biased.unexplainedSilences + trained.unexplainedSilences), .between(0, 0),
                    role: .mechanism),
                Check("most standard errors off the closed forms", forms, .atMost(3), role: .mechanism),
                Check("scripted pipelines with the right number of calls", calls, .atLeast(1), role: .mechanism),
                Check("gain in accuracy among answered pairs, trained judge", gain, .atLeast(0.05)),
            ],
            controls: [
                .init("verdicts for the first position, embedded model", biased.firstChosen.value),
                .init("accuracy, single-order, embedded model", biased.greedy.single),
                .init("answered share, robust, embedded model", biased.sampled.answered),
                .init("gain in accuracy among answered pairs, embedded model", biased.sampled.gain),
                .init("verdicts for the first position, trained judge", trained.firstChosen.value),
                .init("accuracy, single-order, trained judge", trained.sampled.single),
                .init("accuracy, single-order, greedy trained judge", trained.greedy.single),
                .init("answered share, robust, trained judge", trained.sampled.answered),
                .init("answered share, robust, greedy trained judge", trained.greedy.answered),
                .init("accuracy, no answer counted as wrong, trained judge", trained.sampled.withSilences),
            ])
    }

    private static func percent(_ share: Double?) -> String { share.map(NumberStyle.percent.text) ?? "none" }

    private static func table(_ judges: [(name: String, figures: JudgeFigures)]) -> Table {
        var table = Table(
            "Asked once and in both orders",
            columns: [
                .text("judge"), .text("temperature"), .number("accuracy, single-order"), .number("answered, robust"),
                .number("accuracy among answered"), .number("accuracy, no answer being wrong"),
            ])
        for judge in judges {
            let temperature = NumberStyle.decimals(1).text(Options().evaluatorTemperature)
            for (temperature, found) in [("0", judge.figures.greedy), (temperature, judge.figures.sampled)] {
                table.add(
                    judge.name, temperature, percent(found.single), percent(found.answered),
                    percent(found.amongAnswered), percent(found.withSilences))
            }
        }
        return table
    }

    /// The largest distance, in standard errors, of simulated judges from the closed forms: the right solution among answered
    /// pairs, αβ / (αβ + (1−α)(1−β)), and no answer after five pairs, (1 − c)⁵.
    private static func closedForms(using generator: SeededGenerator) async throws -> Double {
        var generator = generator
        let trials = 5_000
        var worst = 0.0
        for (alpha, beta) in [(0.9, 0.5), (0.8, 0.8), (0.95, 0.2)] {
            var right = 0
            var answered = 0
            for _ in 0..<trials {
                // The persona's solution is the right one.
                let finding = try await RobustVerdict.find(limit: 5) { first, _ in
                    let prefersRight = generator.chance(first == .persona ? alpha : beta)
                    return prefersRight == (first == .persona) ? .first : .second
                }
                if let winner = finding.winner {
                    answered += 1
                    if winner == .persona { right += 1 }
                }
            }
            let agreement = alpha * beta + (1 - alpha) * (1 - beta)
            let silence = (0..<5).reduce(1.0) { power, _ in power * (1 - agreement) }
            worst = max(
                worst, standardErrors(right, of: answered, from: alpha * beta / agreement),
                standardErrors(trials - answered, of: trials, from: silence))
        }
        return worst
    }

    private static func standardErrors(_ count: Int, of total: Int, from share: Double) -> Double {
        let deviation = (share * (1 - share) / Double(max(1, total))).squareRoot()
        return abs(Double(count) / Double(max(1, total)) - share) / deviation
    }

    /// The share of scripted pipelines that take 3 calls on agreement, 5 with a first pair that agrees, and 3 + 2k without any.
    private static func callCounts() async throws -> Double {
        let cases: [(answers: [String], verdicts: [String], calls: Int, answer: String)] = [
            (["4", "4"], [], 3, "4"), (["4", "5"], ["A", "B"], 5, "4"), (["4", "5"], ["A"], 13, ""),
        ]
        var right = 0
        for expected in cases {
            let model = ScriptedModel(capabilities: [.completion]) { request, index in
                let prompt = request.prompt.plainText
                if prompt.contains("Which job") { return "persona: mathematician" }
                if prompt.contains("Solution A") { return expected.verdicts[(index - 3) % expected.verdicts.count] }
                return "The answer is \(expected.answers[prompt.contains("You are") ? 0 : 1])."
            }
            let attempt = try await PersonaEnsemble(.init()).attempt(
                Question(id: "q", "What is 2 + 2?", kind: .number, golds: ["4"]), asking: model, seed: 1)
            if attempt.cost.calls == expected.calls, attempt.solution.answer == expected.answer { right += 1 }
        }
        return Double(right) / Double(cases.count)
    }
}
