import Tensors

/// A rule that moves parameters against their gradients. It sees one parameter at a time, by name, so that a rule may treat layers
/// differently, project their gradients or leave them out; a rule that changes the gradient and hands it to another rule is an
/// optimiser, too.
public protocol Optimiser: Sendable {
    /// Moves one parameter in place, and its state with it.
    ///
    /// - Parameters:
    ///   - gradient: ∂loss/∂parameter, f32 and contiguous, after clipping. Other parameters may share its memory: a rule writes to
    ///     copies only.
    ///   - state: the parameter's own; tensors put there are kept in checkpoints under their names.
    func update(_ parameter: Parameter, gradient: Tensor, state: inout ParameterState, step: OptimiserStep)

    /// Refuses parameters that the rule can't move, before the first step.
    func check(_ parameters: [Parameter]) throws
}

extension Optimiser {
    public func check(_ parameters: [Parameter]) throws {}
}

/// Which step an optimiser takes.
public struct OptimiserStep: Sendable, Hashable {
    /// From 1.
    public var number: Int
    /// The learning rate of this step and parameter, after schedule and group.
    public var rate: Double
    /// The weight decay of this parameter.
    public var decay: Double
    /// The same for every parameter of a step, another one at the next: for rules that draw numbers.
    public var seed: UInt64

    public init(number: Int, rate: Double, decay: Double = 0, seed: UInt64 = 0) {
        self.number = number
        self.rate = rate
        self.decay = decay
        self.seed = seed
    }
}

/// What an optimiser remembers of one parameter.
public struct ParameterState: Sendable {
    /// f32 tensors by name.
    public var tensors: [String: Tensor] = [:]
    /// What the rule has to tell of its last step; reports show the means over parameters. Not kept in checkpoints.
    public var figures: [String: Double] = [:]

    public init() {}

    /// The tensor of this name, zeros of this shape at first.
    public mutating func tensor(_ name: String, _ shape: Shape) -> Tensor {
        if let known = tensors[name] { return known }
        let fresh = Tensor.zeros(shape)
        tensors[name] = fresh
        return fresh
    }

    /// The bytes of the tensors.
    public var byteCount: Int { tensors.values.reduce(0) { $0 + $1.count * $1.dtype.byteCount } }
}
