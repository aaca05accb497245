import Foundation
import Inference
import Models
import Testing
import Text

/// all-MiniLM-L6-v2, where set-up has installed it.
enum SentenceModel {
    static let folder = EmbeddedModel.file.deletingLastPathComponent().appendingPathComponent("all-MiniLM-L6-v2")
    static var isInstalled: Bool {
        FileManager.default.fileExists(atPath: folder.appendingPathComponent("model.safetensors").path)
    }

    static func load(
        _ precision: Precision = .standard, pooling: SentenceConfiguration.Pooling? = nil
    ) throws -> SentenceEncoder {
        try SentenceEncoder(path: folder.path, reference: "minilm", precision: precision, pooling: pooling)
    }
}

/// Sentence embeddings against transformers' in f32; see Tests/Golden/README.md for the files.
@Suite(.enabled(if: SentenceModel.isInstalled, "all-MiniLM-L6-v2 is not installed; type: make embedders"))
struct SentenceEncoderTests {
    struct Golden {
        var texts: [String] = []
        var ids: [[TokenID]] = []
        /// [pooling][sentence]
        var vectors: [String: [[Float]]] = [:]
    }

    static let golden = Result {
        let file = ParityTests.folder.appendingPathComponent("embeddings.json")
        let document = try JSONValue(parsing: Array(Data(contentsOf: file)))
        let data = try Data(contentsOf: ParityTests.folder.appendingPathComponent("embeddings.bin"))
        let width = try #require(document["width"]?.intValue)
        let poolings = try #require(document["poolings"]?.arrayValue).compactMap(\.stringValue)
        var golden = Golden()
        var at = 0
        for sentence in try #require(document["sentences"]?.arrayValue) {
            golden.texts.append(try #require(sentence["text"]?.stringValue))
            golden.ids.append(
                try #require(sentence["ids"]?.arrayValue).compactMap { $0.intValue.map(TokenID.init) })
            for pooling in poolings {
                let vector = (0..<width).map { ParityTests.float(data, at + 4 * $0) }
                golden.vectors[pooling, default: []].append(vector)
                at += 4 * width
            }
        }
        return golden
    }

    /// The least cosine between ours and the golden vectors.
    func leastCosine(_ vectors: [[Float]], pooling: String) throws -> Float {
        let expected = try #require(try Self.golden.get().vectors[pooling])
        try #require(vectors.count == expected.count)
        return zip(vectors, expected).map(cosineSimilarity).min() ?? 0
    }

    @Test("token ids with [CLS], [SEP] and the cut at 256")
    func tokens() throws {
        let (model, golden) = (try SentenceModel.load(), try Self.golden.get())
        for (text, ids) in zip(golden.texts, golden.ids) { #expect(model.tokens(of: text) == ids) }
        #expect(model.configuration == SentenceConfiguration(pooling: .mean, normalises: true, limit: 256))
        #expect(model.embeddingWidth == 384)
    }

    @Test("both poolings have a cosine of at least 0.9999 in both precisions", arguments: [Precision.standard, .f32])
    func parity(precision: Precision) async throws {
        let texts = try Self.golden.get().texts
        for pooling in [SentenceConfiguration.Pooling.mean, .first] {
            let vectors = try await SentenceModel.load(precision, pooling: pooling).embed(texts)
            let least = try leastCosine(vectors, pooling: pooling.rawValue)
            #expect(least >= (precision == .f32 ? 0.999_999 : 0.9999), "\(pooling.rawValue)")
            #expect(vectors.allSatisfy { abs($0.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5 })
        }
    }

    @Test("a text's vector does not depend on its batch")
    func batches() async throws {
        let model = try SentenceModel.load(.f32)
        let texts = try Self.golden.get().texts
        let together = try await model.embed(texts + texts.reversed() + texts)
        for (index, text) in texts.enumerated() {
            let alone = try await model.embed([text])[0]
            #expect(cosineSimilarity(alone, together[index]) > 0.999_999)
            #expect(cosineSimilarity(alone, together[2 * texts.count - 1 - index]) > 0.999_999)
        }
    }

    @Test("no texts, empty texts and forged special tokens")
    func edges() async throws {
        let model = try SentenceModel.load()
        #expect(try await model.embed([]).isEmpty)
        #expect(model.tokens(of: "") == model.tokenizer.boundaryTokens.before + model.tokenizer.boundaryTokens.after)
        #expect(try await model.embed([""])[0].allSatisfy(\.isFinite))
        let separator = try #require(model.tokenizer.id(of: "[SEP]"))
        #expect(model.tokens(of: "a [SEP] b").count { $0 == separator } == 1)
    }
}

/// Embeddings by the embedded decoder.
@Suite(needsEmbeddedModel)
struct DecoderEmbeddingTests {
    @Test("like texts are nearer than unlike ones")
    func order() async throws {
        let model = try openEmbeddingModel(path: EmbeddedModel.file.path, reference: "embedded")
        let vectors = try await model.embed([
            "The cat sat on the warm windowsill.", "A kitten was lying on the sunny window ledge.",
            "Quarterly revenue fell by nine percent.",
        ])
        #expect(vectors.allSatisfy { $0.count == model.embeddingWidth })
        #expect(cosineSimilarity(vectors[0], vectors[1]) > cosineSimilarity(vectors[0], vectors[2]))
        await #expect(throws: EngineError.self) { try await model.embed([""]) }
    }
}
