import Inference

/// Which of two answers a judge prefers.
public struct PairVerdict: Sendable, Hashable, Codable {
    /// The probability that the first answer is better, the mean over both orders of showing; a half is a tie. nil when no reply
    /// could be read in one of the orders.
    public var preference: Double?
    /// The probability of the answer shown first, with the answers in their order and swapped.
    public var shownFirst: [Double?]
    /// Requests to the model.
    public var calls: Int
    /// Replies that were no verdict.
    public var unreadable: Int

    /// Whether the judge preferred the same answer in both orders. nil when one can't be told.
    public var isConsistent: Bool? {
        guard shownFirst.count == 2, let straight = shownFirst[0], let swapped = shownFirst[1] else { return nil }
        // Preferring the same place twice is preferring another answer each time.
        return (straight - 0.5) * (swapped - 0.5) < 0
    }
}

/// How much a judge's preference depends on the order in which it sees two answers.
public struct PositionBias: Sendable, Hashable, Codable {
    /// The mean probability of the answer shown first, over all questions in both orders: a half without bias.
    public var shownFirst: Estimate
    /// The share of questions on which both orders led to the same answer.
    public var consistency: Estimate

    /// - Throws: `StatisticsError.empty` when no verdict could be read in both orders.
    public init(_ verdicts: [PairVerdict], seed: UInt64 = 1) throws(StatisticsError) {
        let readable = verdicts.filter { $0.isConsistent != nil }
        shownFirst = try Estimate.mean(
            readable.map { verdict in verdict.shownFirst.compactMap { $0 }.reduce(0, +) / 2 }, seed: seed)
        consistency = try Estimate.accuracy(readable.map { $0.isConsistent == true })
    }
}

/// Compares two answers to a question with a language model.
///
/// Each pair is shown in both orders, because judges prefer a place. Where the model reports log-probabilities, the preference
/// is that of the verdict's token; else the share of votes. Calls may be made from any number of tasks at once.
///
/// Source of the scheme: Zheng et al., "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena" (2023), arXiv:2306.05685,
/// sections 3.1 and 3.4.
public struct PairwiseJudge: Sendable {
    private let question: VerdictQuestion
    /// What makes an answer good, in sentences to the judge.
    public let rubric: String

    public static let standardRubric =
        "Prefer the answer that is correct, then the one that answers what was asked, then the clearer one. "
        + "Length and order do not matter."

    /// - Parameters:
    ///   - votes: how often each order is asked, at temperature 1 where more than once; models with log-probabilities are asked once.
    ///   - seed: starts the votes' random streams.
    public init(
        _ model: any LanguageModel, rubric: String = PairwiseJudge.standardRubric, votes: Int = 1, seed: UInt64 = 1
    ) {
        question = VerdictQuestion(model: model, verdicts: ["A", "B"], votes: max(1, votes), seed: seed)
        self.rubric = rubric
    }

    /// Compares two answers.
    public func compare(question text: String, first: String, second: String) async throws -> PairVerdict {
        async let straight = question.probabilities(prompt(text, first, second), stream: "straight")
        async let swapped = question.probabilities(prompt(text, second, first), stream: "swapped")
        let replies = try await [straight, swapped]
        let shownFirst = replies.map { $0.shares?[0] }
        var preference: Double?
        if let one = shownFirst[0], let other = shownFirst[1] { preference = (one + (1 - other)) / 2 }
        return PairVerdict(
            preference: preference, shownFirst: shownFirst, calls: replies.reduce(0) { $0 + $1.calls },
            unreadable: replies.reduce(0) { $0 + $1.unreadable })
    }

    private func prompt(_ question: String, _ first: String, _ second: String) -> String {
        """
        Two answers to a question are to be compared. \(rubric)

        Question:
        \(question)

        Answer A:
        \(first)

        Answer B:
        \(second)

        Which answer is better? Reply with the letter alone: A or B.
        """
    }
}

/// What a judge gives an answer.
public struct ScoreVerdict: Sendable, Hashable, Codable {
    /// The expected score; nil when no reply could be read.
    public var score: Double?
    /// The probability of each score from 1 on.
    public var probabilities: [Double]?
    public var calls: Int
    public var unreadable: Int
}

/// Scores answers with a language model, from 1 to the top of the scale: the expectation over the score's token where the model
/// reports log-probabilities, else the mean of votes.
public struct ScoringJudge: Sendable {
    private let question: VerdictQuestion
    public let rubric: String
    /// The best score.
    public let scale: Int

    /// - Parameters:
    ///   - rubric: what the scores stand for, in sentences to the judge.
    ///   - scale: the best score, from 2 to 9, so that each is one digit.
    ///   - votes: how often it is asked; models with log-probabilities are asked once.
    public init(
        _ model: any LanguageModel, rubric: String, scale: Int = 5, votes: Int = 1, seed: UInt64 = 1
    ) {
        precondition((2...9).contains(scale), "a scale from 1 to \(scale)")
        question = VerdictQuestion(
            model: model, verdicts: (1...scale).map(String.init), votes: max(1, votes), seed: seed)
        self.rubric = rubric
        self.scale = scale
    }

    /// Scores an answer.
    public func score(question text: String, answer: String) async throws -> ScoreVerdict {
        let prompt = """
            An answer to a question is to be scored from 1 (worst) to \(scale) (best). \(rubric)

            Question:
            \(text)

            Answer:
            \(answer)

            Reply with the score alone: a whole number from 1 to \(scale).
            """
        let reply = try await question.probabilities(prompt, stream: "score")
        let score = reply.shares.map { shares in
            shares.enumerated().reduce(0.0) { $0 + Double($1.offset + 1) * $1.element }
        }
        return ScoreVerdict(
            score: score, probabilities: reply.shares, calls: reply.calls, unreadable: reply.unreadable)
    }
}
