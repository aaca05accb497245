import Inference
import Laboratory

/// Tactic-guided programs as a strategy: a router picks the tactic for a question and hands it over, or the tactic is given.
package struct TacticStrategy: ReasoningStrategy {
    package let name = "tactic-programs"
    package var options: TacticPrograms.Options
    package var book: TacticBook
    package var execution: TacticExecution

    package func solve(_ inquiry: Inquiry) async throws -> Solution {
        let question = inquiry.question
        let tactic = options.tactic == "auto" ? try book.router() : try book.tactic(options.tactic)
        var agent = TacticAgent(
            book: book,
            router: TacticRole(
                "router", inquiry, adapter: options.routerAdapter.filled, maxTokens: options.routerTokens),
            solver: TacticRole(
                "solver", inquiry, adapter: options.solverAdapter.filled, maxTokens: options.solverTokens),
            execution: execution)
        agent.limits = options.limits
        agent.router.temperature = options.temperature
        agent.solver.temperature = options.temperature
        let problem = TacticProblem(
            id: question.id, dataset: question.subject ?? "question", question.prompt, tactic: tactic.name,
            form: .other(question.kind), gold: "")
        let run = try await agent.run(problem)
        let program = run.program ?? run.rounds.flatMap(\.subTrajectories).compactMap(\.program).last
        inquiry.note("program", program ?? "none ran to its end")
        return Solution(
            answer: run.answer ?? "", text: run.rounds.last?.reply ?? "",
            outcome: run.answer == nil
                ? run.end?.rawValue ?? "" : program == nil ? "answered without a program" : "answered with a program")
    }
}

extension String {
    /// nil where the text is empty.
    var filled: String? { isEmpty ? nil : self }
}
