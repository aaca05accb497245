import Inference
import Laboratory
import Text

/// The answer criticised and written again while the prompt stays as it is: what rewriting prompts is compared with.
///
/// The critic is the meta model and the writer the task model, at most as many rounds as prompts are rewritten, with the same words that
/// end it: both arms may spend the same calls.
///
/// Source: Madaan et al., "Self-Refine: Iterative Refinement with Self-Feedback" (2023), arXiv:2303.17651.
package struct OutputRefinement: ReasoningStrategy {
    package let name = "output refinement"
    package var options: PRoMPTd.Options
    package var meta: (any LanguageModel)?

    package init(_ options: PRoMPTd.Options, meta: (any LanguageModel)? = nil) {
        self.options = options
        self.meta = meta
    }

    package func solve(_ inquiry: Inquiry) async throws -> Solution {
        let prompt = inquiry.question.prompt
        let words = SuccessWords(anywhere: options.stopContains, atStart: options.stopStarts)
        let task = TaskCall(options)
        var output = try await task.answer(prompt, inquiry)
        var outcome = RewriteStop.budget
        for round in 1...(options.mode == .loop ? options.maxAttempts : 1) {
            let critique = try await critique(prompt, output, round, inquiry)
            if words.declare(critique) {
                outcome = .declaredRight
                break
            }
            output = try await task.answer(
                "\(prompt)\n\nAn earlier answer:\n\(output)\n\nWhat a reader found:\n\(critique)\n\n"
                    + "Write the answer to the prompt anew, with these faults mended.", inquiry, step: "refined answer")
        }
        return Solution(
            answer: Grader(inquiry.question.kind).answer(in: output), text: output, outcome: outcome.rawValue)
    }

    private func critique(
        _ prompt: String, _ output: String, _ round: Int, _ inquiry: Inquiry
    ) async throws -> String {
        let metaPrompt = try MetaPrompt(instructions: Self.instructions, demonstrations: [], showsOutput: true)
        let completion = try await MetaCall(options, metaPrompt, meta).ask(
            preamble: Self.instructions, metaPrompt.request(prompt, output: output), start: MetaPrompt.judgement,
            maxTokens: options.maxTokens, isRepeated: false, step: "critique \(round)", inquiry)
        let text = completion.text.trimmingSpaces
        let repeats = text.lowercased().hasPrefix(MetaPrompt.judgement.lowercased())
        return repeats ? text : "\(MetaPrompt.judgement) \(text)"
    }

    private static let instructions =
        "Check the output that was written for the prompt. If it is right, say that it is correct. If it is wrong or incomplete, say "
        + "what is wrong and how to mend it. Do not change the prompt."
}

/// The task model's reply to the prompt as it is.
package struct NaiveZeroShot: ReasoningStrategy {
    package let name = "zero-shot"
    package var options: PRoMPTd.Options

    package init(_ options: PRoMPTd.Options) { self.options = options }

    package func solve(_ inquiry: Inquiry) async throws -> Solution {
        let reply = try await TaskCall(options).answer(inquiry.question.prompt, inquiry)
        return Solution(answer: Grader(inquiry.question.kind).answer(in: reply), text: reply)
    }
}
