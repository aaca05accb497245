import Inference
import Laboratory

extension JekyllHyde {
    /// Pairs of a right and a wrong solution in the demo.
    package static let demoItems = 80

    /// The judge's position bias on the embedded model and what the robust evaluator makes of it, the closed forms, and the
    /// number of calls.
    ///
    /// The bars: the single-order judge's choice flips with the order on at least half of the pairs; the robust evaluator's never
    /// does; at temperature 0 it abstains exactly where the single-order judge flips. They are about the mechanism. That
    /// abstaining raises the accuracy among answered pairs by 0.05 needs a judge that can tell right from wrong; on a small
    /// model a failure of that is none of the method's.
    public func demo(in lab: Lab) async throws -> Demonstration {
        let model = try lab.scoringModel()
        let pairs = JudgedPair.additions(lab.limit ?? Self.demoItems, using: lab.random("pairs"))
        let options = Options()
        let judged = try await lab.forEach("pairs", pairs) { pair in
            try await pair.judged(by: model, options: options, seed: lab.seed)
        }
        let flips = try Estimate.accuracy(judged.map(\.flips))
        let firstChosen = try Estimate.accuracy(judged.flatMap { [$0.forwardIsFirst, $0.backwardIsFirst] })
        let single = try Estimate.accuracy(judged.map(\.singleIsRight))
        let abstained = judged.map { $0.greedy == nil }
        let answered = judged.compactMap(\.sampled).map { $0 == .persona }
        let robust = answered.isEmpty ? nil : try Estimate.accuracy(answered)
        let forms = try await Self.closedForms(using: lab.random("simulated judges"))
        let calls = try await Self.callCounts()

        var report = Report(
            "Jekyll & Hyde's judge on \(pairs.count) pairs of a right and a wrong solution",
            summary:
                "The single-order judge names the first solution in \(NumberStyle.percent.text(firstChosen.value)) of its "
                + "verdicts, and \(NumberStyle.percent.text(flips.value)) of its choices flip with the order. The robust "
                + "evaluator's never do; after \(options.k) pairs it answers "
                + "\(NumberStyle.percent.text(Double(answered.count) / Double(pairs.count))) of the pairs.")
        report.add([
            Metric("verdicts for the first position", firstChosen, style: .percent),
            Metric("choices that flip with the order, single-order", flips, style: .percent),
            Metric("accuracy, single-order", single, style: .percent),
            Metric(
                "answered, robust at \(options.evaluatorTemperature)", Double(answered.count) / Double(pairs.count),
                style: .percent),
        ])
        if let robust { report.add([Metric("accuracy among answered, robust", robust, style: .percent)]) }
        report.note(
            "The judge scores the labels A and B behind a begun reply; no solver is asked, as both solutions are made. A trained "
                + "judge, with which the accuracy can be shown to rise, needs the trainer.")
        return Demonstration(
            report,
            checks: [
                Check("choices that flip with the order, single-order", flips.value, .atLeast(0.5), role: .mechanism),
                Check(
                    "choices that flip with the order, robust",
                    Double(judged.count { $0.sampled != $0.sampledSwapped }),
                    .between(0, 0), role: .mechanism),
                Check(
                    "pairs where abstaining at temperature 0 and flipping differ",
                    Double(zip(abstained, judged).count { $0 != $1.flips }), .between(0, 0), role: .mechanism),
                Check("most standard errors off the closed forms", forms, .atMost(3), role: .mechanism),
                Check("scripted pipelines with the right number of calls", calls, .atLeast(1), role: .mechanism),
                Check("gain in accuracy among answered pairs", (robust?.value ?? 0) - single.value, .atLeast(0.05)),
            ],
            controls: [
                .init("verdicts for the first position", firstChosen.value),
                .init("accuracy, single-order", single.value),
                .init("answered share, robust", Double(answered.count) / Double(pairs.count)),
            ],
            isExpectedAtThisSize: (model as? any OpenModel).map { $0.architecture.parameters >= 1_000_000_000 } ?? true)
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

/// A question with a right and a wrong worked solution, which stand in for the persona's and the neutral one.
struct JudgedPair: Sendable {
    let question: Question
    let right: String
    let wrong: String
    /// Which one a single-order judge is shown first.
    let rightIsFirst: Bool

    struct Judged: Sendable {
        var forwardIsFirst: Bool
        var backwardIsFirst: Bool
        var singleIsRight: Bool
        /// The robust evaluator's choice, `persona` being the right solution; nil: can't answer.
        var greedy: Candidate?
        var sampled: Candidate?
        /// The same with the two solutions handed over the other way round.
        var sampledSwapped: Candidate?
        /// Whether the greedy choice changes with the order.
        var flips: Bool { forwardIsFirst == backwardIsFirst }
    }

    static func additions(_ count: Int, using generator: SeededGenerator) -> [JudgedPair] {
        var generator = generator
        return (1...max(1, count)).map { index in
            let (a, b, c) = (10 + generator.below(80), 2 + generator.below(9), 2 + generator.below(9))
            let slip = 1 + generator.below(4)
            func worked(_ sum: Int) -> String {
                "\(a) + \(b) = \(sum). Then \(sum) + \(c) = \(sum + c). The answer is \(sum + c)."
            }
            return JudgedPair(
                question: Question(
                    id: "pair-\(index)", "What is \(a) + \(b) + \(c)?", kind: .number, golds: ["\(a + b + c)"]),
                right: worked(a + b), wrong: worked(a + b + slip), rightIsFirst: generator.chance(0.5))
        }
    }

    func judged(by model: any LanguageModel, options: JekyllHyde.Options, seed: UInt64) async throws -> Judged {
        let inquiry = Inquiry(question, asking: model, seed: seed)
        let greedy = PairwiseJudge(temperature: 0, verdicts: .logProbs)
        let sampling = PairwiseJudge(temperature: options.evaluatorTemperature, verdicts: .logProbs)
        let forward = try await greedy.verdict(right, wrong, attempt: 0, asking: inquiry) == .first
        let backward = try await greedy.verdict(wrong, right, attempt: 0, asking: inquiry) == .first
        func robust(_ judge: PairwiseJudge, k: Int, isSwapped: Bool) async throws -> Candidate? {
            try await RobustVerdict.find(limit: k) { first, attempt in
                let showsRightFirst = (first == .persona) != isSwapped
                return try await judge.verdict(
                    showsRightFirst ? right : wrong, showsRightFirst ? wrong : right, attempt: attempt, asking: inquiry)
            }.winner
        }
        let swapped = try await robust(sampling, k: options.k, isSwapped: true)
        return Judged(
            forwardIsFirst: forward, backwardIsFirst: backward, singleIsRight: rightIsFirst ? forward : !backward,
            greedy: try await robust(greedy, k: 1, isSwapped: false),
            sampled: try await robust(sampling, k: options.k, isSwapped: false),
            // Swapped, the wrong solution is the one called the persona's.
            sampledSwapped: swapped.map { $0 == .persona ? .neutral : .persona })
    }
}
