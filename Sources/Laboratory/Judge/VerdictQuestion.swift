#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif
import Inference
import Text

/// Asks a model for one of a few verdict words, as the judges do.
struct VerdictQuestion: Sendable {
    let model: any LanguageModel
    /// The words that a verdict may be, none the beginning of another.
    let verdicts: [String]
    /// How often to ask where probabilities aren't to be had.
    let votes: Int
    let seed: UInt64

    /// The probability of each verdict: the model's own where it reports log-probabilities, else the share of votes. Sums to 1; nil when no
    /// answer was a verdict.
    func probabilities(_ prompt: String, stream: String) async throws -> (
        shares: [Double]?, calls: Int, unreadable: Int
    ) {
        let prompt = Prompt.chat([.user(prompt)])
        let constraint = model.capabilities.contains(.constraints) ? Constraint.choice(verdicts) : nil
        if model.capabilities.contains(.logProbs) {
            // Without the constraint, whose mask would hide how likely other words are; 20 is what endpoints give at most.
            let request = CompletionRequest(prompt, stop: StopRule(maxTokens: 1), topLogProbs: 20)
            let position = try await model.complete(request).logProbs?.first
            let shares = Self.shares(of: verdicts, in: position)
            return (shares, 1, shares == nil ? 1 : 0)
        }
        var counts = [Double](repeating: 0, count: verdicts.count)
        var unreadable = 0
        let texts = try await withThrowingTaskGroup(of: String.self) { group in
            for vote in 0..<votes {
                let sampling =
                    votes == 1
                    ? Sampling.greedy
                    : .random(temperature: 1, seed: SeededGenerator.derive(seed, "\(stream)-\(vote)"))
                let request = CompletionRequest(
                    prompt, sampling: sampling, stop: StopRule(maxTokens: 16), constraint: constraint)
                group.addTask { try await model.complete(request).text }
            }
            return try await group.reduce(into: [String]()) { $0.append($1) }
        }
        for text in texts {
            if let verdict = Self.verdict(in: text, of: verdicts) { counts[verdict] += 1 } else { unreadable += 1 }
        }
        let total = counts.reduce(0, +)
        return (total > 0 ? counts.map { $0 / total } : nil, votes, unreadable)
    }

    /// The probabilities of the verdicts among the most likely tokens, each token counted for the verdict that it spells.
    static func shares(of verdicts: [String], in position: PositionLogProbs?) -> [Double]? {
        guard let position else { return nil }
        var tokens = position.top
        if !tokens.contains(where: { $0.id == position.chosen.id }) { tokens.append(position.chosen) }
        let masses = verdicts.map { verdict in
            tokens.reduce(0.0) { sum, token in
                let word = token.text.drop { $0.isWhitespace }
                return word == verdict ? sum + exp(Double(token.logProb)) : sum
            }
        }
        let total = masses.reduce(0, +)
        return total > 0 ? masses.map { $0 / total } : nil
    }

    /// Which verdict a text begins with, as a word of its own.
    static func verdict(in text: String, of verdicts: [String]) -> Int? {
        let first = text.split { !$0.isLetter && !$0.isNumber }.first.map(String.init)
        return verdicts.firstIndex { $0 == first }
    }
}
