import Models
import Testing

@Suite(.enabled(if: embeddedModel != nil, "the embedded model is not in the cache; make demo fetches it"))
struct EmbeddedModelTests {
    let path = embeddedModel ?? ""

    @Test func opensInMilliseconds() throws {
        let clock = ContinuousClock()
        let times = try (0..<5).map { _ in try clock.measure { _ = try GGUFFile(path: path) } }
        // Ten milliseconds is the aim; a loaded machine gets three times as long.
        #expect(try #require(times.min()) < .milliseconds(30), "\(times)")
    }

    @Test func listsItsTensors() throws {
        let file = try GGUFFile(path: path)
        #expect(file.version == 3)
        #expect(file.tensors.count == 272)
        #expect(file.formats == [.q41: 210, .f32: 61, .q80: 1])
        #expect(file.info("token_embd.weight")?.shape == [49152, 576])
        #expect(file.info("blk.0.ffn_down.weight")?.shape == [576, 1536])
        #expect(file.parameterCount == 134_515_008)
        #expect(file.keys.count == 33)
    }

    @Test func hasTheConfigurationOfSmolLM2() throws {
        let configuration = try GGUFFile(path: path).configuration()
        #expect(configuration.family == .llama)
        #expect(configuration.layers == 30)
        #expect(configuration.hiddenSize == 576)
        #expect(configuration.heads == 9)
        #expect(configuration.kvHeads == 3)
        #expect(configuration.headSize == 64)
        #expect(configuration.feedForwardSize == 1536)
        #expect(configuration.vocabularySize == 49152)
        #expect(configuration.contextLength == 8192)
        #expect(configuration.rotary == RotaryConfiguration(theta: 100_000, dimension: 64, pairing: .neighbours))
        #expect(Float(configuration.norm.epsilon) == 1e-5)
        #expect(configuration.tiesEmbeddings)
        #expect(!configuration.hasQueryKeyValueBias)
        #expect(configuration.experts == nil)
    }

    @Test func hasItsTokenizer() throws {
        let tokenizer = try TokenizerMetadata(GGUFFile(path: path))
        #expect(tokenizer.model == "gpt2")
        #expect(tokenizer.preTokenizer == "smollm")
        #expect(tokenizer.tokens.count == 49152)
        #expect(tokenizer.tokens.strings?[1] == "<|im_start|>")
        #expect(tokenizer.merges?.count == 48900)
        #expect(tokenizer.merges?.strings?.first == "Ġ t")
        #expect(tokenizer.tokenTypes?.filter { $0 == .control }.count == 17)
        #expect(tokenizer.bosTokenID == 1)
        #expect(tokenizer.eosTokenID == 2)
        #expect(tokenizer.unknownTokenID == 0)
        #expect(tokenizer.paddingTokenID == 2)
        #expect(tokenizer.addsBOS == false)
        #expect(tokenizer.chatTemplate?.hasPrefix("{% for message in messages %}") == true)
    }
}
