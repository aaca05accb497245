import Tensors

/// Moves every number by the same amount, in the direction of a blend of the gradient and its mean (Chen et al. 2023). Half the
/// state of AdamW; wants a learning rate three to ten times smaller and a decay as much larger.
public struct Lion: Optimiser {
    public var beta1: Double
    public var beta2: Double

    public init(beta1: Double = 0.9, beta2: Double = 0.99) {
        precondition((0..<1).contains(beta1) && (0..<1).contains(beta2), "Lion's constants")
        self.beta1 = beta1
        self.beta2 = beta2
    }

    public func update(_ parameter: Parameter, gradient: Tensor, state: inout ParameterState, step: OptimiserStep) {
        lion(
            rate: Float(step.rate), decay: Float(step.decay), beta1: Float(beta1), beta2: Float(beta2),
            parameter: parameter.tensor.detached(), gradient: gradient, mean: state.tensor("mean", gradient.shape))
    }
}
