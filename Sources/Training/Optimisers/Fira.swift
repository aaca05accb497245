import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Keeps Adam's means only of a low-rank projection R of each chosen matrix's gradient G, and still moves the matrix by all of G (Fira, Chen et
/// al. 2024); without the part outside the projection it is GaLore (Zhao et al. 2024).
///
/// For a matrix [m, n] with m ≤ n, and with the sides exchanged otherwise:
///
///     P = the r leading left singular vectors of G, anew every T steps        [m, r]
///     R = Pᵀ G,   N = M / (√V + ε) with Adam's means M and V of R              [r, n]
///     φ_i = ‖N column i‖ / ‖R column i‖,   S = φ ⊙ (G - P R)                   [m, n]
///     S shrinks to γ times the norm of the last step's S where it is larger
///     W -= rate · √(1 - β₂ᵗ)/(1 - β₁ᵗ) · (α P N + S),   then decoupled decay
///
/// The published numbers come from code that subtracts α P R instead of P R, so that S keeps a share 1 - α of what the projection holds
/// (``Residual/reference``). Parameters that no target fits are moved by Adam. Means stay as they are when P changes.
public struct Fira: Optimiser {
    /// What is done with the part of the gradient outside the projection.
    public enum Residual: String, Sendable, Hashable, Codable, CaseIterable {
        /// Left out: GaLore.
        case none
        /// G - P R, as the paper writes.
        case exact
        /// G - α P R, as the paper's code does.
        case reference
    }

    /// What is scaled together.
    public enum Scaling: String, Sendable, Hashable, Codable, CaseIterable {
        case column, matrix
    }

    /// Which side of a matrix is projected.
    public enum Projection: String, Sendable, Hashable, Codable, CaseIterable {
        /// The shorter one.
        case standard
        /// The longer one.
        case reverse
        /// Always the rows' or the columns'.
        case left, right
        /// Both: R is [r, r].
        case full
    }

    /// What moves the projected gradient.
    public enum Base: String, Sendable, Hashable, Codable, CaseIterable {
        case adam
        /// No mean of gradients: N = R / (√V + ε).
        case rmsProp
    }

    /// r
    public var rank: Int
    /// T: steps from one projection to the next.
    public var refreshGap: Int
    /// α: of the part inside the projection.
    public var scale: Double
    /// γ: how much larger the part outside may be than at the last step.
    public var growthLimit: Double
    public var residual: Residual
    public var scaling: Scaling
    public var projection: Projection
    public var base: Base
    public var beta1: Double
    public var beta2: Double
    public var epsilon: Double
    /// The matrices that are projected; embeddings, heads and norms never are.
    public var targets: [NamePattern]

    public init(
        rank: Int = 128, refreshGap: Int = 200, scale: Double = 0.25, growthLimit: Double = 1.01,
        residual: Residual = .reference, scaling: Scaling = .column, projection: Projection = .standard,
        base: Base = .adam, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-6,
        targets: [NamePattern] = LowRankAdaptation.allLinear
    ) throws {
        guard rank > 0 else { throw TrainingError.badSetting("rank", reason: "must be at least 1, not \(rank)") }
        guard refreshGap > 0 else {
            throw TrainingError.badSetting("steps between projections", reason: "must be at least 1, not \(refreshGap)")
        }
        guard growthLimit > 1, growthLimit.isFinite else {
            throw TrainingError.badSetting("growth limit", reason: "must be above 1, not \(growthLimit)")
        }
        try TrainingError.demandPositive(scale, "scale")
        try TrainingError.demandPositive(epsilon, "epsilon")
        guard (0..<1).contains(beta1), (0..<1).contains(beta2) else {
            throw TrainingError.badSetting("betas", reason: "must be at least 0 and below 1, not \(beta1) and \(beta2)")
        }
        guard projection != .full || residual == .none || scaling == .matrix else {
            throw TrainingError.badSetting(
                "scaling",
                reason:
                    "must be by matrix where both sides are projected: no column of R belongs to one of the gradient")
        }
        guard !targets.isEmpty else {
            throw TrainingError.badSetting("targets", reason: "name at least one matrix, such as q_proj")
        }
        self.rank = rank
        self.refreshGap = refreshGap
        self.scale = scale
        self.growthLimit = growthLimit
        self.residual = residual
        self.scaling = scaling
        self.projection = projection
        self.base = base
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.targets = targets
    }

    /// GaLore: the same without the part outside the projection.
    public static func galore(
        rank: Int = 128, refreshGap: Int = 200, scale: Double = 0.25, projection: Projection = .standard,
        targets: [NamePattern] = LowRankAdaptation.allLinear
    ) throws -> Fira {
        try Fira(
            rank: rank, refreshGap: refreshGap, scale: scale, residual: .none, projection: projection, targets: targets)
    }

    /// Whether a parameter's gradient is projected.
    public func projects(_ parameter: Parameter) -> Bool {
        let name = parameter.name
        let isTable = name.contains("embed_tokens") || name.contains("lm_head") || name.contains("norm")
        return parameter.tensor.rank == 2 && !isTable && targets.contains { $0.matches(name) }
    }

    public func check(_ parameters: [Parameter]) throws {
        let chosen = parameters.filter(projects)
        guard !chosen.isEmpty else {
            throw TrainingError.nothingToTrain(
                patterns: targets.map(\.text), examples: parameters.prefix(4).map(\.name))
        }
        for parameter in chosen where rank > parameter.tensor.shape.dimensions.min() ?? 0 {
            throw TrainingError.badSetting(
                "rank",
                reason: "must be at most the shorter side of \(parameter.name) \(parameter.tensor.shape), not \(rank)")
        }
    }

    public func update(_ parameter: Parameter, gradient: Tensor, state: inout ParameterState, step: OptimiserStep) {
        guard projects(parameter) else {
            return AdamW(beta1: beta1, beta2: beta2, epsilon: epsilon).update(
                parameter, gradient: gradient, state: &state, step: step)
        }
        let sides = refreshed(&state, gradient, step: step)
        let projected = sides.project(gradient)
        let means = moved(projected, &state)
        // c_t, which multiplies the part outside, too.
        let number = Double(step.number)
        let first = base == .adam ? 1 - pow(beta1, number) : 1
        let correction = (1 - pow(beta2, number)).squareRoot() / first
        let back = sides.expand(means)
        var change = back * Float(scale)
        if residual != .none {
            let inside = sides.expand(projected) * (residual == .exact ? 1 : Float(scale))
            let factor = factors(means: means, projected: projected, columnsAreFree: sides.left != nil)
            let outside = (gradient - inside) * factor
            change = change + limited(outside, &state, meanFactor: factor.mean().item)
        }
        let tensor = parameter.tensor.detached()
        tensor.accumulate(change, scale: Float(-step.rate * correction))
        if step.decay != 0 { tensor.scale(by: Float(1 - step.rate * step.decay)) }
    }

    // MARK: The steps

    /// The matrices that project: left P [m, r], right Q [n, r].
    private struct Sides {
        var left: Tensor?
        var right: Tensor?

        func project(_ x: Tensor) -> Tensor {
            let half = left.map { matmul($0.transposed(), x) } ?? x
            return (right.map { matmul(half, $0) } ?? half).contiguous()
        }

        func expand(_ x: Tensor) -> Tensor {
            let half = left.map { matmul($0, x) } ?? x
            return right.map { matmul(half, $0.transposed()) } ?? half
        }
    }

    /// The projection of this step, found anew when its time has come.
    private func refreshed(_ state: inout ParameterState, _ gradient: Tensor, step: OptimiserStep) -> Sides {
        let isWide = gradient.shape[0] <= gradient.shape[1]
        let (usesLeft, usesRight) =
            switch projection {
            case .standard: (isWide, !isWide)
            case .reverse: (!isWide, isWide)
            case .left: (true, false)
            case .right: (false, true)
            case .full: (true, true)
            }
        let isKnown = state.tensors["left"] != nil || state.tensors["right"] != nil
        if !isKnown || (step.number - 1) % refreshGap == 0 {
            let found = singularVectors(gradient, rank: rank, seed: step.seed)
            if usesLeft { state.tensors["left"] = found.left }
            if usesRight { state.tensors["right"] = found.right }
        }
        return Sides(left: state.tensors["left"], right: state.tensors["right"])
    }

    /// N, from the means of R kept in the state.
    private func moved(_ projected: Tensor, _ state: inout ParameterState) -> Tensor {
        let squares = state.tensor("square", projected.shape)
        squares.scale(by: Float(beta2))
        squares.accumulate(square(projected), scale: Float(1 - beta2))
        let root = sqrt(squares) + Float(epsilon)
        guard base == .adam else { return projected / root }
        let mean = state.tensor("mean", projected.shape)
        mean.scale(by: Float(beta1))
        mean.accumulate(projected, scale: Float(1 - beta1))
        return mean / root
    }

    /// φ, broadcast over the gradient: one a column where rows were projected, one a row where columns were, or one for all.
    private func factors(means: Tensor, projected: Tensor, columnsAreFree: Bool) -> Tensor {
        guard scaling == .column else {
            let size = dot(projected, projected).squareRoot() + 1e-8
            return Tensor([dot(means, means).squareRoot() / size], [1, 1])
        }
        let axis = columnsAreFree ? 0 : 1
        func norms(_ x: Tensor) -> Tensor { sqrt(square(x).sum(axis, keeping: true)) }
        return norms(means) / (norms(projected) + 1e-8)
    }

    /// The norm-growth limiter: compares with the last step's limited norm.
    private func limited(_ outside: Tensor, _ state: inout ParameterState, meanFactor: Float) -> Tensor {
        let memory = state.tensor("norm", [1])
        let (last, norm) = (memory.item, dot(outside, outside).squareRoot())
        // An all-zero residual must not hold the next ones at zero.
        let isLimited = last >= 1e-12 && norm > Float(growthLimit) * last
        let allowed = isLimited ? Float(growthLimit) * last : norm
        memory.withMutableFloats { $0[0] = allowed }
        state.figures["scaling factor"] = Double(meanFactor)
        state.figures["residual norm"] = Double(allowed)
        state.figures["limited"] = isLimited ? 1 : 0
        return isLimited ? outside * (allowed / norm) : outside
    }
}
