import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019): means of the gradient and of its square, in f32.
public struct AdamW: Optimiser {
    public var beta1: Double
    public var beta2: Double
    public var epsilon: Double

    public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8) {
        precondition((0..<1).contains(beta1) && (0..<1).contains(beta2) && epsilon > 0, "AdamW's constants")
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
    }

    public func update(_ parameter: Parameter, gradient: Tensor, state: inout ParameterState, step: OptimiserStep) {
        let mean = state.tensor("mean", gradient.shape)
        let square = state.tensor("square", gradient.shape)
        adamW(
            self.step(step), parameter: parameter.tensor.detached(), gradient: gradient, mean: mean, square: square)
    }

    /// The numbers of a step.
    func step(_ step: OptimiserStep) -> AdamWStep {
        AdamWStep(
            rate: Float(step.rate), decay: Float(step.decay), beta1: Float(beta1), beta2: Float(beta2),
            epsilon: Float(epsilon),
            corrections: (Float(1 - pow(beta1, Double(step.number))), Float(1 - pow(beta2, Double(step.number)))))
    }
}
