import Tensors

/// Stochastic gradient descent with momentum; weight decay is added to the gradient.
public struct GradientDescent: Optimiser {
    /// 0: none, and no state.
    public var momentum: Double
    /// Looks one step of momentum ahead (Nesterov 1983).
    public var isNesterov: Bool

    public init(momentum: Double = 0, isNesterov: Bool = false) {
        precondition((0..<1).contains(momentum) && (!isNesterov || momentum > 0), "momentum \(momentum)")
        self.momentum = momentum
        self.isNesterov = isNesterov
    }

    public func update(_ parameter: Parameter, gradient: Tensor, state: inout ParameterState, step: OptimiserStep) {
        gradientDescent(
            rate: Float(step.rate), decay: Float(step.decay), momentum: Float(momentum), nesterov: isNesterov,
            parameter: parameter.tensor.detached(), gradient: gradient,
            mean: momentum > 0 ? state.tensor("mean", gradient.shape) : nil)
    }
}
