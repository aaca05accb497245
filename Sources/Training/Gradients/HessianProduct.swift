import Tensors

/// H v, the product of the second derivatives of a loss with a direction, by central differences of its gradient:
///
///     (∇L(θ + ε v) - ∇L(θ - ε v)) / (2 ε),   ε = step / ‖v‖
///
/// The parameters are moved in place and put back to the bit.
///
/// - Parameters:
///   - direction: one tensor a parameter, in its shape.
///   - step: how far the parameters move in all, √ Σ (ε v)². Too small, and rounding of f32 shows; too large, and the third derivatives do.
///   - gradients: of the loss at the parameters as they are.
/// - Returns: one tensor a parameter; zeros for those that the loss doesn't reach.
/// - Complexity: two calls of `gradients`.
public func hessianProduct(
    _ parameters: [Parameter], along direction: [Tensor], step: Double = 1e-2, gradients: () throws -> Gradients
) throws -> [Tensor] {
    precondition(
        parameters.count == direction.count && zip(parameters, direction).allSatisfy { $0.tensor.shape == $1.shape },
        "a direction has one tensor a parameter")
    try TrainingError.demandPositive(step, "step")
    let length = direction.reduce(0.0) { $0 + Double(dot($1.contiguous(), $1.contiguous())) }.squareRoot()
    guard length > 0, length.isFinite else {
        return parameters.map { Tensor.zeros($0.tensor.shape) }
    }
    let epsilon = Float(step / length)
    let start = parameters.map { $0.tensor.detached().copied() }
    defer { for (parameter, numbers) in zip(parameters, start) { parameter.tensor.detached().assign(numbers) } }
    func found(at shift: Float) throws -> [Tensor] {
        for (index, parameter) in parameters.enumerated() {
            let tensor = parameter.tensor.detached()
            tensor.assign(start[index])
            tensor.accumulate(direction[index].detached().contiguous(), scale: shift)
        }
        let gradients = try gradients()
        return parameters.map { gradients[$0.tensor]?.copied() ?? Tensor.zeros($0.tensor.shape) }
    }
    let (ahead, behind) = (try found(at: epsilon), try found(at: -epsilon))
    return zip(ahead, behind).map { ($0 - $1) * (0.5 / epsilon) }
}
