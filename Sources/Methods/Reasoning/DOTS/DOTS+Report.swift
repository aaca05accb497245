import Laboratory

extension DOTS {
    /// For each question, whether any static trajectory answers it: the oracle's score.
    package static func oracle(_ comparison: StrategyComparison, statics: Int) -> [Bool] {
        comparison.questions.indices.map { place in
            (0..<statics).contains { comparison.attempts[$0][place].isRight }
        }
    }

    /// The plans of an arm, question by question; nil for an arm that doesn't plan.
    package static func plans(_ comparison: StrategyComparison, _ arm: Int) -> [PlannedOutcome?] {
        comparison.attempts[arm].map { PlannedOutcome($0.solution.outcome) }
    }

    /// The mean number of actions before the final answer.
    package static func meanLength(_ plans: [PlannedOutcome?]) -> Double {
        let lengths = plans.compactMap { $0?.trajectory.length }
        return lengths.isEmpty ? .nan : Double(lengths.reduce(0, +)) / Double(lengths.count)
    }

    /// What the comparison's own table doesn't say: the best static trajectory, the oracle, and how often the planner takes each action.
    package static func addTrajectories(
        to report: inout Report, _ comparison: StrategyComparison, statics: Int, planner: Int, levels: [String: String]
    ) throws {
        let accuracies = try (0..<statics).map { try comparison.accuracy($0) }
        let best = accuracies.indices.max { accuracies[$0].value < accuracies[$1].value } ?? 0
        report.section("Trajectories")
        report.add([
            Metric(
                "accuracy of the best static trajectory", accuracies[best], style: .percent,
                detail: comparison.strategies[best].name + ", known afterwards"),
            Metric("accuracy of the planner", try comparison.accuracy(planner), style: .percent),
            Metric(
                "accuracy of the oracle", try .accuracy(oracle(comparison, statics: statics)), style: .percent,
                detail: "any trajectory right; chosen by the gold answers, no method"),
            Metric("actions of the planner before the answer", meanLength(plans(comparison, planner))),
            Metric(
                "plans that could not be read",
                try .accuracy(plans(comparison, planner).map { $0?.isFallback ?? true }), style: .percent),
        ])
        report.add(actionTable(comparison, planner, levels: levels))
    }

    /// The share of plans with each action, by difficulty.
    package static func actionTable(
        _ comparison: StrategyComparison, _ planner: Int, levels: [String: String]
    ) -> Table {
        let actions = ReasoningAction.allCases.filter { $0 != .directAnswering }
        var table = Table(
            "Actions of the planner by difficulty",
            columns: [.text("difficulty"), .number("questions")] + actions.map { .number($0.rawValue) }
                + [.number("actions")])
        let rows = zip(comparison.questions, plans(comparison, planner)).map { question, plan in
            (level: levels[question.id] ?? "–", plan: plan)
        }
        for level in Set(rows.map(\.level)).sorted() {
            let plans = rows.filter { $0.level == level }.map(\.plan)
            let shares = actions.map { action in
                NumberStyle.percent.text(
                    Double(plans.count { $0?.trajectory.contains(action) == true }) / Double(plans.count))
            }
            table.add([level, String(plans.count)] + shares + [NumberStyle.decimals(2).text(meanLength(plans))])
        }
        return table
    }

    /// What became of the searched questions, and which trajectories are to be learnt.
    package static func addSearch(to report: inout Report, _ searched: [SearchedQuestion]) {
        guard !searched.isEmpty else { return }
        report.section("Search")
        var fates = Table("Searched questions", columns: [.text("what became of them"), .number("questions")])
        let names: [(String, (SearchedQuestion) -> Bool)] = [
            ("learnt from", { $0.lesson != nil }),
            ("kept, without a right sample of the target", { $0.result.verdict == .kept && $0.lesson == nil }),
            ("dropped by the probe: easy", { $0.result.verdict == .easy }),
            ("dropped after round 1: always right", { $0.result.verdict == .alwaysRight }),
            ("dropped after round 1: always wrong", { $0.result.verdict == .alwaysWrong }),
        ]
        for (name, fits) in names { fates.add(name, String(searched.count(where: fits))) }
        report.add(fates)
        var targets = Table(
            "Trajectories to learn",
            columns: [.text("trajectory"), .number("questions"), .number("best of the search")])
        let taught = Dictionary(grouping: searched.compactMap(\.lesson?.trajectory)) { $0 }.mapValues(\.count)
        let best = Dictionary(grouping: searched.filter { $0.lesson != nil }.compactMap(\.result.best)) { $0 }
            .mapValues(\.count)
        for trajectory in Set(taught.keys).union(best.keys).sorted(by: { $0.description < $1.description }) {
            targets.add(
                trajectory.description, String(taught[trajectory, default: 0]), String(best[trajectory, default: 0]))
        }
        report.add(targets)
        let rollouts = searched.flatMap { $0.result.probes + $0.result.rollouts }
        report.add([
            Metric("calls of the search", Double(rollouts.reduce(0) { $0 + $1.calls }), style: .whole),
            Metric("tokens of the search", Double(rollouts.reduce(0) { $0 + $1.tokens }), style: .whole),
        ])
    }
}
