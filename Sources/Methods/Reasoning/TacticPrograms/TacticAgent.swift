import Inference
import Laboratory
import Text

/// When a run ends.
package struct TacticLimits: Sendable, Hashable {
    package var rounds = 7
    package var consecutiveWrong = 3
    package var wrong = 10
    /// Rounds whose prompt holds the rules and the examples of the tactic; later ones have a short prompt.
    package var roundsWithExamples = 2
    package var routingRoundsWithExamples = 100
    /// Ends at the first answer of the right form.
    package var stopsOnAnswer = true
    package var isFuzzy = true

    package init() {}
}

/// Who writes the rounds of a run: a model, and the adapter that it wears for that.
package struct TacticRole: Sendable {
    package var name: String
    package var model: any LanguageModel
    package var adapter: String?
    package var maxTokens: Int
    package var temperature = 0.0

    package init(_ name: String, _ model: any LanguageModel, adapter: String? = nil, maxTokens: Int) {
        self.name = name
        self.model = model
        self.adapter = adapter
        self.maxTokens = maxTokens
    }
}

/// The loop: the model writes a round, observers look at it, until an answer or a limit. A router calls other tactics, each a
/// run of its own by the solver.
package struct TacticAgent: Sendable {
    package var book: TacticBook
    package var router: TacticRole
    package var solver: TacticRole
    package var execution: TacticExecution
    package var limits = TacticLimits()
    package var seed: UInt64 = 1

    package init(book: TacticBook, router: TacticRole, solver: TacticRole, execution: TacticExecution) {
        self.book = book
        self.router = router
        self.solver = solver
        self.execution = execution
    }

    /// Solves a problem with its tactic, hybrids by routing.
    ///
    /// - Parameters:
    ///   - givesFeedback: tells whether answers are right, which only a collector of data may, and goes on until one is.
    ///   - kept: rounds that stand already, of an earlier run.
    ///   - hints: lines behind the prompt about the right answer; marked as such.
    package func run(
        _ problem: TacticProblem, givesFeedback: Bool = false, keeping kept: [TacticRound] = [], hints: [String] = []
    ) async throws -> TacticTrajectory {
        let tactic = try book.tactic(problem.tactic)
        let role = tactic.engine == .routing ? router : solver
        var trajectory = TacticTrajectory(
            id: problem.id, dataset: problem.dataset, tactic: tactic.name,
            prompt: TacticPrompt.text(problem, tactic, isShort: true),
            hints: hints.map { "\(TacticTrajectory.hintMark) \($0)" })
        trajectory.rounds = kept
        var observers: [any TacticObserver] = [
            ResponseObserver(isFuzzy: limits.isFuzzy), ActionObserver(), ExecutionObserver(execution: execution),
        ]
        if givesFeedback { observers.append(FeedbackObserver(gold: problem.gold)) }
        while trajectory.end == nil {
            let number = trajectory.rounds.count
            let reply = try await ask(role, trajectory, problem, tactic, givesFeedback: givesFeedback)
            var moment = TacticMoment(
                reply: reply, tactic: tactic, form: problem.form, options: problem.options.count)
            try await moment.observe(observers)
            if let called = moment.round.called, !moment.round.isWrong {
                try await call(called, for: problem, in: &moment, number: number)
            }
            trajectory.rounds.append(moment.round)
            if let answer = moment.answer { trajectory.answer = answer }
            trajectory.end = end(of: trajectory, answered: moment.answer != nil, givesFeedback: givesFeedback)
        }
        return trajectory
    }

    /// Whether the run ends with its last round, and how.
    private func end(
        of trajectory: TacticTrajectory, answered: Bool, givesFeedback: Bool
    ) -> TacticTrajectory.End? {
        guard let last = trajectory.rounds.last else { return nil }
        if last.isSolved { return .solved }
        if last.isDeemedFailed { return .deemedFailed }
        if answered, limits.stopsOnAnswer, !givesFeedback { return .answered }
        let wrongInARow = trajectory.rounds.reversed().prefix { $0.isWrong }.count
        if wrongInARow >= limits.consecutiveWrong || trajectory.rounds.count(where: \.isWrong) >= limits.wrong {
            return .tooManyWrong
        }
        guard trajectory.rounds.count >= limits.rounds else { return nil }
        return trajectory.answer != nil && !givesFeedback ? .answered : .tooManyRounds
    }

    private func ask(
        _ role: TacticRole, _ trajectory: TacticTrajectory, _ problem: TacticProblem, _ tactic: Tactic,
        givesFeedback: Bool
    ) async throws -> String {
        let number = trajectory.rounds.count
        let full = tactic.engine == .routing ? limits.routingRoundsWithExamples : limits.roundsWithExamples
        let prompt =
            number < full ? TacticPrompt.text(problem, tactic, isShort: false) : trajectory.prompt
        var messages = [ChatMessage.user(([prompt] + trajectory.hints).joined(separator: "\n"))]
        for round in trajectory.rounds {
            messages.append(.assistant(round.reply))
            messages.append(.user(TacticPrompt.observation(round, withFeedback: givesFeedback)))
        }
        var request = CompletionRequest(
            .chat(messages), stop: StopRule(maxTokens: role.maxTokens, strings: [TacticResponse.observationMark]),
            adapter: role.adapter)
        if role.temperature > 0 {
            request.sampling = .random(
                temperature: role.temperature,
                seed: SeededGenerator.derive(seed, "\(problem.id)/\(role.name)/\(number)"))
        }
        if let inquiry = role.model as? Inquiry { return try await inquiry.complete(request, as: role.name).text }
        return try await role.model.complete(request).text
    }

    /// Runs the called tactic on the subproblem that the router took out of the text. Its answer is not checked: it comes back as it is.
    private func call(
        _ name: String, for problem: TacticProblem, in moment: inout TacticMoment, number: Int
    ) async throws {
        guard let (option, text) = TacticResponse.subproblem(in: moment.response?.output ?? "") else { return }
        let tactic = try book.tactic(name)
        let subproblem = TacticProblem(
            id: "\(problem.id)/\(number + 1), option \(option)", dataset: problem.dataset, text, tactic: name,
            form: tactic.answerForm(within: problem), gold: "")
        let run = try await self.run(subproblem)
        moment.round.subTrajectories.append(run)
        if let answer = run.answer {
            moment.say("tactic runner", .ok, "Tactic execution successful. Answer: \(answer)")
        } else {
            moment.say(
                "tactic runner", .warning, "Tactic execution failed: \(run.end?.rawValue ?? "no answer").")
        }
    }
}

extension Tactic {
    /// The form of answers to problems that a router hands to this tactic.
    func answerForm(within problem: TacticProblem) -> TacticAnswer {
        switch engine {
        case .logic: return .truth
        case .graph: return .edges(threshold: 0)
        case .python, .routing:
            // A problem without options is handed on whole, so its answer keeps its form.
            if problem.options.isEmpty { return problem.form }
            return name == "math" ? .number : .other(.text)
        }
    }
}

/// The texts of a run's first turn and of observations.
package enum TacticPrompt {
    /// - Parameter isShort: the tactic's name instead of its text, without rules and examples.
    package static func text(_ problem: TacticProblem, _ tactic: Tactic, isShort: Bool) -> String {
        if isShort { return "### Tactic \(tactic.name)\n### Problem\n\(problem.prompt)" }
        var parts = [
            """
            Solve the problem with the tactic below, round by round. A round is one thought and one action:
            ### Thought
            why this action comes next
            ### Action
            ## Name
            the action's name
            ## Input
            what it works on
            ## Output
            what it produces: the plan, the whole program, the conclusion, or the answer
            Write one round and stop. The environment replies with an observation. The answer must come from a program that \
            ran; give it with \(tactic.actions.first { $0.kind == .answer }?.name ?? "") as \(problem.form.request).
            """,
            "### Tactic\n\(tactic.text)",
        ]
        if !tactic.examples.isEmpty { parts.append("### Examples\n\(tactic.examples)") }
        return (parts + ["### Problem\n\(problem.prompt)"]).joined(separator: "\n\n")
    }

    package static func observation(_ round: TacticRound, withFeedback: Bool) -> String {
        "\(TacticResponse.observationMark)\n\(round.observation(withFeedback: withFeedback))"
    }
}
