import Foundation
import Inference
import Laboratory
import Reasoning
import Testing

private let embedded = ModelReference.embeddedFile.path

@Suite(
    .enabled(
        if: FileManager.default.fileExists(atPath: embedded),
        "the embedded model is not in the cache; make demo fetches it"))
struct ZeroShotCoTEndToEndTests {
    @Test(.timeLimit(.minutes(3))) func allVariantsOnTheEmbeddedModel() async throws {
        let model = try LocalModel(path: embedded, reference: "embedded")
        let ledger = CallLedger(model)
        let options = try ZeroShotCoT.Options {
            $0.task = .arithmetic
            $0.variants = ReasoningVariant.allCases
            $0.paths = 2
            $0.maxLengthCoT = 48
        }
        let lab = Lab(slug: "zero-shot-cot", subject: ledger, limit: 3)
        let report = try await ZeroShotCoT().run(options, in: lab)
        // An item: 1 + 2 + 1 + 1 + 2 × 2 calls.
        #expect(ledger.calls.count == 3 * 9)
        #expect(ledger.calls.allSatisfy { $0.completion.usage.completionTokens <= 48 })
        #expect(report.metrics.count == 3 * 4)
        let again = try await ZeroShotCoT().run(options, in: lab)
        #expect(again.blocks == report.blocks)
    }

    /// The demo's parts with a model that has learnt next to nothing: the exact checks hold whatever the models.
    @Test(.timeLimit(.minutes(3))) func theDemoOnAFewItems() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("zero-shot-cot-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let model = try LocalModel(path: embedded, reference: "embedded")
        let lab = Lab(slug: "zero-shot-cot", subject: model, limit: 3, outputFolder: folder)
        var small = CoinFlipModel()
        small.items = 64
        small.training.layers = 1
        small.training.hiddenSize = 32
        small.training.samplesPerStep = 16
        let demonstration = try await ZeroShotCoT().demonstration(small, in: lab)
        let exact = demonstration.checks.filter { $0.role == .mechanism && $0.threshold == .atLeast(1) }
        #expect(exact.count == 2)
        for check in exact { #expect(check.holds, "\(check.name): \(check.measured)") }
        // What is judged is the trained model, whatever the subject's size.
        #expect(demonstration.checks.count { $0.role == .effect } == 2)
        #expect(demonstration.isExpectedAtThisSize)
    }
}
