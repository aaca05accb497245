import Inference
import Laboratory
import Text

/// The trajectory that a question is to be answered by.
package struct TrajectoryPlan: Sendable, Hashable {
    package var trajectory: ReasoningTrajectory
    /// Whether nothing could be read, and plain words were taken.
    package var isFallback = false
}

/// Chooses a trajectory for a question. Calls to a model are counted in the inquiry.
package protocol TrajectoryPlanner: Sendable {
    var name: String { get }
    func plan(_ inquiry: Inquiry) async throws -> TrajectoryPlan
}

/// The same trajectory for every question.
package struct FixedPlanner: TrajectoryPlanner {
    package let trajectory: ReasoningTrajectory
    package init(_ trajectory: ReasoningTrajectory) { self.trajectory = trajectory }
    package var name: String { trajectory.description }
    package func plan(_ inquiry: Inquiry) -> TrajectoryPlan { TrajectoryPlan(trajectory: trajectory) }
}

/// Any trajectory, each as likely: what a planner must beat.
package struct RandomPlanner: TrajectoryPlanner {
    package let catalogue: ActionCatalogue
    package init(_ catalogue: ActionCatalogue) { self.catalogue = catalogue }
    package let name = "random plan"

    package func plan(_ inquiry: Inquiry) -> TrajectoryPlan {
        var generator = SeededGenerator(seed: inquiry.streamSeed("random plan"))
        return TrajectoryPlan(trajectory: generator.pick(catalogue.trajectories) ?? .plain)
    }
}

/// A model that was trained in the run or before, asked beside the one that the inquiry asks.
package struct TunedModel: Sendable {
    package var model: any LanguageModel
    /// The adapter that it is asked with; nil: the model itself.
    package var adapter: String?

    package init(_ model: any LanguageModel, adapter: String? = nil) {
        self.model = model
        self.adapter = adapter
    }

    package func ask(
        _ step: String, _ messages: [ChatMessage], maxTokens: Int, _ inquiry: Inquiry
    ) async throws -> String {
        let request = CompletionRequest(
            .chat(messages), sampling: .greedy, stop: StopRule(maxTokens: maxTokens), adapter: adapter)
        let completion = try await model.complete(request)
        inquiry.count(step, prompt: request.prompt, reply: completion.text, usage: completion.usage)
        return completion.text
    }
}

/// The external planner: a small model trained to name the actions, the solver staying as it is.
package struct ExternalPlanner: TrajectoryPlanner {
    package let name: String
    package var model: TunedModel
    package var wording: PlannerWording
    package var maxTokens: Int

    package init(_ model: TunedModel, name: String = "dots", wording: PlannerWording = .init(), maxTokens: Int = 512) {
        self.name = name
        self.model = model
        self.wording = wording
        self.maxTokens = maxTokens
    }

    package func plan(_ inquiry: Inquiry) async throws -> TrajectoryPlan {
        let reply = try await model.ask(
            "plan", [.user(wording.externalPrompt(inquiry.question.prompt))], maxTokens: maxTokens, inquiry)
        return PlannerWording.plan(in: reply)
    }
}

/// Answers by the trajectory that a planner chooses.
package struct PlannedTrajectory: ReasoningStrategy {
    package var planner: any TrajectoryPlanner
    package var runner: TrajectoryRunner

    package init(_ planner: any TrajectoryPlanner, runner: TrajectoryRunner) {
        self.planner = planner
        self.runner = runner
    }

    package var name: String { planner.name }

    package func solve(_ inquiry: Inquiry) async throws -> Solution {
        let plan = try await planner.plan(inquiry)
        inquiry.note("trajectory", "\(plan.trajectory)" + (plan.isFallback ? ", for want of a plan" : ""))
        let run = try await runner.run(plan.trajectory, inquiry)
        return Self.solution(run, plan)
    }

    static func solution(_ run: TrajectoryRunner.Run, _ plan: TrajectoryPlan) -> Solution {
        Solution(
            answer: run.answer, text: run.turns.last?.text ?? "",
            outcome: PlannedOutcome(trajectory: plan.trajectory, isFallback: plan.isFallback).text)
    }
}

/// The outcome of a planned answer as reports count it, and back.
package struct PlannedOutcome: Sendable, Hashable {
    package var trajectory: ReasoningTrajectory
    package var isFallback: Bool

    package var text: String { trajectory.description + (isFallback ? " (no plan)" : "") }

    package init(trajectory: ReasoningTrajectory, isFallback: Bool) {
        self.trajectory = trajectory
        self.isFallback = isFallback
    }

    package init?(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 1)
        guard let first = parts.first, let trajectory = ReasoningTrajectory(flag: String(first)) else { return nil }
        self.init(trajectory: trajectory, isFallback: parts.count > 1)
    }
}

/// The internalised planner: the solver itself, trained to plan and solve in one pass. Its programs are run, and what follows the
/// first reply is as in `TrajectoryRunner`.
package struct InternalisedSolver: ReasoningStrategy {
    package let name = "dots-internalised"
    package var model: TunedModel
    package var wording: PlannerWording
    package var runner: TrajectoryRunner

    package init(_ model: TunedModel, wording: PlannerWording = .init(), runner: TrajectoryRunner) {
        self.model = model
        self.wording = wording
        self.runner = runner
    }

    package func solve(_ inquiry: Inquiry) async throws -> Solution {
        let ask: TrajectoryRunner.Ask = { step, messages in
            try await model.ask(step, messages, maxTokens: runner.maxTokens, inquiry)
        }
        let opening = [ChatMessage.user(wording.internalPrompt(inquiry.question.prompt))]
        let first = try await ask("plan and solve", opening)
        let plan = PlannerWording.plan(in: first)
        let run = try await runner.finish(
            plan.trajectory, after: opening + [.assistant(first)], inquiry, asking: ask)
        return PlannedTrajectory.solution(run, plan)
    }
}
