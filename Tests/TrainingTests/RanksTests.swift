import Foundation
import Models
import Synchronization
import Tensors
import Testing
import Training

/// Several ranks are one process that has more cores: the same curves and weights, whatever trains and whatever moves it.
@Suite struct RanksTests {
    /// What an attempt ends with.
    struct Outcome: Sendable {
        var history: TrainingHistory
        var weights: [[Float]]
        var bytes: Int?
    }

    static func settings(steps: Int = 20) -> TrainerSettings {
        var settings = TrainerSettings()
        settings.samplesPerStep = 5
        settings.tokensPerPass = 30
        settings.steps = steps
        settings.seed = 11
        settings.stepsPerEvaluation = 8
        return settings
    }

    static func train<Training: Objective>(
        _ objective: Training, _ samples: [Training.Sample], _ parameterisation: some Parameterisation,
        _ optimisation: Optimisation, settings: TrainerSettings, folder: String? = nil, over ranks: any Communicator,
        onEvent: (TrainingEvent) throws -> Void = { _ in }
    ) throws -> Outcome {
        let model = try TinyModel.load(parameterisation)
        let held = samples.count * 3 / 4
        let trainer = try Trainer(
            model, objective: objective, optimisation: optimisation, samples: Array(samples[..<held]),
            heldOut: Array(samples[held...]), settings: settings, folder: folder, modelKey: "tiny", over: ranks)
        let summary = try trainer.run(onEvent: onEvent)
        return Outcome(
            history: summary.history, weights: model.parameters.map { $0.tensor.floats() },
            bytes: summary.optimiserBytes)
    }

    /// Every rank's curves and weights are a single process's.
    static func expectSame(_ many: [Outcome], _ one: Outcome, tolerance: Double = 1e-4) {
        for rank in many {
            #expect(rank.weights == many[0].weights, "ranks differ in their weights")
            #expect(rank.history.steps.count == one.history.steps.count)
            for (found, expected) in zip(rank.history.steps, one.history.steps) {
                #expect(abs(found.loss - expected.loss) <= tolerance * abs(expected.loss), "step \(found.step)")
                #expect(abs(found.gradientNorm - expected.gradientNorm) <= 10 * tolerance * expected.gradientNorm)
                #expect(found.tokens == expected.tokens && found.rate == expected.rate)
                #expect(found.figures.keys == expected.figures.keys)
                // Before anything is learnt the pairs of a preference are tied, and rounding decides which one wins.
                let isTied = abs(expected.figures["margin"] ?? 1) < 1e-5
                for (name, figure) in expected.figures where !(isTied && name == "accuracy") {
                    #expect(
                        abs((found.figures[name] ?? .nan) - figure) <= 20 * tolerance * max(1, abs(figure)), "\(name)")
                }
            }
            #expect(rank.history.evaluations.count == one.history.evaluations.count)
            for (found, expected) in zip(rank.history.evaluations, one.history.evaluations) {
                #expect(abs(found.loss - expected.loss) <= tolerance * abs(expected.loss))
                #expect(found.isBest == expected.isBest)
            }
            #expect(rank.bytes == one.bytes)
        }
        for (found, expected) in zip(many[0].weights, one.weights) {
            #expect(relativeError(found, expected) <= Float(20 * tolerance))
        }
    }

    static func compare<Training: Objective>(
        _ objective: Training, _ samples: [Training.Sample], _ parameterisation: some Parameterisation,
        _ optimisation: Optimisation, ranks sizes: [Int] = [2, 3], settings: TrainerSettings = Self.settings()
    ) throws {
        let one = try train(
            objective, samples, parameterisation, optimisation, settings: settings, over: SingleProcess())
        for size in sizes {
            let many = try ThreadRanks.run(size) {
                try train(objective, samples, parameterisation, optimisation, settings: settings, over: $0)
            }
            expectSame(many, one)
        }
    }

    @Test func allWeightsWithClipping() throws {
        // A norm small enough that every step is clipped.
        try Self.compare(
            Supervised(), TinyModel.samples, ChosenWeights.all,
            Optimisation(
                AdamW(), rate: 1e-3, schedule: .init(.cosine(end: 0.1), warmUp: 2), decay: 0.1, largestNorm: 0.05))
    }

    /// Dropout too draws what it draws in one process.
    @Test func adapterWithDropout() throws {
        try Self.compare(
            Supervised(), TinyModel.samples, LowRankAdaptation(rank: 2, alpha: 4, dropout: 0.2),
            Optimisation(AdamW(), rate: 5e-3, decay: 0.1))
    }

    @Test func adapterWithMagnitudesAndEightBits() throws {
        try Self.compare(
            Supervised(), TinyModel.samples, LowRankAdaptation(rank: 2, alpha: 4, trainsMagnitudes: true),
            Optimisation(EightBitAdamW(leastCount: 64), rate: 2e-3), settings: Self.settings(steps: 8))
    }

    @Test func optimisersOfWholeMatrices() throws {
        try Self.compare(
            Supervised(), TinyModel.samples, ChosenWeights.all, Optimisation(Adafactor(), rate: 1e-2))
        try Self.compare(
            Supervised(), TinyModel.samples, ChosenWeights.all,
            Optimisation(Fira(rank: 4, refreshGap: 5), rate: 1e-3), ranks: [2])
    }

    /// Reference scores, two texts a sample, figures besides the loss.
    @Test func preferences() throws {
        let texts = TinyModel.samples
        let pairs = (0..<8).map { PreferencePair(chosen: texts[$0], rejected: texts[($0 + 3) % 12]) }
        try Self.compare(DPO(), pairs, LowRankAdaptation(rank: 2, alpha: 4), Optimisation(rate: 5e-3))
    }

    /// A loss that compares the samples of a pass sees the passes of a single process.
    @Test func comparedSamples() throws {
        let texts = TinyModel.samples
        let answers = (0..<9).map {
            JudgedAnswer(texts[$0], isDesirable: $0 % 2 == 0, mismatched: texts[($0 + 1) % 9])
        }
        try Self.compare(KTO(), answers, ChosenWeights.all, Optimisation(rate: 1e-3))
    }

    /// More ranks than samples: some have nothing to do and take part all the same.
    @Test func moreRanksThanSamples() throws {
        var settings = Self.settings(steps: 4)
        settings.samplesPerStep = 2
        try Self.compare(
            Supervised(), TinyModel.samples, ChosenWeights.all, Optimisation(rate: 1e-3), ranks: [4], settings: settings
        )
    }

    @Test func bestIsRestoredEverywhere() throws {
        var settings = Self.settings(steps: 9)
        settings.stepsPerEvaluation = 1
        settings.keepsBest = true
        // Steps that are too long make the held-out loss worse in the end.
        let optimisation = try Optimisation(GradientDescent(), rate: 2, largestNorm: nil)
        try Self.compare(Supervised(), TinyModel.samples, ChosenWeights(["norm"]), optimisation, settings: settings)
        try withTemporaryFolder { folder in
            let many = try ThreadRanks.run(2) { [settings] in
                try Self.train(
                    Supervised(), TinyModel.samples, ChosenWeights(["norm"]), optimisation, settings: settings,
                    folder: folder, over: $0)
            }
            #expect(many[0].weights == many[1].weights)
        }
    }

    struct Killed: Error {}

    /// Killed and taken up by as many ranks a run ends the same to the bit; by another number of them, the same but for rounding.
    @Test(arguments: [3, 1]) func goesOn(with size: Int) throws {
        var settings = Self.settings(steps: 14)
        settings.stepsPerCheckpoint = 3
        let optimisation = try Optimisation(AdamW(), rate: 5e-3, schedule: .init(.cosine(end: 0.1), warmUp: 2))
        let whole = try ThreadRanks.run(3) { [settings] in
            try Self.train(
                Supervised(), TinyModel.samples, ChosenWeights.all, optimisation, settings: settings, over: $0)
        }
        try withTemporaryFolder { folder in
            #expect(throws: Killed.self) {
                try ThreadRanks.run(3) { [settings] ranks in
                    try Self.train(
                        Supervised(), TinyModel.samples, ChosenWeights.all, optimisation, settings: settings,
                        folder: folder, over: ranks
                    ) { event in
                        // Any rank may be the one that dies.
                        if case .step(let report) = event, report.step == 8, ranks.rank == 1 { throw Killed() }
                    }
                }
            }
            let starts = Mutex<[Int]>([])
            let resumed = try ThreadRanks.run(size) { [settings] in
                try Self.train(
                    Supervised(), TinyModel.samples, ChosenWeights.all, optimisation, settings: settings,
                    folder: folder,
                    over: $0
                ) { event in
                    if case .resumed(let step, _) = event { starts.withLock { $0.append(step) } }
                }
            }
            #expect(starts.withLock { $0 } == Array(repeating: 6, count: size))
            if size == 3 {
                #expect(resumed[0].weights == whole[0].weights)
                #expect(resumed[0].history.steps.map(\.loss) == whole[0].history.steps.map(\.loss))
            }
            Self.expectSame(resumed, whole[0])
        }
    }

    /// A request at any rank stops all of them after the same step.
    @Test func stopsTogether() throws {
        let ends = try ThreadRanks.run(2) { ranks in
            let stop = TrainingStop()
            let trainer = try Trainer(
                try TinyModel.load(), objective: Supervised(), optimisation: try Optimisation(rate: 1e-3),
                samples: TinyModel.samples, settings: Self.settings(), over: ranks)
            let summary = try trainer.run(stop: stop) { event in
                if case .step(let report) = event, report.step == 5, ranks.rank == 1 { stop.request() }
            }
            return (summary.outcome, summary.history.steps.count)
        }
        #expect(ends.allSatisfy { $0.0 == .interrupted && $0.1 == 5 })
    }

    /// A loss that is no number at one rank ends the run with the same error at all.
    @Test func notFiniteIsFoundTogether() throws {
        let errors = try ThreadRanks.run(2) { ranks -> String in
            let trainer = try Trainer(
                try TinyModel.load(), objective: Poisoned(), optimisation: try Optimisation(rate: 1e-3),
                samples: TinyModel.samples, settings: Self.settings(), over: ranks)
            do { try trainer.run() } catch { return "\(error)" }
            return ""
        }
        #expect(errors[0].contains("loss") && errors[0] == errors[1])
    }

    /// The longest sample has a loss that is no number.
    private struct Poisoned: Objective {
        var name: String { "poisoned" }
        func texts(of sample: TokenSequence) -> [TokenSequence] { [sample] }
        func loss(of batch: ObjectiveBatch<TokenSequence>, policy: Policy) throws -> ObjectiveLoss {
            let isBad = batch.texts.contains { $0.count >= 15 }
            return ObjectiveLoss(policy.crossEntropy(batch.texts) * (isBad ? .nan : 1))
        }
    }

    // MARK: The parts

    @Test func sharesOut() {
        // The largest first, each to whoever has least; the lower rank where they have the same.
        #expect(sharedOut([5, 1, 4, 3, 3], over: 2) == [0, 1, 1, 1, 0])
        #expect(sharedOut([2, 2, 2], over: 3) == [0, 1, 2])
        #expect(sharedOut([], over: 2) == [])
    }

    @Test func passesOfRanks() {
        let sizes = [9, 3, 5, 4, 8, 2]
        func cut(_ rank: Int, of ranks: Int, whole: Bool) -> [RankPass] {
            rankPasses(Array(sizes.indices), tokens: { sizes[$0] }, limit: 10, rank: rank, of: ranks, whole: whole)
        }
        let alone = cut(0, of: 1, whole: false)
        #expect(alone.map(\.samples) == passes(Array(sizes.indices), tokens: { sizes[$0] }, limit: 10))
        for whole in [true, false] {
            let all = (0..<3).flatMap { cut($0, of: 3, whole: whole) }
            #expect(all.flatMap(\.samples).sorted() == Array(sizes.indices))
            #expect(Set(all.map(\.number)).count == all.count)
            if whole { #expect(Set(all) == Set(alone)) }
        }
        // 31 tokens: 9 + 3 + 4 and 8 + 5 + 2.
        #expect(cut(0, of: 2, whole: false).flatMap(\.samples).sorted() == [0, 1, 3])
    }

    @Test func buckets() {
        let shares = ParameterShares([100, 3, 50, 2, 60, 1], over: 2, bucketSize: 50)
        #expect(shares.owners == [0, 0, 1, 0, 1, 0])
        // Large ones alone, small ones together, by the one that is ready last: the backward pass comes from the end.
        #expect(shares.buckets.map(\.members) == [[4], [2], [5, 3, 1], [0]])
        #expect(shares.buckets.map(\.owner) == [1, 1, 0, 0])
        let small = ParameterShares([30, 30, 30, 30, 30, 30], over: 2, bucketSize: 50)
        #expect(small.owners == [0, 1, 0, 1, 0, 1])
        #expect(small.buckets.map(\.members) == [[5, 3], [4, 2], [1], [0]])
    }

    @Test func threadsOfRanks() {
        typealias Set = MPICommunicator.ProcessorSet
        func threads(_ sets: [Set]) -> [Int] { sets.indices.map { MPICommunicator.threads(of: sets, rank: $0) } }
        let all = Set(machine: "a", processors: Array(0..<8))
        #expect(threads([all, all]) == [4, 4])
        #expect(threads([all, all, all]) == [2, 2, 2])
        // Bound to a core each; on machines of their own; more ranks than processors.
        #expect(threads((0..<2).map { Set(machine: "a", processors: [$0]) }) == [1, 1])
        #expect(threads([all, Set(machine: "b", processors: [0, 1])]) == [8, 2])
        #expect(threads(Array(repeating: Set(machine: "a", processors: [0]), count: 3)) == [1, 1, 1])
    }

    @Test func places() {
        typealias Place = MPICommunicator.Place
        #expect(Place(environment: [:]) == Place(environment: ["OMPI_COMM_WORLD_SIZE": "1"]))
        let second = Place(environment: ["OMPI_COMM_WORLD_SIZE": "3", "OMPI_COMM_WORLD_RANK": "1"])
        #expect(second.rank == 1 && second.size == 3 && !second.isFirst)
    }
}
