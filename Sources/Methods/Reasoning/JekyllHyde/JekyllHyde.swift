import Inference
import Laboratory

/// Jekyll & Hyde: each question is answered with a persona that the model chooses for it and without one, and a judge that is
/// asked in both orders picks where they differ.
///
/// 1. The model names the job best suited to the question.
/// 2. Two solvers answer on their own, one told to be that persona.
/// 3. Where their answers agree, that is the answer; no judge is asked.
/// 4. Else the judge sees both solutions by position, in both orders. A pair of verdicts for the same solution decides; after k pairs
///    that don't agree the answer is "Can't answer", which counts as wrong.
///
/// With α the probability that the judge prefers the right solution shown first and β shown second, a pair agrees with
/// probability c = αβ + (1−α)(1−β), picks the right one with αβ/c, and none of k pairs agrees with (1−c)^k.
///
/// Where the paper's public versions leave k, the temperatures and the failure token open, k = 5, greedy solvers, a judge at 0.7
/// and the token above are taken.
///
/// Source: Kim, Yang, Jung, "Persona is a Double-edged Sword" (2024), arXiv:2408.08631. The closed forms are ours.
public struct JekyllHyde: StrategyMethod {
    public static let card = MethodCard(
        "jekyll-hyde", .reasoning, name: "Jekyll & Hyde", [.inference],
        "Answers with and without an expert persona and lets an order-proof judge pick, so that a wrong persona does no harm.",
        paper: Paper(
            "Persona is a Double-edged Sword: Enhancing the Zero-shot Reasoning by Ensembling the Role-playing and Neutral Prompts",
            "Kim et al.", 2024, arXiv: "2408.08631"),
        data: "question, answer; options, answer_type and subject where there are any",
        claim:
            "Asked in both orders until it agrees with itself, a judge that prefers a position abstains instead of choosing by "
            + "position.")

    public static let holdsAnother = true

    public init() {}

    public struct Options: MethodOptions {
        public var k = 5
        public var solverTemperature = 0.0
        public var evaluatorTemperature = 0.7
        public var persona: String?
        public var onInconsistent = OnInconsistent.cantAnswer
        public var shortcutOnAgreement = true
        public var verdicts = JudgeVerdicts.auto
        public var maxTokens = 512
        public var answerType = AnswerType.auto

        public init() {}

        /// What is answered where no pair of verdicts agreed.
        public enum OnInconsistent: String, OptionChoice {
            case cantAnswer = "cant-answer"
            case neutral, persona, majority
        }

        public static let fields: [Field<Self>] = [
            Field("k", \.k, "the most pairs of verdicts", .atLeast(1)),
            Field("solver-temperature", \.solverTemperature, "temperature of both solvers, 0: greedy", .atLeast(0)),
            Field(
                "evaluator-temperature", \.evaluatorTemperature,
                "temperature of the judge; at 0 only one pair is judged",
                .atLeast(0)),
            Field("persona", \.persona, "the same persona for every question; none: the model names one each", .filled),
            Field("on-inconsistent", \.onInconsistent, "what to answer where no pair agreed"),
            Field("shortcut-on-agreement", \.shortcutOnAgreement, "ask no judge where both answers are the same"),
            Field("verdicts", \.verdicts, "how the judge's verdict is read"),
            Field("max-tokens", \.maxTokens, "most tokens of a solution", .atLeast(1)),
            Field("answer-type", \.answerType, "the kind of all answers"),
        ]
    }

    public func strategy(_ options: Options, around inner: (any ReasoningStrategy)?) throws -> any ReasoningStrategy {
        try options.checkAll()
        return PersonaEnsemble(options, around: inner)
    }

    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        let questions = try Question.all(of: lab.data(), type: options.answerType)
        let model = try lab.languageModel()
        let comparison = try await StrategyComparison(
            [
                NeutralSolver(options), PersonaSolver(options), PersonaEnsemble(options, isRobust: false),
                PersonaEnsemble(options),
            ], on: questions, asking: model, in: lab)
        var report = try comparison.report("Jekyll & Hyde")
        report.add(Self.confusion(comparison))
        try await comparison.addEqualBudget(
            to: &report, asking: model, in: lab, most: 3 + 2 * options.k, temperature: 0.7)
        return report
    }

    /// Which of the two solvers was right, the oracle and the toss of a coin between them.
    static func confusion(_ comparison: StrategyComparison) -> Table {
        let pairs = zip(comparison.rights(0), comparison.rights(1)).map { (neutral: $0, persona: $1) }
        let count = Double(max(1, pairs.count))
        func share(_ number: Int) -> String { NumberStyle.percent.text(Double(number) / count) }
        let both = pairs.count { $0.neutral && $0.persona }
        let onlyNeutral = pairs.count { $0.neutral && !$0.persona }
        let onlyPersona = pairs.count { !$0.neutral && $0.persona }
        var table = Table("Neutral and persona", columns: [.text("right"), .number("questions")])
        table.add("both", share(both))
        table.add("only neutral: the persona hurts", share(onlyNeutral))
        table.add("only persona: the persona helps", share(onlyPersona))
        table.add("neither", share(pairs.count - both - onlyNeutral - onlyPersona))
        table.add("oracle: either", share(both + onlyNeutral + onlyPersona))
        table.add(
            "a coin between them",
            NumberStyle.percent.text((Double(both) + Double(onlyNeutral + onlyPersona) / 2) / count))
        return table
    }
}
