import Inference
import Laboratory

/// Instance VML: the text that the two roles improve is the solution of one question instead of a model.
///
/// The learner writes a solution θ₁. Then, so many times: the optimizer says what is wrong with θ (the verbal gradient), and the learner
/// rewrites it from the question, θ and that criticism alone. It ends early when the optimizer finds nothing.
///
/// Source: Yu et al., "Generating Symbolic World Models via Test-time Scaling of Large Language Models" (2025), arXiv:2502.04728.
package struct InstanceVML: ReasoningStrategy {
    package let name = "vml"
    package var steps: Int
    package var maxTokens: Int
    package var temperature: Double
    package var longest: Int

    package init(steps: Int = 5, maxTokens: Int = 1024, temperature: Double = 0, longest: Int = 4000) {
        self.steps = steps
        self.maxTokens = maxTokens
        self.temperature = temperature
        self.longest = longest
    }

    private static let marker = "New Solution:"

    package func solve(_ inquiry: Inquiry) async throws -> Solution {
        let problem = "** Problem **\n\(inquiry.question.prompt)"
        let ending = "End with \"The answer is …\", the answer being \(inquiry.question.kind.request)."
        var solution = try await ask(
            inquiry, "solution", "\(problem)\n\nSolve it step by step. \(ending)")
        var outcome = "all steps"
        for step in 0..<steps {
            let criticism = try await ask(
                inquiry, "criticism",
                "** Optimization step **\nYou are the optimizer of the solution below.\n\n\(problem)\n\n"
                    + "** Current Solution **\n\(solution)\n\nCheck every step. Say exactly what is wrong and how it is to be "
                    + "changed, without writing the solution anew. If nothing is wrong, reply only: No errors.")
            if criticism.lowercased().trimmingSpaces.hasPrefix("no errors") {
                outcome = "no errors after \(step)"
                break
            }
            let reply = try await ask(
                inquiry, "update",
                "** Update step **\n\(problem)\n\n** Current Solution **\n\(solution)\n\n** Criticism **\n\(criticism)\n\n"
                    + "Write the whole solution anew with the criticism heeded. \(ending) Reply in this form:\n\(Self.marker) […]"
            )
            // A reply without the marker never becomes the solution.
            if let better = VerbalReply.descriptions(in: reply, marker: Self.marker) {
                solution = String(better.prefix(longest))
            }
        }
        return Solution(
            answer: Grader(inquiry.question.kind).answer(in: solution), text: solution, outcome: outcome)
    }

    private func ask(_ inquiry: Inquiry, _ step: String, _ prompt: String) async throws -> String {
        try await inquiry.ask(
            step, [.user(prompt)], maxTokens: maxTokens,
            sampling: temperature > 0 ? .random(temperature: temperature) : .greedy
        ).text
    }
}
