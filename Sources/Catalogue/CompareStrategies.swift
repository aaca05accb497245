import Inference
import Laboratory
import Reasoning

/// What `lyceum compare` does: several strategies on the same questions with the same model, in one table.
///
/// It is a method in form, with options, a report and a record, but no paper's, so that the catalogue doesn't list it.
public struct CompareStrategies: Method {
    public static let card = MethodCard(
        "compare", .evaluation, name: "Comparison of strategies", [.evaluation],
        "Answers the same questions by several strategies: accuracy, paired differences and what each costs.",
        paper: Paper(
            "Self-Consistency Improves Chain of Thought Reasoning in Language Models", "Wang et al.", 2022,
            arXiv: "2203.11171"),
        data: "question, answer; options, answer_type and subject where there are any",
        claim: "A strategy compared with itself differs in nothing, and every call it makes is counted.")

    public init() {}

    public struct Options: MethodOptions {
        public var strategies = ["direct", "zero-shot-cot"]
        public var answerType = AnswerType.auto
        public var shufflesOptions = false
        public var equalBudget = false
        public var mostSamples = 40
        public var voteTemperature = 0.7

        public init() {}

        public static let fields: [Field<Self>] = [
            Field(
                "strategies", \.strategies,
                "what to compare, the baseline first; a:b puts a around b, a[k=3;…] sets options", .filled),
            Field("answer-type", \.answerType, "the kind of all answers"),
            Field("shuffle-options", \.shufflesOptions, "shuffle each question's options by the seed"),
            Field(
                "equal-budget", \.equalBudget,
                "also run the cheaper strategies as votes that cost as much as the dearest"),
            Field("most-samples", \.mostSamples, "the most samples of such a vote", .atLeast(3)),
            Field("vote-temperature", \.voteTemperature, "temperature of a vote's samples", .above(0)),
        ]

        public func validate() throws(OptionError) { try CompareStrategies.check(strategies) }
    }

    /// Throws for a list of strategies that can't be compared.
    static func check(_ strategies: [String]) throws(OptionError) {
        guard !strategies.isEmpty else {
            throw .wrongValue(option: "strategies", value: "", expectation: "the names of strategies")
        }
        if let twice = strategies.first(where: { name in strategies.count { $0 == name } > 1 }) {
            throw .conflict("--strategies names \(twice) twice; each strategy is compared once.")
        }
        do {
            for name in strategies { _ = try Catalogue.standard.strategy(name) }
        } catch {
            throw .conflict("--strategies: \(error)")
        }
    }

    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        let model = try lab.languageModel()
        let strategies = try options.strategies.map { try Catalogue.standard.strategy($0) }
        let questions = try Question.all(
            of: lab.data(), type: options.answerType, shuffle: options.shufflesOptions ? lab.random("options") : nil)
        let comparison = try await StrategyComparison(strategies, on: questions, asking: model, in: lab)
        var report = try comparison.report("Comparison of strategies")
        if options.equalBudget {
            try await comparison.addEqualBudget(
                to: &report, asking: model, in: lab, most: options.mostSamples, temperature: options.voteTemperature)
        }
        return report
    }

    /// The comparison put to the test itself: the same strategy as both arms, and its calls counted twice.
    public func demo(in lab: Lab) async throws -> Demonstration {
        let ledger = CallLedger(try lab.languageModel())
        var generator = lab.random("arithmetic")
        let questions = GeneratedTask.arithmetic.questions(lab.limit ?? 12, using: &generator)
        let comparison = try await StrategyComparison(
            [DirectStrategy(), DirectStrategy()], on: questions, asking: ledger, in: lab)
        let difference = try comparison.difference(1)
        let counted = (0...1).map { comparison.mean($0, \.cost.calls) * Double(questions.count) }.reduce(0, +)
        return Demonstration(
            try comparison.report("A strategy compared with itself"),
            checks: [
                Check(
                    "difference of a strategy from itself", difference.difference.value, .between(0, 0),
                    role: .mechanism),
                Check("p-value of that difference", difference.test.pValue, .atLeast(1), role: .mechanism),
                Check(
                    "calls counted a call made", counted / Double(max(1, ledger.calls.count)), .between(1, 1),
                    role: .mechanism),
            ],
            controls: [.init("accuracy", difference.baseline.value)])
    }
}
