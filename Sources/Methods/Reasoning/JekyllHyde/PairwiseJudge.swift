import Foundation
import Inference
import Laboratory
import Text

/// How a judge's verdict is read.
public enum JudgeVerdicts: String, OptionChoice {
    /// Log-probabilities where the model gives those of given text, else words.
    case auto
    /// The log-probabilities of the two labels, sampled at the judge's temperature.
    case logProbs = "log-probs"
    /// The label that the reply names.
    case words
}

/// A model that is shown two solutions to a question and names the better one, by position only.
package struct PairwiseJudge: Sendable {
    package enum Position: Sendable, Hashable { case first, second }

    package var temperature: Double
    package var verdicts: JudgeVerdicts

    package init(temperature: Double, verdicts: JudgeVerdicts = .auto) {
        self.temperature = temperature
        self.verdicts = verdicts
    }

    /// The conversation that asks for a verdict; neither solution's origin is in it.
    package static func messages(_ question: String, _ first: String, _ second: String) -> [ChatMessage] {
        [
            .user(
                "Question: \(question)\n\nSolution A:\n\(first)\n\nSolution B:\n\(second)\n\n"
                    + "Which solution is right? Reply with A or B only."),
            .assistant("The better solution is"),
        ]
    }

    /// The position that the judge prefers; nil where its reply names none or both.
    ///
    /// - Parameter attempt: the retry, which has its own random stream. The stream is named by the ordered pair, so that the
    ///   same two solutions shown in the same order at the same attempt get the same verdict wherever they came from.
    package func verdict(
        _ first: String, _ second: String, attempt: Int, asking inquiry: Inquiry
    ) async throws -> Position? {
        let messages = Self.messages(inquiry.question.prompt, first, second)
        if verdicts != .words, let model = inquiry.scoringModel {
            let score = try await Self.preference(messages, asking: model)
            inquiry.count(
                "verdict", prompt: .chat(messages),
                reply: "log-odds of A over B: \(NumberStyle.decimals(3).text(score.logOdds))", usage: score.usage)
            var generator = SeededGenerator(seed: inquiry.streamSeed("\(attempt)/\(first)/\(second)"))
            return Self.draw(logOdds: score.logOdds, temperature: temperature, using: &generator)
        }
        if verdicts == .logProbs {
            throw CapabilityError(slug: JekyllHyde.card.slug, model: inquiry, missing: .scoring)
        }
        let completion = try await inquiry.ask(
            "verdict", messages, maxTokens: 16,
            sampling: temperature > 0 ? .random(temperature: temperature) : .greedy)
        return Self.position(in: completion.text)
    }

    /// The label that a reply names alone. An A that may be an article counts as a label, too: no verdict is better than a
    /// wrong one.
    package static func position(in reply: String) -> Position? {
        let labels = Set(reply.split { !$0.isLetter && !$0.isNumber }.filter { $0 == "A" || $0 == "B" })
        guard labels.count == 1 else { return nil }
        return labels == ["A"] ? .first : .second
    }

    /// ln p(A) − ln p(B) behind the begun reply, and what asking cost.
    package static func preference(
        _ messages: [ChatMessage], asking model: any ScoringModel
    ) async throws -> (logOdds: Double, usage: Usage) {
        let scores = try await model.score(continuations: [" A", " B"], after: .chat(messages))
        guard scores.count == 2 else { return (0, Usage()) }
        return (Double(scores[0].total() - scores[1].total()), Usage(completionTokens: 1))
    }

    /// The first position with probability 1 / (1 + exp(−logOdds / T)); at temperature 0 the likelier one.
    package static func draw(
        logOdds: Double, temperature: Double, using generator: inout SeededGenerator
    ) -> Position {
        if temperature == 0 { return logOdds >= 0 ? .first : .second }
        return generator.chance(1 / (1 + exp(-logOdds / temperature))) ? .first : .second
    }
}

/// Two solutions, told apart by who wrote them and not by where they stand.
package enum Candidate: Sendable, Hashable { case persona, neutral }

/// The robust evaluator: both orders are judged, and only a verdict for the same solution twice counts.
package enum RobustVerdict {
    /// What came of up to k pairs of verdicts.
    package struct Finding: Sendable, Hashable {
        /// The solution that a consistent pair named; nil where no pair was consistent.
        package var winner: Candidate?
        /// Pairs judged.
        package var attempts: Int
        /// Every verdict, mapped back to the solution; nil where a reply named none.
        package var votes: [Candidate?]
    }

    /// Judges until a pair agrees.
    ///
    /// - Parameters:
    ///   - limit: k, the most pairs. A judge that always says the same needs one.
    ///   - judge: the position preferred when this solution stands first, at this attempt.
    package static func find(
        limit: Int, _ judge: (_ shownFirst: Candidate, _ attempt: Int) async throws -> PairwiseJudge.Position?
    ) async throws -> Finding {
        var votes: [Candidate?] = []
        for attempt in 0..<max(1, limit) {
            let forward = try await judge(.persona, attempt).map { $0 == .first ? Candidate.persona : .neutral }
            // In the reversed order the first position is the neutral solution's.
            let backward = try await judge(.neutral, attempt).map { $0 == .first ? Candidate.neutral : .persona }
            votes += [forward, backward]
            if let forward, forward == backward {
                return Finding(winner: forward, attempts: attempt + 1, votes: votes)
            }
        }
        return Finding(winner: nil, attempts: max(1, limit), votes: votes)
    }
}
