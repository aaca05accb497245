import Inference
import Laboratory
import Reasoning
import Text

/// Asks for an answer and then once more whether it holds.
struct SecondThought: StrategyMethod {
    static let card = MethodCard(
        "second-thought", .reasoning, name: "Second thought", [.inference],
        "Answers, looks at the answer once more, and answers again.",
        paper: Paper("An example", "Nobody", 2024, arXiv: "2401.00000"),
        data: "question, answer", claim: "Looking twice is better than looking once.")

    struct Options: MethodOptions {
        var maxTokens = 200
        static let fields: [Field<Self>] = [
            Field("max-tokens", \.maxTokens, "most tokens of a reply", .atLeast(1))
        ]
    }

    func strategy(_ options: Options, around inner: (any ReasoningStrategy)?) throws -> any ReasoningStrategy {
        try options.checkAll()
        return Strategy(options: options)
    }

    struct Strategy: ReasoningStrategy {
        let name = "second-thought"
        let options: Options

        func solve(_ inquiry: Inquiry) async throws -> Solution {
            let question = ChatMessage.user(inquiry.question.prompt)
            let first = try await inquiry.ask("first", [question], maxTokens: options.maxTokens)
            let second = try await inquiry.ask(
                "second",
                [
                    question, .assistant(first.text),
                    .user("Look at this once more and end with \"The answer is …\"."),
                ], maxTokens: options.maxTokens)
            return Solution(
                answer: Grader(inquiry.question.kind).answer(in: second.text), text: second.text)
        }
    }

    func run(_ options: Options, in lab: Lab) async throws -> Report {
        let questions = try Question.all(of: lab.data())
        return try await StrategyComparison(
            [DirectStrategy(), try strategy(options, around: nil)], on: questions, asking: try lab.languageModel(),
            in: lab
        ).report("Second thought")
    }

    func demo(in lab: Lab) async throws -> Demonstration {
        let question = Question(id: "sum", "What is 2 + 2?", kind: .number, golds: ["4"])
        let comparison = try await StrategyComparison(
            [DirectStrategy(), try strategy(.init(), around: nil)], on: [question], asking: try lab.languageModel(),
            in: lab)
        return Demonstration(
            try comparison.report("Second thought"),
            checks: [
                Check("calls a question", comparison.mean(1, \.cost.calls), .between(2, 2), role: .mechanism),
                Check("gain in accuracy", try comparison.difference(1).difference.value, .atLeast(0.1)),
            ])
    }
}
