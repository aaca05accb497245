import Inference
import Laboratory
import Text

extension SEC {
    /// Additions in the demo.
    package static let demoAdditions = 60

    /// A small model trained in the run to write questions in hidden styles, which answers unseen ones with its own demonstrations; the
    /// protocol, checked on a model that answers by script; and the subject model on one-digit additions, without a threshold: a small
    /// one rarely completes the template.
    public func demo(in lab: Lab) async throws -> Demonstration {
        var experiment = TrainedContemplation()
        if let limit = lab.limit { experiment.items = limit }
        let trained = try await experiment.run(in: lab)
        let protocolShares = try await Self.protocolChecks()
        var report = try trained.report()
        let additions = try await Self.reportAdditions(to: &report, in: lab)
        let zeroShot = try trained.accuracy(0)
        let (other, exchanged) = (try trained.spoilt.accuracy(0).value, try trained.spoilt.accuracy(1).value)
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
                Check("questions with demonstrations within 24 attempts", trained.parsed, .atLeast(0.9)),
                Check(
                    "gain over zero-shot by the model's own demonstrations", try trained.accuracy(2) - zeroShot,
                    .atLeast(0.1)),
                Check(
                    "right demonstrations less the model's own", try trained.accuracy(1) - trained.accuracy(2),
                    .atLeast(0)),
                Check("gain over zero-shot by demonstrations of another style", other - zeroShot, .atMost(0)),
            ],
            controls: [
                .init("accuracy, zero-shot", zeroShot),
                .init("accuracy, icl", try trained.accuracy(1)),
                .init("accuracy, sec", try trained.accuracy(2)),
                .init("accuracy, demonstrations of another style", other),
                .init("accuracy, own demonstrations with exchanged answers", exchanged),
                .init("the value in any style, zero-shot", trained.withValue(0)),
                .init("questions whose demonstrations are all of their style", trained.inStyle),
                .init("questions whose demonstrations copy them", Double(trained.copied)),
            ] + additions)
    }

    /// One-digit additions zero-shot, with four worked examples by hand, with the subject model's own demonstrations, and with the answers
    /// of these exchanged. Nothing without a subject model.
    package static func reportAdditions(
        to report: inout Report, in lab: Lab
    ) async throws -> [Demonstration.Control] {
        guard let model = try? lab.languageModel() else { return [] }
        let options = try Options {
            $0.onFailure = .zeroShot
            // Five tuples of such questions have about 150 tokens; the rest of the cap would go to rambling.
            $0.genMaxTokens = 240
            $0.ansMaxTokens = 48
            $0.maxRetries = 8
        }
        let questions = additions(lab.limit ?? demoAdditions, using: lab.random("additions"))
        let own = SelfContemplation(options)
        let arms = try await StrategyComparison(
            [
                HumanDemonstrations([], name: "zero-shot", options: options),
                HumanDemonstrations(written, name: "icl", options: options), own,
            ], on: questions, asking: model, in: lab)
        let shown = Dictionary(
            zip(questions.map(\.id), arms.attempts[2].map { own.demonstrations(of: $0, kind: .number) }),
            uniquingKeysWith: { first, _ in first })
        let spoilt = try await StrategyComparison(
            [
                HumanDemonstrations(name: "sec, answers exchanged", options: options) {
                    DemonstrationAblation.wrongLabels.apply(to: shown[$0.id] ?? [], kind: .number)
                }
            ], on: questions, asking: model,
            in: lab.aside())
        let parsed = try Estimate.accuracy(arms.attempts[2].map { !$0.solution.outcome.hasPrefix("no demonstrations") })
        report.section("One-digit additions by \(model.identity.name)")
        report.add(try arms.table())
        report.add([
            Metric("additions with demonstrations", parsed, style: .percent),
            Metric("accuracy, own demonstrations with exchanged answers", try spoilt.accuracy(0), style: .percent),
        ])
        report.note(
            "Without a threshold, and with 8 attempts a question instead of 24. Where no attempt gives four demonstrations the "
                + "question is asked without any.")
        return [
            .init("additions with demonstrations", parsed.value),
            .init("additions, zero-shot", try arms.accuracy(0).value),
            .init("additions, icl", try arms.accuracy(1).value),
            .init("additions, sec", try arms.accuracy(2).value),
            .init("additions, own demonstrations with exchanged answers", try spoilt.accuracy(0).value),
        ]
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
    package static func protocolChecks() async throws -> (attempts: Double, count: Int, chats: Double) {
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
