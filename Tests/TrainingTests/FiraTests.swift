import Foundation
import Models
import Tensors
import Testing
import Training

/// Fira and GaLore: the steps of the paper worked out apart, limits, and what checkpoints keep.
@Suite struct FiraTests {
    /// A 2 × 3 matrix with r = 1, followed in f64 beside the rule.
    @Test(arguments: [Fira.Residual.exact, .reference, .none]) func followsThePaper(_ residual: Fira.Residual) throws {
        let rule = try Fira(rank: 1, refreshGap: 3, scale: 0.5, residual: residual, targets: ["w"])
        let parameter = Parameter(name: "w", tensor: .zeros([2, 3]))
        var state = ParameterState()
        var weight = [Double](repeating: 0, count: 6)
        var (mean, square, last) = ([Double](repeating: 0, count: 3), [Double](repeating: 0, count: 3), 0.0)
        for number in 1...5 {
            let gradient = Golden.numbers([2, 3], UInt32(40 + number)) * (number == 4 ? 5 : 1)
            rule.update(
                parameter, gradient: gradient, state: &state, step: OptimiserStep(number: number, rate: 0.1, decay: 0.2)
            )
            let g = gradient.floats().map(Double.init)
            let p = try #require(state.tensors["left"]).floats().map(Double.init)  // the sign is the decomposition's
            let r = (0..<3).map { p[0] * g[$0] + p[1] * g[3 + $0] }
            mean = zip(mean, r).map { 0.9 * $0 + 0.1 * $1 }
            square = zip(square, r).map { 0.999 * $0 + 0.001 * $1 * $1 }
            let n = (0..<3).map { mean[$0] / (square[$0].squareRoot() + 1e-6) }
            var outside = (0..<6).map { place -> Double in
                let column = place % 3
                let inside = p[place / 3] * r[column] * (residual == .exact ? 1 : 0.5)
                return residual == .none ? 0 : abs(n[column]) / (abs(r[column]) + 1e-8) * (g[place] - inside)
            }
            let norm = outside.reduce(0) { $0 + $1 * $1 }.squareRoot()
            if last > 0, norm > 1.01 * last { outside = outside.map { $0 * 1.01 * last / norm } }
            last = min(norm, last > 0 ? 1.01 * last : norm)
            let correction = (1 - power(0.999, number)).squareRoot() / (1 - power(0.9, number))
            for place in 0..<6 {
                weight[place] -= 0.1 * correction * (0.5 * p[place / 3] * n[place % 3] + outside[place])
                weight[place] *= 1 - 0.1 * 0.2
            }
            #expect(relativeError(parameter.tensor.floats(), weight.map(Float.init)) < 1e-4, "step \(number)")
        }
        #expect(residual == .none || (state.figures["limited"] != nil))
    }

    /// The direction of every projection of a made-up matrix is that of the gradient's own part.
    @Test(arguments: Fira.Projection.allCases) func projections(_ projection: Fira.Projection) throws {
        for shape in [[4, 7], [7, 4]] as [Shape] {
            let rule = try Fira(
                rank: 2, residual: .exact, scaling: projection == .full ? .matrix : .column, projection: projection,
                targets: ["w"])
            let parameter = Parameter(name: "w", tensor: .zeros(shape))
            var state = ParameterState()
            let gradient = Golden.numbers(shape, 3)
            rule.update(parameter, gradient: gradient, state: &state, step: OptimiserStep(number: 1, rate: 1))
            #expect(dot(parameter.tensor.detached(), gradient) < 0)
            let names = Set(state.tensors.keys)
            let wide = shape[0] < shape[1]
            let expected: Set<String> =
                switch projection {
                case .standard: [wide ? "left" : "right"]
                case .reverse: [wide ? "right" : "left"]
                case .left: ["left"]
                case .right: ["right"]
                case .full: ["left", "right"]
                }
            #expect(names == expected.union(["mean", "square", "norm"]), "\(shape)")
        }
        let rmsProp = try Fira(rank: 2, base: .rmsProp, targets: ["w"])
        var state = ParameterState()
        rmsProp.update(
            Parameter(name: "w", tensor: .zeros([4, 7])), gradient: Golden.numbers([4, 7], 3), state: &state,
            step: OptimiserStep(number: 1, rate: 1))
        #expect(state.tensors["mean"] == nil && state.tensors["square"]?.shape == [2, 7])
    }

    /// A residual of zero doesn't hold later ones at zero.
    @Test func comesBackFromNothing() throws {
        let rule = try Fira(rank: 1, residual: .exact, targets: ["w"])
        let parameter = Parameter(name: "w", tensor: .zeros([2, 2]))
        var state = ParameterState()
        rule.update(parameter, gradient: .zeros([2, 2]), state: &state, step: OptimiserStep(number: 1, rate: 0.1))
        #expect(parameter.tensor.floats().allSatisfy { $0 == 0 })
        rule.update(parameter, gradient: .ones([2, 2]), state: &state, step: OptimiserStep(number: 2, rate: 0.1))
        rule.update(
            parameter, gradient: Tensor([1, 0, 0, -1] as [Float], [2, 2]), state: &state,
            step: OptimiserStep(number: 3, rate: 0.1)
        )
        #expect(try #require(state.tensors["norm"]).item > 0)
        #expect(parameter.tensor.floats().allSatisfy { $0.isFinite })
    }

    @Test func refuses() throws {
        #expect(throws: TrainingError.self) { try Fira(rank: 0) }
        #expect(throws: TrainingError.self) { try Fira(refreshGap: 0) }
        #expect(throws: TrainingError.self) { try Fira(growthLimit: 1) }
        #expect(throws: TrainingError.self) { try Fira(projection: .full) }
        let model = try TinyModel.load()
        func start(_ rule: Fira) throws {
            _ = try Trainer(
                model, objective: Supervised(), optimisation: try Optimisation(rule, rate: 1e-3),
                samples: TinyModel.samples)
        }
        #expect { try start(try Fira(rank: 17)) } throws: { "\($0)".contains("must be at most the shorter side") }
        #expect(throws: TrainingError.self) { try start(try Fira(rank: 2, targets: ["query"])) }
        #expect(
            !(try Fira(targets: ["*"])).projects(Parameter(name: "model.embed_tokens.weight", tensor: .zeros([4, 4]))))
    }

    /// Checkpoints keep projections, means and norms: a run that was stopped ends with the same numbers to the bit. The state is as small as promised.
    @Test func goesOnAndSaysItsSize() throws {
        func run(_ folder: String, stoppingAt stopStep: Int?) throws -> ([[Float]], TrainingSummary) {
            var settings = TrainerSettings()
            settings.steps = 7
            settings.samplesPerStep = 3
            var result: ([[Float]], TrainingSummary)?
            for part in 0..<(stopStep == nil ? 1 : 2) {
                let model = try TinyModel.load()
                let trainer = try Trainer(
                    model, objective: Supervised(),
                    optimisation: try Optimisation(try Fira(rank: 2, refreshGap: 3), rate: 1e-2),
                    samples: TinyModel.samples, settings: settings, folder: folder)
                let stop = TrainingStop()
                let summary = try trainer.run(stop: stop) { event in
                    if case .step(let report) = event, part == 0, report.step == stopStep { stop.request() }
                }
                result = (model.parameters.map { $0.tensor.floats() }, summary)
            }
            return try #require(result)
        }
        try withTemporaryFolder { folder in
            let whole = try run(folder + "/a", stoppingAt: nil)
            let parts = try run(folder + "/b", stoppingAt: 4)
            #expect(whole.0 == parts.0)
            var numbers = 0
            for (name, shape) in TinyModel.shapes {
                let (m, n) = (shape.dimensions.min() ?? 0, shape.dimensions.max() ?? 0)
                numbers += name.contains("_proj") ? 2 * m + 2 * 2 * n + 1 : 2 * shape.count
            }
            #expect(whole.1.optimiserBytes == 4 * numbers)
            #expect(try #require(whole.1.history.steps.last).figures["scaling factor"] != nil)
        }
    }

    private func power(_ base: Double, _ exponent: Int) -> Double { (0..<exponent).reduce(1) { x, _ in x * base } }
}
