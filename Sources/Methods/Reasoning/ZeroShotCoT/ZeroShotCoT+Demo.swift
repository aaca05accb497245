import Inference
import Laboratory

extension ZeroShotCoT {
    /// Questions of each generated set in the demo.
    package static let demoItems = 24

    /// Zero-shot beside zero-shot-CoT on generated coin-flip, last-letter and arithmetic questions; the two calls of every item
    /// checked to the byte.
    ///
    /// The paper itself finds no gain in accuracy on small models, so a missing gain is a failure only of models from a
    /// billion parameters on.
    public func demo(in lab: Lab) async throws -> Demonstration {
        let model = try lab.languageModel()
        let options = Options()
        var items: [ReasoningItem] = []
        for task in GeneratedTask.allCases {
            var generator = lab.random(task.rawValue)
            items += task.items(lab.limit ?? Self.demoItems, using: &generator)
        }
        let runner = ReasoningRunner(model, frame: try frame(options, of: model), options: options, seed: lab.seed)
        let table = try await ReasoningTable(runner, arms: options.arms, items: items, in: lab)
        let structure = try await Self.callStructure(runner, items: Array(items.prefix(8)), in: lab)

        let difference = try table.comparison(1)
        let extraction = try table.extractionRate(1)
        var report = try table.report(options)
        report.blocks.insert(.note(Self.missing), at: 0)
        report.add([
            Metric("answers found, zero-shot-cot", extraction, style: .percent),
            Metric("answers found, zero-shot", try table.extractionRate(0), style: .percent),
        ])
        return Demonstration(
            report,
            checks: [
                Check(
                    "share of answers found after the second stage", extraction.value, .atLeast(0.9), role: .mechanism),
                Check("items asked in exactly two calls", structure.twoCalls, .atLeast(1), role: .mechanism),
                Check(
                    "second prompts equal to p1 + z + e, byte for byte", structure.equalPrompts, .atLeast(1),
                    role: .mechanism),
                Check("gain in accuracy over zero-shot", difference.difference.value, .atLeast(0.3)),
            ],
            controls: [
                .init("accuracy, zero-shot", difference.baseline.value),
                .init("accuracy, zero-shot-cot", difference.method.value),
                .init("share of answers found, zero-shot", try table.extractionRate(0).value),
            ],
            isExpectedAtThisSize: (model as? any OpenModel).map { $0.architecture.parameters >= 1_000_000_000 } ?? true)
    }

    private static let missing =
        "Not shown here: the experiment that trains a small model on coin flips, half of them answered at once and half worked "
        + "out, and asks the same weights both ways; it needs the trainer."

    /// The shares of items that took two calls, and whose second prompt is the whole first exchange with the extraction
    /// phrase behind it: read from the calls themselves, beside the runner.
    private static func callStructure(
        _ runner: ReasoningRunner, items: [ReasoningItem], in lab: Lab
    ) async throws -> (twoCalls: Double, equalPrompts: Double) {
        let arm = ReasoningArm(.zeroShotCoT)
        let found = try await lab.forEach("call structure", items) { item in
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

extension Prompt {
    /// The text that the model continues: all of a raw prompt, or the begun turn of a conversation.
    fileprivate var lastText: String {
        switch self {
        case .text(let text, _): text
        case .chat(let messages, _): messages.last?.content ?? ""
        case .tokens: ""
        }
    }
}
