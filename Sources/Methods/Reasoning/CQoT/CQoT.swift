import Inference
import Laboratory

/// CQoT, critical questions of thought: a plan without an answer must pass seven of eight yes-or-no questions from Toulmin's model
/// of an argument before the answer is written by it.
///
/// ```
/// plan ← draft();  Y ← probe(plan);  c ← 0
/// while Y < 7:
///     plan ← draft();  Y ← probe(plan);  c ← c + 1
///     stop with this plan if c > 4 and (Y > 4 or c = 10)
/// answer ← reply(prompt) following the plan
/// ```
///
/// At most 11 drafts and 23 calls. A new draft knows nothing of the one before; `feedback` shows it the critique, which
/// makes it self-refinement, another method. Yes is counted as the reference code does, every "Yes" of the reply;
/// `count-mode per-question` reads a verdict a question. The arms beside it are the plain prompt, zero-shot-CoT, and the plan
/// without the probe.
///
/// The paper grades MT-Bench replies by a judge; here answers are compared with the right ones.
///
/// Source: Castagna, Sassoon, Parsons, "Critical-Questions-of-Thought: Steering LLM Reasoning with Argumentative Querying"
/// (2024), arXiv:2412.15177.
public struct CQoT: StrategyMethod {
    public static let card = MethodCard(
        "cqot", .reasoning, name: "CQoT", [.inference],
        "Puts a draft plan through eight yes-or-no critical questions and answers only once enough of them pass.",
        paper: Paper(
            "Critical-Questions-of-Thought: Steering LLM Reasoning with Argumentative Querying", "Castagna et al.",
            2024,
            arXiv: "2412.15177"),
        data: "question, answer; options, answer_type and subject where there are any",
        claim:
            "Answers that follow a plan which passed the critical questions are right more often than answers that follow "
            + "the first plan.")

    public init() {}

    public struct Options: MethodOptions {
        public var acceptMin = 7
        public var strictRetries = 4
        public var relaxedMin = 5
        public var maxRetries = 10
        public var planTemperature = 0.8
        public var planTopP = 0.95
        public var answerTemperature = 0.2
        public var answerTopP = 0.95
        public var maxNewTokens = 2000
        public var questions: [String] = CriticalQuestions.toulmin
        public var countMode = CountMode.literal
        public var feedback = false
        public var planTurn = PlanTurn.auto
        public var answerType = AnswerType.auto

        public init() {}

        /// How the plan reaches the critic and the answerer.
        public enum PlanTurn: String, OptionChoice {
            /// As the model's own turn, quoted where the model refuses that.
            case auto
            case assistant, quoted
        }

        public static let fields: [Field<Self>] = [
            Field("accept-min", \.acceptMin, "yes needed for a plan to pass", .atLeast(1)),
            Field("strict-retries", \.strictRetries, "retries under that bar", .atLeast(0)),
            Field("relaxed-min", \.relaxedMin, "yes needed afterwards", .atLeast(0)),
            Field("max-retries", \.maxRetries, "the last retry, taken whatever its yes", .atLeast(0)),
            Field("plan-temperature", \.planTemperature, "temperature of plans, 0: greedy", .atLeast(0)),
            Field("plan-top-p", \.planTopP, "top-p of plans", .above(0), .atMost(1)),
            Field("answer-temperature", \.answerTemperature, "temperature of probes and answers", .atLeast(0)),
            Field("answer-top-p", \.answerTopP, "top-p of probes and answers", .above(0), .atMost(1)),
            Field("max-new-tokens", \.maxNewTokens, "most tokens of a call", .atLeast(1)),
            Field("questions", \.questions, "the critical questions; a JSON array where they hold commas", .filled),
            Field("count-mode", \.countMode, "how yes is counted"),
            Field("feedback", \.feedback, "show the critique to the next draft (self-refinement, not the paper's)"),
            Field("plan-turn", \.planTurn, "how the plan reaches the critic and the answerer"),
            Field("answer-type", \.answerType, "the kind of all answers"),
        ]

        public func validate() throws(OptionError) {
            guard !questions.isEmpty else {
                throw .wrongValue(option: "questions", value: "", expectation: "at least one question")
            }
            if acceptMin > questions.count {
                throw .conflict(
                    "--accept-min \(acceptMin) is more than the \(questions.count) questions: no plan could pass.")
            }
            if relaxedMin > acceptMin {
                throw .conflict("--relaxed-min \(relaxedMin) is above --accept-min \(acceptMin).")
            }
            if planTemperature == 0, maxRetries > 0, !feedback {
                throw .conflict("--plan-temperature 0 drafts the same plan again: sample, or give --max-retries 0.")
            }
        }

        package var critics: CriticalQuestions { CriticalQuestions(questions, mode: countMode) }

        package var gate: PlanGate {
            PlanGate(
                acceptMinimum: acceptMin, strictRetries: strictRetries, relaxedMinimum: relaxedMin,
                maximumRetries: maxRetries)
        }
    }

    public func strategy(_ options: Options, around inner: (any ReasoningStrategy)?) throws -> any ReasoningStrategy {
        try options.checkAll()
        return PlannedAnswering(options)
    }

    public func run(_ options: Options, in lab: Lab) async throws -> Report {
        try options.checkAll()
        let questions = try Question.all(of: lab.data(), type: options.answerType)
        let comparison = try await StrategyComparison(
            [
                DirectStrategy(), try ZeroShotCoT().strategy(.init(), around: nil),
                PlannedAnswering(options, isProbed: false), PlannedAnswering(options),
            ], on: questions, asking: try lab.languageModel(), in: lab)
        var report = try comparison.report("CQoT")
        report.note("Yes is counted by the mode \(options.countMode.rawValue). Drafts count from 1.")
        return report
    }
}
