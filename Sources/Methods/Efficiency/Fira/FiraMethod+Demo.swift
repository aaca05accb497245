import Foundation
import Inference
import Laboratory
import Models
import Tensors
import Text
import Training

extension FiraMethod {
    /// A byte-level Llama of two layers of width 64 learns made-up prose, 400 steps of eight texts of 64 bytes from the same start and in the same order: under full Adam,
    /// GaLore, and Fira with both residuals. GaLore is the same code without the part outside the projection.
    public func demo(in lab: Lab) async throws -> Demonstration {
        var generator = lab.random("prose")
        let text = MadeUpProse(using: &generator).text(bytes: 8 * 64 * 500, using: &generator)
        let start = try lab.newModel(
            "untaught", NewModel(.llama(layers: 2, hiddenSize: 64, heads: 4, contextLength: 128), tokenizer: .bytes()))
        let bytes = try ModelText(path: start).tokenizer.encode(text)
        let texts = try Corpus.texts(documents: [bytes], length: 64, separator: nil).filter { $0.count == 64 }
        let heldOut = Array(texts.suffix(200))
        let stage = OptimiserStage(
            model: start, samples: Array(texts.dropLast(200)), heldOut: heldOut, rate: 3e-3, batch: 8, steps: 400,
            schedule: .constant, precision: .f32, lab: lab)
        func rule(_ residual: Fira.Residual) throws -> Fira {
            try Fira(rank: 4, refreshGap: 100, scale: 0.25, residual: residual)
        }
        let adam = try await stage.train("Adam", AdamW(epsilon: 1e-6))
        let galore = try await stage.train("GaLore", rule(.none))
        let exact = try await stage.train("Fira, exact", rule(.exact))
        let reference = try await stage.train("Fira, reference", rule(.reference))
        let arms = [adam, galore, exact, reference]
        let exactness = try FiraExactness()
        let agreement = try await ScalingAgreement.measure(
            start: start, samples: Array(texts.prefix(800)), seed: lab.seed("agreement"))

        let three = NumberStyle.decimals(3)
        var report = Report(
            "Fira with the state of GaLore",
            summary: "Held-out nats a byte: "
                + arms.map { "\($0.name) \(three.text($0.loss))" }.joined(separator: "; ") + ".")
        report.add(OptimiserArm.table(arms))
        report.add(OptimiserArm.plot(arms))
        report.note(
            "Fira remembers one number a projected matrix more than GaLore (14 matrices). The text is drawn from a made-up grammar, the same for all arms."
        )
        let scalars = Double(reference.stateBytes - galore.stateBytes) / 4
        return Demonstration(
            report,
            checks: [
                Check("GaLore minus Fira (exact), nats a byte", galore.loss - exact.loss, .atLeast(0.08)),
                Check("GaLore minus Fira (reference), nats a byte", galore.loss - reference.loss, .atLeast(0.08)),
                Check("Fira (exact) minus Adam, nats a byte", exact.loss - adam.loss, .atMost(0.3)),
                Check("Fira (reference) minus Adam, nats a byte", reference.loss - adam.loss, .atMost(0.3)),
                Check("state beyond GaLore's, numbers", scalars, .between(14, 14), role: .mechanism),
                Check(
                    "full rank against Adam in the rotated basis, error", exactness.fullRankError, .atMost(1e-5),
                    role: .mechanism),
                Check("residual at full rank", exactness.fullRankResidual, .atMost(1e-5), role: .mechanism),
                Check("PᵀP - I, largest", exactness.basisError, .atMost(1e-5), role: .mechanism),
                Check("growth after a jump over γ, error", exactness.limiterError, .atMost(1e-4), role: .mechanism),
                Check(
                    "φ of the first step, relative error", exactness.firstFactorError, .atMost(1e-3), role: .mechanism),
                Check("rank correlation of φ, low and full rank", agreement, .atLeast(0.8)),
            ],
            controls: [
                .init("Adam, nats a byte", adam.loss), .init("GaLore, nats a byte", galore.loss),
                .init("Fira (exact), nats a byte", exact.loss), .init("Fira (reference), nats a byte", reference.loss),
                .init("state of Adam, bytes", Double(adam.stateBytes)),
                .init("state of GaLore, bytes", Double(galore.stateBytes)),
                .init("state of Fira, bytes", Double(reference.stateBytes)),
            ])
    }
}

/// Sentences of a small grammar over made-up words: text with letters, words and word order to learn, the same on every machine.
struct MadeUpProse {
    private let nouns: [String]
    private let verbs: [String]
    private let adjectives: [String]

    init(using generator: inout SeededGenerator) {
        func word(_ syllables: Int, _ ending: String, _ generator: inout SeededGenerator) -> String {
            let (heads, tails) = (
                ["b", "d", "f", "k", "l", "m", "n", "p", "r", "s", "t", "v", "st", "gr"],
                ["a", "e", "i", "o", "u", "ai"]
            )
            return (0..<syllables).map { _ in (generator.pick(heads) ?? "") + (generator.pick(tails) ?? "") }.joined()
                + ending
        }
        nouns = (0..<80).map { _ in word(2 + generator.below(2), "n", &generator) }
        verbs = (0..<50).map { _ in word(1 + generator.below(2), "ts", &generator) }
        adjectives = (0..<40).map { _ in word(2, "l", &generator) }
    }

    /// At least so many bytes of sentences. Common words are commoner than rare ones.
    func text(bytes: Int, using generator: inout SeededGenerator) -> String {
        func common(_ words: [String], _ generator: inout SeededGenerator) -> String {
            words[min(generator.below(words.count), generator.below(words.count))]
        }
        var text = ""
        while text.utf8.count < bytes {
            func phrase(_ generator: inout SeededGenerator) -> String {
                let article = generator.chance(0.6) ? "the" : "a"
                let middle = generator.chance(0.4) ? " " + common(adjectives, &generator) : ""
                return article + middle + " " + common(nouns, &generator)
            }
            text += phrase(&generator) + " " + common(verbs, &generator) + " " + phrase(&generator)
            if generator.chance(0.3) { text += " and " + common(verbs, &generator) + " " + phrase(&generator) }
            text += ".\n"
        }
        return text
    }
}
