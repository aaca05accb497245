import ArgumentParser
import Foundation
import Laboratory
import Models
import Tensors
import Text
import Training

/// Training steps on random tokens, each workload in a process of its own, so that its peak of memory is its own. Every workload gives
/// one figure a step; the first two don't count: they fill the pool of buffers, the second one because the first one's gradients became the
/// optimiser's state. Under `mpirun` the ranks share each step of those workloads that train on given texts.
struct TrainingBenchmark: Sendable {
    enum Workload: String, ExpressibleByArgument, CaseIterable {
        case full, lora, dpo, scratch, grpo
        /// The matrix products of a step alone: what the processor would allow.
        case productsFull = "products-full"
        case productsLora = "products-lora"
    }

    /// A GGUF file or a Hugging Face folder.
    let model: String
    let steps: Int

    private static let warmUp = 2
    private static let batch = 4
    private static let length = 512

    func measure(_ workload: Workload) async throws -> [Double] {
        switch workload {
        case .full: try await steps(Supervised(), ChosenWeights.all, samples(Self.batch))
        case .lora: try await steps(Supervised(), LowRankAdaptation(rank: 16), samples(Self.batch))
        case .dpo:
            // Two pairs have the tokens of a batch of four texts. Reference scores are made before the first step.
            try await steps(
                DPO(), LowRankAdaptation(rank: 16),
                zip(samples(Self.batch / 2), samples(Self.batch / 2, seed: 2)).map {
                    PreferencePair(chosen: $0, rejected: $1)
                })
        case .scratch: try await scratch()
        case .grpo: try await rewards()
        case .productsFull: try products(trainsWeights: true)
        case .productsLora: try products(trainsWeights: false)
        }
    }

    // MARK: Given texts

    /// - Parameter samples: of one step.
    private func steps<Training: Objective>(
        _ objective: Training, _ parameterisation: some Parameterisation, _ samples: [Training.Sample],
        of model: String? = nil
    ) async throws -> [Double] {
        try await inScratch { folder in
            var run = TrainingRun(
                model: model ?? self.model, objective: objective, parameterisation: parameterisation,
                optimisation: try Optimisation(rate: 1e-5), samples: samples, output: folder)
            run.settings.samplesPerStep = samples.count
            run.settings.steps = steps + Self.warmUp
            // From here to the end on one thread, as ranks want it.
            let ranks = try MPICommunicator.join()
            let session = try run.open(over: ranks, writesCheckpoints: false)
            var speeds: [Double] = []
            _ = try session.trainer.run { if case .step(let report) = $0 { speeds.append(report.tokensPerSecond) } }
            try ranks.leave()
            return Array(speeds.dropFirst(Self.warmUp))
        }
    }

    private func samples(_ count: Int, vocabulary: Int? = nil, seed: UInt64 = 1) throws -> [TokenSequence] {
        let size = try vocabulary ?? openWeights(at: model).configuration().vocabularySize
        var generator = SeededGenerator(seed: seed, stream: "training benchmark")
        return (0..<count).map { _ in
            TokenSequence((0..<Self.length).map { _ in TokenID.random(in: 0..<TokenID(size), using: &generator) })
        }
    }

    /// Ten million numbers, eight texts a step.
    private func scratch() async throws -> [Double] {
        try await inScratch { folder in
            let words = (0..<4095).map { "w\($0)" }
            let new = NewModel(
                .llama(layers: 10, hiddenSize: 256, heads: 4, feedForwardSize: 768), tokenizer: .words(words))
            try new.write(to: folder, seed: 1)
            let size = new.configuration.vocabularySize
            return try await steps(
                Supervised(), ChosenWeights.all, samples(2 * Self.batch, vocabulary: size), of: folder)
        }
    }

    // MARK: Texts of its own

    private static let prompts = 8
    private static let rollouts = 8
    private static let longest = 64

    /// Generated tokens a second of whole rounds: writing, rewarding, one step on all weights. Texts are of full length, so that every
    /// round is as long as the others. What they earn is arbitrary.
    private func rewards() async throws -> [Double] {
        try await inScratch { folder in
            var run = OnPolicyRun(
                model: model, objective: try PolicyAlgorithm.grpo(divergence: 0), parameterisation: ChosenWeights.all,
                optimisation: try Optimisation(rate: 1e-6),
                prompts: try samples(Self.prompts).map { Array($0.tokens.prefix(16)) }, output: folder,
                rewardKey: "benchmark"
            ) { model, source in
                try EngineSampler(model, from: source, precision: .bf16, ignoresEndOfText: true) { texts in
                    texts.enumerated().map { Reward(Double($0 % 2), for: $1) }
                }
            }
            run.settings.rounds = steps + Self.warmUp
            run.settings.promptsPerRound = Self.prompts
            run.settings.samplesPerPrompt = Self.rollouts
            run.settings.longest = Self.longest
            let history = try await run.followed().history
            return history.steps.dropFirst(Self.warmUp).map {
                Double(Self.prompts * Self.rollouts * Self.longest) / $0.seconds
            }
        }
    }

    // MARK: The floor

    /// Tokens a second if a step were nothing but the products of its linear layers, over all of its rows at once: forward,
    /// back to the input, and, where weights train, back to the weight. In low precision where the processor has it, else in f32.
    private func products(trainsWeights: Bool) throws -> [Double] {
        let configuration = try openWeights(at: model).configuration()
        let (hidden, inner) = (configuration.hiddenSize, configuration.feedForwardSize)
        let (queries, keys) = (
            configuration.heads * configuration.headSize, configuration.kvHeads * configuration.headSize
        )
        let blocks = configuration.layers
        let layers: [(out: Int, into: Int, count: Int)] = [
            (queries, hidden, blocks), (keys, hidden, 2 * blocks), (hidden, queries, blocks),
            (inner, hidden, 2 * blocks),
            (hidden, inner, blocks), (configuration.vocabularySize, hidden, 1),
        ]
        let rows = Self.batch * Self.length
        func random(_ shape: Shape, _ seed: UInt64) -> Tensor {
            Tensor.normal(shape, deviation: 1, seed: seed).cast(to: Processor.multipliesBF16 ? .bf16 : .f32)
        }
        let clock = ContinuousClock()
        return (0..<steps + Self.warmUp).map { _ in
            var seconds = 0.0
            for (place, layer) in layers.enumerated() {
                let (x, weight) = (random([rows, layer.into], 1), random([layer.out, layer.into], 2))
                let dy = random([rows, layer.out], UInt64(3 + place))
                let own = clock.measure {
                    _ = matmul(x, weight.transposed(), precision: .bf16)
                    _ = matmul(dy, weight, precision: .bf16)
                    if trainsWeights { _ = matmul(dy.transposed(), x, precision: .bf16) }
                }
                seconds += Double(layer.count) * (own / .seconds(1))
            }
            return Double(rows) / seconds
        }.dropFirst(Self.warmUp).map { $0 }
    }

    private func inScratch<Result>(_ body: (String) async throws -> Result) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.path + "/lyceum-bench-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await body(folder)
    }
}
