import Foundation
import Inference
import Laboratory
import Text

/// DOTS: searches, for each training question and a given solver, which trajectory of reasoning actions works best, and trains a planner
/// to choose one for new questions.
///
/// 1. `ReasoningTrajectory`: analysis (none, rewriting, planning), solution (words, program), verification (none, verifier), and the
///    final answer: 12 trajectories. `TrajectoryRunner` takes a solver through one.
/// 2. `TrajectorySearch`: rounds over all 12, the best 8 and the best 3, n samples each, adding up.
/// 3. `ImportanceRule`: the actions that raise the accuracy by 0.3 make the target; a right rollout of it is the lesson.
/// 4. `ExplanationPrompt`: a strong model says why (with `--explainer`).
/// 5. Supervised fine-tuning on the lessons: of a small external planner beside the frozen solver, or of the solver itself, which then
///    plans and solves in one pass.
///
/// Questions that are reported on are never searched. Gold answers score samples of the search; neither the verifier nor a planner sees
/// them. "Oracle" in the report is a question that any trajectory answers, known only afterwards.
///
/// Of the released code the selection by importance is taken, which its paper's "best trajectory" gave way to; its inverted test of the
/// probe and its test of lengths for scores are not. A package install and a failing program score 0.
///
/// Questions come from files, or are games of 24 (`--task game-24`), whose rule says what is right.
///
/// Source: Yue, Yao, Mi, Yu, Yao, Yu, "DOTS: Learning to Reason Dynamically in LLMs via Optimal Reasoning Trajectories Search" (2024),
/// arXiv:2410.03864.
public struct DOTS: StrategyMethod {
    public static let card = MethodCard(
        "dots", .reasoning, name: "DOTS", [.training, .inference],
        "Searches which chain of reasoning actions suits each training question and teaches a planner to choose one for new questions.",
        paper: Paper(
            "DOTS: Learning to Reason Dynamically in LLMs via Optimal Reasoning Trajectories Search", "Yue et al.",
            2024,
            arXiv: "2410.03864"),
        data:
            "question, answer; options, answer_type, subject and level where there are any; or task (game-24) and instance",
        claim:
            "A planner that learnt from searched trajectories which actions suit a question answers more questions than any "
            + "one trajectory for all, with fewer actions than the longest.")

    public init() {}

    public struct Options: MethodOptions {
        public var task: Task?
        public var items = 50
        public var trainItems = 100
        public var trainQuestions: Path?
        public var planner: Path?
        public var plannerKind = PlannerKind.external
        public var plannerBase = "embedded"
        public var trajectory = ReasoningTrajectory.plain
        public var analysis = AnalysisAction.allCases
        public var solution = SolutionAction.allCases
        public var verification = VerificationAction.allCases
        public var n = 2
        public var keep1 = 8
        public var keep2 = 3
        public var searchTemperature = 0.8
        public var temperature = 0.0
        public var lift = 0.3
        public var balance = 0.6
        public var dropsUninformative = true
        public var explainer: String?
        public var lowResource: [String] = []
        public var repeats = 9
        public var tuning = Tuning.lora
        public var rate: Double?
        public var batch = 32
        public var epochs = 2.0
        public var maxLength = 4_096
        public var maxTokens = 1_024
        public var archive: Path?

        public init() {}

        /// Questions that are generated.
        public enum Task: String, OptionChoice {
            case game24 = "game-24"
        }

        public enum PlannerKind: String, OptionChoice {
            /// A small model beside the solver.
            case external
            /// The solver itself.
            case internalised
        }

        public enum Tuning: String, OptionChoice {
            case lora, full
        }

        public static let fields: [Field<Self>] = [
            Field("task", \.task, "questions to generate instead of reading --data and --train-questions"),
            Field("items", \.items, "how many of them are asked (a given --limit goes before)", .atLeast(1)),
            Field("train-items", \.trainItems, "how many others are searched", .atLeast(1)),
            Field("train-questions", \.trainQuestions, "questions to search and to learn from"),
            Field("planner", \.planner, "a trained planner: an adapter's folder, or a model"),
            Field("planner-kind", \.plannerKind, "a model beside the solver, or the solver itself"),
            Field("planner-base", \.plannerBase, "the model that an external planner is trained from", .filled),
            Field("trajectory", \.trajectory, "what is followed where there is no planner"),
            Field("analysis", \.analysis, "items of the first layer"),
            Field("solution", \.solution, "items of the second layer"),
            Field("verification", \.verification, "items of the third layer"),
            Field("n", \.n, "samples of a trajectory in a round", .atLeast(1)),
            Field("keep1", \.keep1, "trajectories that survive round 1", .atLeast(1)),
            Field("keep2", \.keep2, "trajectories that survive round 2", .atLeast(1)),
            Field("search-temperature", \.searchTemperature, "of the search's samples", .atLeast(0)),
            Field("temperature", \.temperature, "of answers", .atLeast(0)),
            Field("lift", \.lift, "accuracy that an important action adds", .within(0...1)),
            Field("balance", \.balance, "the most that samples with and without it differ in number", .within(0...1)),
            Field("drop-uninformative", \.dropsUninformative, "drop questions that are always right or always wrong"),
            Field("explainer", \.explainer, "a strong model that explains the choices; none: no explanations"),
            Field("low-resource", \.lowResource, "subjects whose questions are repeated"),
            Field("repeats", \.repeats, "how often they then occur", .atLeast(1)),
            Field("tuning", \.tuning, "what of the planner is trained"),
            Field("rate", \.rate, "the learning rate; none: 2e-5, and 2e-4 for lora", .above(0)),
            Field("batch", \.batch, "lessons a step", .atLeast(1)),
            Field("epochs", \.epochs, "passes over the lessons", .above(0)),
            Field("max-length", \.maxLength, "the most tokens of a lesson", .atLeast(2)),
            Field("max-tokens", \.maxTokens, "the most tokens of a reply", .atLeast(1)),
            Field("archive", \.archive, "a file of the search's samples to keep and to go on from"),
        ]

        public func validate() throws(OptionError) {
            do { _ = try catalogue } catch { throw .conflict("\(error)") }
            if keep2 > keep1 {
                throw .conflict("--keep2 \(keep2) is more than --keep1 \(keep1): rounds only drop trajectories.")
            }
            if n > 1, searchTemperature == 0 {
                throw .conflict("--search-temperature 0 gives the same sample \(n) times: sample, or give --n 1.")
            }
            if task != nil, trainQuestions != nil {
                throw .conflict("--task generates the questions to train on, too: leave out --train-questions.")
            }
            if planner != nil, trainQuestions != nil {
                throw .conflict(
                    "--planner is trained already, and --train-questions would train another: give one of them.")
            }
        }

        package var catalogue: ActionCatalogue {
            get throws(DOTSError) {
                try ActionCatalogue(analysis: analysis, solution: solution, verification: verification)
            }
        }

        package var importance: ImportanceRule {
            var rule = ImportanceRule()
            rule.lift = lift
            rule.balance = balance
            return rule
        }

        package func runner(_ programs: TrajectoryPrograms = TrajectoryPrograms()) -> TrajectoryRunner {
            var runner = TrajectoryRunner(programs: programs)
            runner.maxTokens = maxTokens
            runner.temperature = temperature
            return runner
        }
    }

    /// The planner's strategy with `--planner`; else the fixed trajectory. The planner is opened when the first question comes.
    public func strategy(_ options: Options, around inner: (any ReasoningStrategy)?) throws -> any ReasoningStrategy {
        try options.checkAll()
        guard let path = options.planner else {
            return Named(base: PlannedTrajectory(FixedPlanner(options.trajectory), runner: options.runner()))
        }
        let opened = MadeOnce { try await Self.opened(path.expanded, base: options.plannerBase) }
        return Named(base: Opening(options: options, runner: options.runner(), model: opened))
    }

    /// A strategy under the method's name.
    private struct Named: ReasoningStrategy {
        let name = "dots"
        let base: any ReasoningStrategy
        func solve(_ inquiry: Inquiry) async throws -> Solution { try await base.solve(inquiry) }
    }

    private struct Opening: ReasoningStrategy {
        let name = "dots"
        let options: Options
        let runner: TrajectoryRunner
        let model: MadeOnce<TunedModel>

        func solve(_ inquiry: Inquiry) async throws -> Solution {
            try await DOTS.planned(options, try await model.value, runner).solve(inquiry)
        }
    }

    static func planned(_ options: Options, _ model: TunedModel, _ runner: TrajectoryRunner) -> any ReasoningStrategy {
        switch options.plannerKind {
        case .external: PlannedTrajectory(ExternalPlanner(model), runner: runner)
        case .internalised: InternalisedSolver(model, runner: runner)
        }
    }

    /// Searches, trains and compares: every static trajectory, the planner, and a random plan, on questions that were not searched.
    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        let model = try lab.languageModel()
        let asked = try Self.asked(options, in: lab)
        let catalogue = try options.catalogue
        let runner = options.runner()
        let tuned: TunedModel
        var searched: [SearchedQuestion] = []
        if let path = options.planner {
            tuned = try await Self.opened(path.expanded, base: options.plannerBase)
        } else {
            guard let train = asked.training else { throw DOTSError.noPlanner }
            let base = options.plannerKind == .external ? options.plannerBase : model.identity.reference
            let local = try Self.localPath(base)
            searched = try await Self.search(train, options, runner, asking: model, in: lab)
            let lessons = try await Self.explained(searched.compactMap(\.lesson), by: options.explainer, in: lab)
            guard !lessons.isEmpty else { throw DOTSError.nothingLearnt(questions: train.count) }
            try await Self.keep(searched, lessons, options, in: lab)
            let folder = try await Self.train(
                "planner", lessons, kind: options.plannerKind, base: local, options, in: lab)
            tuned = try await Self.opened(folder, base: base)
        }
        let arms = catalogue.trajectories.map { PlannedTrajectory(FixedPlanner($0), runner: runner) }
        let comparison = try await StrategyComparison(
            arms + [
                PlannedTrajectory(RandomPlanner(catalogue), runner: runner), Self.planned(options, tuned, runner),
            ], on: asked.tested, asking: model, in: lab)
        var report = try comparison.report("DOTS")
        try Self.addTrajectories(
            to: &report, comparison, statics: arms.count, planner: comparison.strategies.count - 1,
            levels: asked.levels)
        Self.addSearch(to: &report, searched)
        return report
    }
}
