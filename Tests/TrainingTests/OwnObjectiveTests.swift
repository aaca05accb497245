import Foundation
import Tensors
import Testing
import Training

// The examples of Docs/Objectives.md, which a test compares with these.

/// A text that is to be forgotten.
struct ForgetSample: Sendable {
    var text: TokenSequence
}

/// Negative preference optimisation (Zhang et al. 2024, equation 3): -2/β · log σ(-β log π(y)/π_ref(y)), which makes a text less likely than it
/// was, ever more gently.
struct NegativePreference: Objective {
    var beta = 0.1

    var name: String { "npo" }
    var usesReference: Bool { true }

    func texts(of sample: ForgetSample) -> [TokenSequence] { [sample.text] }

    func loss(of batch: ObjectiveBatch<ForgetSample>, policy: Policy) throws -> ObjectiveLoss {
        let logRatios = policy.logProbabilities(batch.texts).sums - Tensor(batch.referenceSums)
        let losses = logSigmoid(logRatios * Float(-beta)) * Float(-2 / beta)
        return ObjectiveLoss(losses.sum(), sums: ["forgotten": -Double(logRatios.detached().sum().item)])
    }
}

/// Learns the texts that earned enough as if they had been given (Yuan et al. 2023, rejection sampling fine-tuning).
struct RejectionSampling: OnPolicyObjective {
    var least = 1.0

    var name: String { "rejection sampling" }

    func samples(from round: OnPolicyRound) -> [TokenSequence] {
        round.rollouts.filter { $0.reward >= least }.map(\.text)
    }

    func texts(of sample: TokenSequence) -> [TokenSequence] { [sample] }

    func weight(of sample: TokenSequence) -> Double { sample.weight }

    func loss(of batch: ObjectiveBatch<TokenSequence>, policy: Policy) throws -> ObjectiveLoss {
        ObjectiveLoss(policy.crossEntropy(batch.texts))
    }
}

@Suite struct OwnObjectiveTests {
    /// Starts at 2/β · log 2, and makes the texts less likely.
    @Test func theDocumentedObjectiveTrains() throws {
        var settings = TrainerSettings()
        settings.steps = 8
        settings.samplesPerStep = 4
        let trainer = try Trainer(
            try TinyModel.load(), objective: NegativePreference(), optimisation: try Optimisation(rate: 3e-3),
            samples: TinyModel.samples[..<4].map { ForgetSample(text: $0) }, settings: settings)
        let steps = try trainer.run().history.steps
        #expect(abs(steps[0].loss - 20 * 0.693147) < 1e-2)
        #expect(try #require(steps[7].figures["forgotten"]) > 1)
    }

    /// The page shows this file's code, but for comments.
    @Test func thePageShowsWhatTrains() throws {
        func lines(_ text: some StringProtocol) -> [String] {
            text.components(separatedBy: "\n").filter {
                !$0.isEmpty && !$0.hasPrefix("///") && !$0.hasPrefix("import ")
            }
        }
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        let page = try String(contentsOf: root.appendingPathComponent("Docs/Objectives.md"), encoding: .utf8)
        let own = lines(try String(contentsOfFile: #filePath, encoding: .utf8))
        let examples = page.components(separatedBy: "```swift\n").dropFirst().map {
            lines($0.prefix(upTo: $0.range(of: "```")?.lowerBound ?? $0.endIndex))
        }.filter { $0.contains { $0.hasPrefix("struct ") } }
        #expect(examples.count == 2)
        for shown in examples {
            let first = try #require(own.firstIndex(of: shown[0]))
            #expect(Array(own[first...].prefix(shown.count)) == shown)
        }
    }
}
