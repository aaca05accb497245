import Inference
import Laboratory
import Text

/// The agent: it grounds its plan in the task (explicit RCI), each instruction in the page's state and in the forms that can be
/// carried out (implicit RCI), and acts in a world of pages.
package struct WebAgent: Sendable {
    /// Critiques of the plan; −1: there is no plan at all.
    package var planCritiques = 0
    /// Repairs of an instruction that has no valid form.
    package var repairs = 1
    /// Whether each instruction is put again, given what the page shows.
    package var groundsState = true
    /// Steps where the plan has a single line, or there is none.
    package var shortPlanSteps = 4
    package var temperature = 0.0
    package var maxTokens = 256
    package var examples: [ExamplePlan] = []
    package var wording = AgentWording.standard
    package var name = "rci"

    package init() {}

    /// How many steps an episode may have: one a line of the plan.
    package static func steps(of plan: String?, short: Int = 4) -> Int {
        let lines = (plan ?? "").split(whereSeparator: \.isNewline).count { !$0.allSatisfy(\.isWhitespace) }
        return lines > 1 ? lines : short
    }

    /// Plays one episode. The same seed plays the same one again, whatever else the model is asked meanwhile.
    ///
    /// - Throws: `AgentError` where a page is too long for the model, and what the world and the model throw. Actions that can't be carried
    ///   out are no errors but ends of the episode.
    package func play(
        _ world: any Environment<PageObservation, PageAction>, seed: UInt64, asking model: any LanguageModel
    ) async throws -> AgentEpisode {
        var page = try await world.reset(seed: seed)
        var episode = AgentEpisode(seed: seed, goal: page.goal)
        if planCritiques >= 0 {
            page = try await plan(page, in: world, &episode, model)
            guard episode.plan?.isEmpty == false else { return episode.failed(.plan) }
        }
        for step in 1...Self.steps(of: episode.plan, short: shortPlanSteps) {
            let instruction = try await instruction(page, step, &episode, model)
            do {
                let result = try await world.step(ActionGrammar.action(instruction))
                page = result.observation
                episode.steps[step - 1].after = page.html
                guard result.reward == 0, !result.isDone else {
                    episode.reward = result.reward
                    return result.reward > 0 ? episode : episode.failed(.outcome)
                }
            } catch let error as InvalidAction {
                return episode.failed(.invalidAction, error.description)
            } catch let error as PageActionError {
                return episode.failed(.execution, error.description)
            } catch let error as BrowserError {
                // The browser has left the page that it was led to; other failures of it are no doing of the agent.
                guard case .leftPages = error else { throw error }
                return episode.failed(.execution, error.description)
            }
        }
        return episode.failed(.stepLimit)
    }

    // MARK: Task grounding

    /// A plan, criticised and written again `planCritiques` times in one growing conversation. The page is looked at again before each
    /// new plan.
    private func plan(
        _ start: PageObservation, in world: any Environment<PageObservation, PageAction>, _ episode: inout AgentEpisode,
        _ model: any LanguageModel
    ) async throws -> PageObservation {
        var page = start
        var dialogue = AgentDialogue(wording.planning(page, examples: examples))
        var plan = try await ask(dialogue, "plan", page, &episode, model)
        episode.plans.append(plan.trimmingSpaces)
        for round in 0..<planCritiques {
            dialogue.hear(plan)
            dialogue.say("\n\n\(wording.critique)\n")
            let critique = try await ask(dialogue, "critique \(round + 1)", page, &episode, model)
            episode.critiques.append(critique.trimmingSpaces)
            page = try await world.observe()
            dialogue.hear(critique)
            dialogue.say("\n\n\(wording.improve)\n\(wording.page)\(page.html)\nplan:")
            plan = try await ask(dialogue, "plan \(round + 1)", page, &episode, model)
            episode.plans.append(plan.trimmingSpaces)
        }
        return page
    }

    // MARK: State and agent grounding

    private func instruction(
        _ page: PageObservation, _ step: Int, _ episode: inout AgentEpisode, _ model: any LanguageModel
    ) async throws -> String {
        var dialogue = AgentDialogue(wording.acting(page, plan: episode.plan, history: episode.history))
        dialogue.hear(wording.stem(after: episode.history))
        var text = try await decode(dialogue, "step \(step)", page, &episode, model)
        var trace = AgentEpisode.Step(raw: text, before: page.html)
        if groundsState {
            dialogue.hear("\(text)`\n\(wording.grounding)")
            text = try await decode(dialogue, "step \(step), grounded", page, &episode, model)
            trace.grounded = text
        }
        for repair in 0..<repairs where ActionForm.form(of: text) == nil {
            dialogue.hear("\(text)`\n\(wording.repair)")
            text = try await decode(dialogue, "step \(step), repair \(repair + 1)", page, &episode, model)
            trace.repaired.append(text)
        }
        episode.steps.append(trace)
        return text
    }

    private func decode(
        _ dialogue: AgentDialogue, _ name: String, _ page: PageObservation, _ episode: inout AgentEpisode,
        _ model: any LanguageModel
    ) async throws -> String {
        // A chat model may open the quotes again, so that the first back-quote must not end its reply.
        let isRaw = model.capabilities.contains(.rawText)
        return ActionGrammar.cut(try await ask(dialogue, name, page, &episode, model, stop: isRaw ? ["`"] : []))
    }

    private func ask(
        _ dialogue: AgentDialogue, _ name: String, _ page: PageObservation, _ episode: inout AgentEpisode,
        _ model: any LanguageModel, stop: [String] = []
    ) async throws -> String {
        let sampling: Sampling =
            temperature > 0
            ? .random(temperature: temperature, seed: SeededGenerator.derive(episode.seed, name)) : .greedy
        let request = CompletionRequest(
            dialogue.prompt(raw: model.capabilities.contains(.rawText)), sampling: sampling,
            stop: StopRule(maxTokens: maxTokens, strings: stop))
        do {
            let completion = try await model.complete(request)
            episode.calls += 1
            episode.usage = episode.usage + completion.usage
            return completion.text
        } catch EngineError.contextTooLong(let prompt, let generation, let limit) {
            let own = (model as? any OpenModel).flatMap { try? $0.tokens(of: .text(page.html)).count }
            throw AgentError.contextOverflow(page: own ?? 0, prompt: prompt, generation: generation, limit: limit)
        }
    }
}

/// An episode as it went.
package struct AgentEpisode: Sendable, Hashable {
    /// Why an episode earned nothing.
    package enum Failure: String, Sendable, Hashable, CaseIterable {
        /// No plan could be read.
        case plan = "no plan"
        /// An instruction had no valid form, repairs included.
        case invalidAction = "invalid action"
        /// A valid instruction could not be carried out: a path that names nothing, or nothing that can be seen.
        case execution = "execution error"
        case stepLimit = "step limit"
        /// The page ended the episode without a reward.
        case outcome = "wrong outcome"
    }

    /// One step: the instruction as it was first decoded, as the page's state made it, and as repairs made it.
    package struct Step: Sendable, Hashable {
        package var raw: String
        package var grounded: String?
        package var repaired: [String] = []
        package var before: String
        /// Nil where nothing was carried out.
        package var after: String?

        package init(raw: String, before: String) {
            self.raw = raw
            self.before = before
        }

        /// The instruction that counted.
        package var last: String { repaired.last ?? grounded ?? raw }
    }

    package var seed: UInt64
    package var goal: String
    package var plans: [String] = []
    package var critiques: [String] = []
    package var steps: [Step] = []
    package var reward = 0.0
    package var failure: Failure?
    package var reason = ""
    package var calls = 0
    package var usage = Usage()

    package init(seed: UInt64, goal: String) {
        self.seed = seed
        self.goal = goal
    }

    package var plan: String? { plans.last }
    /// The instructions carried out.
    package var history: [String] { steps.filter { $0.after != nil }.map(\.last) }
    package var isSuccess: Bool { reward > 0 }

    func failed(_ failure: Failure, _ reason: String = "") -> AgentEpisode {
        var episode = self
        episode.failure = failure
        episode.reason = reason
        return episode
    }

    /// What a reader opens to see it.
    var trace: [SampleTrace.Step] {
        var steps: [SampleTrace.Step] = []
        for (round, plan) in plans.enumerated() {
            if round > 0 { steps.append(.init("critique \(round)", critiques[round - 1])) }
            steps.append(.init(round == 0 ? "plan" : "plan \(round)", plan))
        }
        for (number, step) in self.steps.enumerated() {
            let name = "step \(number + 1)"
            steps.append(.init("\(name): page", step.before))
            steps.append(.init(name, step.raw))
            if let grounded = step.grounded { steps.append(.init("\(name), grounded", grounded)) }
            for (repair, text) in step.repaired.enumerated() {
                steps.append(.init("\(name), repair \(repair + 1)", text))
            }
            if let after = step.after { steps.append(.init("\(name): page afterwards", after)) }
        }
        if let failure { steps.append(.init("failure", "\(failure.rawValue)\(reason.isEmpty ? "" : ": \(reason)")")) }
        return steps
    }
}

/// Why an agent can't go on.
public enum AgentError: Error, Hashable, CustomStringConvertible {
    /// In tokens; `page` is 0 where the model doesn't say.
    case contextOverflow(page: Int, prompt: Int, generation: Int, limit: Int)
    case noTask
    case unknownTask(String, world: String, known: [String])

    public var description: String {
        switch self {
        case .contextOverflow(let page, let prompt, let generation, let limit):
            "The prompt has \(prompt) tokens" + (page > 0 ? ", \(page) of them the page's HTML" : "")
                + ", and up to \(generation) are to be written; the model takes \(limit). Pages are not cut: give a model with a "
                + "longer context, fewer --demonstrations or fewer --max-tokens."
        case .noTask:
            "rci needs questions (--data) or tasks (--task NAME, with --world practice or miniwob, or --page with --goal and --success)."
        case .unknownTask(let task, let world, let known):
            "\(task.debugDescription) is no task of the world \(world). Tasks: all, \(known.joined(separator: ", "))."
        }
    }
}
