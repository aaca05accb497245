import Models
import Tensors
import Testing
import Training

/// Fifty steps of training against PyTorch's loss curve.
@Suite struct CurveTests {
    func train(
        _ model: TrainableModel, rate: Double, decay: Double, change: (inout TrainerSettings) -> Void = { _ in }
    ) throws -> [StepReport] {
        var settings = TrainerSettings()
        settings.samplesPerStep = TinyModel.samples.count
        settings.steps = 50
        change(&settings)
        let optimisation = try Optimisation(
            rate: rate, schedule: LearningRateSchedule(.linear(end: 0), warmUp: 5), decay: decay)
        let trainer = try Trainer(
            model, objective: Supervised(), optimisation: optimisation, samples: TinyModel.samples, settings: settings)
        return try trainer.run().history.steps
    }

    func expect(_ steps: [StepReport], follow golden: Golden.Curve) {
        #expect(steps.count == golden.losses.count)
        for (step, loss) in zip(steps, golden.losses) { #expect(abs(step.loss - loss) <= 1e-3, "step \(step.step)") }
        for (step, norm) in zip(steps, golden.norms) {
            #expect(abs(step.gradientNorm - norm) <= 1e-2 * norm, "step \(step.step)")
        }
    }

    @Test(arguments: [false, true]) func full(_ recomputes: Bool) throws {
        let golden = try Golden.values.get().full
        let model = try TinyModel.load()
        let steps = try train(model, rate: 3e-3, decay: 0.1) { $0.recomputes = recomputes }
        expect(steps, follow: golden)
        let sums = Policy(model.model).logProbabilities(TinyModel.samples).sums.floats()
        #expect(relativeError(sums, golden.sums) <= 2e-3)
    }

    /// A step divided into many passes is the same step; so is one whose texts are all much longer than a pass, and recomputed.
    @Test(arguments: [30, 2]) func accumulated(_ tokensPerPass: Int) throws {
        let steps = try train(try TinyModel.load(), rate: 3e-3, decay: 0.1) { $0.tokensPerPass = tokensPerPass }
        expect(steps, follow: try Golden.values.get().full)
    }

    @Test func loneLongTextsAreRecomputed() {
        var settings = TrainerSettings()
        settings.tokensPerPass = 100
        #expect(!settings.recomputes(passOf: [400]))
        #expect(settings.recomputes(passOf: [401]))
        #expect(!settings.recomputes(passOf: [300, 200]))
        settings.recomputes = true
        #expect(settings.recomputes(passOf: [10]))
    }

    @Test func lowRank() throws {
        let golden = try Golden.values.get().lora
        let model = try TinyModel.loraModel()
        expect(try train(model, rate: 1e-2, decay: 0), follow: golden)
        let sums = Policy(model.model).logProbabilities(TinyModel.samples).sums.floats()
        #expect(relativeError(sums, golden.sums) <= 2e-3)
    }

    @Test(arguments: [false, true]) func magnitudesAndDirections(_ recomputes: Bool) throws {
        let golden = try Golden.values.get().dora
        let model = try TinyModel.loraModel(trainsMagnitudes: true)
        #expect(model.parameters.count == 3 * 14)
        func sums() -> [Float] {
            GradientMode.withoutGradients { Policy(model.model).logProbabilities(TinyModel.samples).sums.floats() }
        }
        #expect(relativeError(sums(), try #require(golden.start)) <= 1e-5)
        expect(try train(model, rate: 1e-2, decay: 0) { $0.recomputes = recomputes }, follow: golden)
        #expect(relativeError(sums(), golden.sums) <= 2e-3)
        let low = try TinyModel.loraModel(trainsMagnitudes: true, precision: .bf16)
        for (step, loss) in zip(try train(low, rate: 1e-2, decay: 0), golden.losses) {
            #expect(abs(step.loss - loss) <= 0.03, "step \(step.step)")
        }
    }

    /// Only what is chosen moves, and gradients reach it through frozen layers.
    @Test func chosen() throws {
        let model = try TinyModel.load(ChosenWeights(["*layers.0.mlp.down_proj.weight"]))
        #expect(model.parameters.map(\.name) == ["model.layers.0.mlp.down_proj.weight"])
        let steps = try train(model, rate: 3e-3, decay: 0)
        #expect(try #require(steps.last).loss < steps[0].loss - 0.1)
        // Patterns with a star fit whole names; one that fits none is a mistake, also beside one that does.
        for idle in [["nothing"], ["layers.0.mlp.*", "down_proj"]] {
            #expect(throws: TrainingError.self) { try TinyModel.load(ChosenWeights(idle.map { NamePattern($0) })) }
        }
    }

    /// In bf16 the curve stays close to f32's.
    @Test func lowPrecision() throws {
        let golden = try Golden.values.get().full
        let steps = try train(try TinyModel.load(precision: .bf16), rate: 3e-3, decay: 0.1)
        for (step, loss) in zip(steps, golden.losses) { #expect(abs(step.loss - loss) <= 0.03, "step \(step.step)") }
    }
}
