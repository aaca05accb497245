import Models
import Tensors
import Testing
import Text

/// The encoder on a tiny random BERT, against transformers; `Tests/Golden/architectures.py` makes the files.
struct EncoderModelTests {
    static let folder = modelsGolden("architectures/bert")

    /// The two prompts, each with its second half marked as segment 1.
    func prompts() throws -> [[TokenID]] {
        let path = modelsGolden("architectures/architectures.json")
        let document = try MappedFile(path: path).withUnsafeBytes { try JSONValue(parsing: $0) }
        return try #require(document["prompts"]?.arrayValue).map { prompt in
            try #require(prompt.arrayValue).compactMap { $0.intValue.map(TokenID.init) }
        }
    }

    func segments(_ prompt: [TokenID]) -> [Int32] { prompt.indices.map { $0 < prompt.count / 2 ? 0 : 1 } }

    /// transformers' states [prompts, tokens, hidden], flattened.
    func golden() throws -> [Float] {
        try MappedFile(path: Self.folder + "/states.bin").withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
    }

    func worst(_ a: some Collection<Float>, _ b: some Collection<Float>) -> Float {
        #expect(a.count == b.count)
        return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }

    @Test("a packed batch and single texts give transformers' states")
    func states() throws {
        let model = try EncoderModel(openWeights(at: Self.folder), precision: .f32)
        let (prompts, golden) = (try prompts(), try golden())
        let packed = model.forward(
            tokens: prompts.flatMap { $0 }, sequences: PackedSequences(lengths: prompts.map(\.count)),
            segments: prompts.flatMap(segments))
        #expect(worst(packed.floats(), golden) < 1e-5)
        let size = golden.count / prompts.count
        for (index, prompt) in prompts.enumerated() {
            let alone = model.forward(
                tokens: prompt, sequences: PackedSequences(lengths: [prompt.count]), segments: segments(prompt))
            #expect(worst(alone.floats(), golden[index * size..<(index + 1) * size]) < 1e-5)
        }
    }

    @Test("segments and the order of tokens matter")
    func sensitivity() throws {
        let model = try EncoderModel(openWeights(at: Self.folder), precision: .f32)
        let prompt = try prompts()[0]
        let sequences = PackedSequences(lengths: [prompt.count])
        let plain = model.forward(tokens: prompt, sequences: sequences).floats()
        let parted = model.forward(tokens: prompt, sequences: sequences, segments: segments(prompt)).floats()
        #expect(worst(plain, parted) > 0.1)
        let turned = model.forward(tokens: prompt.reversed(), sequences: sequences).floats()
        #expect(worst(plain, turned) > 0.1)
    }

    @Test("bf16 weights stay near")
    func halfPrecision() throws {
        let model = try EncoderModel(openWeights(at: Self.folder))
        let prompts = try prompts()
        let states = model.forward(
            tokens: prompts.flatMap { $0 }, sequences: PackedSequences(lengths: prompts.map(\.count)),
            segments: prompts.flatMap(segments))
        #expect(worst(states.floats(), try golden()) < 0.1)
    }

    @Test("the same model out of a GGUF file")
    func gguf() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/bert.gguf"
            try ModelConversion(ModelWeights(openWeights(at: Self.folder)), format: .f32).writeGGUF(to: path)
            let model = try EncoderModel(openWeights(at: path), precision: .f32)
            let prompts = try prompts()
            let states = model.forward(
                tokens: prompts.flatMap { $0 }, sequences: PackedSequences(lengths: prompts.map(\.count)),
                segments: prompts.flatMap(segments))
            #expect(worst(states.floats(), try golden()) < 1e-5)
        }
    }

    @Test("a decoder is refused by name")
    func refusal() throws {
        let path = modelsGolden("architectures/llama")
        #expect(throws: WeightFileError.self) { try EncoderModel(openWeights(at: path)) }
        do {
            _ = try EncoderModel(openWeights(at: path))
        } catch let error as WeightFileError {
            #expect(error.problem == .unsupported)
            #expect(error.message.contains("llama"))
        }
    }
}
