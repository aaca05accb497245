import CKernels

/// `linear` of no more rows than this reads the weight once and rounds nothing.
package let linearFewRows = Int(CK_FEW_ROWS)

/// y = x · weightᵀ + bias: x [..., in], weight [out, in], bias [out] → [..., out], f32.
///
/// With a bf16 weight the activations are rounded to bf16 and the sums kept in f32 (for up to four rows, where reading the weight is
/// all the work, the activations stay f32). With an f16 weight everything is widened to f32. Gradients are f32 whatever the weight.
///
/// Where there are no fast bf16 products, those with a bf16 weight keep f32 activations, in block floating point if that is faster
/// (see ``Processor/hasLowPrecision``).
///
/// - Parameter precision: `.bf16` rounds an f32 weight for the products, anew in each direction, so that no rounded copy waits for
///   the backward pass; nil multiplies in the weight's own precision. Without low precision, and for up to four rows, it changes nothing.
public func linear(_ x: Tensor, _ weight: Tensor, bias: Tensor? = nil, precision: DType? = nil) -> Tensor {
    precondition(
        weight.rank == 2 && x.shape.last == weight.shape[1], "linear of \(x.shape) with a weight of \(weight.shape)")
    precondition(bias.map { $0.count == weight.shape[0] } ?? true, "a bias for a weight of \(weight.shape)")
    var outShape = x.shape
    outShape[-1] = weight.shape[0]
    let inputs = x.detached().reshaped([-1, weight.shape[1]])
    let y = Tensor(unfilled: [inputs.shape[0], weight.shape[0]])
    let rounds =
        precision == .bf16 && weight.dtype == .f32 && Processor.multipliesBF16 && inputs.shape[0] > linearFewRows
    let used = rounds ? weight.detached().cast(to: .bf16) : weight.detached()
    let low = precision == .bf16 || weight.dtype == .bf16
    let narrowed = linearForward(inputs, used, bias?.detached(), into: y, low: low)
    let result = y.reshaped(outShape)
    guard records(x, weight, bias) else { return result }

    let (xShape, weightNeeds, xNeeds, biasShape) = (x.shape, weight.requiresGradient, x.requiresGradient, bias?.shape)
    let biasNeeds = bias?.requiresGradient ?? false
    let savedWeight = xNeeds ? weight.detached() : nil
    let savedInput = weightNeeds ? forBackward(narrowed, of: x) : nil
    let name = weight
    let width = y.shape[1]  // alone: a rule that captured y would keep it until the backward pass
    let precision = used.productPrecision
    return result.recorded(from: [x, weight] + (bias.map { [$0] } ?? [])) { dy, pass in
        let dy = dy.reshaped([-1, width])
        let narrow = dy.cast(to: precision)
        let input = savedInput?()
        if let observer = pass.observer, let input { observer(name, input, dy) }
        var gradients: [Tensor?] = [
            // dX = dY W
            savedWeight.map { weight in
                added(narrow, rounds ? weight.cast(to: .bf16) : weight, to: pass.takeSum(0), low: low).reshaped(xShape)
            },
            // dW = dYᵀ X
            input.map { input in
                added(narrow.transposed(), input.cast(to: precision), to: pass.takeSum(1), low: low)
            },
        ]
        if let biasShape { gradients.append(biasNeeds ? dy.sum(0).reshaped(biasShape) : nil) }
        return gradients
    }
}

/// How the backward pass comes by a layer's input as it was multiplied: it is made again where that is cheap, else kept.
private func forBackward(_ input: Tensor, of x: Tensor) -> Remake {
    guard let remake = x.node?.remake else { return { input } }
    let (shape, dtype) = (input.shape, input.dtype)
    return { remake().reshaped(shape).cast(to: dtype) }
}

/// Fills y [rows, out] and gives the input in the precision it was multiplied in.
private func linearForward(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, into y: Tensor, low: Bool) -> Tensor {
    let bias = bias?.contiguous()
    let rows = x.shape[0]
    if rows == 0 { return x }
    let readable = weight.dtype == .f32 || weight.dtype == .bf16
    if rows <= linearFewRows && readable && weight.strides[1] == 1 {
        let input = x.cast(to: .f32)
        withExtendedLifetime((input, weight, bias, y)) {
            ck_linear_few_rows(
                input.floatAddress, Int64(x.shape[1]), weight.address, weight.kernelType, Int64(weight.strides[0]),
                bias?.floatAddress, y.floatAddress, Int64(y.shape[1]), Int64(rows), Int64(y.shape[1]), Int64(x.shape[1])
            )
        }
        return input
    }
    let input = x.cast(to: weight.productPrecision)
    product(input, weight.transposed(), bias: bias, into: y, low: low)
    return input
}
