import Foundation
import Models
import Tensors
import Testing
import Training

/// What the loop promises beside the mathematics: exact continuation, evaluation, stopping, clear errors.
@Suite struct TrainerTests {
    struct Killed: Error {}

    static var settings: TrainerSettings {
        var settings = TrainerSettings()
        settings.samplesPerStep = 5
        settings.tokensPerPass = 40
        settings.steps = 14
        settings.seed = 11
        settings.stepsPerCheckpoint = 3
        return settings
    }

    func model() throws -> TrainableModel {
        try LowRankAdaptation(rank: 2, alpha: 4, dropout: 0.2).load(TinyModel.source(), precision: .f32, seed: 3)
    }

    func trainer(
        _ model: TrainableModel, folder: String? = nil, settings: TrainerSettings = Self.settings, rate: Double = 5e-3
    ) throws -> Trainer<Supervised> {
        try Trainer(
            model, objective: Supervised(),
            optimisation: try Optimisation(rate: rate, schedule: .init(.cosine(end: 0.1), warmUp: 2), decay: 0.1),
            samples: Array(TinyModel.samples[..<9]), heldOut: Array(TinyModel.samples[9...]), settings: settings,
            folder: folder, modelKey: "tiny")
    }

    func numbers(_ model: TrainableModel) -> [[Float]] { model.parameters.map { $0.tensor.floats() } }

    /// Killed at any step, also between checkpoints and with a half-written file left behind, the run ends with the same weights to
    /// the bit as one that wasn't.
    @Test(arguments: [1, 4, 6, 7, 13]) func goesOn(killedAt last: Int) throws {
        let whole = try model()
        let expected = try trainer(whole).run()
        try withTemporaryFolder { folder in
            #expect(throws: Killed.self) {
                try trainer(try model(), folder: folder).run { event in
                    if case .step(let report) = event, report.step == last { throw Killed() }
                }
            }
            try Data([1, 2, 3]).write(
                to: URL(fileURLWithPath: folder + "/checkpoint-00000099.safetensors.partial-1-2"))
            let resumed = try model()
            var start = 0
            let summary = try trainer(resumed, folder: folder).run { event in
                if case .resumed(let step, _) = event { start = step }
            }
            #expect(start == (last - 1) / 3 * 3)
            #expect(numbers(resumed) == numbers(whole))
            #expect(summary.history.steps.map(\.loss) == expected.history.steps.map(\.loss))
            let left = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(!left.contains { $0.contains("partial") } && left.filter { $0.hasPrefix("checkpoint") }.count == 2)
        }
    }

    /// A request to stop ends the run after its step with a checkpoint.
    @Test func stops() throws {
        try withTemporaryFolder { folder in
            let stop = TrainingStop()
            let summary = try trainer(try model(), folder: folder).run(stop: stop) { event in
                if case .step(let report) = event, report.step == 5 { stop.request() }
            }
            #expect(summary.outcome == .interrupted && summary.history.steps.count == 5)
            let resumed = try model()
            let rest = try trainer(resumed, folder: folder).run()
            let whole = try model()
            try trainer(whole).run()
            #expect(rest.outcome == .completed && numbers(resumed) == numbers(whole))
        }
    }

    @Test func refusesAnotherRunsCheckpoint() throws {
        try withTemporaryFolder { folder in
            try trainer(try model(), folder: folder).run()
            #expect {
                try trainer(try model(), folder: folder, rate: 1e-3).run()
            } throws: { error in
                "\(error)".contains("belongs to a run with another optimiser, rate or schedule; choose")
            }
        }
    }

    /// How passes are cut and what is looked at on the way may change between a run and its continuation; what is learned may not, whether it
    /// is in the texts or beside them.
    @Test func knowsWhatDecidesARun() throws {
        func classify(_ label: Int, _ folder: String, passes: Int) throws -> TrainingSummary {
            var settings = Self.settings
            settings.steps = 2
            settings.stepsPerCheckpoint = 1
            (settings.tokensPerPass, settings.recomputes) = (passes, passes < 40)
            let heads = try NewHeads([.init(Classification.head, outputs: 2)], on: ChosenWeights.all)
            return try Trainer(
                try heads.load(TinyModel.source(), precision: .f32, seed: 3),
                objective: Classification(), optimisation: Optimisation(rate: 1e-3),
                samples: TinyModel.samples.map { LabelledText($0, label: label) }, settings: settings, folder: folder
            ).run()
        }
        try withTemporaryFolder { folder in
            _ = try classify(1, folder, passes: 40)
            #expect(try classify(1, folder, passes: 20).outcome == .completed)
            #expect {
                try classify(0, folder, passes: 40)
            } throws: { "\($0)".contains("belongs to a run with another data; choose") }
        }
    }

    /// A run that has ended early has ended: the same command changes nothing.
    @Test func staysStoppedEarly() throws {
        var settings = Self.settings
        settings.steps = 400
        settings.stepsPerEvaluation = 5
        settings.patience = 3
        try withTemporaryFolder { folder in
            let first = try model()
            let summary = try trainer(first, folder: folder, settings: settings, rate: 2e-2).run()
            let second = try model()
            let again = try trainer(second, folder: folder, settings: settings, rate: 2e-2).run()
            #expect(summary.outcome == .stoppedEarly && again.outcome == .stoppedEarly)
            #expect(again.history == summary.history && numbers(second) == numbers(first))
        }
    }

    /// A stop is heard while the texts are scored by the model before training.
    @Test func stopsWhileScoring() throws {
        let pairs = TinyModel.samples.indices.dropFirst().map {
            PreferencePair(chosen: TinyModel.samples[$0], rejected: TinyModel.samples[$0 - 1])
        }
        let trainer = try Trainer(
            try model(), objective: DPO(), optimisation: Optimisation(rate: 1e-3), samples: pairs,
            settings: Self.settings)
        let stop = TrainingStop()
        var scored = 0
        let stopped = try trainer.run(stop: stop) { event in
            if case .scoringReference = event {
                scored += 1
                stop.request()
            }
        }
        #expect(stopped.outcome == .interrupted && stopped.history.steps.isEmpty && scored == 1)
        #expect(try trainer.run().outcome == .completed)
    }

    /// A figure that not all samples have is the mean over those that do.
    @Test func meansAreOverThoseThatCount() throws {
        func evaluation(_ wanted: [Bool]) throws -> [String: Double] {
            let answers = zip(TinyModel.samples, wanted).map { JudgedAnswer($0, isDesirable: $1) }
            var settings = Self.settings
            settings.steps = 1
            let trainer = try Trainer(
                try TinyModel.load(), objective: KTO(), optimisation: Optimisation(rate: 1e-2), samples: answers,
                heldOut: answers, settings: settings)
            return try #require(try trainer.run().history.evaluations.last).figures
        }
        let one = try evaluation([true])
        #expect(one["wanted reward"] != nil && one["unwanted reward"] == nil)
        let both = try evaluation([true, false, false])
        #expect(both["wanted reward"] != nil && both["unwanted reward"] != nil)
    }

    /// The best evaluation's parameters come back, and evaluations without a better one end the run.
    @Test func keepsTheBest() throws {
        var settings = Self.settings
        settings.steps = 400
        settings.stepsPerEvaluation = 5
        settings.patience = 3
        settings.keepsBest = true
        // Random held-out texts can only get worse in the long run.
        let model = try model()
        let trainer = try trainer(model, settings: settings, rate: 2e-2)
        let summary = try trainer.run()
        #expect(summary.outcome == .stoppedEarly)
        let best = try #require(summary.history.best)
        #expect(summary.history.evaluations.suffix(3).allSatisfy { !$0.isBest })
        #expect(try trainer.evaluation().loss == best.loss)
    }

    @Test func namesTheStepThatIsNoNumber() throws {
        let model = try TinyModel.load()
        try withTemporaryFolder { folder in
            var settings = Self.settings
            settings.stepsPerCheckpoint = 1
            let trainer = try trainer(model, folder: folder, settings: settings)
            #expect {
                try trainer.run { event in
                    if case .checkpointed(2, _) = event {
                        model.parameters[0].tensor.detached().assign(.full(.nan, model.parameters[0].tensor.shape))
                    }
                }
            } throws: { error in
                "\(error)".contains("step 3") && "\(error)".contains("checkpoint-00000002.safetensors")
            }
        }
    }

    @Test func refusesBadSamples() throws {
        func fails(_ samples: [TokenSequence], _ part: String) {
            #expect {
                try Trainer(
                    try TinyModel.load(), objective: Supervised(), optimisation: try Optimisation(rate: 1),
                    samples: samples)
            } throws: { "\($0)".contains(part) }
        }
        fails([], "none to train on")
        fails([TokenSequence([1, 2]), TokenSequence([1, 96])], "Sample 2: the token 96 is outside")
        fails([TokenSequence([1])], "none to predict")
    }

    /// Every sample once an epoch, in another order each, and no pass above its limit unless one sample alone is.
    @Test func ordersAndCuts() {
        var order = DataOrder(count: 7, perStep: 3, seed: 5, epochs: 2)
        #expect(order.steps == 5)
        let taken = (1...5).flatMap { order.samples(ofStep: $0) }
        #expect(taken.count == 14)
        #expect(taken[..<7].sorted() == Array(0..<7) && taken[7..<14].sorted() == Array(0..<7))
        #expect(Array(taken[..<7]) != Array(taken[7..<14]))
        var other = DataOrder(count: 7, perStep: 3, seed: 5)
        #expect(other.samples(ofStep: 4) == order.samples(ofStep: 4))
        let sizes = [5, 9, 2, 4, 20, 1]
        let cut = passes([0, 1, 2, 3, 4, 5], tokens: { sizes[$0] }, limit: 10)
        #expect(cut == [[4], [1, 5], [0, 3], [2]])
    }

    /// Samples of a prompt of three tokens go together, and the prompt counts once.
    @Test func passesKeepPromptsTogether() {
        let sizes = [5, 6, 5, 8, 5, 4]
        let cut = passes(
            [0, 1, 2, 3, 4, 5], tokens: { sizes[$0] }, limit: 10,
            prompt: { $0 % 2 == 0 ? SharedPrompt(number: 7, tokens: 3) : nil })
        #expect(cut == [[0, 2, 4], [3], [1, 5]])
        let tight = passes(
            [0, 2, 4], tokens: { sizes[$0] }, limit: 8, prompt: { _ in SharedPrompt(number: 7, tokens: 3) })
        #expect(tight == [[0, 2], [4]])
    }
}
