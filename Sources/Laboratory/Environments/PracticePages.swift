/// A practice task as a world: pages in memory that need no browser and no network.
public actor PracticePages: Environment {
    public nonisolated let task: PracticeTask
    private var script: PracticeTask.Script
    private var stage = 0
    private var page: OfflinePage
    private var isDone = false

    public init(_ task: PracticeTask) throws {
        self.task = task
        script = task.script(seed: 0)
        page = try OfflinePage(PageDocument(parsing: script.stages[0].html))
    }

    public func reset(seed: UInt64) throws -> PageObservation {
        script = task.script(seed: seed)
        isDone = false
        try open(0)
        return observe()
    }

    private func open(_ stage: Int) throws {
        self.stage = stage
        page = try OfflinePage(PageDocument(parsing: script.stages[stage].html))
    }

    public func observe() -> PageObservation { PageObservation(goal: script.goal, html: page.document.html) }

    public func step(_ action: PageAction) throws -> EnvironmentStep<PageObservation> {
        var reward = 0.0
        // What is done to a page whose episode is over changes nothing.
        if !isDone {
            let now = script.stages[stage]
            let ending = try page.act(action).lazy.compactMap { [page] in page.document.attribute("id", of: $0) }
                .first(where: now.ends.contains)
            if let ending {
                let isRight =
                    try ending == now.right && now.condition.map { try PagePath($0).holds(in: page.document) } ?? true
                if isRight, stage + 1 < script.stages.count {
                    try open(stage + 1)
                } else {
                    reward = isRight ? 1 : -1
                    isDone = true
                }
            }
        }
        return EnvironmentStep(observation: observe(), reward: reward, isDone: isDone)
    }
}

/// A page of the user's own as a world: done and rewarded with 1 as soon as a condition is true of the page.
public actor OwnPage: Environment {
    private let goal: String
    private let start: OfflinePage
    private let success: PagePath
    private var page: OfflinePage

    /// - Parameter success: an XPath, such as `//input[@id="name"]/@value = "Ada"`.
    public init(html: String, goal: String, success: String) throws {
        self.goal = goal
        start = try OfflinePage(PageDocument(parsing: html))
        self.success = try PagePath(success)
        page = start
    }

    /// Every episode is the same.
    public func reset(seed: UInt64) -> PageObservation {
        page = start
        return observe()
    }

    public func observe() -> PageObservation { PageObservation(goal: goal, html: page.document.html) }

    public func step(_ action: PageAction) throws -> EnvironmentStep<PageObservation> {
        _ = try page.act(action)
        let isDone = try success.holds(in: page.document)
        return EnvironmentStep(observation: observe(), reward: isDone ? 1 : 0, isDone: isDone)
    }
}
