import Inference
import Laboratory

/// Which pages an agent plays on.
public enum AgentWorld: String, OptionChoice {
    /// Lyceum's own small tasks, in memory.
    case practice
    /// MiniWoB++ in a browser.
    case miniwob
}

/// One task of an agent's run: how its world is opened, and the example plans for it.
package struct AgentTask: Sendable {
    package var name: String
    package var examples: [ExamplePlan]
    /// Opens the world; the episodes of one world follow one another.
    package var open: @Sendable () async throws -> any Environment<PageObservation, PageAction>
    /// Whether any number of its worlds can stand beside one another.
    package var isParallel = true

    package static func practice(_ task: PracticeTask) -> AgentTask {
        AgentTask(name: task.rawValue, examples: ExamplePlans.of(task)) { try PracticePages(task) }
    }

    package static func miniWoB(_ task: String, in browser: Browser) -> AgentTask {
        AgentTask(
            name: task, examples: ExamplePlans.ofMiniWoB(task), open: { try MiniWoB(task, in: browser) },
            isParallel: false)
    }
}

/// Several agents on the same episodes with the same model.
package struct AgentExperiment: Sendable {
    package let tasks: [AgentTask]
    package let agents: [WebAgent]
    /// [agents × (tasks × episodes)]
    package let episodes: [[AgentEpisode]]
    private let perTask: Int

    /// Episode n of a task has the same seed for every agent.
    package init(
        _ agents: [WebAgent], on tasks: [AgentTask], episodes: Int, examples: Int = 0, asking model: any LanguageModel,
        in lab: Lab
    ) async throws {
        let plays = tasks.flatMap { task in (0..<episodes).map { (task: task, number: $0) } }
        let inFlight = tasks.allSatisfy(\.isParallel) ? 64 : 1
        var all: [[AgentEpisode]] = []
        for agent in agents {
            all.append(
                try await lab.forEach(agent.name, plays, inFlight: inFlight) { play in
                    var agent = agent
                    if agent.examples.isEmpty { agent.examples = Array(play.task.examples.prefix(examples)) }
                    return try await agent.play(
                        play.task.open(), seed: lab.seed("\(play.task.name)/\(play.number)"), asking: model)
                })
        }
        self.tasks = tasks
        self.agents = agents
        self.episodes = all
        perTask = episodes
        for sample in samples() { await lab.recorder.record(sample) }
    }

    // MARK: Measurements

    package func success(_ agent: Int) throws -> Estimate { try .accuracy(episodes[agent].map(\.isSuccess)) }

    package func failures(_ agent: Int, _ cause: AgentEpisode.Failure) -> Int {
        episodes[agent].count { $0.failure == cause }
    }

    package func mean(_ agent: Int, _ value: (AgentEpisode) -> Int) -> Double {
        Double(episodes[agent].reduce(0) { $0 + value($1) }) / Double(max(1, episodes[agent].count))
    }

    /// Success of an agent against the first one on the same episodes.
    package func difference(_ agent: Int, seed: UInt64) throws -> PairedDifference {
        try PairedDifference(
            baseline: episodes[0].map(\.isSuccess), method: episodes[agent].map(\.isSuccess), seed: seed)
    }

    // MARK: Report

    package func samples() -> [SampleTrace] {
        (0..<(tasks.count * perTask)).map { place in
            let task = tasks[place / perTask].name
            return SampleTrace(
                "\(task), episode \(place % perTask + 1)", input: episodes[0][place].goal, expected: "a reward above 0",
                arms: agents.indices.map { agent in
                    let episode = episodes[agent][place]
                    return SampleTrace.Arm(
                        agents[agent].name,
                        episode.failure.map(\.rawValue) ?? "reward \(NumberStyle.decimals(2).text(episode.reward))",
                        isCorrect: episode.isSuccess, score: episode.reward, steps: episode.trace)
                })
        }
    }

    package func report(_ title: String, seed: UInt64) throws -> Report {
        let percent = NumberStyle.percent
        var report = Report(
            title,
            summary: try "Of \(episodes[0].count) episodes "
                + agents.indices.map { "\(agents[$0].name) ends \(percent.text(try success($0).value)) well" }.joined(
                    separator: ", ") + ".")
        for agent in agents.indices.dropFirst() {
            report.add(
                Comparison(
                    "success rate", baseline: agents[0].name, method: agents[agent].name,
                    try difference(agent, seed: seed), style: .percent))
        }
        if agents.count == 1 { report.add([Metric("success rate", try success(0), style: .percent)]) }
        var causes = Table(
            "How episodes ended",
            columns: [.text("agent"), .number("success"), .number("95 % interval")]
                + AgentEpisode.Failure.allCases.map { .number($0.rawValue) } + [
                    .number("steps"), .number("calls"), .number("tokens"),
                ])
        for agent in agents.indices {
            let rate = try success(agent)
            causes.add(
                [
                    agents[agent].name, percent.text(rate.value),
                    "\(percent.text(rate.low ?? 0)) – \(percent.text(rate.high ?? 1))",
                ] + AgentEpisode.Failure.allCases.map { "\(failures(agent, $0))" } + [
                    NumberStyle.decimals(1).text(mean(agent, \.steps.count)),
                    NumberStyle.decimals(1).text(mean(agent, \.calls)),
                    NumberStyle.whole.text(mean(agent) { $0.usage.promptTokens + $0.usage.completionTokens }),
                ])
        }
        report.add(causes)
        if tasks.count > 1 {
            var table = Table("Success by task", columns: [.text("task")] + agents.map { .number($0.name) })
            for (place, task) in tasks.enumerated() {
                let range = (place * perTask)..<((place + 1) * perTask)
                table.add(
                    [task.name]
                        + agents.indices.map { agent in
                            percent.text(
                                Double(episodes[agent][range].count(where: \.isSuccess)) / Double(max(1, perTask)))
                        })
            }
            report.add(table)
        }
        report.note(
            "Success is a reward above 0. Invalid actions match none of the forms; execution errors are valid instructions that "
                + "name nothing, or nothing that can be seen. Steps, calls and tokens are means an episode.")
        report.add(samples())
        return report
    }
}
