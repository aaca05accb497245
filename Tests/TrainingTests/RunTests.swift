import Foundation
import Models
import Synchronization
import Tensors
import Testing
import Text
import Training

/// Whole runs, from a model's file to files that load.
@Suite struct RunTests {
    func sums(_ model: DecoderModel) -> [Float] {
        GradientMode.withoutGradients { Policy(model).logProbabilities(TinyModel.samples).sums.floats() }
    }

    func run(_ parameterisation: some Parameterisation, output: String) throws -> TrainingRun<Supervised> {
        var run = TrainingRun(
            model: try TinyModel.folder.get(), objective: Supervised(), parameterisation: parameterisation,
            optimisation: try Optimisation(rate: 1e-2), samples: TinyModel.samples, output: output)
        run.settings.samplesPerStep = 6
        run.settings.epochs = 3
        run.precision = .f32
        run.format = .f32
        return run
    }

    @Test func adapterLoads() async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let seen = Mutex<[StepReport]>([])
        try await run(try LowRankAdaptation(rank: 4), output: folder).followed { event in
            if case .step(let report) = event { seen.withLock { $0.append(report) } }
        }
        let steps = seen.withLock { $0 }
        #expect(steps.count == 6 && steps.allSatisfy { $0.tokens > 0 && $0.seconds > 0 })
        let model = try DecoderModel(TinyModel.source(), precision: .f32)
        let tuned = try AdapterFolder.read(folder, for: model.configuration).applied(to: model)
        #expect(sums(tuned).reduce(0, +) > sums(model).reduce(0, +))
        #expect(FileManager.default.fileExists(atPath: folder + "/run.json"))
    }

    @Test func modelLoads() throws {
        try withTemporaryFolder { folder in
            let summary = try run(ChosenWeights.all, output: folder).run()
            #expect(summary.outcome == .completed)
            let (before, after) = (
                try DecoderModel(TinyModel.source(), precision: .f32),
                try DecoderModel(openWeights(at: folder), precision: .f32)
            )
            #expect(sums(after).reduce(0, +) > sums(before).reduce(0, +))
            #expect(try openWeights(at: folder).configuration() == TinyModel.source().configuration())
        }
    }

    /// From a GGUF file, whose rows stand in another order, training gives the same model, as `model.gguf` with its words.
    @Test func modelFromGGUFLoads() throws {
        try withTemporaryFolder { folder in
            let start = folder + "/start.gguf"
            try ModelConversion(ModelWeights(TinyModel.source()), format: .f32).writeGGUF(
                to: start, metadata: [("general.name", .string("tiny"))])
            try run(ChosenWeights.all, output: folder + "/expected").run()
            var other = try run(ChosenWeights.all, output: folder + "/found")
            other.model = start
            try other.run()
            let file = try GGUFFile(path: folder + "/found/model.gguf")
            #expect(file["general.name"]?.stringValue == "tiny")
            let (found, expected) = (
                try DecoderModel(file, precision: .f32),
                try DecoderModel(openWeights(at: folder + "/expected"), precision: .f32)
            )
            #expect(relativeError(sums(found), sums(expected)) <= 1e-3)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder + "/found").sorted()
                    == ["checkpoints", "model.gguf", "run.json"])
        }
    }

    /// A run over a folder of a finished one trains nothing more and writes the same result.
    @Test func finishedStaysFinished() throws {
        try withTemporaryFolder { folder in
            var run = try run(ChosenWeights(["norm"]), output: folder)
            run.settings.stepsPerCheckpoint = 6
            try run.run()
            let first = try openWeights(at: folder).floats(of: "model.norm.weight")
            var trained = 0
            try run.run { if case .step = $0 { trained += 1 } }
            #expect(trained == 0)
            #expect(try openWeights(at: folder).floats(of: "model.norm.weight") == first)
        }
    }

    /// On the embedded model, where it is installed: a low-rank adapter beside its quantised weights learns a sentence by heart.
    @Test(.enabled(if: EmbeddedModel.path != nil, "the embedded model is not installed; type: make setup"))
    func learnsBesideQuantisedWeights() throws {
        let path = try #require(EmbeddedModel.path)
        let source = try openWeights(at: path)
        var encoder = try SampleEncoder(ModelText(source), limit: 64)
        let sample = try encoder.conversation([
            .user("What is the code word?"), .assistant("The code word is marmalade, and the reserve is turnip."),
        ])
        #expect(encoder.cutCount == 0 && sample.weight > 10 && sample.weight < Double(sample.count) - 5)
        let model = try LowRankAdaptation(rank: 8, alpha: 16, frozen: .asStored).load(source, precision: .bf16, seed: 1)
        var settings = TrainerSettings()
        settings.samplesPerStep = 1
        settings.steps = 12
        let trainer = try Trainer(
            model, objective: Supervised(), optimisation: try Optimisation(rate: 2e-3), samples: [sample],
            settings: settings)
        let steps = try trainer.run().history.steps
        #expect(steps[0].loss > 1 && steps[11].loss < 0.3, "\(steps.map(\.loss))")
    }
}

/// The embedded model, where set-up has installed it.
enum EmbeddedModel {
    static let path: String? = {
        let environment = ProcessInfo.processInfo.environment
        let cache =
            environment["LYCEUM_CACHE"] ?? environment["XDG_CACHE_HOME"].map { $0 + "/lyceum" }
            ?? NSHomeDirectory() + "/.cache/lyceum"
        let path = (environment["LYCEUM_MODELS"] ?? cache + "/models") + "/SmolLM2-135M-Instruct.Q4_1.gguf"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()
}
