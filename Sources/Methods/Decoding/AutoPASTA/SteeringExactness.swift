import Foundation
import Inference

/// How exactly a model carries out a steering, measured in its own attention weights.
struct SteeringExactness: Sendable {
    /// The largest change of a logit when every head is steered towards every token, which is no steering.
    let neutralChange: Double
    /// The largest difference between a steered head's weights and the original ones, scaled by α outside the span and
    /// renormalised.
    let steeredError: Double
    /// The largest change of a weight of the other heads of the layer, whose input is the same.
    let otherHeadsChange: Double

    init(
        prompt: OpenBookPrompt, span: Range<Int>, head: Head, alpha: Double = 0.01, model: any OpenModel
    ) async throws {
        let count = prompt.ids.count
        let architecture = model.architecture
        let everywhere = try AttentionSteering(heads: architecture.allHeads, alpha: alpha)
        let plain = try await model.trace(Self.request(prompt, layer: head.layer, heads: architecture.heads))
        var neutral = Self.request(prompt, layer: head.layer, heads: 0)
        neutral.interventions = [
            try everywhere.intervention(highlighting: [0..<count], promptCount: count, architecture: architecture)
        ]
        let unchanged = try await model.trace(neutral)
        neutralChange = Self.largestDifference(plain.logits[count - 1] ?? [], unchanged.logits[count - 1] ?? [])

        var steered = Self.request(prompt, layer: head.layer, heads: architecture.heads)
        steered.interventions = [
            try AttentionSteering(heads: [head], alpha: alpha).intervention(
                highlighting: [span], promptCount: count, architecture: architecture)
        ]
        let changed = try await model.trace(steered)
        var error = 0.0
        var others = 0.0
        for (other, rows) in plain.attention {
            for (query, weights) in rows {
                let now = changed.attention[other]?[query] ?? []
                if other == head {
                    error = max(
                        error, Self.largestDifference(Self.scaled(weights, outside: span, by: alpha), now))
                } else {
                    others = max(others, Self.largestDifference(weights, now))
                }
            }
        }
        steeredError = error
        otherHeadsChange = others
    }

    private static func request(_ prompt: OpenBookPrompt, layer: Int, heads: Int) -> TraceRequest {
        TraceRequest(
            prompt.prompt, attention: Set((0..<heads).map { Head(layer, $0) }),
            attentionQueries: [prompt.ids.count / 2, prompt.ids.count - 1])
    }

    /// Attention weights scaled by α outside a span and renormalised: what steering does, computed from the outside.
    static func scaled(_ weights: [Float], outside span: Range<Int>, by alpha: Double) -> [Float] {
        let scaled = weights.enumerated().map { Double($0.element) * (span.contains($0.offset) ? 1 : alpha) }
        let total = scaled.reduce(0, +)
        return scaled.map { Float($0 / total) }
    }

    /// The largest difference between two rows; infinite where they can't be compared.
    static func largestDifference(_ a: [Float], _ b: [Float]) -> Double {
        guard a.count == b.count, !a.isEmpty else { return .infinity }
        return zip(a, b).reduce(0) { max($0, Double(abs($1.0 - $1.1))) }
    }
}
