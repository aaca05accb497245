import Foundation
import Testing
import Text

/// Learnt merges against those of Hugging Face's trainer.
@Suite struct BytePairTrainerTests {
    private struct Golden: Decodable {
        let texts: [String]
        let gpt2: [[String]]
        let digits: [[String]]
    }

    private func golden() throws -> Golden {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Golden/bpe_training.json")
        return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    }

    private func merges(of specification: TokenizerSpecification) -> [[String]] {
        guard case .bytePair(let model) = specification.model, case .pairs(let pairs) = model.merges else { return [] }
        return stride(from: 0, to: pairs.count, by: 2).map { [pairs.text(at: $0), pairs.text(at: $0 + 1)] }
    }

    @Test(arguments: BytePairTrainer.Cutting.allCases)
    func mergesAreHuggingFaces(_ cutting: BytePairTrainer.Cutting) throws {
        let golden = try golden()
        var trainer = BytePairTrainer(cutting: cutting)
        for text in golden.texts { trainer.add(text) }
        let learnt = merges(of: trainer.tokenizer(vocabulary: 400))
        #expect(learnt == (cutting == .gpt2 ? golden.gpt2 : golden.digits))
        #expect(learnt.count > 50)
    }

    @Test func whatIsLearntEncodes() throws {
        let golden = try golden()
        var trainer = BytePairTrainer()
        for text in golden.texts { trainer.add(text) }
        let specification = trainer.tokenizer(vocabulary: 300)
        #expect(specification.vocabulary.count == 300)
        let tokenizer = try Tokenizer(specification)
        for text in golden.texts + ["never seen: Ωß 7"] {
            let ids = tokenizer.encode(text)
            #expect(tokenizer.decode(ids) == text)
            #expect(ids.count <= text.utf8.count)
        }
        #expect(tokenizer.encode(golden.texts[0]).count < golden.texts[0].utf8.count / 2)
        // Nothing to join: bytes and the special token remain.
        #expect(BytePairTrainer().tokenizer(vocabulary: 1000).vocabulary.count == 257)
    }
}
