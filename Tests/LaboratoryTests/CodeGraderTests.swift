import Foundation
import Laboratory
import Testing

@Suite struct CodeProblemTests {
    static let problem = CodeProblem(
        name: "made/0", prompt: "def shift(n):\n    return n + 1\n\n\ndef twice(n):\n    \"\"\"Twice shift(n).\"\"\"\n",
        entryPoint: "twice",
        tests: "def check(candidate):\n    assert candidate(3) == 8, 'of 3'\n    assert candidate(-1) == 0",
        solution: "    return 2 * shift(n)\n")

    @Test func answersBecomePrograms() {
        let whole = "def twice(n):\n    return 2 * shift(n)"
        let problem = Self.problem
        #expect(problem.program(answer: problem.solution) == problem.prompt + problem.solution + "\n")
        for answer in [
            whole, "Here it is:\n```python\n" + whole + "\n```\nIt works.", "```\nx = 1\n```\n```py\n" + whole,
        ] {
            #expect(problem.program(answer: answer) == problem.prompt + "\n\n" + whole + "\n", "\(answer)")
        }
        // Another function's name that begins alike makes it no whole function.
        let other = "    return twice_of(n)\ndef twice_of(n):\n    return 2 * n"
        #expect(problem.program(answer: other) == problem.prompt + other + "\n")
    }

    @Test func filesAreChecked() throws {
        let folder = try TemporaryFolder()
        let line = "{\"task_id\":\"a\",\"prompt\":\"p\",\"entry_point\":\"f\",\"test\":\"t\"}\n"
        #expect(try HumanEval.problems(path: folder.write("one.jsonl", line)).first?.entryPoint == "f")
        let twice = #expect(throws: DataError.self) {
            try HumanEval.problems(path: folder.write("two.jsonl", line + line))
        }
        #expect(twice?.description.hasSuffix("two.jsonl:2: the problem \"a\" is in the file twice.") == true)
        let name = line.replacingOccurrences(of: "\"f\"", with: "\"f); import os\"")
        let wrong = #expect(throws: DataError.self) { try HumanEval.problems(path: folder.write("name.jsonl", name)) }
        #expect(wrong?.description.contains("entry_point") == true)
        let missing = line.replacingOccurrences(of: "test", with: "tset")
        #expect(throws: DataError.self) { try HumanEval.problems(path: folder.write("missing.jsonl", missing)) }
    }

    @Test func passRatesAreUnbiased() throws {
        // By hand: 1 − C(7, 2) / C(10, 2) = 1 − 21 / 45.
        #expect(abs(try PassRate.estimate(correct: 3, of: 10, k: 2) - 24.0 / 45) < 1e-12)
        #expect(abs(try PassRate.estimate(correct: 3, of: 10, k: 1) - 0.3) < 1e-12)
        #expect(try PassRate.estimate(correct: 0, of: 10, k: 10) == 0)
        #expect(try PassRate.estimate(correct: 9, of: 10, k: 2) == 1)
        let mean = try PassRate.estimate([[true, false], [false, false]], k: 1)
        #expect(mean.value == 0.25 && mean.count == 2)
        #expect(throws: StatisticsError.self) { try PassRate.estimate(correct: 1, of: 2, k: 3) }
        #expect(throws: StatisticsError.self) { try PassRate.estimate(correct: 3, of: 2, k: 1) }
        // The same as drawing k of n without replacement, over all draws.
        let right = [true, true, false, false, false, false]
        var hits = 0
        var draws = 0
        for a in 0..<6 {
            for b in (a + 1)..<6 {
                for c in (b + 1)..<6 {
                    draws += 1
                    if right[a] || right[b] || right[c] { hits += 1 }
                }
            }
        }
        #expect(abs(try PassRate.estimate(correct: 2, of: 6, k: 3) - Double(hits) / Double(draws)) < 1e-12)
    }
}

@Suite(SandboxMachine.trait)
struct CodeGraderTests {
    let grader: CodeGrader

    init() async throws { grader = CodeGrader(try await Sandbox()) }

    @Test func answersAreJudgedByTheirTests() async throws {
        let answers: [(String, CodeGrade.Outcome, String)] = [
            ("    return 2 * shift(n)", .passed, ""),
            ("```python\ndef twice(n):\n    print('passed')\n    return shift(n) + shift(n)\n```", .passed, ""),
            ("    return 2 * n", .wrong, "AssertionError: of 3"),
            ("    return 1 / 0", .raised, "ZeroDivisionError: division by zero"),
            ("    return (", .raised, "SyntaxError"),
            ("    import sys; sys.exit(0)", .ended, "status 0"),
            ("    import os; print('passed'); os._exit(0)", .ended, "status 0"),
            ("    return [0] * (1 << 40)", .overLimit, "memory"),
        ]
        let problem = CodeProblemTests.problem
        let grades = try await grader.grade([(problem, answers.map(\.0)), (problem, [])])
        #expect(grades.count == 2 && grades[1].isEmpty)
        for (grade, answer) in zip(grades[0], answers) {
            #expect(grade.outcome == answer.1 && grade.detail.hasPrefix(answer.2), "\(answer.0): \(grade)")
        }
        let slow = CodeGrader(try await Sandbox(), limits: SandboxLimits(wallSeconds: 0.5))
        let grade = try await slow.grade("    while True: pass", of: problem)
        #expect(grade.outcome == .overLimit && grade.detail == "wall-clock time")
    }

    /// Each tenth problem; all of them where the environment asks for them.
    @Test(
        .enabled(
            if: FileManager.default.fileExists(atPath: HumanEval.place.path),
            "HumanEval is not installed; type: make suites"))
    func theSolutionsOfHumanEvalPassAndNothingElseDoes() async throws {
        let all = try HumanEval.problems()
        #expect(all.count == 164)
        let takesAll = ProcessInfo.processInfo.environment["LYCEUM_HUMANEVAL"] == "all"
        let problems = all.enumerated().filter { takesAll || $0.offset % 10 == 0 }.map(\.element)
        let grades = try await grader.grade(
            problems.map { ($0, [$0.solution, "    return None\n", "```python\n\($0.prompt)\($0.solution)\n```"]) })
        for (problem, grades) in zip(problems, grades) {
            #expect(grades[0].passed && !grades[1].passed && grades[2].passed, "\(problem.name): \(grades)")
        }
        let outcomes = grades.map { $0.prefix(2).map(\.passed) }
        #expect(try PassRate.estimate(outcomes, k: 1).value == 0.5)
        #expect(try PassRate.estimate(outcomes, k: 2).value == 1)
    }
}
