/// How an answer to a programming problem did.
public struct CodeGrade: Sendable, Hashable, Codable {
    public enum Outcome: String, Sendable, Hashable, Codable, CaseIterable {
        case passed
        /// The tests found the answer wrong.
        case wrong
        /// The answer, or what it did under the tests, raised another exception than a failed assertion, or is no Python.
        case raised
        /// It went over a limit of the sandbox.
        case overLimit
        /// The program ended before the tests did.
        case ended

        /// As a table calls it.
        public var title: String { self == .overLimit ? "over a limit" : rawValue }
    }

    public var outcome: Outcome
    /// The exception's last line or the limit's name; empty for an answer that passed.
    public var detail: String
    public var seconds: Double

    public var passed: Bool { outcome == .passed }

    /// The detail without its particulars, so that grades can be counted by it: `NameError` of `NameError: name 'x' is not defined`.
    public var kind: String {
        detail.split(separator: ":", maxSplits: 1).first.map(String.init) ?? outcome.title
    }
}

/// Grades programs, and answers to programming problems, by running them with their tests in a sandbox.
public struct CodeGrader: Sendable {
    private let sandbox: Sandbox
    private let limits: SandboxLimits

    /// - Parameter limits: of a single answer with its tests. The paper's own harness gave 3 seconds.
    public init(_ sandbox: Sandbox, limits: SandboxLimits = SandboxLimits(wallSeconds: 10, processorSeconds: 5)) {
        self.sandbox = sandbox
        self.limits = limits
    }

    /// Runs an answer with its problem's tests.
    ///
    /// - Throws: `SandboxError`, `CancellationError`; never for what the answer does.
    public func grade(_ answer: String, of problem: CodeProblem) async throws -> CodeGrade {
        try await grade(
            program: problem.program(answer: answer),
            tests: CodeProblem.tests(problem.tests, calledOn: problem.entryPoint))
    }

    /// Runs a program with tests after it. It has passed when the last line of output is a word that is printed after the tests,
    /// drawn anew each time: a program that ends early, whatever its status, has not.
    ///
    /// - Parameter tests: Python that raises an exception when the program is wrong.
    /// - Throws: `SandboxError`, `CancellationError`; never for what the program does.
    public func grade(program: String, tests: String) async throws -> CodeGrade {
        let word = "passed-\(UInt64.random(in: .min ... .max))"
        let script = program + "\n" + tests + "\nimport sys as _sys\n_sys.__stdout__.write('\\n\(word)')\n"
        let result = try await sandbox.run(script, limits: limits)
        func grade(_ outcome: CodeGrade.Outcome, _ detail: String = "") -> CodeGrade {
            CodeGrade(outcome: outcome, detail: String(detail.prefix(500)), seconds: result.seconds)
        }
        if result.succeeded, result.output.hasSuffix("\n" + word) { return grade(.passed) }
        if let limit = result.limit { return grade(.overLimit, limit.title) }
        let line = result.errors.split(whereSeparator: \.isNewline).last.map(String.init) ?? ""
        if result.status == 1, line.hasPrefix("AssertionError") { return grade(.wrong, line) }
        if result.status == 1, !line.isEmpty { return grade(.raised, line) }
        return grade(.ended, "status \(result.status.map(String.init) ?? "unknown")")
    }

    /// Grades several answers to each of several problems, as many at once as the sandbox has slots.
    ///
    /// - Returns: the grades by problem and answer, in their order.
    public func grade(_ answers: [(problem: CodeProblem, answers: [String])]) async throws -> [[CodeGrade]] {
        var grades = answers.map { [CodeGrade?](repeating: nil, count: $0.answers.count) }
        try await withThrowingTaskGroup(of: (Int, Int, CodeGrade).self) { group in
            for (row, item) in answers.enumerated() {
                for (column, answer) in item.answers.enumerated() {
                    group.addTask { (row, column, try await self.grade(answer, of: item.problem)) }
                }
            }
            for try await (row, column, grade) in group { grades[row][column] = grade }
        }
        return grades.map { $0.compactMap { $0 } }
    }
}
