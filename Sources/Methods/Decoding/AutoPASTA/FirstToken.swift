import Foundation
import Inference
import Synchronization
import Text

/// What a model would say first after a prompt: the score that profiling uses, as it needs no generation.
struct FirstToken: Sendable, Hashable {
    /// The probability of the gold tokens together.
    var probability: Double
    /// The most likely token.
    var top: TokenID
    /// Whether it is a gold one.
    var isGold: Bool

    /// Reads it in one pass over the prompt, beside whatever else is in flight.
    static func read(
        after prompt: OpenBookPrompt, gold: Set<TokenID>, interventions: [Intervention], model: any OpenModel
    ) async throws -> FirstToken {
        let reader = LogitReader(gold: gold)
        _ = try await model.complete(
            CompletionRequest(
                prompt.prompt, stop: StopRule(maxTokens: 1), interventions: interventions + [.logits(reader)]))
        guard let read = reader.found.withLock({ $0 }) else {
            throw EngineError.badRequest("the model gave no logits for the prompt")
        }
        return read
    }
}

/// Looks at the logits of the first generated token and leaves them as they are.
private final class LogitReader: LogitProcessor {
    let gold: Set<TokenID>
    let found = Mutex<FirstToken?>(nil)

    init(gold: Set<TokenID>) {
        self.gold = gold
    }

    func process(_ logits: UnsafeMutableBufferPointer<Float>, generated: [TokenID]) {
        guard generated.isEmpty, !logits.isEmpty else { return }
        var top = 0
        for index in logits.indices where logits[index] > logits[top] { top = index }
        let peak = logits[top]
        var total = 0.0
        for logit in logits { total += Double(exp(logit - peak)) }
        let mass = gold.reduce(0) { $0 + (Int($1) < logits.count ? Double(exp(logits[Int($1)] - peak)) : 0) }
        let result = FirstToken(probability: mass / total, top: TokenID(top), isGold: gold.contains(TokenID(top)))
        found.withLock { $0 = result }
    }
}
