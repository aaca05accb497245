import Foundation
import Inference
import Laboratory
import Reasoning

/// What `lyceum run bench` does: a published benchmark under one or several strategies.
///
/// It is a method in form, with options, a report and a record, but no paper's, so that the catalogue doesn't list it.
public struct BenchmarkStrategies: Method {
    public static let card = MethodCard(
        "bench", .evaluation, name: "Benchmarks", [.evaluation],
        "Runs a benchmark under any strategies: share right with its interval, by subject, and what each costs.",
        paper: Paper("Evaluating Large Language Models Trained on Code", "Chen et al.", 2021, arXiv: "2107.03374"),
        claim: "A right solution passes, a wrong one does not, and every question is asked once a strategy.")

    public init() {}

    public struct Options: MethodOptions {
        public var suite = Suite.gsm8k
        public var strategies = ["direct"]
        public var parts: [String] = []
        public var size = 10

        public init() {}

        /// Where questions and graders come from.
        public enum Suite: String, OptionChoice {
            /// 164 Python functions, run with their tests.
            case humaneval
            /// Eight worked questions of school mathematics.
            case gsm8k
            /// 282 questions of 57 subjects, by options.
            case mmlu
            /// Three questions of each of 27 hard tasks.
            case bbh
            /// Puzzles drawn anew by 105 generators.
            case reasoningGym = "reasoning-gym"
        }

        public static let fields: [Field<Self>] = [
            Field("suite", \.suite, "the benchmark; make suites fetches them all"),
            Field("strategies", \.strategies, "what to run, the baseline first, spelt as for compare", .filled),
            Field(
                "parts", \.parts, "subjects of mmlu, tasks of bbh, generators of reasoning-gym; none: a standard choice"
            ),
            Field("size", \.size, "questions of each generator of reasoning-gym", .within(1...1_000)),
        ]

        public func validate() throws(OptionError) {
            guard parts.isEmpty || ![.humaneval, .gsm8k].contains(suite) else {
                throw .conflict("--suite \(suite.rawValue) has no parts to choose with --parts.")
            }
            try CompareStrategies.check(strategies)
        }
    }

    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        let model = try lab.languageModel()
        let strategies = try options.strategies.map { try Catalogue.standard.strategy($0) }
        let benchmark = try await Self.benchmark(options, in: lab)
        let comparison = try await StrategyComparison(strategies, on: benchmark, asking: model, in: lab)
        return try comparison.report("\(benchmark.name), \(benchmark.questions.count) questions")
    }

    /// The benchmark, cut to the lab's limit.
    static func benchmark(_ options: Options, in lab: Lab) async throws -> any Benchmark {
        let whole: any Benchmark
        switch options.suite {
        case .humaneval:
            let problems = try HumanEval.problems()
            whole = ProgrammingBenchmark(problems, name: "humaneval", grader: CodeGrader(try await Sandbox()))
        case .gsm8k: whole = try WorkedExamples.gsm8k()
        case .mmlu: whole = try WorkedExamples.mmlu(subjects: options.parts)
        case .bbh: whole = try WorkedExamples.bigBenchHard(tasks: options.parts)
        case .reasoningGym:
            whole = try await ReasoningGym(
                datasets: options.parts.isEmpty ? ReasoningGym.standard : options.parts, size: options.size,
                seed: lab.seed("reasoning-gym"))
        }
        return lab.limit.map { BenchmarkPart(of: whole, Array(whole.questions.prefix($0))) } ?? whole
    }

    /// The grading put to the test: right answers out of the data pass under a scripted strategy, spoilt ones do not.
    public func demo(in lab: Lab) async throws -> Demonstration {
        let benchmark = try WorkedExamples.gsm8k()
        let comparison = try await StrategyComparison(
            [Recitation(spoils: false), Recitation(spoils: true)], on: benchmark, asking: lab.languageModel(), in: lab)
        return Demonstration(
            try comparison.report("Right answers and spoilt ones"),
            checks: [
                Check("share right of right answers", try comparison.accuracy(0).value, .atLeast(1), role: .mechanism),
                Check(
                    "share right of spoilt answers", try comparison.accuracy(1).value, .between(0, 0), role: .mechanism),
            ])
    }

    /// Gives the right answer, or one spoilt, without a model.
    private struct Recitation: ReasoningStrategy {
        let spoils: Bool
        var name: String { spoils ? "spoilt" : "right" }

        func solve(_ inquiry: Inquiry) async throws -> Solution {
            let gold = inquiry.question.golds.first ?? ""
            return Solution(answer: spoils ? gold + "7" : gold, text: gold)
        }
    }
}
