import Inference
import Laboratory
import Text

/// The conversations of the method's steps.
package enum PlanMessages {
    /// Asks for a plan; with `critique` after an earlier plan and what was found about it.
    package static func draft(
        _ question: Question, after critique: (plan: String, reply: String)? = nil
    ) -> [ChatMessage] {
        var user = question.prompt + "\n\nRemember: reasoning steps only, not the final answer."
        if let critique {
            user += "\n\nAn earlier plan:\n\(critique.plan)\n\nWhat was found:\n\(critique.reply)"
        }
        return [.system(planning), .user(user)]
    }

    /// Asks the critical questions about a plan, which is the model's own turn.
    package static func probe(_ question: Question, plan: String, _ questions: [String]) -> [ChatMessage] {
        [
            .system(
                "Assess the reasoning steps by the questions below, with the user's prompt as context. Reply to each "
                    + "question only with Yes or No, one numbered line each. Be strict: answer No when in doubt.\n"
                    + questions.enumerated().map { "\($0 + 1). \($1)" }.joined(separator: "\n")),
            .assistant(plan),
            .user(question.prompt + "\n\nRemember to answer all \(questions.count) questions."),
        ]
    }

    /// Asks for the answer by a plan, which is the model's own turn.
    package static func answer(_ question: Question, plan: String) -> [ChatMessage] {
        [.system(answering), .assistant(plan), .user(question.prompt)]
    }

    /// A probe's or an answer's conversation with the plan quoted in the user's turn.
    static func quoted(_ messages: [ChatMessage]) -> [ChatMessage] {
        [messages[0], .user("Reasoning steps:\n\(messages[1].content)\n\n\(messages[2].content)")]
    }

    private static let planning =
        "You are a critical, analytical reasoner. Do not reply to the prompt. Write instead clearly separated, specific "
        + "reasoning steps that are easy to follow and whose premises lead to a truthful conclusion. Do not give the "
        + "final answer."

    private static let answering =
        "You are a skilled critical reasoner and follow the reasoning steps given to you strictly. Read them first. Draw "
        + "every intermediate conclusion from true premises, contradict no earlier conclusion, and give a final reply that "
        + "follows from them. End with \"The answer is …\"."
}
