import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Keeps, for a matrix, the mean squares of its gradient's rows and columns instead of every number's (Shazeer & Stern 2018): state of
/// out + in numbers instead of out · in. Steps are relative to the size of the parameter and no larger than `clip` in the mean.
public struct Adafactor: Optimiser {
    /// The mean of squares at step t keeps a share 1 - t^decay of what it was.
    public var decay: Double
    /// The least size that a parameter is taken to have.
    public var leastSize: Double
    /// d: the largest root mean square of an update before the learning rate.
    public var clip: Double

    public init(decay: Double = -0.8, leastSize: Double = 1e-3, clip: Double = 1) {
        precondition(decay <= 0 && leastSize >= 0 && clip > 0, "Adafactor's constants")
        self.decay = decay
        self.leastSize = leastSize
        self.clip = clip
    }

    public func update(_ parameter: Parameter, gradient: Tensor, state: inout ParameterState, step: OptimiserStep) {
        let (tensor, count) = (parameter.tensor.detached(), Float(parameter.count))
        let share = Float(pow(Double(step.number), decay))
        let rate = min(step.rate, 1 / Double(step.number).squareRoot())
        let pace = max(Float(leastSize), (dot(tensor, tensor) / count).squareRoot()) * Float(rate)
        let tiny = Float.ulpOfOne
        var update: Tensor
        if gradient.rank >= 2 {
            let squares = square(gradient)
            let rows = blend(&state, "rows", squares.mean(-1, keeping: true), share)  // [..., out, 1]
            let columns = blend(&state, "columns", squares.mean(-2, keeping: true), share)  // [..., 1, in]
            let level = maximum(rows.mean(-2, keeping: true), Tensor(tiny))
            update = gradient / sqrt(maximum(rows * columns / level, Tensor(tiny * tiny)))
        } else {
            let mean = blend(&state, "square", square(gradient), share)
            update = gradient / sqrt(maximum(mean, Tensor(tiny * tiny)))
        }
        let size = (dot(update, update) / count).squareRoot()
        update = update * (-pace / max(1, size / Float(clip)))
        if step.decay != 0 { tensor.scale(by: Float(1 - step.rate * step.decay)) }
        tensor.accumulate(update)
    }

    /// mean += share · (new - mean), kept in the state.
    private func blend(_ state: inout ParameterState, _ name: String, _ new: Tensor, _ share: Float) -> Tensor {
        let mean = state.tensor(name, new.shape)
        mean.scale(by: 1 - share)
        mean.accumulate(new, scale: share)
        return mean
    }
}
