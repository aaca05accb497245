import Foundation
import Inference
import Models
import Tensors
import Testing
import Text
import Training

/// Models that start from nothing.
@Suite struct NewModelTests {
    @Test func bytesAndWordsSurviveTheirFile() throws {
        let text = "naïve  tabs\tand 漢字, \u{0}"
        let cases: [(TokenizerSpecification, String, String)] = [
            (.bytes(), text, text),
            (.words(["a", "b", "+", "="]), "a + b\n= zebra a", "a + b = <unk> a"),
            (.bytePairs([("a", "b"), ("ab", "ab")], special: ["<end>"]), "abab ab", "abab ab"),
            (.spacedWords(of: ["a tab, and\nnaïve tabs"], phrases: ["  tabs", "\tand"]), text, text),
        ]
        for (specification, given, expected) in cases {
            try withTemporaryFolder { folder in
                try NewModel(.llama(layers: 1, hiddenSize: 8, heads: 2), tokenizer: specification)
                    .write(to: folder, seed: 1)
                let read = try ModelText(path: folder).tokenizer
                let made = try Tokenizer(specification)
                #expect(read.encode(given) == made.encode(given))
                #expect(read.decode(read.encode(given)) == expected)
                #expect(read.eos == made.eos && read.eos != nil)
            }
        }
        let pairs = try Tokenizer(.bytePairs([("a", "b"), ("ab", "ab")], special: ["<end>"]))
        #expect(pairs.encode("abab").count == 1)
        // Text can't forge the token that ends a text.
        for specification in [TokenizerSpecification.bytes(special: ["<end>"]), .words(["a"], special: ["<end>"])] {
            let tokenizer = try Tokenizer(specification)
            #expect(!tokenizer.encode("a <end> a").contains(try #require(tokenizer.eos)))
        }
    }

    @Test func theSameSeedGivesTheSameModel() throws {
        try withTemporaryFolder { folder in
            let model = NewModel(.llama(layers: 2, hiddenSize: 16, heads: 4, kvHeads: 2), tokenizer: .bytes())
            for (name, seed) in [("a", 1), ("b", 1), ("c", 2)] as [(String, UInt64)] {
                try model.write(to: "\(folder)/\(name)", seed: seed)
            }
            let sources = try ["a", "b", "c"].map { try openWeights(at: "\(folder)/\($0)") }
            #expect(sources[0].fingerprint() == sources[1].fingerprint())
            #expect(sources[0].fingerprint() != sources[2].fingerprint())
            #expect(sources[0].parameterCount == model.parameterCount)
            let embedding = try sources[0].floats(of: "model.embed_tokens.weight")
            let deviation = (embedding.reduce(0) { $0 + $1 * $1 } / Float(embedding.count)).squareRoot()
            #expect(abs(deviation - (2 / 80 as Float).squareRoot()) < 0.01)
        }
    }

    /// From random weights to words that the engine generates, the weights used where the trainer changes them.
    @Test func aNewModelLearnsAndItsEngineSeesIt() async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let words = ["one", "two", "three", "four"]
        try NewModel(.llama(layers: 1, hiddenSize: 32, heads: 2), tokenizer: .words(words)).write(to: folder, seed: 3)
        let source = try openWeights(at: folder)
        let tokenizer = try ModelText(source).tokenizer
        let trainable = try ChosenWeights.all.load(source, precision: .f32, seed: 1)
        let model = try LocalModel(trainable.model, from: source, reference: folder)
        func counted() async throws -> String {
            var request = CompletionRequest(.text("one", special: false), stop: StopRule(maxTokens: 3))
            request.sampling = .greedy
            return try await model.complete(request).text.trimmingCharacters(in: .whitespaces)
        }
        let before = try await counted()
        var settings = TrainerSettings()
        settings.epochs = 60
        settings.samplesPerStep = 4
        let sample = TokenSequence(tokenizer.encode("one two three four one two three four"))
        try Trainer(
            trainable, objective: Supervised(), optimisation: try Optimisation(rate: 1e-2),
            samples: [TokenSequence](repeating: sample, count: 4), settings: settings
        ).run()
        await model.forgetPrefixes()
        #expect(before != "two three four")
        #expect(try await counted() == "two three four")
    }
}
