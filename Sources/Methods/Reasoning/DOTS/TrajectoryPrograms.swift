import Foundation
import Laboratory
import Text

/// A value that is made when it is first asked for, once, whoever asks.
package actor MadeOnce<Value: Sendable> {
    private let make: @Sendable () async throws -> Value
    private var making: Task<Value, any Error>?

    package init(_ make: @escaping @Sendable () async throws -> Value) { self.make = make }

    package var value: Value {
        get async throws {
            if let making { return try await making.value }
            let task = Task { try await make() }
            making = task
            return try await task.value
        }
    }
}

/// Runs the program of a reply in the sandbox.
package struct TrajectoryPrograms: Sendable {
    /// What the solver is told of its program.
    package struct Outcome: Sendable, Hashable {
        package var text: String
        /// Whether there was a program that ended without an error.
        package var succeeded: Bool

        package init(text: String, succeeded: Bool) {
            self.text = text
            self.succeeded = succeeded
        }
    }

    /// The most characters of output that go back to the solver.
    package static let longestOutput = 2_000

    private let execute: @Sendable (String) async throws -> SandboxResult

    /// - Parameter execute: runs a program.
    package init(_ execute: @escaping @Sendable (String) async throws -> SandboxResult) { self.execute = execute }

    /// Runs programs in a sandbox that is made for the first of them.
    package init(limits: SandboxLimits = SandboxLimits()) {
        let sandbox = MadeOnce { try await Sandbox(limits: limits) }
        execute = { try await sandbox.value.run($0) }
    }

    /// The same, with one run for programs of the same text: for solvers whose programs neither draw by chance nor read a clock.
    package func remembering() -> TrajectoryPrograms {
        let memory = Memory(execute)
        return TrajectoryPrograms { try await memory.run($0) }
    }

    private actor Memory {
        private let execute: @Sendable (String) async throws -> SandboxResult
        private var known: [String: MadeOnce<SandboxResult>] = [:]

        init(_ execute: @escaping @Sendable (String) async throws -> SandboxResult) { self.execute = execute }

        func run(_ program: String) async throws -> SandboxResult {
            let execute = execute
            let result = known[program] ?? MadeOnce { try await execute(program) }
            known[program] = result
            return try await result.value
        }
    }

    /// Runs a reply's program. What fails is told with its error and never tried again.
    /// - Throws: `SandboxError`, `CancellationError`; never for what the program does.
    package func run(_ reply: String) async throws -> Outcome {
        guard let program = Self.program(in: reply) else {
            return Outcome(text: "Error: there is no program in a ```python block.", succeeded: false)
        }
        guard !Self.installsPackages(program) else {
            return Outcome(text: "Error: packages can't be installed.", succeeded: false)
        }
        let result = try await execute(program)
        let output = String(result.output.trimmingSpaces.prefix(Self.longestOutput))
        if result.succeeded {
            return Outcome(text: output.isEmpty ? "(The program printed nothing.)" : output, succeeded: true)
        }
        let reason = result.errors.split(whereSeparator: \.isNewline).last.map(String.init)
        let error =
            result.limit.map { "the program went over its limit of \($0.title)" } ?? reason ?? "the program failed"
        return Outcome(
            text: [output, "Error: " + error.prefix(Self.longestOutput)].filter { !$0.isEmpty }
                .joined(separator: "\n"), succeeded: false)
    }

    /// The first block in three back-quotes that says it is Python, else the first that says nothing; a missing end is the reply's.
    package static func program(in reply: String) -> String? {
        let parts = reply.components(separatedBy: "```")
        // Blocks are the parts with odd places.
        let blocks = stride(from: 1, to: parts.count, by: 2).map { place -> (language: String, text: String) in
            let language = parts[place].prefix { $0.isLetter || $0.isNumber }
            let rest = parts[place].dropFirst(language.count)
            let isNamed = !language.isEmpty && (rest.isEmpty || rest.first?.isWhitespace == true)
            return ["python", "python3", "py"].contains(language.lowercased()) && isNamed
                ? ("python", String(rest)) : (parts[place].first?.isNewline == true ? "" : "other", parts[place])
        }
        let found = blocks.first { $0.language == "python" } ?? blocks.first { $0.language.isEmpty }
        guard let text = found?.text.trimmingSpaces, !text.isEmpty else { return nil }
        return text + "\n"
    }

    /// Whether a program tries to install something.
    package static func installsPackages(_ program: String) -> Bool {
        let words = program.lowercased().map { $0.isLetter || $0.isNumber ? $0 : " " }
        let text = String(words).split(separator: " ").joined(separator: " ")
        return [
            "pip install", "pip3 install", "conda install", "apt install", "apt get install", "ensurepip", "pip main",
        ]
        .contains { (" " + text + " ").contains(" \($0) ") }
    }
}
