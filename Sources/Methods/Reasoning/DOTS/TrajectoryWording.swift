import Foundation
import Laboratory

/// What the solver is told, action by action.
package struct TrajectoryWording: Sendable, Hashable {
    package var queryRewriting =
        "Rewrite the query: state its core question in one sentence, and list the information that is useful for it."
    package var planning =
        "Restate the query in your own words and break it into sub-tasks that lead to its answer. Do not solve them yet."
    package var chainOfThought = "Solve the query step by step in words, and state the result."
    package var program =
        "Write one Python program in a ```python block that solves the query and prints the result. Leave all arithmetic to "
        + "the program, use the standard library alone, and install nothing."
    package var directAnswering = "Give the final answer as {form}, in a last line that reads: The answer is …"
    package var verifier =
        "Verify this: assume that the answer is right, put a new question that can be checked with its help, answer it, and look "
        + "for contradictions with the query. The last line must be one word: correct, or incorrect."
    package var solvingAgain =
        "The solution was found to be incorrect. Solve the query again, step by step in words, without the mistake, and end "
        + "with the final answer as {form}, in a last line that reads: The answer is …"
    package var stepRule = "Begin the output of the i-th step with \"#### Step i ####\"."
    /// Before what a program gave.
    package var executed = "After execution of the program:"

    package init() {}

    /// The first message: the query in braces and a step for each action but the verifier, which has a turn of its own.
    package func opening(_ question: Question, _ trajectory: ReasoningTrajectory) -> String {
        let steps = trajectory.actions.filter { $0 != .verifier }.enumerated().map { index, action in
            "Step \(index + 1): \(instruction(action, question))"
        }
        return (["{ \(question.prompt) }"] + steps + [stepRule]).filter { !$0.isEmpty }.joined(separator: "\n")
    }

    package func instruction(_ action: ReasoningAction, _ question: Question) -> String {
        switch action {
        case .queryRewriting: queryRewriting
        case .planning: planning
        case .chainOfThought: chainOfThought
        case .program: program
        case .verifier: verifier
        case .directAnswering: Self.fill(directAnswering, question)
        }
    }

    package func again(_ question: Question) -> String { Self.fill(solvingAgain, question) }

    package func result(_ text: String, then instruction: String) -> String { "\(executed)\n\(text)\n\(instruction)" }

    private static func fill(_ text: String, _ question: Question) -> String {
        text.replacingOccurrences(of: "{form}", with: question.kind.request)
    }
}
