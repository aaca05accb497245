import Foundation
import Inference
import Models
import Testing
import Text

/// Every decoder architecture on a tiny random model, through the engine, against transformers' logits;
/// `Tests/Golden/architectures.py` makes the files.
struct ArchitectureTests {
    static let names = [
        "llama", "mistral", "qwen2", "qwen3", "gemma3_text", "mixtral", "qwen2_moe", "qwen3_moe", "olmoe",
    ]
    static let folder = ParityTests.folder.appendingPathComponent("architectures")
    static let document = Result {
        try JSONValue(parsing: Array(Data(contentsOf: folder.appendingPathComponent("architectures.json"))))
    }

    func prompts() throws -> [[TokenID]] {
        try #require(try Self.document.get()["prompts"]?.arrayValue).map { prompt in
            try #require(prompt.arrayValue).compactMap { $0.intValue.map(TokenID.init) }
        }
    }

    func load(_ name: String, precision: Precision = .f32, maxRows: Int = 512) throws -> LocalModel {
        try load(path: Self.folder.appendingPathComponent(name).path, precision: precision, maxRows: maxRows)
    }

    func load(path: String, precision: Precision, maxRows: Int = 512) throws -> LocalModel {
        var options = LocalModel.Options()
        options.precision = precision
        options.cacheBytes = 8 << 20
        options.maxRows = maxRows
        return try LocalModel(path: path, reference: path, options: options)
    }

    @Test("there is a golden model for each name")
    func complete() throws {
        let listed = try Self.document.get()["decoders"]?.arrayValue?.compactMap(\.stringValue)
        #expect(listed == Self.names)
    }

    /// The largest difference from transformers' logits, and the mean KL(transformers ‖ ours) a position in nats.
    func compare(_ model: LocalModel, _ name: String) async throws -> (worst: Float, divergence: Double) {
        let data = try Data(contentsOf: Self.folder.appendingPathComponent("\(name)/logits.bin"))
        let size = model.configuration.vocabularySize
        var (at, worst, divergence, positions) = (0, Float(0), 0.0, 0)
        for prompt in try prompts() {
            let trace = try await model.trace(TraceRequest(.tokens(prompt), logits: Array(prompt.indices)))
            for position in prompt.indices {
                let ours = try #require(trace.logits[position])
                let golden = (0..<size).map { ParityTests.float(data, at + 4 * $0) }
                at += 4 * size
                positions += 1
                worst = zip(ours, golden).reduce(worst) { max($0, abs($1.0 - $1.1)) }
                let (p, q) = (logProbabilities(golden), logProbabilities(ours))
                divergence += zip(p, q).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
            }
        }
        #expect(at == data.count)
        return (worst, divergence / Double(positions))
    }

    func logProbabilities(_ logits: [Float]) -> [Double] {
        let total = log(logits.reduce(0.0) { $0 + exp(Double($1)) })
        return logits.map { Double($0) - total }
    }

    @Test("logits equal transformers' within 1e-4", arguments: names)
    func exact(name: String) async throws {
        #expect(try await compare(load(name), name).worst <= 1e-4)
    }

    @Test("so do those of the model converted to GGUF", arguments: names)
    func gguf(name: String) async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).gguf").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let weights = try ModelWeights(openWeights(at: Self.folder.appendingPathComponent(name).path))
        try ModelConversion(weights, format: .f32).writeGGUF(
            to: path,
            metadata: [
                ("tokenizer.ggml.model", .string("gpt2")), ("tokenizer.ggml.pre", .string("gpt-2")),
                ("tokenizer.ggml.tokens", .array(GGUFArray(strings: (0..<128).map { "<\($0)>" }))),
                ("tokenizer.ggml.merges", .array(GGUFArray(strings: []))),
            ])
        #expect(try await compare(load(path: path, precision: .f32), name).worst <= 1e-4)
    }

    @Test("bf16 weights and a compact cache stay near", arguments: names.prefix(5))
    func standard(name: String) async throws {
        #expect(try await compare(load(name, precision: .standard), name).divergence <= 2e-3)
    }

    @Test("batched, chunked and cached paths equal the plain path", arguments: names)
    func paths(name: String) async throws {
        let prompts = try prompts()
        func request(_ prompt: [TokenID]) -> CompletionRequest {
            var request = CompletionRequest(.tokens(prompt), stop: StopRule(maxTokens: 24, ignoresEndOfText: true))
            request.topLogProbs = 4
            return request
        }
        func expectEqual(_ found: Completion, _ plain: Completion, _ path: Comment) {
            #expect(found.ids == plain.ids, path)
            #expect(found.logProbs?.count == plain.ids.count && plain.logProbs?.count == plain.ids.count, path)
            for (a, b) in zip(found.logProbs ?? [], plain.logProbs ?? []) {
                #expect(zip(a.top, b.top).allSatisfy { abs($0.logProb - $1.logProb) <= 1e-4 }, path)
            }
        }
        var plain: [Completion] = []
        for prompt in prompts { plain.append(try await load(name).complete(request(prompt))) }
        // The plain path itself: greedy steps with the cache agree with one pass over the whole text.
        for (prompt, completion) in zip(prompts, plain) {
            let whole = prompt + completion.ids
            let trace = try await load(name).trace(
                TraceRequest(.tokens(whole), logits: Array(prompt.count - 1..<whole.count - 1)))
            for (step, id) in completion.ids.enumerated() {
                let row = try #require(trace.logits[prompt.count - 1 + step])
                let best = try #require(row.max())
                #expect(row[Int(id)] >= best - 1e-4)
            }
        }
        let chunked = try load(name, maxRows: 7)
        let shared = try load(name)
        for (prompt, completion) in zip(prompts, plain) {
            expectEqual(try await chunked.complete(request(prompt)), completion, "chunked")
            async let first = shared.complete(request(prompt))
            async let other = shared.complete(request(Array(prompts[0].reversed())))
            async let second = shared.complete(request(prompt))
            expectEqual(try await first, completion, "batched")
            expectEqual(try await second, completion, "batched, same prompt")
            _ = try await other
            let again = try await shared.complete(request(prompt))
            expectEqual(again, completion, "cached")
            #expect(again.usage.cachedTokens >= 32)
        }
    }
}
