import Foundation
import Text

/// A task of MiniWoB++, the benchmark's own page in a browser.
///
/// Episodes are seeded through the page's generator. The reward is the raw one: the page's discount for time would measure
/// the model's speed.
///
/// Source: Liu et al., "Reinforcement Learning on Web Interfaces Using Workflow-Guided Exploration" (2018), arXiv:1802.08802.
public struct MiniWoB: Environment {
    public let task: String
    private let browser: Browser
    private let episodeSeconds: Double

    /// Twenty tasks that need no drawing and no dragging.
    public static let tasks = [
        "choose-list", "click-button", "click-button-sequence", "click-checkboxes", "click-collapsible", "click-dialog",
        "click-dialog-2", "click-link", "click-option", "click-tab", "click-test", "click-test-2", "click-widget",
        "enter-date", "enter-password", "enter-text", "enter-text-dynamic", "focus-text", "login-user", "navigate-tree",
    ]

    /// Where `make browser` puts the pages.
    public static var pages: URL { Folders.cache.appendingPathComponent("miniwob", isDirectory: true) }

    /// - Parameters:
    ///   - browser: one over the folder of pages. Episodes of one browser must follow one another.
    ///   - episodeSeconds: after which the page fails an episode; the page's own 10 s are too few for most models.
    public init(_ task: String, in browser: Browser, episodeSeconds: Double = 600) throws {
        guard Self.tasks.contains(task) else { throw MiniWoBError.unknownTask(task) }
        self.task = task
        self.browser = browser
        self.episodeSeconds = episodeSeconds
    }

    public func reset(seed: UInt64) async throws -> PageObservation {
        try await browser.open("miniwob/\(task).html")
        // The page's clock is set first, as some pages set their own while they load.
        _ = try await browser.evaluate(
            """
            Math.seedrandom('\(seed)'); core.EPISODE_MAX_TIME = \(Int(episodeSeconds * 1000)); core.startEpisodeReal(); true
            """)
        try await browser.wait("starting \(task)", until: "WOB_TASK_READY === true")
        return try await observe()
    }

    public func observe() async throws -> PageObservation {
        let goal = try await browser.evaluate("(u => typeof u === 'string' ? u : u.utterance)(core.getUtterance())")
        return PageObservation(goal: goal.stringValue ?? "", html: try await browser.html(Self.seen))
    }

    public func step(_ action: PageAction) async throws -> EnvironmentStep<PageObservation> {
        try await browser.act(action)
        let state = try await browser.evaluate("[WOB_RAW_REWARD_GLOBAL, WOB_DONE_GLOBAL]")
        return EnvironmentStep(
            observation: try await observe(), reward: state[0]?.doubleValue ?? 0, isDone: state[1]?.boolValue ?? false)
    }

    /// The task's area, and what pages put beside it: dialogs, calendars, lists of suggestions.
    private static let seen =
        "#area, body > :not(#wrap):not(#sync-task-cover):not(#click-canvas):not(#reward-display):not(script)"
}

public enum MiniWoBError: Error, Hashable, CustomStringConvertible {
    case unknownTask(String)

    public var description: String {
        switch self {
        case .unknownTask(let task):
            "\(task.debugDescription) is no task of MiniWoB++ here. Tasks: \(MiniWoB.tasks.joined(separator: ", "))."
        }
    }
}
