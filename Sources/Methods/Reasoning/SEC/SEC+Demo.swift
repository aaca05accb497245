import Inference
import Laboratory
import Text

extension SEC {
    /// Additions in the demo.
    package static let demoItems = 30

    /// One-digit additions, zero-shot, with four worked examples by hand, and with the model's own demonstrations; and the
    /// protocol, checked on a model that answers by script.
    ///
    /// The bars of the effect (0.10 over zero-shot, 0.9 of the questions with demonstrations) are those set for a model trained
    /// to contemplate; a small untrained one rarely completes the template, so a failure counts from a billion parameters on.
    public func demo(in lab: Lab) async throws -> Demonstration {
        let model = try lab.languageModel()
        let options = try Options {
            $0.onFailure = .zeroShot
            // Five tuples of such questions have about 150 tokens; the rest of the cap would go to rambling.
            $0.genMaxTokens = 240
            $0.ansMaxTokens = 48
            $0.maxRetries = 8
        }
        var spoilt = options
        spoilt.ablation = .wrongLabels
        let questions = Self.additions(lab.limit ?? Self.demoItems, using: lab.random("additions"))
        let comparison = try await StrategyComparison(
            [
                HumanDemonstrations([], name: "zero-shot", options: options),
                HumanDemonstrations(Self.written, name: "icl", options: options),
                SelfContemplation(options),
                SelfContemplation(spoilt),
            ], on: questions, asking: model, in: lab)
        let parsed = comparison.attempts[2].map { !$0.solution.outcome.hasPrefix("no demonstrations") }
        let parseRate = try Estimate.accuracy(parsed)
        let copied = comparison.attempts[2].count { $0.solution.outcome.hasPrefix("copied") }
        let protocolShares = try await Self.protocolChecks()

        var report = try comparison.report("SEC on one-digit additions")
        report.add([Metric("questions with demonstrations", parseRate, style: .percent)])
        report.note(
            "Not shown here: a model trained on families of format variants, whose own demonstrations restate the answer's "
                + "style; it needs the trainer.")
        return Demonstration(
            report,
            checks: [
                Check(
                    "attempts with the right paraphrase and temperature", protocolShares.attempts, .atLeast(1),
                    role: .mechanism),
                Check("attempts before giving up", Double(protocolShares.count), .between(24, 24), role: .mechanism),
                Check(
                    "chats of the first k demonstrations in order, solutions left out", protocolShares.chats,
                    .atLeast(1),
                    role: .mechanism),
                Check("questions with demonstrations", parseRate.value, .atLeast(0.9)),
                Check("gain in accuracy over zero-shot", try comparison.difference(2).difference.value, .atLeast(0.1)),
            ],
            controls: [
                .init("accuracy, zero-shot", try comparison.accuracy(0).value),
                .init("accuracy, icl", try comparison.accuracy(1).value),
                .init("accuracy, sec", try comparison.accuracy(2).value),
                .init("accuracy, sec with wrong labels", try comparison.accuracy(3).value),
                .init("questions whose demonstrations copy them", Double(copied)),
            ],
            isExpectedAtThisSize: (model as? any OpenModel).map { $0.architecture.parameters >= 1_000_000_000 } ?? true)
    }

    private static func additions(_ count: Int, using generator: SeededGenerator) -> [Question] {
        var generator = generator
        return (1...max(1, count)).map { index in
            let (a, b) = (1 + generator.below(9), 1 + generator.below(9))
            return Question(
                id: "addition-\(index)", "What is \(a) + \(b)?", kind: .number, golds: ["\(a + b)"],
                subject: "arithmetic")
        }
    }

    /// Sums beyond one digit, so that none is a question of the demo.
    private static let written = [(10, 4), (11, 6), (3, 12), (13, 5)].map { a, b in
        WrittenDemonstration(question: "What is \(a) + \(b)?", answer: "\(a + b)")
    }

    /// Runs the protocol against scripts: one that never writes a demonstration, one that writes five at once.
    private static func protocolChecks() async throws -> (attempts: Double, count: Int, chats: Double) {
        let question = Question(id: "q", "What is 1 + 1?", kind: .number, golds: ["2"])
        let silent = ScriptedModel(capabilities: [.completion]) { _, _ in "I can't." }
        _ = try await SelfContemplation(try Options { $0.onFailure = .skip })
            .attempt(question, asking: silent, seed: 1)
        let requests = silent.requests
        let right = requests.enumerated().count { attempt, request in
            let verb = DemonstrationTemplate.paraphrases[attempt % DemonstrationTemplate.paraphrases.count]
            return request.prompt.plainText.contains("above, \(verb) 5 similar")
                && request.sampling.temperature == (attempt < 6 ? 0 : 1)
        }
        var chats: [Bool] = []
        for k in [1, 2, 4] {
            let willing = ScriptedModel(capabilities: [.completion]) { _, index in
                index == 0
                    ? (1...5).map { "Q\($0): What is \($0) + 9?\nS\($0): secret\nA\($0): \($0 + 9)" }
                        .joined(separator: "\n") : "The answer is 2."
            }
            _ = try await SelfContemplation(try Options { $0.k = k }).attempt(question, asking: willing, seed: 1)
            let shown = (1...k).flatMap { ["What is \($0) + 9?", "The answer is \($0 + 9)."] }
            if case .chat(let turns, _)? = willing.requests.last?.prompt {
                chats.append(turns.dropFirst().map(\.content) == shown + ["What is 1 + 1?"])
            }
        }
        return (
            Double(right) / Double(max(1, requests.count)), requests.count,
            Double(chats.count { $0 }) / 3
        )
    }
}
