import Laboratory
import Models
import Tensors
import Training

/// What Fira's equations promise, measured on made-up gradients.
package struct FiraExactness: Sendable {
    /// With r = min(m, n) and α = 1, the largest difference from Adam in the basis of the projection, over the largest move.
    package let fullRankError: Double
    /// ‖S‖ there.
    package let fullRankResidual: Double
    /// The largest number of PᵀP - I.
    package let basisError: Double
    /// After a gradient that is 100 times larger, the largest |‖S_t‖/‖S_t-1‖ - γ| / γ of the next ten steps.
    package let limiterError: Double
    /// At the first step φ_i = √r (1 - β₁)/√(1 - β₂) / ‖R column i‖.
    package let firstFactorError: Double

    package init() throws {
        (fullRankError, fullRankResidual) = try Self.fullRank()
        let gradient = Tensor.normal([12, 20], seed: 5)
        var state = ParameterState()
        let rule = try Fira(rank: 4, epsilon: 1e-12, targets: ["w"])
        let parameter = Parameter(name: "w", tensor: .zeros([12, 20]))
        rule.update(parameter, gradient: gradient, state: &state, step: OptimiserStep(number: 1, rate: 1))
        let basis = state.tensors["left"] ?? .zeros([12, 4])
        let products = matmul(basis.transposed(), basis).floats()
        basisError = products.enumerated().reduce(0) {
            max($0, abs(Double($1.element) - ($1.offset % 5 == 0 ? 1 : 0)))
        }
        firstFactorError = Self.firstFactor(gradient, basis, moved: parameter.tensor)
        limiterError = try Self.limiter()
    }

    private static func fullRank() throws -> (error: Double, residual: Double) {
        let (m, n) = (5, 8)
        let rule = try Fira(rank: m, refreshGap: 100, scale: 1, epsilon: 1e-12, targets: ["w"])
        let parameter = Parameter(name: "w", tensor: .zeros([m, n]))
        let rotated = Parameter(name: "r", tensor: .zeros([m, n]))
        let adam = AdamW(epsilon: 1e-12)
        var (state, own) = (ParameterState(), ParameterState())
        var residual = 0.0
        for number in 1...6 {
            let gradient = Tensor.normal([m, n], seed: UInt64(number))
            let step = OptimiserStep(number: number, rate: 0.1)
            rule.update(parameter, gradient: gradient, state: &state, step: step)
            let basis = state.tensors["left"] ?? .zeros([m, m])
            adam.update(rotated, gradient: matmul(basis.transposed(), gradient), state: &own, step: step)
            residual = max(residual, Double(state.tensors["norm"]?.item ?? 1))
        }
        let expected = matmul(state.tensors["left"] ?? .zeros([m, m]), rotated.tensor.detached()).floats()
        let largest = expected.reduce(Float(1e-12)) { max($0, abs($1)) }
        let gap = zip(parameter.tensor.floats(), expected).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
        return (Double(gap / largest), residual)
    }

    /// φ is read off the move: outside the projection W moves by -c φ_i times the residual.
    private static func firstFactor(_ gradient: Tensor, _ basis: Tensor, moved: Tensor) -> Double {
        let projected = matmul(basis.transposed(), gradient)
        func outside(_ x: Tensor) -> Tensor { x - matmul(basis, matmul(basis.transposed(), x)) }
        let correction = (1 - 0.999).squareRoot() / (1 - 0.9)
        let change = outside(moved.detached() * Float(-1 / correction))
        let residual = outside(gradient)
        var largest = 0.0
        for column in 0..<gradient.shape[1] {
            func norm(_ x: Tensor) -> Double {
                x.slice(1, column..<column + 1).floats().reduce(0) { $0 + Double($1 * $1) }.squareRoot()
            }
            let found = norm(change) / norm(residual)
            let expected = 2 * (1 - 0.9) / (1 - 0.999).squareRoot() / norm(projected)
            largest = max(largest, abs(found / expected - 1))
        }
        return largest
    }

    private static func limiter() throws -> Double {
        let rule = try Fira(rank: 2, refreshGap: 100, growthLimit: 1.01, residual: .exact, beta2: 0, targets: ["w"])
        let parameter = Parameter(name: "w", tensor: .zeros([6, 9]))
        var state = ParameterState()
        let inside = Tensor.normal([6, 9], seed: 3)
        var (norms, error): ([Double], Double) = ([], 0)
        for number in 1...14 {
            // The part outside the projection jumps by a factor of 100 at step 4; with the projection kept, what is inside doesn't change.
            let basis = state.tensors["left"]
            let outside = basis.map { inside - matmul($0, matmul($0.transposed(), inside)) }
            let gradient = number > 3 ? outside.map { inside + $0 * 99 } ?? inside : inside
            rule.update(parameter, gradient: gradient, state: &state, step: OptimiserStep(number: number, rate: 1e-3))
            norms.append(Double(state.tensors["norm"]?.item ?? 0))
        }
        for number in 4..<14 { error = max(error, abs(norms[number] / norms[number - 1] / 1.01 - 1)) }
        return error
    }
}

/// Whether the scaling factors of a low-rank projection order the matrices as those of the whole gradient do.
enum ScalingAgreement {
    /// Trains a model with Adam for 100 steps beside shadows of Fira's and Adam's means, and gives Spearman's correlation of ‖N‖/‖R‖ and ‖N_full‖/‖G‖ over matrices.
    static func measure(start: String, samples: [TokenSequence], seed: UInt64) async throws -> Double {
        let shadow = ScalingShadow()
        var run = TrainingRun(
            model: start, objective: Supervised(), parameterisation: ChosenWeights.all,
            optimisation: try Optimisation(shadow, rate: 3e-3, largestNorm: nil), samples: samples,
            output: start + "-shadow")
        run.settings.samplesPerStep = 8
        run.settings.steps = 100
        run.settings.seed = seed
        run.precision = .f32
        run.format = .f32
        let session = try run.open(writesCheckpoints: false)
        try await session.train(through: 100)
        let pairs = session.trainer.optimiserFigures.values.compactMap { figures in
            figures["low"].flatMap { low in figures["full"].map { (low, $0) } }
        }
        return try Correlation.spearman(pairs.map(\.0), pairs.map(\.1)).coefficient
    }
}

/// Adam, with the means of a projection of rank 4 kept beside it to compare the two.
private struct ScalingShadow: Optimiser {
    func update(_ parameter: Parameter, gradient: Tensor, state: inout ParameterState, step: OptimiserStep) {
        AdamW(epsilon: 1e-6).update(parameter, gradient: gradient, state: &state, step: step)
        guard let fira = try? Fira(rank: 4), fira.projects(parameter),
            let full = factor(state, "mean", "square", gradient)
        else { return }
        if (step.number - 1) % 100 == 0 {
            let isWide = gradient.shape[0] <= gradient.shape[1]
            let found = singularVectors(gradient, rank: 4)
            state.tensors["basis"] = isWide ? found.left : found.right
        }
        guard let basis = state.tensors["basis"] else { return }
        let projected =
            basis.shape[0] == gradient.shape[0]
            ? matmul(basis.transposed(), gradient) : matmul(gradient, basis).contiguous()
        for (name, value, beta) in [
            ("low mean", projected, Float(0.9)), ("low square", square(projected), Float(0.999)),
        ] {
            let mean = state.tensor(name, projected.shape)
            mean.scale(by: beta)
            mean.accumulate(value, scale: 1 - beta)
        }
        state.figures["full"] = full
        state.figures["low"] = factor(state, "low mean", "low square", projected)
    }

    private func factor(_ state: ParameterState, _ mean: String, _ squares: String, _ gradient: Tensor) -> Double? {
        guard let mean = state.tensors[mean], let squares = state.tensors[squares] else { return nil }
        let moved = mean / (sqrt(squares) + 1e-6)
        return Double((dot(moved, moved) / max(1e-30, dot(gradient, gradient))).squareRoot())
    }
}
