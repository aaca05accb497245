import Foundation
import Inference
import Laboratory
import Models
import Text
import Training

/// Tactic-guided programs (Tiger): a model solves problems round by round under a *tactic*, writing and repairing programs that an
/// environment runs, and is scored on its answers and on the programs behind them.
///
/// 1. A run's first turn holds the rules, the tactic and the problem; each round is a thought and an action. Observers look at it in turn:
///    response parser, action parser, the tactic's own, which runs programs. Examples are shown in the first two rounds only.
/// 2. It ends at the first answer of the right form, after 7 rounds, 3 wrong ones in a row or 10 in all.
/// 3. Hybrids mix several problems. A router calls a tactic for each option's problem, a run of its own by the solver, and aggregates.
/// 4. `--mode collect` keeps trajectories under answer feedback, run again from their first sound steps with a hint where they fail.
/// 5. `--mode train` turns trajectories into sets: *pj*, with the last repaired program in the place of the first; *ipj*, these and the
///    raw ones with loss on what pj keeps and on observations; the router's. Adapters of both roles are trained on one base.
///
/// A program counts where it ran to its end; an answer without one is a shortcut. Where the paper's programs of logic are Python over
/// Z3, these are SMT-LIB 2, which needs no process; the frozen base of the paper's training is in 8 bits, here as it is stored.
/// The feedback on answers that data are collected with, and hints, are in no training set.
///
/// Source: Yang, Xiong, Payani, Shareghi, Fekri, "Can LLMs Reason in the Wild with Programs?" (2024), arXiv:2406.13764.
public struct TacticPrograms: StrategyMethod {
    public static let card = MethodCard(
        "tactic-programs", .reasoning, name: "Tiger", [.data, .training, .evaluation],
        "Picks a tactic (maths, logic, graph, general program), writes and repairs programs under it, and trains a router and a solver on the traces.",
        paper: Paper("Can LLMs Reason in the Wild with Programs?", "Yang et al.", 2024, arXiv: "2406.13764"),
        data: "dataset, input, label; options, program, and of hybrids qls; for --mode train trajectories",
        claim:
            "Training with loss on the right steps of imperfect trajectories gives more answers that stand on a program than "
            + "training on raw ones, and more repairs than training on perfect ones.")

    public init() {}

    public struct Options: MethodOptions {
        /// What a run does.
        public enum Mode: String, OptionChoice { case evaluate, collect, train }

        public var mode = Mode.evaluate
        public var tactic = "auto"
        public var tacticFiles: [Path] = []
        public var maxRounds = 7
        public var consecutiveWrong = 3
        public var totalWrong = 10
        public var iclRounds = 2
        public var routingICLRounds = 100
        public var bleuThreshold = 0.15
        public var graphThreshold = 0.6
        public var routerTokens = 512
        public var solverTokens = 1024
        public var stopsOnAnswer = true
        public var fuzzyParse = true
        public var temperature = 0.0
        public var routerModel: String?
        public var routerAdapter = ""
        public var solverAdapter = ""
        public var raterModel: String?
        public var raterMinimum = 4.0
        public var reruns = 1
        public var trainingSet = TacticTrainingKind.imperfect
        public var rank = 64
        public var alpha = 64.0
        public var dropout = 0.05
        public var rate = 3e-4
        public var batch = 64
        public var epochs = 3.0
        public var warmUp = 10
        public var maxLength = 2048

        public init() {}

        public static let fields: [Field<Self>] = [
            Field("mode", \.mode, "solve problems, collect trajectories, or train on some"),
            Field("tactic", \.tactic, "the tactic of questions under compare; auto: the router picks", .filled),
            Field(
                "tactic-files", \.tacticFiles, "tactics of your own, in place of those of the same name or beside them"),
            Field("max-rounds", \.maxRounds, "the most rounds of a run", .atLeast(1)),
            Field("consecutive-wrong", \.consecutiveWrong, "wrong rounds in a row that end a run", .atLeast(1)),
            Field("total-wrong", \.totalWrong, "wrong rounds that end a run", .atLeast(1)),
            Field("icl-rounds", \.iclRounds, "rounds that see the rules and examples", .atLeast(0)),
            Field("routing-icl-rounds", \.routingICLRounds, "the same of the router's runs", .atLeast(0)),
            Field("bleu-threshold", \.bleuThreshold, "CodeBLEU above which a program counts", .atLeast(0), .atMost(1)),
            Field(
                "graph-threshold", \.graphThreshold, "F1 of edges from which a graph is right", .above(0), .atMost(1)),
            Field("router-tokens", \.routerTokens, "most tokens of the router's rounds", .atLeast(1)),
            Field("solver-tokens", \.solverTokens, "most tokens of the solver's rounds", .atLeast(1)),
            Field("stop-on-answer", \.stopsOnAnswer, "end at the first answer of the right form"),
            Field("fuzzy-parse", \.fuzzyParse, "accept headings in any case and place"),
            Field("temperature", \.temperature, "temperature of rounds, 0: greedy", .atLeast(0)),
            Field("router-model", \.routerModel, "the router's model; else the subject"),
            Field("router-adapter", \.routerAdapter, "a PEFT folder that the subject wears as the router"),
            Field("solver-adapter", \.solverAdapter, "a PEFT folder that the subject wears as the solver"),
            Field("rater-model", \.raterModel, "rates the programs of collected trajectories; else they aren't rated"),
            Field("rater-minimum", \.raterMinimum, "the least rating that is kept", .atLeast(1), .atMost(5)),
            Field("reruns", \.reruns, "further tries of a problem while collecting", .atLeast(0)),
            Field("training-set", \.trainingSet, "raw, perfect or imperfect trajectories for the solver"),
            Field("rank", \.rank, "of the adapters, r", .atLeast(1)),
            Field("alpha", \.alpha, "of the adapters", .above(0)),
            Field("dropout", \.dropout, "of the adapters", .atLeast(0), .atMost(0.99)),
            Field("rate", \.rate, "learning rate", .above(0)),
            Field("batch", \.batch, "samples of a step", .atLeast(1)),
            Field("epochs", \.epochs, "how often each sample is seen", .above(0)),
            Field("warm-up", \.warmUp, "steps to the full rate", .atLeast(0)),
            Field("max-length", \.maxLength, "most tokens of a sample", .atLeast(2)),
        ]

        public func validate() throws(OptionError) {
            if mode != .collect, raterModel != nil {
                throw .conflict("--rater-model rates what --mode collect collects; give them together.")
            }
            if mode == .train, !routerAdapter.isEmpty || !solverAdapter.isEmpty {
                throw .conflict(
                    "--mode train makes adapters; --router-adapter and --solver-adapter are for the other modes.")
            }
            if routerModel != nil, !routerAdapter.isEmpty {
                throw .conflict(
                    "--router-adapter is for the subject; --router-model names another model. Give one of them.")
            }
        }

        package var limits: TacticLimits {
            var limits = TacticLimits()
            limits.rounds = maxRounds
            limits.consecutiveWrong = consecutiveWrong
            limits.wrong = totalWrong
            limits.roundsWithExamples = iclRounds
            limits.routingRoundsWithExamples = routingICLRounds
            limits.stopsOnAnswer = stopsOnAnswer
            limits.isFuzzy = fuzzyParse
            return limits
        }

        /// The tactics of the paper and of the files.
        package func book() throws -> TacticBook {
            var book = try TacticBook.standard()
            for file in tacticFiles {
                let path = file.expanded
                guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                    throw TacticError.badFile(path, "there is no such text file")
                }
                book.add(try Tactic(file: text, named: path))
            }
            return book
        }
    }

    public func strategy(_ options: Options, around inner: (any ReasoningStrategy)?) throws -> any ReasoningStrategy {
        try options.checkAll()
        let book = try options.book()
        if options.tactic != "auto" { _ = try book.tactic(options.tactic) }
        return TacticStrategy(options: options, book: book, execution: TacticExecution())
    }

    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        if options.mode == .train { return try await TacticTraining(options: options, lab: lab).run() }
        let book = try options.book()
        let problems = try lab.data().records.map {
            try TacticProblem($0, graphThreshold: options.graphThreshold, book: book)
        }
        let agent = try await agent(options, book, in: lab)
        if options.mode == .collect { return try await collect(problems, by: agent, options, in: lab) }
        let results = try await lab.forEach("Solving", problems, inFlight: 16) {
            TacticResult($0, try await agent.run($0))
        }
        for result in results { await lab.recorder.record(TacticReport.sample(result)) }
        try await TacticReport.keep(results.map(\.trajectory), as: "trajectories.jsonl", in: lab)
        return try TacticReport.report(
            "Tactic-guided programs", results, threshold: options.bleuThreshold)
    }

    /// The agent of the lab's subject, with its adapters by the names of their roles.
    private func agent(_ options: Options, _ book: TacticBook, in lab: Lab) async throws -> TacticAgent {
        let model = try lab.languageModel()
        for (name, folder) in [("router", options.routerAdapter), ("solver", options.solverAdapter)]
        where !folder.isEmpty {
            guard let local = model as? LocalModel else {
                throw CapabilityError(slug: lab.slug, model: model, missing: .trainable)
            }
            let set = try AdapterFolder.read(Path(folder).expanded, for: local.configuration)
            try await local.addAdapter(name, set.changes)
        }
        var router = model
        if let reference = options.routerModel { router = try await lab.loadModel(reference) }
        var agent = TacticAgent(
            book: book,
            router: TacticRole(
                "router", router, adapter: options.routerAdapter.isEmpty ? nil : "router",
                maxTokens: options.routerTokens),
            solver: TacticRole(
                "solver", model, adapter: options.solverAdapter.isEmpty ? nil : "solver",
                maxTokens: options.solverTokens),
            execution: TacticExecution())
        agent.limits = options.limits
        agent.seed = lab.seed("rounds")
        agent.router.temperature = options.temperature
        agent.solver.temperature = options.temperature
        return agent
    }

    private func collect(
        _ problems: [TacticProblem], by agent: TacticAgent, _ options: Options, in lab: Lab
    ) async throws -> Report {
        var rater: TacticRater?
        if let reference = options.raterModel {
            rater = TacticRater(
                try await lab.loadModel(reference), least: options.raterMinimum, seed: lab.seed("rater"))
        }
        let collector = TacticCollector(agent: agent, rater: rater, reruns: options.reruns)
        let found = try await lab.forEach("Collecting", problems, inFlight: 16) { try await collector.collect($0) }
        try await TacticReport.keep(
            found.filter(\.isAccepted).map(\.trajectory), as: "trajectories.jsonl", in: lab)
        try await TacticReport.keep(
            found.filter { !$0.isAccepted }.map(\.trajectory), as: "rejected.jsonl", in: lab)
        let accepted = found.count(where: \.isAccepted)
        var report = Report(
            "Collected trajectories", summary: "\(accepted) of \(found.count) problems have an accepted trajectory.")
        report.add([
            Metric("accepted", try .accuracy(found.map(\.isAccepted)), style: .percent),
            Metric(
                "accepted after a hint", Double(found.count { $0.isAccepted && !$0.trajectory.hints.isEmpty }),
                style: .whole),
            Metric(
                "wrong rounds in accepted ones",
                Double(found.filter(\.isAccepted).reduce(0) { $0 + $1.trajectory.rounds.count(where: \.isWrong) }),
                style: .whole),
        ])
        return report
    }
}
