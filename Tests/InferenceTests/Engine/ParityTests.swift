import Foundation
import Inference
import Models
import Tensors
import Testing
import Text

/// Logits against Hugging Face transformers on the de-quantised weights; see Tests/Golden/README.md for the files.
@Suite(needsEmbeddedModel)
struct ParityTests {
    struct Comparison {
        var worst: Float = 0
        var agreeing = 0
        var positions = 0
        var divergence = 0.0
        var divergences = 0

        var agreement: Double { Double(agreeing) / Double(positions) }
        /// Mean KL(reference ‖ ours) in nats; a close lower bound from the 64 likeliest tokens and the mass of the rest.
        var meanDivergence: Double { divergence / Double(divergences) }
    }

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("ModelsTests/Goldens")
    static let golden = Result {
        try JSONValue(parsing: Array(Data(contentsOf: folder.appendingPathComponent("logits.json"))))
    }
    static let numbers = Result { try Data(contentsOf: folder.appendingPathComponent("logits.bin")) }

    static func float(_ data: Data, _ offset: Int) -> Float {
        data.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Float.self) }
    }

    static func id(_ data: Data, _ offset: Int) -> Int {
        Int(data.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt16.self) })
    }

    static func compare(_ model: LocalModel) async throws -> Comparison {
        let data = try numbers.get()
        var result = Comparison()
        for prompt in try #require(try golden.get()["prompts"]?.arrayValue) {
            let ids = try #require(prompt["ids"]?.arrayValue).compactMap { $0.intValue.map(TokenID.init) }
            let trace = try await model.trace(TraceRequest(.tokens(ids), logits: Array(ids.indices)))
            var at = try #require(prompt["offset"]?.intValue)
            for position in ids.indices {
                let row = try #require(trace.logits[position])
                let (total, best) = row.withUnsafeBufferPointer { (logSumExp($0), indexOfMaximum($0)) }
                let reference = float(data, at)
                for rank in 0..<8 {
                    result.worst = max(
                        result.worst, abs(row[id(data, at + 8 + 2 * rank)] - float(data, at + 24 + 4 * rank)))
                }
                result.positions += 1
                if best == id(data, at + 8) { result.agreeing += 1 }
                at += 56
                guard position % 8 == 0 else { continue }
                var (mass, ours, divergence) = (0.0, 0.0, 0.0)
                for rank in 0..<64 {
                    let token = id(data, at + 2 * rank)
                    let logit = float(data, at + 128 + 4 * rank)
                    result.worst = max(result.worst, abs(row[token] - logit))
                    let (p, q) = (Double(logit - reference), Double(row[token] - total))
                    divergence += exp(p) * (p - q)
                    mass += exp(p)
                    ours += exp(q)
                }
                if mass < 0.999_999 { divergence += (1 - mass) * log((1 - mass) / max(1e-12, 1 - ours)) }
                result.divergence += divergence
                result.divergences += 1
                at += 640
            }
        }
        return result
    }

    @Test("f32 logits equal transformers' within 2e-3, and greedy text is the same")
    func exact() async throws {
        let model = try EmbeddedModel.load { $0.precision = .f32 }
        let result = try await Self.compare(model)
        #expect(result.worst <= 2e-3)
        #expect(result.agreement == 1)
        for line in try #require(try Self.golden.get()["greedy"]?.arrayValue) {
            let prompt = try #require(
                try Self.golden.get()["prompts"]?.arrayValue?.first { $0["name"] == line["name"] })
            let ids = try #require(prompt["ids"]?.arrayValue).compactMap { $0.intValue.map(TokenID.init) }
            let completion = try await model.complete(
                CompletionRequest(.tokens(ids), stop: StopRule(maxTokens: 32, ignoresEndOfText: true)))
            #expect(completion.ids.map(Int.init) == line["ids"]?.arrayValue?.compactMap(\.intValue))
        }
    }

    @Test("default logits: KL at most 2e-3 a position, the same best token at 98.5 % of positions")
    func standard() async throws {
        let result = try await Self.compare(EmbeddedModel.standard.get())
        #expect(result.meanDivergence <= 2e-3)
        #expect(result.agreement >= 0.985)
    }
}
