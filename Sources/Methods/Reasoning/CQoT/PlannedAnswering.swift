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
        let reply = try await speak("answer", PlanMessages.answer(inquiry.question, plan: plan), inquiry)
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
                "probe", PlanMessages.probe(inquiry.question, plan: plan, options.critics.questions), inquiry)
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
        try await inquiry.ask(
            "plan", PlanMessages.draft(inquiry.question, after: critique), maxTokens: options.maxNewTokens,
            sampling: sampling(options.planTemperature, options.planTopP)
        ).text
    }

    private func sampling(_ temperature: Double, _ topP: Double) -> Sampling {
        temperature > 0 ? .random(temperature: temperature, topP: topP) : .greedy
    }

    /// Speaks to a model that has said the plan. Where the conversation isn't accepted, as some endpoints want the user's turn
    /// before any other, the plan is quoted instead, and the trace says so.
    private func speak(_ step: String, _ messages: [ChatMessage], _ inquiry: Inquiry) async throws -> String {
        let sampling = sampling(options.answerTemperature, options.answerTopP)
        let quoted = PlanMessages.quoted(messages)
        if options.planTurn == .quoted {
            return try await inquiry.ask(step, quoted, maxTokens: options.maxNewTokens, sampling: sampling).text
        }
        do {
            return try await inquiry.ask(step, messages, maxTokens: options.maxNewTokens, sampling: sampling).text
        } catch  where options.planTurn == .auto && !(error is CancellationError) {
            // A failure that has nothing to do with the order of turns comes again, and then it is the error.
            let reply = try await inquiry.ask(
                step, quoted, maxTokens: options.maxNewTokens, sampling: sampling)
            inquiry.note("plan quoted", "The model refused the plan as a turn of its own: \(error)")
            return reply.text
        }
    }
}
