import Inference
import Laboratory
import Text

extension DOTS {
    /// Questions of the simulated solver, and samples of each trajectory in a round.
    package static let simulatedQuestions = 200
    package static let simulatedSamples = 8
    /// Questions to search, to test on, and conversations that the small solver learns from.
    package static let searchedQuestions = 120
    package static let testedQuestions = 150
    package static let solverConversations = 24_000

    /// The search on a solver of known chances, and the whole method with two kinds of questions: a small solver trained in the run, the
    /// real search on it, and the model at hand tuned into its external planner.
    public func demo(in lab: Lab) async throws -> Demonstration {
        var (report, checks, controls) = try await Self.simulation(in: lab)
        let learned = try await Self.learned(in: lab)
        let comparison = learned.comparison
        let statics = ActionCatalogue.standard.trajectories.count
        let best = try (0..<statics).map { try comparison.accuracy($0).value }.max() ?? 0
        let planner = comparison.strategies.count - 1
        let plans = Self.plans(comparison, planner)
        let fitting = zip(comparison.questions, plans).count { question, plan in
            plan?.isFallback == false && (plan?.trajectory.solution == .program) == (question.subject == "products")
        }
        report.section("A learned planner")
        report.add(try comparison.table())
        try Self.addTrajectories(
            to: &report, comparison, statics: statics, planner: planner,
            levels: Dictionary(uniqueKeysWithValues: comparison.questions.map { ($0.id, $0.subject ?? "") }))
        Self.addSearch(to: &report, learned.searched)
        report.add(comparison.samples())
        let accuracy = try comparison.accuracy(planner).value
        checks += [
            Check("gain of the planner over the best static trajectory", accuracy - best, .atLeast(0.1)),
            Check("share of plans that fit the kind", Double(fitting) / Double(max(1, plans.count)), .atLeast(0.9)),
            Check("mean actions before the answer", Self.meanLength(plans), .atMost(2.9)),
        ]
        controls += [
            .init("accuracy, planner", accuracy), .init("accuracy, best static trajectory", best),
            .init("accuracy, CoT", try comparison.accuracy(0).value),
            .init("accuracy, programming_solver", try comparison.accuracy(1).value),
            .init("accuracy, random plan", try comparison.accuracy(statics).value),
            .init("accuracy, planner from shuffled lessons", try comparison.accuracy(statics + 1).value),
            .init(
                "accuracy, oracle",
                try Estimate.accuracy(Self.oracle(comparison, statics: statics)).value),
        ]
        return Demonstration(report, checks: checks, controls: controls)
    }

    /// Searches with a small solver, trains the model at hand and a control whose lessons are shuffled, and asks the test's questions.
    private static func learned(
        in lab: Lab
    ) async throws -> (comparison: StrategyComparison, searched: [SearchedQuestion]) {
        let subject = try lab.languageModel()
        guard let base = subject as? LocalModel else { throw DOTSError.notLocal(subject.identity.reference) }
        var generator = lab.random("questions")
        var used: Set<String> = []
        let train = TwoKindsWorld.items(searchedQuestions, without: &used, using: &generator)
        let test = TwoKindsWorld.items(lab.limit ?? testedQuestions, without: &used, using: &generator)
        let samples = try await TwoKindsWorld.samples(
            solverConversations, without: used, using: lab.random("conversations"))
        let solver = try await WordChatModel().train(
            "solver", on: samples,
            words: (train + test).flatMap { [$0.question.text, $0.answer, $0.worked] } + ["unknown"], in: lab)
        var runner = TrajectoryRunner(programs: TrajectoryPrograms().remembering())
        runner.wording = TwoKindsWorld.wording
        runner.maxTokens = 64
        let archive = Path(try lab.outputFile("rollouts.jsonl").path)
        let options = try Options {
            $0.batch = 8
            $0.epochs = 3
            $0.rate = 5e-4
            $0.archive = archive
        }
        let searched = try await search(train.map(\.question), options, runner, asking: solver, in: lab)
        let lessons = searched.compactMap(\.lesson)
        guard !lessons.isEmpty else { throw DOTSError.nothingLearnt(questions: train.count) }
        var luck = lab.random("shuffled lessons")
        let shuffled = zip(lessons, luck.shuffled(lessons)).map { lesson, other in
            var lesson = lesson
            lesson.trajectory = other.trajectory
            return lesson
        }
        let path = try localPath(subject.identity.reference)
        func planner(_ name: String, _ lessons: [PlannerLesson]) async throws -> PlannedTrajectory {
            let folder = try await Self.train(name, lessons, kind: .external, base: path, options, in: lab)
            let adapter = try await add(folder, to: base)
            return PlannedTrajectory(
                ExternalPlanner(TunedModel(base, adapter: adapter), name: name, maxTokens: 24), runner: runner)
        }
        let control = try await planner("planner from shuffled lessons", shuffled)
        let learnt = try await planner("dots", lessons)
        let catalogue = ActionCatalogue.standard
        let comparison = try await StrategyComparison(
            catalogue.trajectories.map { PlannedTrajectory(FixedPlanner($0), runner: runner) }
                + [PlannedTrajectory(RandomPlanner(catalogue), runner: runner), control, learnt],
            on: test.map(\.question), asking: solver, in: lab)
        return (comparison, searched)
    }

    /// The search on a solver of known chances: whether it finds the best trajectory of each question, drops the right number of
    /// trajectories, and prefers the shortest where all are equally good.
    package static func simulation(
        in lab: Lab
    ) async throws -> (report: Report, checks: [Check], controls: [Demonstration.Control]) {
        let found = try await SimulatedSolver.search(
            lab.limit ?? simulatedQuestions, types: SimulatedSolver.types(), samples: simulatedSamples,
            seed: lab.seed("simulated"))
        let sure = ActionCatalogue.standard.trajectories.map { ($0, 1.0) }
        let ones = try await SimulatedSolver.search(
            10, types: [SimulatedSolver.Chances(uniqueKeysWithValues: sure)], samples: simulatedSamples,
            seed: lab.seed("ones"))
        let right = SimulatedSolver.shareRight(found) { $0.best }
        let stub = SimulatedSolver.shareRight(found) { _ in .plain }
        let oneRound = SimulatedSolver.shareRight(found) { $0.rounds.first?.first?.trajectory }
        let pruned = found.count { $0.result.rounds.map(\.count) == [12, 8, 3] }
        let short = ones.count { $0.result.best == .plain && $0.result.best?.length == 1 }

        var report = Report(
            "DOTS on a solver of known chances",
            summary: "The search finds a trajectory of the highest chance for \(NumberStyle.percent.text(right)) of "
                + "\(found.count) questions.")
        var table = Table(
            "The last round", columns: [.text("best by chance"), .text("found"), .number("right of its samples")])
        for (chances, result) in found.prefix(SimulatedSolver.types().count) {
            let best = ActionCatalogue.standard.trajectories.filter { chances[$0] == chances.values.max() }
            let score = result.rounds.last?.first
            table.add(
                best.map(\.description).joined(separator: " or "), result.best?.description ?? "",
                "\(score?.successes ?? 0) of \(score?.samples ?? 0)")
        }
        report.add(table)
        let checks = [
            Check("share of questions whose best trajectory is found", right, .atLeast(0.9), role: .mechanism),
            Check("share found by always answering CoT", stub, .atMost(0.5), role: .mechanism),
            Check(
                "share of searches that keep 8 and then 3", Double(pruned) / Double(max(1, found.count)),
                .atLeast(1),
                role: .mechanism),
            Check(
                "share with one action where every trajectory is right",
                Double(short) / Double(max(1, ones.count)), .atLeast(1), role: .mechanism),
        ]
        return (report, checks, [.init("share found by the first round alone", oneRound)])
    }
}
