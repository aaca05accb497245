import Inference
import Laboratory

/// A way of asking the same questions.
public enum ReasoningVariant: String, OptionChoice {
    case zeroShot = "zero-shot"
    case zeroShotCoT = "zero-shot-cot"
    case fewShot = "few-shot"
    case fewShotCoT = "few-shot-cot"
    /// Zero-shot-CoT with many sampled reasonings and a majority vote.
    case selfConsistency = "self-consistency"

    var needsExamples: Bool { self == .fewShot || self == .fewShotCoT }
}

/// A variant with its trigger, as one column of a report.
package struct ReasoningArm: Sendable, Hashable {
    package var variant: ReasoningVariant
    package var trigger: String
    package var name: String

    package init(_ variant: ReasoningVariant, trigger: String = ReasoningTrigger.all[0], name: String? = nil) {
        self.variant = variant
        self.trigger = trigger
        self.name = name ?? variant.rawValue
    }
}

/// What one arm made of one item.
package struct ReasoningOutcome: Sendable, Hashable {
    /// The cleaned answer; empty where none was found.
    package var answer: String
    package var isRight: Bool
    /// Whether the token cap cut a reasoning short.
    package var isTruncated = false
    package var calls = 0
    package var usage = Usage()
    /// Prompts and outputs in order: p1, z, p2, s.
    package var steps: [SampleTrace.Step] = []

    mutating func add(_ exchange: Exchange, _ promptName: String, _ outputName: String) {
        calls += 1
        usage = usage + exchange.completion.usage
        steps.append(.init(promptName, exchange.prompt.transcript))
        steps.append(.init(outputName, exchange.completion.text))
    }

    struct Exchange: Sendable {
        var prompt: Prompt
        var completion: Completion
    }
}

/// Asks one question in any of the variants.
///
/// Zero-shot-CoT is two calls. With p₁ = "Q: x\nA: t" the first gives the reasoning z; with p₂ = p₁ + z + " " + e, the whole
/// first exchange kept to the byte, the second gives s, from which the answer is taken.
package struct ReasoningRunner: Sendable {
    package var model: any LanguageModel
    package var frame: PromptFrame
    package var options: ZeroShotCoT.Options
    /// The worked examples of the few-shot variants, in the order in which they are shown.
    package var examples: [WorkedExample]
    /// The seed of sampled reasonings.
    package var seed: UInt64

    package init(
        _ model: any LanguageModel, frame: PromptFrame, options: ZeroShotCoT.Options = .init(),
        examples: [WorkedExample] = [], seed: UInt64 = 1
    ) {
        self.model = model
        self.frame = frame
        self.options = options
        self.examples = examples
        self.seed = seed
    }

    package func outcome(_ arm: ReasoningArm, of item: ReasoningItem) async throws -> ReasoningOutcome {
        switch arm.variant {
        case .zeroShot: try await direct(item)
        case .zeroShotCoT: try await twoStage(item, trigger: arm.trigger)
        case .fewShot: try await fewShot(item, withRationale: false)
        case .fewShotCoT: try await fewShot(item, withRationale: true)
        case .selfConsistency: try await vote(item, trigger: arm.trigger)
        }
    }

    /// The most tokens of an answer; the paper's bound is one for answers of a line.
    private func answerLength(_ item: ReasoningItem) -> Int {
        item.kind == .block ? max(options.maxLengthDirect, 512) : options.maxLengthDirect
    }

    // MARK: Variants

    private func direct(_ item: ReasoningItem) async throws -> ReasoningOutcome {
        let exchange = try await ask(
            frame.direct(item), maxTokens: answerLength(item), sampling: sampling(item, "direct"))
        var outcome = outcome(item, answer: extractor(item).answer(in: exchange.completion.text))
        outcome.add(exchange, "prompt", "output")
        return outcome
    }

    private func twoStage(_ item: ReasoningItem, trigger: String) async throws -> ReasoningOutcome {
        let (reasoning, extraction) = try await reason(item, trigger: trigger, sampling: sampling(item, "reasoning"))
        var outcome = outcome(item, answer: extractor(item).answer(in: extraction.completion.text))
        outcome.isTruncated = reasoning.completion.finish == .length
        outcome.add(reasoning, "p1", "z")
        outcome.add(extraction, "p2", "s")
        return outcome
    }

    private func reason(
        _ item: ReasoningItem, trigger: String, sampling: Sampling
    ) async throws -> (ReasoningOutcome.Exchange, ReasoningOutcome.Exchange) {
        let reasoning = try await ask(
            frame.reasoning(item, trigger: trigger), maxTokens: options.maxLengthCoT, sampling: sampling)
        let extraction = try await ask(
            frame.extraction(item, trigger: trigger, reasoning: reasoning.completion.text),
            maxTokens: answerLength(item), sampling: self.sampling(item, "extraction"))
        return (reasoning, extraction)
    }

    private func fewShot(_ item: ReasoningItem, withRationale: Bool) async throws -> ReasoningOutcome {
        let shown = examples.map { (question: $0.question, reply: $0.reply(withRationale: withRationale)) }
        let exchange = try await ask(
            frame.prompt(item.question, examples: shown),
            maxTokens: withRationale ? options.maxLengthCoT : options.maxLengthDirect,
            sampling: sampling(item, withRationale ? "few-shot-cot" : "few-shot"),
            stop: options.stopAtNextQuestion ? ["\nQ:"] : [])
        var outcome = outcome(item, answer: extractor(item).answer(inFewShot: exchange.completion.text))
        outcome.isTruncated = withRationale && exchange.completion.finish == .length
        outcome.add(exchange, "prompt", "output")
        return outcome
    }

    /// Majority vote over sampled reasonings (Wang et al., 2022); empty answers have no vote, and of equally frequent
    /// answers the one that came first wins.
    private func vote(_ item: ReasoningItem, trigger: String) async throws -> ReasoningOutcome {
        let paths = try await withThrowingTaskGroup(
            of: (Int, ReasoningOutcome.Exchange, ReasoningOutcome.Exchange).self
        ) { group in
            for path in 0..<options.paths {
                group.addTask {
                    let sampling = Sampling.random(
                        temperature: options.pathTemperature, seed: streamSeed(item, "path \(path)"))
                    let (reasoning, extraction) = try await reason(item, trigger: trigger, sampling: sampling)
                    return (path, reasoning, extraction)
                }
            }
            var paths: [(Int, ReasoningOutcome.Exchange, ReasoningOutcome.Exchange)] = []
            for try await path in group { paths.append(path) }
            return paths.sorted { $0.0 < $1.0 }
        }
        let answers = paths.map { extractor(item).answer(in: $0.2.completion.text) }
        var outcome = outcome(item, answer: Self.majority(answers))
        for (path, reasoning, extraction) in paths {
            outcome.isTruncated = outcome.isTruncated || reasoning.completion.finish == .length
            outcome.add(reasoning, "p1, path \(path + 1)", "z, path \(path + 1)")
            outcome.add(extraction, "p2, path \(path + 1)", "s, path \(path + 1)")
        }
        return outcome
    }

    /// The most frequent text that isn't empty; of equally frequent ones the first.
    package static func majority(_ answers: [String]) -> String {
        var counts: [String: Int] = [:]
        for answer in answers where !answer.isEmpty { counts[answer, default: 0] += 1 }
        guard let most = counts.values.max() else { return "" }
        return answers.first { counts[$0] == most } ?? ""
    }

    // MARK: Calls

    private func ask(
        _ prompt: Prompt, maxTokens: Int, sampling: Sampling, stop: [String] = []
    ) async throws -> ReasoningOutcome.Exchange {
        let completion = try await model.complete(
            CompletionRequest(prompt, sampling: sampling, stop: StopRule(maxTokens: maxTokens, strings: stop)))
        return ReasoningOutcome.Exchange(prompt: prompt, completion: completion)
    }

    private func sampling(_ item: ReasoningItem, _ call: String) -> Sampling {
        options.temperature == 0
            ? .greedy : .random(temperature: options.temperature, seed: streamSeed(item, call))
    }

    private func streamSeed(_ item: ReasoningItem, _ call: String) -> UInt64 {
        SeededGenerator.derive(seed, "\(item.id)/\(call)")
    }

    private func extractor(_ item: ReasoningItem) -> AnswerExtractor {
        AnswerExtractor(item.kind, letters: options.letters)
    }

    private func outcome(_ item: ReasoningItem, answer: String) -> ReasoningOutcome {
        ReasoningOutcome(
            answer: answer,
            isRight: extractor(item).isRight(answer, gold: item.gold, numerically: options.numericEquality))
    }
}
