import Inference

/// A way of answering a question with a language model: any benchmark can run under any strategy, and strategies can hold others.
///
/// A strategy is a value; what changes while it works is in the inquiry, which also keeps the trace and the cost.
public protocol ReasoningStrategy: Sendable {
    /// The column of tables: `sec`, `jekyll-hyde:zero-shot-cot`.
    var name: String { get }
    /// What the model must be able to do.
    var needs: Capabilities { get }

    /// Answers the inquiry's question by asking the model through the inquiry.
    func solve(_ inquiry: Inquiry) async throws -> Solution
}

extension ReasoningStrategy {
    public var needs: Capabilities { .completion }

    /// Answers one question and grades it.
    public func attempt(
        _ question: Question, asking model: any LanguageModel, seed: UInt64
    ) async throws -> Attempt {
        let inquiry = Inquiry(question, asking: model, seed: seed)
        let solution = try await solve(inquiry)
        return Attempt(
            solution: solution, isRight: question.accepts(solution.answer), cost: inquiry.cost, steps: inquiry.steps)
    }
}

/// What a strategy made of a question.
public struct Solution: Sendable, Hashable {
    /// The answer alone; empty where there is none, which counts as wrong.
    public var answer: String
    /// The reply that it was taken from, for strategies that judge or rewrite the whole of it.
    public var text: String
    /// How it came about, in a word that reports count: `strict`, `agreed`. Empty where there is one way only.
    public var outcome: String

    public init(answer: String, text: String, outcome: String = "") {
        self.answer = answer
        self.text = text
        self.outcome = outcome
    }
}

/// A graded solution with its trace and its cost.
public struct Attempt: Sendable, Hashable {
    public var solution: Solution
    public var isRight: Bool
    public var cost: InquiryCost
    public var steps: [SampleTrace.Step]

    public init(solution: Solution, isRight: Bool, cost: InquiryCost, steps: [SampleTrace.Step]) {
        self.solution = solution
        self.isRight = isRight
        self.cost = cost
        self.steps = steps
    }
}

/// A majority vote over several samples of another strategy (self-consistency).
///
/// Source: Wang et al., "Self-Consistency Improves Chain of Thought Reasoning in Language Models" (2022), arXiv:2203.11171.
public struct MajorityVote: ReasoningStrategy {
    public let base: any ReasoningStrategy
    public let samples: Int
    public let temperature: Double

    /// - Parameter temperature: of calls that would be greedy; the base's own sampled calls keep theirs.
    public init(of base: any ReasoningStrategy, samples: Int, temperature: Double = 0.7) {
        self.base = base
        self.samples = max(1, samples)
        self.temperature = temperature
    }

    public var name: String { "\(base.name), vote of \(samples)" }
    public var needs: Capabilities { base.needs }

    public func solve(_ inquiry: Inquiry) async throws -> Solution {
        let found = try await inquiry.branches((1...samples).map { "path \($0)" }, temperature: temperature) {
            branch, _ in try await base.solve(branch)
        }
        let answer = Grader(inquiry.question.kind).majority(found.map(\.answer))
        return found.first { $0.answer == answer } ?? Solution(answer: answer, text: "")
    }
}

/// A method that answers questions: it comes with a strategy, which `lyceum compare` and benchmarks ask for by the method's name.
public protocol StrategyMethod: Method {
    /// Whether the strategy can be put around another one, as in `jekyll-hyde:zero-shot-cot`.
    static var holdsAnother: Bool { get }

    /// Strategies by further names, besides the one of the slug with the defaults: `ats-dfs`.
    static var variants: [String: Options] { get }

    /// The strategy with these options, around another one where that is asked for.
    func strategy(_ options: Options, around inner: (any ReasoningStrategy)?) throws -> any ReasoningStrategy
}

extension StrategyMethod {
    public static var holdsAnother: Bool { false }
    public static var variants: [String: Options] { [:] }

    /// The slug and the names of the variants.
    package static var strategyNames: [String] { [card.slug] + variants.keys.sorted() }

    /// The strategy of one of these names.
    package static func strategy(
        named name: String, around inner: (any ReasoningStrategy)?
    ) throws -> any ReasoningStrategy {
        try Self().strategy(variants[name] ?? Options(), around: inner)
    }
}
