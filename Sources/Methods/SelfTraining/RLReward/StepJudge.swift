import Laboratory
import Text
import Training

/// Pays responses: right or wrong at the last token, what a mode makes of learnt scores at the ends of steps. Learnt rewards stay as
/// they are: made to have mean 0 over a batch, clipped ones would pay again.
package struct StepJudge: Sendable {
    package var mode: StepReward
    /// The process reward model; nil: steps are not scored.
    package var process: TextRater?
    package var outcome: TextRater?
    /// η
    package var threshold: Double
    /// α
    package var weight: Double
    /// Taken off at each token.
    package var lengthPenalty: Double

    package init(_ mode: StepReward, threshold: Double = 0, weight: Double = 0.02, lengthPenalty: Double = 0) {
        self.mode = mode
        self.threshold = threshold
        self.weight = weight
        self.lengthPenalty = lengthPenalty
    }

    package func callAsFunction(_ responses: [StepResponse]) throws -> [JudgedResponse] {
        let texts = responses.map(\.text)
        let scores = try process?.probabilities(texts, places: responses.map(\.places))
        let outcomes =
            mode == .outcome
            ? try outcome?.probabilities(texts, places: responses.map { $0.isFinished ? [$0.text.count - 1] : [] })
            : nil
        return responses.enumerated().map { index, response in
            judged(response, scores: scores?[index], outcome: outcomes?[index].first)
        }
    }

    /// - Parameters:
    ///   - scores: of the steps.
    ///   - outcome: of the whole response; nil where it was cut short.
    package func judged(_ response: StepResponse, scores: [Double]?, outcome: Double? = nil) -> JudgedResponse {
        let count = response.completion.count
        var tokens = mode.tokenRewards(
            scores: scores ?? [], at: response.ends, count: count, threshold: threshold, weight: weight)
        tokens[count - 1] += Float((response.isRight ? 1 : 0) + weight * (outcome ?? 0))
        if lengthPenalty > 0 { for token in tokens.indices { tokens[token] -= Float(lengthPenalty) } }
        return JudgedResponse(response: response, scores: scores, rewards: tokens)
    }
}

/// A response, the scores of its steps, and what it earned.
package struct JudgedResponse: Sendable, Hashable {
    package var response: StepResponse
    /// As the process reward model gives them; nil without one.
    package var scores: [Double]?
    /// One a token.
    package var rewards: [Float]

    /// What shows that a reward is being gamed, long before accuracy does.
    package var figures: [String: Double] {
        let steps = response.steps
        let empty = StepSplitter.Step.areEmpty(steps)
        var figures = [
            "accuracy": response.isRight ? 1 : 0, "steps": Double(steps.count),
            "empty steps": Double(empty.count { $0 }) / Double(max(1, empty.count)),
            "tokens": Double(response.completion.count),
        ]
        if let scores { figures["step score"] = scores.reduce(0, +) / Double(max(1, scores.count)) }
        return figures
    }

    /// All that it earned.
    var total: Double { rewards.reduce(0) { $0 + Double($1) } }

    package var reward: Reward { Reward(tokens: rewards, figures: figures) }

    /// A line of the trace file.
    func line(policy: String, question: String, threshold: Double) -> JSONValue {
        func numbers(_ mode: StepReward) -> JSONValue {
            .array(mode.rewards(scores ?? [], threshold: threshold).map { .number($0) })
        }
        return [
            "policy": .string(policy), "question": .string(question), "right": .bool(response.isRight),
            "finished": .bool(response.isFinished), "steps": .array(response.steps.map { .string($0.text) }),
            "ends": .array(response.ends.map { .integer($0) }), "scores": numbers(.process), "clipped": numbers(.clip),
            "delta": numbers(.delta), "clip_delta": numbers(.clipDelta),
            "return": .number(total),
        ]
    }
}
