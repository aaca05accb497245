import Inference
import Laboratory
import Synchronization
import Text

extension PRoMPTd {
    /// The share of both modes' rules that hold on scripts: how many calls are made, what is seen by whom, what ends the loop, and that
    /// neither an unreadable nor a lossy rewrite becomes a prompt.
    package static func rules() async throws -> Double {
        var held: [Bool] = []

        // Success at the first look: two calls, and the output at hand is the answer.
        var run = try await ScriptedRewriting(
            .loop, replies: [" correct: 2 and 2 make 4.\nTask Type: sum\nBetter Prompt: p"]
        ).run()
        held.append(run.task.count == 1 && run.meta.count == 1 && run.attempt.cost.calls == 2)
        held.append(run.trace.stop == .declaredRight && run.attempt.solution.text == "y0: The answer is 4")

        // Three failures: 3 × (T + M) + 1 calls, and the last better prompt is answered.
        run = try await ScriptedRewriting(
            .loop, replies: (1...3).map { " wrong.\nTask Type: sum\nBetter Prompt: p\($0) of 2 and 2" }
        ).run()
        held.append(run.task.count == 4 && run.meta.count == 3 && run.attempt.cost.calls == 7)
        held.append(run.task.map(\.lastContent) == ["What is 2 + 2?"] + (1...3).map { "p\($0) of 2 and 2" })
        held.append(run.trace.stop == .budget && run.attempt.solution.text == "y3: The answer is 4")
        // M sees the prompt and the output of its round, and its reply is begun.
        held.append(
            run.meta.enumerated().allSatisfy { round, request in
                guard case .chat(let turns, _) = request.prompt, turns.count == 2 else { return false }
                let prompt = round == 0 ? "What is 2 + 2?" : "p\(round) of 2 and 2"
                return turns[0].content.hasSuffix("Candidate Prompt: \(prompt)\nOutput: y\(round): The answer is 4")
                    && turns[1] == .assistant("Reason: The output is")
            })

        // Malformed replies are asked for again, and never become prompts.
        for mode in [RewriteMode.oneShot, .loop] {
            run = try await ScriptedRewriting(
                mode,
                replies: [
                    "nonsense", "Reason: r\nBetter Prompt: without a type", "Reason: r\nTask Type: t\nBetter Prompt:",
                    mode == .loop
                        ? " wrong.\nTask Type: t\nBetter Prompt: good, 2 and 2"
                        : "Reason: r\nTask Type: t\nBetter Prompt: good, 2 and 2",
                ], attempts: 1
            ).run()
            held.append(run.meta.count == 4 && run.trace.malformed == 3)
            held.append(run.task.last?.lastContent == "good, 2 and 2")
            held.append(run.pauses == [.seconds(1), .seconds(2), .seconds(4)])
            run = try await ScriptedRewriting(mode, replies: Array(repeating: "nonsense", count: 4), attempts: 1).run()
            held.append(run.meta.count == 4 && run.task.map(\.lastContent) == ["What is 2 + 2?"])
            held.append(run.trace.stop == .unreadable)
        }

        // A rewrite without the numbers is asked for again; where that doesn't help the prompt stays.
        let lossy = "Reason: r\nTask Type: t\nBetter Prompt: What is 2 + 3?"
        run = try await ScriptedRewriting(
            .oneShot, replies: [lossy, "Reason: r\nTask Type: t\nBetter Prompt: 2 and 2"]
        )
        .run()
        held.append(run.task.map(\.lastContent) == ["2 and 2"] && run.trace.attempts.map(\.lost) == [["2"], []])
        run = try await ScriptedRewriting(.oneShot, replies: Array(repeating: lossy, count: 4)).run()
        held.append(run.task.map(\.lastContent) == ["What is 2 + 2?"] && run.trace.stop == .kept)
        return Double(held.count { $0 }) / Double(held.count)
    }
}

/// One question put to scripted models: the task model counts its answers, the meta model has a list of replies.
package struct ScriptedRewriting: Sendable {
    package struct Run: Sendable {
        package var attempt: Attempt
        package var trace: RewriteTrace
        package var task: [CompletionRequest]
        package var meta: [CompletionRequest]
        package var pauses: [Duration]
    }

    let mode: RewriteMode
    let replies: [String]
    let attempts: Int

    package init(_ mode: RewriteMode, replies: [String], attempts: Int = 3) {
        self.mode = mode
        self.replies = replies
        self.attempts = attempts
    }

    package func run() async throws -> Run {
        let question = Question(id: "q", "What is 2 + 2?", kind: .number, golds: ["4"])
        let task = ScriptedModel(name: "task", capabilities: [.completion]) { _, index in "y\(index): The answer is 4" }
        let meta = ScriptedModel(name: "meta", replies)
        let options = try PRoMPTd.Options {
            $0.mode = mode
            $0.maxAttempts = attempts
        }
        let journal = RewriteJournal()
        let pauses = Pauses()
        var rewriting = PromptRewriting(options, metaPrompt: try MetaPrompt(mode), meta: meta)
        rewriting.journal = journal
        rewriting.pause = { pauses.add($0) }
        let attempt = try await rewriting.attempt(question, asking: task, seed: 1)
        return Run(
            attempt: attempt, trace: journal[question] ?? RewriteTrace(""), task: task.requests, meta: meta.requests,
            pauses: pauses.all)
    }

    private final class Pauses: Sendable {
        private let kept = Mutex<[Duration]>([])
        func add(_ pause: Duration) { kept.withLock { $0.append(pause) } }
        var all: [Duration] { kept.withLock { $0 } }
    }
}

extension CompletionRequest {
    /// The last turn of a conversation.
    fileprivate var lastContent: String {
        if case .chat(let turns, _) = prompt { turns.last?.content ?? "" } else { "" }
    }
}
