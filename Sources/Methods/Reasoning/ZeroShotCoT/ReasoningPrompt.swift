import Inference
import Text

/// A worked example of a few-shot prompt.
package struct WorkedExample: Sendable, Hashable {
    package var question: String
    package var rationale: String
    package var answer: String

    package init(question: String, rationale: String = "", answer: String) {
        self.question = question
        self.rationale = rationale
        self.answer = answer
    }

    /// What follows `A:` in a prompt, ending in a period.
    package func reply(withRationale: Bool) -> String {
        (withRationale && !rationale.isEmpty ? rationale + " " : "") + "The answer is \(answer)."
    }
}

/// How a question reaches the model, with the first words of its answer put into its mouth.
package enum PromptFrame: Sendable, Hashable {
    /// `Q: …\nA: …` as plain text, the paper's form.
    case raw
    /// A conversation whose last turn, the model's own, is begun. The trigger as the user's words would be another method.
    case chat

    /// - Parameters:
    ///   - examples: earlier questions with the replies to them.
    ///   - reply: how the answer begins; empty: not at all.
    package func prompt(
        _ question: String, examples: [(question: String, reply: String)] = [], reply: String = ""
    ) -> Prompt {
        switch self {
        case .raw:
            let shown = examples.map { "Q: \($0.question)\nA: \($0.reply)\n\n" }.joined()
            return .text(shown + "Q: \(question)\nA:" + (reply.isEmpty ? "" : " " + reply))
        case .chat:
            var messages: [ChatMessage] = []
            for example in examples { messages += [.user(example.question), .assistant(example.reply)] }
            messages.append(.user(question))
            if !reply.isEmpty { messages.append(.assistant(reply)) }
            return .chat(messages)
        }
    }
}

/// The prompts of zero-shot and zero-shot-CoT: what a model is asked, and what one that is to answer in this form is trained on.
extension PromptFrame {
    /// The answer asked for at once: "Q: x\nA:" + " " + e′.
    package func direct(_ item: ReasoningItem) -> Prompt {
        prompt(item.question, reply: AnswerPhrase.direct(item.kind))
    }

    /// p₁ = "Q: x\nA:" + " " + t
    package func reasoning(_ item: ReasoningItem, trigger: String) -> Prompt {
        prompt(item.question, reply: trigger)
    }

    /// p₂ = p₁ + z + " " + e
    package func extraction(_ item: ReasoningItem, trigger: String, reasoning: String) -> Prompt {
        prompt(item.question, reply: trigger + reasoning + " " + AnswerPhrase.afterReasoning(item.kind))
    }
}

extension Prompt {
    /// The text that the model continues: all of a raw prompt, or the begun turn of a conversation.
    package var lastText: String {
        switch self {
        case .text(let text, _): text
        case .chat(let messages, _): messages.last?.content ?? ""
        case .tokens: ""
        }
    }
}
