import Inference
import Laboratory
import Text

/// Lets a solver go through a trajectory: a conversation of one to three calls.
///
/// 1. One prompt with the query and a step for each action but the verifier.
/// 2. With a program: its result goes back, with the verifier's instruction or, without a verifier, the answer's.
/// 3. With a verifier: a turn of its own. Unless "incorrect" stands in its last line the final answer is asked for; else the query is
///    solved again in words. "not incorrect" counts as incorrect, as in the reference code.
///
/// A program that fails, or isn't there, leaves no answer, whatever the solver makes of the error.
package struct TrajectoryRunner: Sendable {
    package var wording = TrajectoryWording()
    package var programs: TrajectoryPrograms
    package var maxTokens = 1_024
    package var temperature = 0.0

    package init(programs: TrajectoryPrograms = TrajectoryPrograms()) { self.programs = programs }

    /// A turn of a kept conversation.
    package struct Turn: Sendable, Hashable, Codable {
        package var role: String
        package var text: String

        package init(_ message: ChatMessage) {
            role = message.role.name
            text = message.content
        }
    }

    /// A conversation at its end.
    package struct Run: Sendable, Hashable {
        package var turns: [Turn]
        /// The answer in the last reply; empty where there is none or the program failed.
        package var answer: String
        package var programFailed = false
        package var solvedAgain = false

        package var outcome: String { programFailed ? "program failed" : solvedAgain ? "solved again" : "" }
    }

    /// Makes a call as a named step.
    package typealias Ask = @Sendable (_ step: String, _ messages: [ChatMessage]) async throws -> String

    package func run(_ trajectory: ReasoningTrajectory, _ inquiry: Inquiry) async throws -> Run {
        let ask: Ask = { step, messages in
            try await inquiry.ask(
                step, messages, maxTokens: maxTokens,
                sampling: temperature > 0 ? .random(temperature: temperature) : .greedy
            ).text
        }
        return try await run(trajectory, inquiry, asking: ask)
    }

    package func run(
        _ trajectory: ReasoningTrajectory, _ inquiry: Inquiry, asking ask: Ask
    ) async throws -> Run {
        let opening = [ChatMessage.user(wording.opening(inquiry.question, trajectory))]
        let first = try await ask("solve", opening)
        return try await finish(trajectory, after: opening + [.assistant(first)], inquiry, asking: ask)
    }

    /// Goes on behind the first reply.
    package func finish(
        _ trajectory: ReasoningTrajectory, after messages: [ChatMessage], _ inquiry: Inquiry, asking ask: Ask
    ) async throws -> Run {
        let question = inquiry.question
        var messages = messages
        var run = Run(turns: [], answer: "")
        func turn(_ step: String, _ message: String) async throws -> String {
            messages.append(.user(message))
            let reply = try await ask(step, messages)
            messages.append(.assistant(reply))
            return reply
        }
        let verifies = trajectory.verification == .verifier
        let next = wording.instruction(verifies ? .verifier : .directAnswering, question)
        var verdict = ""
        if trajectory.solution == .program {
            let outcome = try await programs.run(messages.last?.content ?? "")
            run.programFailed = !outcome.succeeded
            inquiry.note("execution", outcome.text)
            verdict = try await turn(verifies ? "verify" : "answer", wording.result(outcome.text, then: next))
        } else if verifies {
            verdict = try await turn("verify", next)
        }
        if verifies {
            run.solvedAgain = Self.isRejected(verdict)
            _ = try await turn(
                "answer",
                run.solvedAgain ? wording.again(question) : wording.instruction(.directAnswering, question))
        }
        run.turns = messages.map(Turn.init)
        if !run.programFailed { run.answer = Grader(question.kind).answer(in: messages.last?.content ?? "") }
        return run
    }

    /// Whether a verifier's last line that isn't blank says incorrect.
    package static func isRejected(_ verdict: String) -> Bool {
        let last = verdict.split(whereSeparator: \.isNewline).last { !String($0).trimmingSpaces.isEmpty }
        return last?.lowercased().contains("incorrect") ?? false
    }
}
