import Inference
import Laboratory
import Text

/// CQoT as a strategy: plan, put the plan through critical questions, answer by the plan that passed.
package struct PlannedAnswering: ReasoningStrategy {
    package var options: CQoT.Options
    /// Without, the first plan is followed unprobed: the ablation.
    package var isProbed: Bool

    package init(_ options: CQoT.Options, isProbed: Bool = true) {
        self.options = options
        self.isProbed = isProbed
    }

    package var name: String { isProbed ? "cqot" : "plan-only" }

    package func solve(_ inquiry: Inquiry) async throws -> Solution {
        let (plan, outcome) = try await plan(inquiry)
        let reply = try await speak(
            "answer", plan: plan, system: Instructions.answer, user: inquiry.question.prompt,
            sampling: judging, inquiry)
        let answer = Grader(inquiry.question.kind).answer(in: reply)
        let leaks = Grader(inquiry.question.kind).isSame(Grader(inquiry.question.kind).answer(in: plan), answer)
        if leaks { inquiry.note("plan", "holds the answer that was given, so the probe judged an answer") }
        return Solution(answer: answer, text: reply, outcome: outcome)
    }

    // MARK: Plan and probe

    /// Drafts until the gate opens. A rejected plan is discarded and the next one drafted from scratch, or, with `feedback`,
    /// after the probe's reply.
    private func plan(_ inquiry: Inquiry) async throws -> (plan: String, outcome: String) {
        var plan = try await draft(inquiry, critique: nil)
        guard isProbed else { return (plan, "") }
        var retry = 0
        while true {
            let reply = try await speak(
                "probe", plan: plan, system: Instructions.probe(options.critics.questions),
                user: inquiry.question.prompt + "\n\n" + Instructions.probeReminder(options.critics.questions.count),
                sampling: judging, inquiry)
            let verdicts = options.critics.verdicts(in: reply)
            inquiry.note("verdicts", verdicts.note)
            if let rule = options.gate.rule(yes: verdicts.yes, retry: retry) {
                inquiry.note("plan accepted", "\(rule.rawValue), draft \(retry + 1)")
                return (plan, "\(rule.rawValue), draft \(retry + 1)")
            }
            retry += 1
            plan = try await draft(inquiry, critique: options.feedback ? (plan, reply) : nil)
        }
    }

    private func draft(_ inquiry: Inquiry, critique: (plan: String, reply: String)?) async throws -> String {
        var user = inquiry.question.prompt + "\n\n" + Instructions.planReminder
        if let critique {
            user += "\n\nAn earlier plan:\n\(critique.plan)\n\nWhat was found:\n\(critique.reply)"
        }
        return try await inquiry.ask(
            "plan", [.system(Instructions.plan), .user(user)], maxTokens: options.maxNewTokens,
            sampling: sampling(options.planTemperature, options.planTopP)
        ).text
    }

    private var judging: Sampling { sampling(options.answerTemperature, options.answerTopP) }

    private func sampling(_ temperature: Double, _ topP: Double) -> Sampling {
        temperature > 0 ? .random(temperature: temperature, topP: topP) : .greedy
    }

    /// Speaks to a model that has said the plan. Where the conversation isn't accepted, as some endpoints want the user's turn
    /// before any other, the plan is quoted instead, and the trace says so.
    private func speak(
        _ step: String, plan: String, system: String, user: String, sampling: Sampling, _ inquiry: Inquiry
    ) async throws -> String {
        let quoted: [ChatMessage] = [
            .system(system), .user("Reasoning steps:\n\(plan)\n\n\(user)"),
        ]
        if options.planTurn == .quoted {
            return try await inquiry.ask(step, quoted, maxTokens: options.maxNewTokens, sampling: sampling).text
        }
        do {
            return try await inquiry.ask(
                step, [.system(system), .assistant(plan), .user(user)], maxTokens: options.maxNewTokens,
                sampling: sampling
            ).text
        } catch  where options.planTurn == .auto && !(error is CancellationError) {
            // A failure that has nothing to do with the order of turns comes again, and then it is the error.
            let reply = try await inquiry.ask(
                step, quoted, maxTokens: options.maxNewTokens, sampling: sampling)
            inquiry.note("plan quoted", "The model refused the plan as a turn of its own: \(error)")
            return reply.text
        }
    }
}

/// The texts of the four steps.
private enum Instructions {
    static let plan =
        "You are a critical, analytical reasoner. Do not reply to the prompt. Write instead clearly separated, specific "
        + "reasoning steps that are easy to follow and whose premises lead to a truthful conclusion. Do not give the "
        + "final answer."

    static let planReminder = "Remember: reasoning steps only, not the final answer."

    static func probe(_ questions: [String]) -> String {
        "Assess the reasoning steps by the questions below, with the user's prompt as context. Reply to each question only "
            + "with Yes or No, one numbered line each. Be strict: answer No when in doubt.\n"
            + questions.enumerated().map { "\($0 + 1). \($1)" }.joined(separator: "\n")
    }

    static func probeReminder(_ count: Int) -> String { "Remember to answer all \(count) questions." }

    static let answer =
        "You are a skilled critical reasoner and follow the reasoning steps given to you strictly. Read them first. Draw "
        + "every intermediate conclusion from true premises, contradict no earlier conclusion, and give a final reply that "
        + "follows from them. End with \"The answer is …\"."
}
