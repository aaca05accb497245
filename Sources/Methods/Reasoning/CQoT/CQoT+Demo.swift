import Inference
import Laboratory

extension CQoT {
    /// Chains that the trained model plans and judges in the demo, none of them among the training's.
    package static let demoItems = 200
    /// Runs of the control: its mean over five times 200 chains has a standard error of 0.014.
    static let shuffles = 5
    /// Chains put to the scripted planner and critic: enough for a difference of 0.05 to be more than three standard errors.
    static let scriptedItems = 2_000
    /// Chains asked of the subject model, which is no critic out of the box.
    static let subjectItems = 8

    /// The gate with a small model in all roles, trained in the run to plan with slips and to judge plans strictly; the same with verdicts
    /// that belong to other problems; and the gate's rules on parts of known quality, which are scripts.
    public func demo(in lab: Lab) async throws -> Demonstration {
        try await demo(training: ChainTraining(), in: lab)
    }

    package func demo(training: ChainTraining, in lab: Lab) async throws -> Demonstration {
        let chains = IntegerChain.distinct(lab.limit ?? Self.demoItems, using: lab.random("chains"))
        let model = try await training.train(without: chains, in: lab)
        let trained = try await ChainExperiment(chains, asking: model, shuffles: Self.shuffles, in: lab)

        let scripted = ScriptedChains.questions(Self.scriptedItems, using: lab.random("scripted chains"))
        let gated = try await Self.gain(of: .truthful, on: scripted, in: lab)
        let shuffled = try await Self.gain(of: .shuffled, on: scripted, in: lab)
        let flow = try await Self.controlFlow()

        var report = try trained.comparison.report("CQoT on three-step integer chains")
        report.add([
            Metric("accuracy of the scripted parts, plan-only", gated.baseline, style: .percent),
            Metric("accuracy of the scripted parts, cqot", gated.method, style: .percent),
            Metric("accuracy of the scripted parts, cqot with shuffled verdicts", shuffled.method, style: .percent),
        ])
        report.add(try await Self.subjectAccuracies(in: lab))
        report.note(
            "One small model, trained in the run, is planner, critic and answerer. It has learnt from plans of which four in "
                + "ten have a corrupted step, and from exact verdicts on plans. The baseline is the plan without the probe. "
                + "The scripted parts show the gate with a planner and a critic of known quality.")
        return Demonstration(
            report,
            checks: [
                Check("scripted yes counts that lead to the right draft", flow, .atLeast(1), role: .mechanism),
                Check(
                    "standard errors off 8p⁷(1−p) + p⁸ at p = 0.7",
                    Self.nullDistance(0.7, using: lab.random("null 0.7")),
                    .atMost(3), role: .mechanism),
                Check(
                    "standard errors off 8p⁷(1−p) + p⁸ at p = 0.9",
                    Self.nullDistance(0.9, using: lab.random("null 0.9")),
                    .atMost(3), role: .mechanism),
                Check("gain of the gate, scripted parts", gated.difference.value, .atLeast(0.15), role: .mechanism),
                Check(
                    "gain with verdicts of other plans, scripted parts", shuffled.difference.value,
                    .between(-0.05, 0.05),
                    role: .mechanism),
                Check("gain over plan-only, trained model", try trained.gain, .atLeast(0.15)),
                Check(
                    "gain with verdicts of other problems, trained model", trained.shuffledGain, .between(-0.05, 0.05)),
            ],
            controls: [
                .init("share of first plans that are right", trained.rightPlans),
                .init("accuracy, plan-only", try trained.comparison.accuracy(0).value),
                .init("accuracy, cqot", try trained.comparison.accuracy(1).value),
                .init("share of drafts whose eight verdicts are all right", trained.rightVerdicts),
                .init("right drafts that pass seven of eight", trained.passingRight),
                .init("wrong drafts that pass seven of eight", trained.passingWrong),
                .init("calls a question, cqot", trained.comparison.mean(1, \.cost.calls)),
            ])
    }

    /// All arms on the subject model, for the record; nothing without one.
    private static func subjectAccuracies(in lab: Lab) async throws -> [Metric] {
        guard let model = try? lab.languageModel() else { return [] }
        let options = try Options {
            // Chains of three steps need no longer plans, and an untrained critic uses up all eleven drafts.
            $0.maxNewTokens = 80
        }
        let questions = ScriptedChains.questions(
            min(lab.limit ?? subjectItems, subjectItems), using: lab.random("subject"))
        let comparison = try await StrategyComparison(
            [
                PlannedAnswering(options, isProbed: false), PlannedAnswering(options), DirectStrategy(),
                try ZeroShotCoT().strategy(.init(), around: nil),
            ], on: questions, asking: model, in: lab)
        return try comparison.strategies.indices.map {
            Metric(
                "accuracy of \(model.identity.name), \(comparison.strategies[$0].name)", try comparison.accuracy($0),
                style: .percent)
        }
    }
}
