import Foundation

/// Functions to write from their descriptions, graded by running them with their tests in the sandbox.
public struct ProgrammingBenchmark: Benchmark {
    public let name: String
    public let questions: [Question]
    private let problems: [String: CodeProblem]
    private let grader: CodeGrader

    /// - Parameter problems: with names that differ.
    public init(_ problems: [CodeProblem], name: String, grader: CodeGrader) {
        self.name = name
        self.grader = grader
        self.problems = Dictionary(problems.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        questions = problems.map { problem in
            Question(
                id: problem.name,
                "Complete this Python function. Reply with the whole function in a block between two lines of ```.\n\n"
                    + problem.prompt, kind: .block, golds: problem.solution.isEmpty ? [] : [problem.solution])
        }
    }

    public func score(_ solution: Solution, of question: Question) async throws -> Double {
        guard let problem = problems[question.id] else { return 0 }
        // A strategy that takes its answer out of the reply may leave the function behind.
        for answer in [solution.answer, solution.text] where !answer.isEmpty {
            if try await grader.grade(answer, of: problem).passed { return 1 }
            if answer.contains("def \(problem.entryPoint)") { return 0 }
        }
        return 0
    }
}
