import Foundation
import Inference
import Laboratory
import Text

/// One function's next-token distribution under every way of decoding, from one forward pass of each prompt.
package struct ContrastMeasurement: Sendable {
    package struct Reading: Sendable, Hashable {
        /// p(gold)
        package var probability: Double
        /// 1 where gold is the most likely token.
        package var rank: Int
    }

    package let standard: Reading
    package let lame: Reading
    package let always: Reading
    package let selective: Reading
    /// With x⁻ := x⁺: what the keep set alone does.
    package let selfContrast: Reading
    package let step: SelectiveContrast.Step
    package let selfContrastKeepsRanking: Bool
    package let sureStepIsUntouched: Bool
    /// The largest difference between a probability of the first token decoded in lock-step and its value from the traces.
    package let lockStepError: Double
    package let trace: SampleTrace

    package static let readings: [(String, any KeyPath<ContrastMeasurement, Reading> & Sendable)] = [
        ("standard", \.standard), ("lame prompt alone", \.lame), ("contrast with itself", \.selfContrast),
        ("always contrast", \.always), ("USCD", \.selective),
    ]

    package init(_ function: ExampleOnlyFunction, rule: SelectiveContrast, model: any OpenModel) async throws {
        let encoded = model.tokenizer.encode(function.gold)
        guard encoded.count == 1, let gold = encoded.first else {
            throw DemoError(
                message: "The model's tokenizer spells the digit \(function.gold) with \(encoded.count) tokens.")
        }
        async let plusTrace = model.trace(TraceRequest(.text(function.prompt)))
        async let minusTrace = model.trace(TraceRequest(.text(function.lamePrompt)))
        let plus = try Self.logits(await plusTrace)
        let minus = try Self.logits(await minusTrace)

        var alwaysRule = rule
        alwaysRule.threshold = .none
        var sureRule = rule
        sureRule.threshold = .relative(0)
        let combined = rule.combined(standard: plus, lame: minus)
        let itself = alwaysRule.combined(standard: plus, lame: plus)
        let sure = sureRule.combined(standard: plus, lame: minus)
        standard = Self.read(plus, gold)
        lame = Self.read(minus, gold)
        always = Self.read(alwaysRule.combined(standard: plus, lame: minus).logits, gold)
        selective = Self.read(combined.logits, gold)
        selfContrast = Self.read(itself.logits, gold)
        step = combined.step
        selfContrastKeepsRanking = Self.keepsRanking(plus, itself.logits)
        sureStepIsUntouched =
            !sure.step.isContrasted && sure.logits.map(\.bitPattern) == plus.map(\.bitPattern)

        let combiner = ContrastCombiner(rule)
        let decoded = try await model.complete(
            CompletionRequest(
                .text(function.prompt), stop: StopRule(maxTokens: 1, ignoresEndOfText: true), topLogProbs: 5,
                interventions: [.companions([.text(function.lamePrompt)], combiner)]))
        let expected = SelectiveContrast.softmax(combined.logits)
        lockStepError = (decoded.logProbs?.first?.top ?? []).reduce(decoded.logProbs == nil ? 1 : 0) { error, token in
            max(error, abs(exp(Double(token.logProb)) - expected[Int(token.id)]))
        }
        trace = Self.trace(
            function, model.tokenizer, standard: standard, selective: selective, step: step, lame: function.lamePrompt)
    }

    private static func logits(_ trace: Trace) throws -> [Float] {
        guard let logits = trace.logits.values.first else {
            throw DemoError(message: "The model's trace holds no logits of the prompt's last position.")
        }
        return logits
    }

    private static func read(_ logits: [Float], _ gold: TokenID) -> Reading {
        let logit = logits[Int(gold)]
        return Reading(
            probability: SelectiveContrast.softmax(logits)[Int(gold)], rank: 1 + logits.count { $0 > logit })
    }

    /// Whether tokens that stay possible stand in the order of the standard logits; neighbours may become equal by rounding.
    private static func keepsRanking(_ before: [Float], _ after: [Float]) -> Bool {
        let kept = after.indices.filter { after[$0] > -.infinity }.sorted { before[$0] > before[$1] }
        return !kept.isEmpty && zip(kept, kept.dropFirst()).allSatisfy { after[$0] >= after[$1] }
    }

    private static func trace(
        _ function: ExampleOnlyFunction, _ tokenizer: Tokenizer, standard: Reading, selective: Reading,
        step: SelectiveContrast.Step, lame: String
    ) -> SampleTrace {
        SampleTrace(
            "x \(function.operation.rawValue) \(function.constant)", input: function.prompt, expected: function.gold,
            arms: [
                .init(
                    "standard", tokenizer.text(of: step.topBefore), isCorrect: standard.rank == 1,
                    score: standard.probability),
                .init(
                    "USCD", tokenizer.text(of: step.topAfter), isCorrect: selective.rank == 1,
                    score: selective.probability,
                    steps: [
                        .init("lame prompt", lame),
                        .init(
                            "step",
                            "confidence \(NumberStyle.decimals(3).text(step.confidence)), "
                                + (step.isContrasted ? "contrasted, \(step.kept) tokens kept" : "sure")),
                    ]),
            ])
    }
}

/// Why the demo can't be made with a model.
package struct DemoError: Error, CustomStringConvertible {
    package var message: String
    package var description: String { message }
}
