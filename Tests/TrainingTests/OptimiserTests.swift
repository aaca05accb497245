import Tensors
import Testing
import Training

/// Optimisers against PyTorch's over five steps, schedules against values worked out by hand.
@Suite struct OptimiserTests {
    func run(_ rule: any Optimiser, rate: Double = 0.01) -> [[Float]] {
        let shapes: [Shape] = [[6, 5], [7]]
        let parameters = shapes.enumerated().map {
            Parameter(name: "p\($0)", tensor: Golden.numbers($1, UInt32($0 + 1)))
        }
        var states = [ParameterState(), ParameterState()]
        for step in 0..<5 {
            for (index, parameter) in parameters.enumerated() {
                rule.update(
                    parameter, gradient: Golden.numbers(shapes[index], UInt32(10 + 2 * step + index)),
                    state: &states[index], step: OptimiserStep(number: step + 1, rate: rate, decay: 0.1))
            }
        }
        return parameters.map { $0.tensor.floats() }
    }

    @Test(arguments: [
        ("adamw", AdamW() as any Optimiser, 0.01), ("sgd", GradientDescent(), 0.01),
        ("momentum", GradientDescent(momentum: 0.9), 0.01),
        ("nesterov", GradientDescent(momentum: 0.9, isNesterov: true), 0.01), ("lion", Lion(), 0.01),
        ("adafactor", Adafactor(), 0.1),
    ])
    func matchesPyTorch(_ name: String, _ rule: any Optimiser, _ rate: Double) throws {
        let golden = try #require(try Golden.values.get().optimisers[name])
        for (found, expected) in zip(run(rule, rate: rate), golden) {
            #expect(relativeError(found, expected) <= 1e-5, "\(name)")
        }
    }

    @Test func schedules() {
        let linear = LearningRateSchedule(.linear(end: 0), warmUp: 3)
        #expect(
            (1...11).map { linear.factor(step: $0, of: 11) } == [
                0.25, 0.5, 0.75, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125,
            ])
        let cosine = LearningRateSchedule(.cosine(end: 0.1))
        #expect(cosine.factor(step: 1, of: 10) == 1)
        #expect(abs(cosine.factor(step: 6, of: 10) - 0.55) < 1e-12)
        let stable = LearningRateSchedule(.stableThenDecay(decay: 0.5, end: 0), warmUp: 2)
        #expect(stable.factor(step: 2, of: 10) == 2.0 / 3)
        #expect((3...7).allSatisfy { stable.factor(step: $0, of: 10) == 1 })
        #expect(abs(stable.factor(step: 9, of: 10) - 0.5) < 1e-12)
        #expect(LearningRateSchedule.constant.factor(step: 7, of: 8) == 1)
    }

    /// The first group that fits counts; vectors don't decay unless they are asked to.
    @Test func groups() throws {
        let settings = try Optimisation(
            rate: 1e-2, decay: 0.1,
            groups: [.init("*embed*", rateFactor: 0.5, decay: 0), .init("norm", rateFactor: 0)])
        func step(_ name: String, _ shape: Shape) -> OptimiserStep {
            settings.step(1, of: 10, for: Parameter(name: name, tensor: .zeros(shape)), seed: 0)
        }
        #expect(step("model.layers.0.mlp.up_proj.weight", [2, 2]) == OptimiserStep(number: 1, rate: 1e-2, decay: 0.1))
        #expect(step("model.embed_tokens.weight", [2, 2]) == OptimiserStep(number: 1, rate: 5e-3, decay: 0))
        #expect(step("model.norm.weight", [2]) == OptimiserStep(number: 1, rate: 0, decay: 0))
        #expect(throws: TrainingError.self) { try Optimisation(rate: -1) }
        #expect(throws: TrainingError.self) { try Optimisation(rate: 1, largestNorm: 0) }
    }

    /// Gradients beyond the largest norm are scaled to it together.
    @Test func clips() throws {
        let parameters = [Parameter(name: "a", tensor: .zeros([2])), Parameter(name: "b", tensor: .zeros([1, 1]))]
        let loss = (parameters[0].tensor * Tensor([Float(3), 0])).sum() + (parameters[1].tensor * 4).sum()
        var run = OptimiserRun(settings: try Optimisation(GradientDescent(), rate: 1, largestNorm: 1))
        let norm = run.step(parameters, loss.backward(), number: 1, of: 1, seed: 0)
        #expect(abs(norm - 5) < 1e-6)
        #expect(relativeError(parameters[0].tensor.floats() + parameters[1].tensor.floats(), [-0.6, 0, -0.8]) < 1e-5)
    }

    @Test func namePatterns() {
        let name = "model.layers.3.self_attn.q_proj.weight"
        for fitting in [
            "*", "q_proj", "self_attn.q_proj", "*.3.*", "model.*q_proj*", name, "model.layers.3.self_attn.q_proj",
        ] {
            #expect(NamePattern(fitting).matches(name), "\(fitting)")
        }
        for other in ["proj", "k_proj", "*.2.*", "q_proj*", "model.layers.3", "*q_proj"] {
            #expect(!NamePattern(other).matches(name), "\(other)")
        }
    }
}
