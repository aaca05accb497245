import Inference
import Laboratory

extension ZeroShotCoT {
    /// Coins that the trained model is asked about.
    package static let demoCoins = 300
    /// Questions of each generated set that the subject is asked.
    package static let demoItems = 24

    /// What a trigger elicits, on a small model trained in the run to answer coin flips at once or worked out: the same weights asked
    /// about unseen coins with zero-shot and with zero-shot-CoT. A trigger that was not in training stands beside them.
    ///
    /// And both ways on the subject, with generated questions: the two calls of every item checked to the byte, and whether the
    /// second one finds an answer. No accuracy is asked of the subject, as the paper itself finds no gain on small models.
    public func demo(in lab: Lab) async throws -> Demonstration {
        try await demonstration(CoinFlipModel(), in: lab)
    }

    package func demonstration(_ small: CoinFlipModel, in lab: Lab) async throws -> Demonstration {
        let model = try lab.languageModel()
        let runner = ReasoningRunner(model, frame: try frame(Options(), of: model), seed: lab.seed)
        let (coins, coinRunner) = try await Self.coins(small, in: lab)
        let table = try await ReasoningTable(
            runner, arms: runner.options.arms, items: Self.generated(in: lab), in: lab)
        let structure = try await Self.callStructure(
            table.items.prefix(8).map { (runner, $0) } + coins.items.prefix(8).map { (coinRunner, $0) }, in: lab)

        let elicited = try coins.comparison(1)
        let extraction = try table.extractionRate(1)
        let untrained = try table.comparison(1)
        return Demonstration(
            try Self.report(coins, of: small, trained: coinRunner.model, subject: table, of: runner),
            checks: [
                Check("trained model, accuracy with zero-shot-cot", elicited.method.value, .atLeast(0.9)),
                Check("trained model, gain over zero-shot", elicited.difference.value, .atLeast(0.3)),
                Check(
                    "share of answers found after the second stage", extraction.value, .atLeast(0.9), role: .mechanism),
                Check("items asked in exactly two calls", structure.twoCalls, .atLeast(1), role: .mechanism),
                Check(
                    "second prompts equal to p1 + z + e, byte for byte", structure.equalPrompts, .atLeast(1),
                    role: .mechanism),
            ],
            controls: [
                .init("trained model, accuracy with zero-shot", elicited.baseline.value),
                .init("trained model, accuracy with a trigger not in training", try coins.accuracy(2).value),
                .init("trained model, share of answers found, that trigger", try coins.extractionRate(2).value),
                .init(
                    "share of coins still heads up", try Estimate.accuracy(coins.items.map { $0.gold == "yes" }).value),
                .init("subject, accuracy with zero-shot", untrained.baseline.value),
                .init("subject, accuracy with zero-shot-cot", untrained.method.value),
                .init("subject, share of answers found with zero-shot", try table.extractionRate(0).value),
            ])
    }

    /// Trains the model and asks it about coins that it has not seen: at once, with its trigger, and with another.
    private static func coins(
        _ small: CoinFlipModel, in lab: Lab
    ) async throws -> (table: ReasoningTable, runner: ReasoningRunner) {
        var generator = lab.random("unseen coins")
        let unseen = distinct(lab.limit ?? demoCoins, by: \.self) { _ in small.coin(using: &generator) }
        let model = try await small.train("two ways", without: Set(unseen), in: lab)
        let runner = ReasoningRunner(model, frame: .raw, seed: lab.seed)
        let arms = [
            ReasoningArm(.zeroShot), ReasoningArm(.zeroShotCoT, trigger: small.trigger),
            ReasoningArm(.zeroShotCoT, trigger: unseenTrigger, name: "trigger not in training: \(unseenTrigger)"),
        ]
        let items = unseen.enumerated().map { CoinFlipModel.item($1, id: "coin-\($0 + 1)") }
        return (try await ReasoningTable(runner, arms: arms, items: items, in: lab, label: "unseen coins"), runner)
    }

    private static let unseenTrigger = ReasoningTrigger.all[1]

    /// Questions of every generated set, for the subject.
    private static func generated(in lab: Lab) -> [ReasoningItem] {
        GeneratedTask.allCases.flatMap { task in
            var generator = lab.random(task.rawValue)
            return task.items(lab.limit ?? demoItems, using: &generator)
        }
    }

    private static func report(
        _ coins: ReasoningTable, of small: CoinFlipModel, trained: any LanguageModel, subject table: ReasoningTable,
        of runner: ReasoningRunner
    ) throws -> Report {
        let subject = try table.report(runner.options)
        let name = runner.model.identity.name
        let elicited = try coins.comparison(1)
        let percent = NumberStyle.percent
        var report = Report(
            "Zero-shot-CoT",
            summary:
                "A small model trained on both ways of answering is right about \(percent.text(elicited.method.value)) of "
                + "\(coins.items.count) unseen coins when the trigger makes it reason, and about "
                + "\(percent.text(elicited.baseline.value)) when it answers at once. \(name): \(subject.summary)")
        report.section(
            "A model trained on coins flipped by \(small.people.lowerBound) to \(small.people.upperBound) people")
        report.add(
            Comparison(
                "accuracy on coins", baseline: coins.arms[0].name, method: coins.arms[1].name, elicited, style: .percent
            ))
        report.add(try coins.variantTable("Ways of asking the same weights about the same coins"))
        let parameters = (trained as? any OpenModel).map { "\($0.architecture.parameters) parameters, " } ?? ""
        report.note(
            "\(parameters)\(small.items) items, half answered at once, half worked out behind the trigger; the loss counts what the "
                + "model has to say, never a prompt. The last row asks with a trigger that was not in training.")
        report.add(Array(coins.samples.prefix(shownCoins)))
        report.section("Generated questions to \(name)")
        report.blocks += subject.blocks
        report.add([
            Metric("answers found, zero-shot-cot", try table.extractionRate(1), style: .percent),
            Metric("answers found, zero-shot", try table.extractionRate(0), style: .percent),
        ])
        return report
    }

    /// Coins whose exchanges the report shows.
    private static let shownCoins = 5

    /// The shares of items that took two calls, and whose second prompt is the whole first exchange with the extraction
    /// phrase behind it: read from the calls themselves, beside the runner.
    private static func callStructure(
        _ inquiries: [(runner: ReasoningRunner, item: ReasoningItem)], in lab: Lab
    ) async throws -> (twoCalls: Double, equalPrompts: Double) {
        let arm = ReasoningArm(.zeroShotCoT)
        let found = try await lab.forEach("call structure", inquiries) { runner, item in
            var recorded = runner
            let ledger = CallLedger(runner.model)
            recorded.model = ledger
            _ = try await recorded.outcome(arm, of: item)
            let calls = ledger.calls
            guard calls.count == 2 else { return (false, false) }
            let end = calls[0].completion.text + " " + AnswerPhrase.afterReasoning(item.kind)
            return (true, calls[1].request.prompt.lastText == calls[0].request.prompt.lastText + end)
        }
        let count = Double(max(1, found.count))
        return (Double(found.count { $0.0 }) / count, Double(found.count { $0.1 }) / count)
    }
}
