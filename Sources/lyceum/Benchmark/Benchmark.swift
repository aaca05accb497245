import Inference
import Text

/// The workloads that engines are compared on. Each gives one figure a round, after a round that doesn't count.
///
/// No two rounds share a prompt, so that no round profits from another's cached prefixes.
struct Benchmark: Sendable {
    let model: any OpenModel
    let rounds: Int

    /// Tokens a second of one stream while it decodes; the prompt of 8 tokens and the first token don't count.
    func singleStream(tokens: Int) async throws -> [Double] {
        try await rounds { round in
            let first = try await complete(prompt(8, round), tokens: 1)
            let whole = try await complete(prompt(8, round), tokens: tokens + 1)
            return Double(tokens) / (whole - min(first, whole / 2))
        }
    }

    /// Generated tokens a second of all streams together, prompts included in the time.
    func streams(_ count: Int, prompt length: Int, tokens: Int) async throws -> [Double] {
        try await rounds { round in
            let seconds = try await together((0..<count).map { prompt(length, round * count + $0) }, tokens: tokens)
            return Double(count * tokens) / seconds
        }
    }

    /// Prompt tokens a second up to the first generated token.
    func prompt(_ length: Int) async throws -> [Double] {
        try await rounds { round in Double(length) / (try await complete(prompt(length, round), tokens: 1)) }
    }

    /// Generated tokens a second of many continuations of one prompt, which is new in each round; its time included.
    func continuations(_ count: Int, prompt length: Int, tokens: Int) async throws -> [Double] {
        try await rounds { round in
            let shared = prompt(length, round)
            let seconds = try await together((0..<count).map { _ in shared }, tokens: tokens)
            return Double(count * tokens) / seconds
        }
    }

    /// Megabytes (10⁶ bytes) a second, on one thread.
    static func tokenising(_ bytes: [UInt8], with tokenizer: Tokenizer, rounds: Int) -> [Double] {
        (0...rounds).map { _ in
            let seconds = time { _ = tokenizer.encode(bytes) }
            return Double(bytes.count) / 1e6 / seconds
        }.dropFirst().map { $0 }
    }

    func rounds(_ body: (Int) async throws -> Double) async throws -> [Double] {
        var values: [Double] = []
        for round in 0...rounds { values.append(try await body(round)) }
        return Array(values.dropFirst())
    }

    /// A prompt of ordinary tokens that begins differently for each number.
    func prompt(_ length: Int, _ number: Int) -> [TokenID] {
        let size = model.architecture.vocabularySize
        return (0..<length).map { position in
            let mixed = (number &* 7919 &+ position &* 104_729 &+ 12_345) % max(1, size - 1000)
            return TokenID(mixed + min(500, size / 2))
        }
    }

    private func complete(_ tokens: [TokenID], tokens count: Int) async throws -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        _ = try await model.complete(
            CompletionRequest(.tokens(tokens), stop: StopRule(maxTokens: count, ignoresEndOfText: true)))
        return (clock.now - start).seconds
    }

    private func together(_ prompts: [[TokenID]], tokens: Int) async throws -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for prompt in prompts {
                group.addTask { _ = try await complete(prompt, tokens: tokens) }
            }
            try await group.waitForAll()
        }
        return (clock.now - start).seconds
    }

    private static func time(_ body: () -> Void) -> Double {
        ContinuousClock().measure(body).seconds
    }
}
