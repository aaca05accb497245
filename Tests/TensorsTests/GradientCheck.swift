import Tensors
import Testing

/// Holds the gradients of `operation` against central differences of fourth order.
///
/// The loss is Σ r · operation(inputs) with a fixed random r, summed in double precision. The largest gap over the elements
/// of an input, against that input's largest gradient, must not pass `tolerance`.
func expectGradients(
    _ name: String, of inputs: [Tensor], step: Float = 0.02, tolerance: Double = 1e-3,
    sourceLocation: SourceLocation = #_sourceLocation, _ operation: ([Tensor]) -> Tensor
) {
    let leaves = inputs.map { $0.requiringGradient() }
    let output = operation(leaves)
    #expect(output.requiresGradient, "\(name) records its result", sourceLocation: sourceLocation)
    let plain = operation(inputs)
    #expect(!plain.requiresGradient, "\(name) records nothing unasked", sourceLocation: sourceLocation)
    #expect(plain.floats() == output.floats(), "\(name) is the same when recorded", sourceLocation: sourceLocation)
    let direction = Tensor.normal(output.shape, seed: 77)
    let weights = direction.floats().map(Double.init)
    func loss(_ inputs: [Tensor]) -> Double {
        zip(operation(inputs).floats(), weights).reduce(0) { $0 + Double($1.0) * $1.1 }
    }
    let gradients = output.backward(direction)
    for (index, input) in inputs.enumerated() {
        guard let gradient = gradients[leaves[index]] else {
            Issue.record("\(name) gives no gradient for input \(index)", sourceLocation: sourceLocation)
            continue
        }
        #expect(gradient.shape == input.shape, "\(name), input \(index)", sourceLocation: sourceLocation)
        let values = input.floats()
        // All elements of small inputs, a spread of large ones.
        let places = stride(from: 0, to: values.count, by: max(1, values.count / 60))
        var (gap, largest) = (0.0, 1e-9)
        let found = gradient.floats().map(Double.init)
        for place in places {
            func at(_ shift: Float) -> Double {
                var moved = values
                moved[place] += shift
                var all = inputs
                all[index] = Tensor(moved, input.shape)
                return loss(all)
            }
            let (h, near, far) = (Double(step), at(step) - at(-step), at(2 * step) - at(-2 * step))
            let numeric = (8 * near - far) / (12 * h)
            gap = max(gap, (numeric - found[place]).magnitude)
            largest = max(largest, numeric.magnitude, found[place].magnitude)
        }
        #expect(
            gap / largest <= tolerance, "\(name), input \(index): off by \(gap / largest) of \(largest)",
            sourceLocation: sourceLocation)
    }
}
