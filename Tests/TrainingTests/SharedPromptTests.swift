import Models
import Tensors
import Testing
import Text
import Training

/// Prompts that go through the model once for several texts: nothing else changes.
@Suite struct SharedPromptTests {
    private static func tokens(_ count: Int, _ seed: UInt32) -> [TokenID] {
        Golden.hashes(count, seed).map { TokenID($0 % 96) }
    }

    /// Two prompts, of nine and four tokens, and a text that is alone, out of order.
    private static let texts: [TokenSequence] = {
        let (long, short) = (tokens(9, 1), tokens(4, 2))
        return [
            TokenSequence(prompt: long, completion: tokens(5, 3)),
            TokenSequence(prompt: short, completion: tokens(3, 4)),
            TokenSequence(prompt: long, completion: tokens(1, 5)), TokenSequence(tokens(6, 6)),
            TokenSequence(prompt: long, completion: tokens(7, 7)),
            TokenSequence(prompt: short, completion: tokens(2, 8)),
        ]
    }()

    @Test func sharedRowsStandOnce() {
        let (whole, shared) = (PackedBatch(Self.texts), PackedBatch(Self.texts, together: 6))
        #expect(whole.rows == Self.texts.reduce(0) { $0 + $1.count })
        #expect(shared.rows == whole.rows - 2 * 8 - 3)
        for (index, text) in Self.texts.enumerated() {
            let rows = shared.rows(of: index)
            #expect(Array(shared.tokens[rows]) == text.tokens.suffix(rows.count))
            #expect(shared.positions[rows.upperBound - 1] == Int32(text.count - 1))
            let first = shared.firstRow(of: index, completion: 1)
            #expect(shared.targets.integers()[first] == text.tokens.last)
        }
        #expect(shared.weights.reduce(0, +) == whole.weights.reduce(0, +))
        // The same prompts, but all of it counts: nothing may be shared.
        let counting = Self.texts.map { TokenSequence($0.tokens) }
        #expect(PackedBatch(counting, together: 6).rows == whole.rows)
        #expect(PackedBatch([], together: 2).rows == 0)
        // Only neighbours, two by two.
        #expect(PackedBatch(Self.texts, together: 2).rows == whole.rows)
        let pairs = [0, 2, 1, 5].map { Self.texts[$0] }
        #expect(PackedBatch(pairs, together: 2).rows == pairs.reduce(0) { $0 + $1.count } - 8 - 3)
    }

    /// Loss and all gradients of one objective either way.
    private func expectTheSame(
        _ model: TrainableModel, _ name: String, _ loss: (Policy) throws -> Tensor
    ) throws {
        func gradients(_ sharesPrompts: Bool) throws -> (loss: Float, values: [[Float]]) {
            let found = try loss(Policy(model.model, heads: model.heads, sharesPrompts: sharesPrompts))
            let gradients = found.backward()
            return (found.item, model.parameters.map { gradients[$0.tensor]?.floats() ?? [] })
        }
        let (whole, shared) = (try gradients(false), try gradients(true))
        #expect((whole.loss - shared.loss).magnitude < 1e-4 * max(1, whole.loss.magnitude), "\(name)")
        let largest = whole.values.joined().reduce(0) { max($0, $1.magnitude) }
        #expect(largest > 0, "\(name)")
        for (parameter, (a, b)) in zip(model.parameters, zip(whole.values, shared.values)) {
            let gap = zip(a, b).reduce(0) { max($0, ($1.0 - $1.1).magnitude) }
            #expect(a.count == b.count && gap < 1e-4 * largest, "\(name), \(parameter.name): \(gap) of \(largest)")
        }
    }

    @Test func objectivesNoticeNothing() throws {
        let model = try TinyModel.load()
        let texts = Self.texts.filter { $0.shareableCount > 0 }
        let pairs = [(0, 2), (4, 0), (1, 5)].map { PreferencePair(chosen: Self.texts[$0], rejected: Self.texts[$1]) }
        let answers = pairs.flatMap { [$0.chosen, $0.rejected] }
        let batch = ObjectiveBatch(
            samples: pairs, texts: answers, referenceSums: answers.map { -3 - Float($0.count) / 4 })
        try expectTheSame(model, "dpo") { try DPO(beta: 0.5).loss(of: batch, policy: $0).total }
        let experience = texts.enumerated().map { index, text in
            let count = Int(text.weight)
            return Experience(
                text, advantages: (0..<count).map { Float($0 - index) / 3 + 0.5 },
                behaviour: [Float](repeating: -4.5, count: count), reference: [Float](repeating: -4, count: count))
        }
        let rollouts = ObjectiveBatch(samples: experience, texts: texts)
        for mean in [PolicyGradient.Mean.overTexts, .ofSums] {
            let objective = try PolicyGradient(ratio: .tokens(below: 0.2, above: 0.3), mean: mean, divergence: 0.1)
            try expectTheSame(model, "policy gradient") { try objective.loss(of: rollouts, policy: $0).total }
        }
        let unlikely = [UnlikelihoodSample(wanted: Self.texts[0], unwanted: Self.texts[4])]
        try expectTheSame(model, "unlikelihood") {
            try Unlikelihood().loss(
                of: ObjectiveBatch(samples: unlikely, texts: [Self.texts[0], Self.texts[4]]), policy: $0
            ).total
        }
        let judged = try NewHeads([.init(BradleyTerry.head, deviation: 0.5)], on: ChosenWeights.all).load(
            TinyModel.source(), precision: .f32, seed: 1)
        try expectTheSame(judged, "reward") { try BradleyTerry(centring: 0.1).loss(of: batch, policy: $0).total }
    }

    /// Layers that are computed again on the way back see the same branches.
    @Test func recomputedLayersNoticeNothing() throws {
        let model = try TinyModel.load()
        func gradients(_ recomputes: Bool) -> Gradients {
            Policy(model.model, recomputes: recomputes).logProbabilities(Self.texts, together: 6).sums.sum().backward()
        }
        let (kept, again) = (gradients(false), gradients(true))
        for parameter in model.parameters {
            let pairs = zip(kept[parameter.tensor]?.floats() ?? [], again[parameter.tensor]?.floats() ?? [])
            #expect(pairs.allSatisfy { ($0 - $1).magnitude < 1e-6 })
        }
    }
}
