import CKernels

// Steps of optimisers: they change a parameter and its state in place, on the terms of `Tensor.withMutableFloats`, and stand
// outside the gradient graph. All tensors of a call are f32, contiguous and of one shape.

/// The numbers of one step of Adam with decoupled decay.
public struct AdamWStep: Sendable {
    public var rate: Float
    public var decay: Float
    public var beta1: Float
    public var beta2: Float
    public var epsilon: Float
    /// 1 - βᵢᵗ at step t.
    public var corrections: (first: Float, second: Float)

    public init(
        rate: Float, decay: Float, beta1: Float, beta2: Float, epsilon: Float,
        corrections: (first: Float, second: Float)
    ) {
        self.rate = rate
        self.decay = decay
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.corrections = corrections
    }
}

/// Adam with decoupled decay (Loshchilov & Hutter 2019): m = β₁ m + (1 - β₁) g, v = β₂ v + (1 - β₂) g²,
/// p = p (1 - rate · decay) - rate · m̂ / (√v̂ + ε).
public func adamW(_ step: AdamWStep, parameter: Tensor, gradient: Tensor, mean: Tensor, square: Tensor) {
    var native = ck_adamw_step(
        rate: step.rate, decay: step.decay, beta1: step.beta1, beta2: step.beta2, epsilon: step.epsilon,
        correction1: step.corrections.first, correction2: step.corrections.second)
    let gradient = gradient.contiguous()
    inPlace(parameter, [gradient, mean, square]) {
        let (p, g, m, v) = (parameter.floatAddress, gradient.floatAddress, mean.floatAddress, square.floatAddress)
        withUnsafePointer(to: &native) { native in
            parallel(parameter.count, grain: elementGrain) { part in
                let i = part.lowerBound
                ck_adamw(native, p + i, g + i, m + i, v + i, Int64(part.count))
            }
        }
    }
}

/// Gradient descent: d = g + decay · p, m = momentum · m + d, p = p - rate · m (Nesterov: - rate · (d + momentum · m)). Without a
/// `mean` there is no momentum.
public func gradientDescent(
    rate: Float, decay: Float, momentum: Float, nesterov: Bool, parameter: Tensor, gradient: Tensor, mean: Tensor?
) {
    let gradient = gradient.contiguous()
    inPlace(parameter, [gradient, mean].compactMap { $0 }) {
        let (p, g, m) = (parameter.floatAddress, gradient.floatAddress, mean?.floatAddress)
        parallel(parameter.count, grain: elementGrain) { part in
            let i = part.lowerBound
            ck_sgd(rate, decay, momentum, nesterov ? 1 : 0, p + i, g + i, m.map { $0 + i }, Int64(part.count))
        }
    }
}

/// Lion (Chen et al. 2023): p = p (1 - rate · decay) - rate · sign(β₁ m + (1 - β₁) g), m = β₂ m + (1 - β₂) g.
public func lion(
    rate: Float, decay: Float, beta1: Float, beta2: Float, parameter: Tensor, gradient: Tensor, mean: Tensor
) {
    let gradient = gradient.contiguous()
    inPlace(parameter, [gradient, mean]) {
        let (p, g, m) = (parameter.floatAddress, gradient.floatAddress, mean.floatAddress)
        parallel(parameter.count, grain: elementGrain) { part in
            let i = part.lowerBound
            ck_lion(rate, decay, beta1, beta2, p + i, g + i, m + i, Int64(part.count))
        }
    }
}

extension Tensor {
    /// self = factor · self, in place and outside the gradient graph, on the terms of `withMutableFloats`.
    public func scale(by factor: Float) {
        inPlace(self, []) {
            let p = floatAddress
            parallel(count, grain: elementGrain) { part in
                ck_affine(p + part.lowerBound, factor, 0, p + part.lowerBound, Int64(part.count))
            }
        }
    }
}

private func inPlace(_ parameter: Tensor, _ others: [Tensor], _ body: () -> Void) {
    precondition(
        parameter.dtype == .f32 && parameter.isContiguous
            && others.allSatisfy { $0.dtype == .f32 && $0.isContiguous && $0.shape == parameter.shape },
        "a step over \(parameter.dtype) \(parameter.shape) with \(others.map(\.shape))")
    withExtendedLifetime((parameter, others), body)
}
