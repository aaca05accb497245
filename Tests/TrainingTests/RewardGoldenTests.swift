import Foundation
import Tensors
import Testing
import Text
import Training

/// Losses and gradients against TRL's own, on log-probabilities that `Tests/Golden/rewards.py` makes by the same formula.
@Suite struct RewardGoldenTests {
    struct Values: Decodable {
        struct PPO: Decodable {
            let loss: Double
            let gradient: [Float]
            let valueGradient: [Float]
            let advantages: [Float]
            let returns: [Float]
        }

        let advantages: [String: [Double]]
        let policies: [String: Golden.Loss]
        let ppo: PPO
        let preferences: [String: Golden.Loss]
    }

    static let values = Result {
        try JSONDecoder().decode(
            Values.self, from: Data(contentsOf: Golden.folder.appendingPathComponent("rewards.json")))
    }

    static let lengths = [3, 5, 2, 4]
    static let rewards = [1.0, 0.25, 0.5, 2.0]
    static let now = abs(Golden.numbers([14], 41)) * -3 - 0.1
    static let old = byText((now + Golden.numbers([14], 42) * 0.4).floats())
    static let reference = byText((now + Golden.numbers([14], 43) * 0.8).floats())

    static func byText(_ values: [Float]) -> [[Float]] {
        var rest = values[...]
        return lengths.map { length in
            defer { rest = rest.dropFirst(length) }
            return Array(rest.prefix(length))
        }
    }

    static let texts = lengths.map {
        TokenSequence(prompt: [0], completion: (1...TokenID($0)).map { $0 })
    }

    /// The rows of a packed batch that predict the completions' tokens.
    static let rows: [Int32] = {
        var (rows, start): ([Int32], Int32) = ([], 0)
        for length in lengths {
            rows += (0..<Int32(length)).map { start + $0 }
            start += Int32(length) + 1
        }
        return rows
    }()

    /// Values of the completions' tokens as values of all rows. Differentiable.
    static func spread(_ values: Tensor) -> Tensor {
        let count = rows.count + lengths.count
        var places = [Int32](repeating: Int32(rows.count), count: count)
        for (place, row) in rows.enumerated() { places[Int(row)] = Int32(place) }
        let extended = concatenate([values, Tensor([Float(0)])]).reshaped([rows.count + 1, 1])
        return takeRows(extended, places).reshaped([count])
    }

    func expect(
        _ name: String, _ golden: Golden.Loss, of x: Tensor, over count: Double = 1,
        _ loss: (Tensor) throws -> ObjectiveLoss
    ) throws {
        let leaf = x.requiringGradient()
        let found = try loss(leaf).total * Float(1 / count)
        #expect(abs(Double(found.item) - golden.loss) <= 1e-5 * max(1, abs(golden.loss)), "\(name)")
        let gradient = try #require(found.backward()[leaf])
        #expect(relativeError(gradient.floats(), golden.gradient) <= 1e-4, "\(name)")
    }

    @Test func advantages() throws {
        let golden = try Self.values.get().advantages
        func expect(_ name: String, _ found: [Double]) throws {
            for (a, b) in zip(found, try #require(golden[name])) { #expect(abs(a - b) < 1e-6, "\(name)") }
        }
        try expect("centred", Advantages.groupNormalised(Self.rewards, group: 2, scales: false))
        try expect("scaled", Advantages.groupNormalised(Self.rewards, group: 2, scales: true))
        try expect("one out", Advantages.leaveOneOut(Self.rewards, group: 2))
    }

    /// - Parameter count: what the total is divided by to be TRL's mean.
    private func policy(_ name: String, _ algorithm: PolicyAlgorithm, over count: Double) throws {
        let experience = algorithm.samples(
            from: OnPolicyRound(
                rollouts, samplesPerPrompt: 2, behaviour: Self.old,
                reference: algorithm.usesReference ? Self.reference : nil))
        try expect(name, try #require(try Self.values.get().policies[name]), of: Self.now, over: count) {
            algorithm.loss.loss(
                TokenLogProbabilities(batch: PackedBatch(Self.texts), values: Self.spread($0)), values: nil,
                of: experience)
        }
    }

    private var rollouts: [Rollout] {
        zip(Self.texts, Self.rewards).map { text, reward in
            var rewards = [Float](repeating: 0, count: text.count - 1)
            rewards[rewards.count - 1] = Float(reward)
            return Rollout(
                prompt: [text.tokens[0]], completion: Array(text.tokens.dropFirst()), isFinished: true, rewards: rewards
            )
        }
    }

    @Test func policies() throws {
        try policy("grpo", .grpo(divergence: 0.04), over: 4)
        try policy("bnpo", .grpo(clipAbove: 0.28, divergence: 0.1, mean: .overTokens), over: 14)
        // TRL divides by the longest completion that it allows, here 5.
        try policy("dr_grpo", .grpo(divergence: 0, scales: false, mean: .ofSums), over: 4 * 5)
        try policy("rloo", .rloo(penalty: 0), over: 4)
    }

    @Test func proximal() throws {
        let golden = try Self.values.get().ppo
        let algorithm = try PolicyAlgorithm.ppo(discount: 0.99)
        let before = Golden.numbers([14], 44) * 0.5
        let experience = algorithm.samples(
            from: OnPolicyRound(
                rollouts, samplesPerPrompt: 2, behaviour: Self.old, reference: Self.reference,
                values: Self.byText(before.floats())))
        #expect(relativeError(experience.flatMap(\.advantages), golden.advantages) <= 1e-5)
        #expect(relativeError(experience.flatMap { $0.values?.returns ?? [] }, golden.returns) <= 1e-5)
        let values = (before + Golden.numbers([14], 45) * 0.4).requiringGradient()
        let leaf = Self.now.requiringGradient()
        let loss =
            algorithm.loss.loss(
                TokenLogProbabilities(batch: PackedBatch(Self.texts), values: Self.spread(leaf)),
                values: Self.spread(values), of: experience
            ).total * Float(1 / 14.0)
        #expect(abs(Double(loss.item) - golden.loss) <= 1e-5)
        let gradients = loss.backward()
        #expect(relativeError(try #require(gradients[leaf]).floats(), golden.gradient) <= 1e-4)
        #expect(relativeError(try #require(gradients[values]).floats(), golden.valueGradient) <= 1e-4)
    }

    @Test func preferences() throws {
        let golden = try Self.values.get().preferences
        func expect(_ name: String, _ x: Tensor, _ loss: (Tensor) throws -> ObjectiveLoss) throws {
            try self.expect(name, try #require(golden[name]), of: x, loss)
        }
        let (ratios, means) = (ObjectiveTests.ratios, ObjectiveTests.means)
        try expect("dpo", ratios) { try DPO(beta: 0.3).loss(logRatios: $0, lengths: ObjectiveTests.lengths) }
        try expect("ipo", ratios) {
            try DPO(beta: 0.3, loss: .identity).loss(logRatios: $0, lengths: ObjectiveTests.lengths)
        }
        try expect("kto", ratios) {
            try KTO(beta: 0.2, desirableWeight: 1.5, undesirableWeight: 0.5).loss(
                logRatios: $0, isDesirable: [true, false, false, true, true, false, true, false], divergence: 0.6)
        }
        try expect("orpo", means) { try ORPO(strength: 0.4).loss(means: $0) }
        try expect("simpo", means) { try SimPO(beta: 2, margin: 0.7).loss(means: $0) }
    }
}
