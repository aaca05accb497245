import Catalogue
import Foundation
import Laboratory
import Testing
import Text

private let suites = Folders.cache.appendingPathComponent("suites")

private func isInstalled(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: suites.appendingPathComponent(name).path)
}

@Suite struct BenchmarkTests {
    @Test func blocksAreComparedByTheirLines() {
        let grader = Grader(.block)
        #expect(grader.answer(in: "So it is\n```\n1 2\n3 4\n```\nas wanted.") == "1 2\n3 4")
        #expect(grader.isRight("\n1 2  \n3 4\n\n", golds: ["1 2\n3 4"]))
        #expect(!grader.isRight("1 2\n 3 4", golds: ["1 2\n3 4"]))
        #expect(!grader.isRight("", golds: [""]))
    }

    @Test func answersOfSignsAloneAreNotAllAlike() {
        #expect(Grader(.text).isRight("] } ]", golds: ["]}]"]))
        #expect(!Grader(.text).isRight("] ) )", golds: ["] } ]"]))
        #expect(Grader(.text).isRight("The cat!", golds: ["cat"]))
    }

    @Test func aProgramIsRunWithItsTests() async throws {
        let problem = CodeProblem(
            name: "twice", prompt: "def twice(n):\n    \"\"\"Doubles.\"\"\"\n", entryPoint: "twice",
            tests: "def check(candidate):\n    assert candidate(4) == 8\n", solution: "    return 2 * n\n")
        let benchmark = ProgrammingBenchmark([problem], name: "small", grader: CodeGrader(try await Sandbox()))
        let question = try #require(benchmark.questions.first)
        #expect(question.kind == .block && question.text.contains("def twice(n):"))
        for (answer, score) in [
            ("def twice(n):\n    return n + n", 1.0), ("    return 2 * n\n", 1), ("    return n", 0), ("", 0),
        ] {
            #expect(try await benchmark.score(Solution(answer: answer, text: ""), of: question) == score)
        }
        // The function stands in the reply that the answer was taken from.
        let reply = Solution(answer: "8", text: "```\ndef twice(n):\n    return n * 2\n```")
        #expect(try await benchmark.score(reply, of: question) == 1)
    }

    @Test(.enabled(if: isInstalled("worked-examples"), "type: make suites")) func workedExamples() throws {
        let mmlu = try WorkedExamples.mmlu()
        #expect(mmlu.questions.count == 282)
        #expect(Set(mmlu.questions.compactMap(\.subject)).count == 57)
        #expect(Set(mmlu.questions.map(\.id)).count == 282)
        #expect(mmlu.questions.allSatisfy { $0.options.count >= 4 && !$0.options.contains("") && $0.golds.count == 1 })
        let algebra = try WorkedExamples.mmlu(subjects: ["abstract_algebra"]).questions
        #expect(algebra.map(\.golds) == [["C"], ["A"], ["A"], ["B"], ["B"]])
        #expect(algebra[4].options == ["0", "1", "2", "3"] && algebra[4].text.hasPrefix("Find all c in Z_3"))

        let bbh = try WorkedExamples.bigBenchHard()
        #expect(bbh.questions.count == 81)
        let golds = Dictionary(grouping: bbh.questions, by: { $0.subject ?? "" }).mapValues { $0.flatMap(\.golds) }
        #expect(golds["navigate"] == ["no", "no", "yes"].map { $0.capitalized })
        #expect(golds["multistep_arithmetic_two"] == ["123", "3929", "-219"])
        #expect(golds["geometric_shapes"] == ["F", "G", "D"])
        #expect(golds["boolean_expressions"] == ["False", "False", "True"])

        #expect(
            try WorkedExamples.gsm8k().questions.map(\.golds)
                == ["6", "5", "39", "8", "9", "29", "33", "8"].map { [$0] })
        #expect(throws: BenchmarkError.self) { try WorkedExamples.mmlu(subjects: ["abstract_algebr"]) }
        #expect(throws: BenchmarkError.self) { try WorkedExamples.bigBenchHard(tasks: ["../gsm8k"]) }
    }

    @Test(.enabled(if: isInstalled("worked-examples"), "type: make suites")) func everyGoldIsRight() async throws {
        for benchmark in try [WorkedExamples.mmlu(), WorkedExamples.bigBenchHard(), WorkedExamples.gsm8k()] {
            for question in benchmark.questions {
                let gold = try #require(question.golds.first)
                #expect(
                    try await benchmark.score(Solution(answer: gold, text: ""), of: question) == 1, "\(question.id)")
                let read = Grader(question.kind).answer(in: "I think. The answer is \(gold).")
                #expect(
                    try await benchmark.score(Solution(answer: read, text: ""), of: question) == 1, "\(question.id)")
                #expect(try await benchmark.score(Solution(answer: "zebra 12345", text: ""), of: question) == 0)
            }
        }
    }

    @Test(.enabled(if: isInstalled("reasoning-gym"), "type: make suites"), .timeLimit(.minutes(5)))
    func generatorsAndTheirVerifiers() async throws {
        let gym = try await ReasoningGym(datasets: ReasoningGym.standard + ["mini_sudoku"], size: 2, seed: 3)
        #expect(gym.questions.count == 2 * (ReasoningGym.standard.count + 1))
        #expect(gym.questions.last?.kind == .block)
        for question in gym.questions {
            let gold = try #require(question.golds.first)
            #expect(try await gym.score(Solution(answer: gold, text: ""), of: question) == 1, "\(question.id)")
            let wrong = try await gym.score(Solution(answer: "\"'''\n\\ zebra", text: ""), of: question)
            #expect(wrong < 0.2, "\(question.id): \(wrong)")
        }
        let same = try await ReasoningGym(datasets: ["chain_sum"], size: 2, seed: 3)
        let other = try await ReasoningGym(datasets: ["chain_sum"], size: 2, seed: 4)
        #expect(same.questions == gym.questions.filter { $0.subject == "chain_sum" })
        #expect(other.questions.map(\.text) != same.questions.map(\.text))
        let error = await #expect(throws: BenchmarkError.self) {
            _ = try await ReasoningGym(datasets: ["chain_sums"], seed: 1)
        }
        #expect(error?.description.contains("Did you mean chain_sum") == true)
    }

    @Test(.enabled(if: isInstalled("worked-examples"), "type: make suites")) func runsUnderStrategies() async throws {
        let model = ScriptedModel { _, _ in " 39. That is it." }
        let lab = Lab(slug: "bench", subject: model, limit: 3)
        let options = try BenchmarkStrategies.Options {
            $0.suite = .gsm8k
            $0.strategies = ["direct", "zero-shot-cot"]
        }
        let report = try await BenchmarkStrategies().run(options, in: lab)
        #expect(model.requests.count == 3 + 6)
        #expect(report.title == "gsm8k, 3 questions")
        #expect(report.summary.contains("33.3 %"))
        #expect(throws: OptionError.self) {
            try BenchmarkStrategies.Options { $0.parts = ["x"] }
        }
        #expect(try Catalogue.standard.method("bench").card.slug == "bench")
        let demonstration = try await BenchmarkStrategies().demo(in: lab)
        let allHold = demonstration.checks.allSatisfy { $0.holds }
        #expect(allHold)
    }
}

@Suite struct StrategyModelTests {
    private struct Echo: ReasoningStrategy {
        let name = "echo"
        func solve(_ inquiry: Inquiry) async throws -> Solution {
            let reply = try await inquiry.ask("ask", [.user("<\(inquiry.question.text)>")], maxTokens: 9)
            return Solution(answer: "unused", text: reply.text)
        }
    }

    @Test func aConversationBecomesAQuestion() async throws {
        let base = ScriptedModel(["one", "two"])
        let model = try StrategyModel(Echo(), asking: base)
        #expect(model.identity.name == "scripted, echo" && model.capabilities == .completion)
        #expect(try await model.complete(.init(.chat([.system("Rules."), .user("Hello")]))).text == "one")
        let turns: [ChatMessage] = [.system("Rules."), .user("a"), .assistant("b"), .user("c")]
        #expect(try await model.complete(.init(.chat(turns))).text == "two")
        #expect(
            base.requests.map(\.prompt) == [
                .chat([.user("<Rules.\n\nHello>")]), .chat([.user("<Rules.\n\nThey: a\n\nYou: b\n\nThey: c>")]),
            ])
    }
}
