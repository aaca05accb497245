import CKernels

// Sums, products and their kin on two tensors whose shapes broadcast: dimensions are matched from the last, and an extent
// of 1 repeats.

public func + (_ x: Tensor, _ y: Tensor) -> Tensor {
    let sum = binary(CK_ADD, x, y)
    guard records(x, y) else { return sum }
    let (xs, ys) = (gradientShape(x), gradientShape(y))
    return sum.recorded(from: [x, y]) { dz in [xs.map { dz.summed(to: $0) }, ys.map { dz.summed(to: $0) }] }
}

public func - (_ x: Tensor, _ y: Tensor) -> Tensor {
    let difference = binary(CK_SUBTRACT, x, y)
    guard records(x, y) else { return difference }
    let (xs, ys) = (gradientShape(x), gradientShape(y))
    return difference.recorded(from: [x, y]) { dz in
        [xs.map { dz.summed(to: $0) }, ys.map { (dz * -1).summed(to: $0) }]
    }
}

public func * (_ x: Tensor, _ y: Tensor) -> Tensor {
    let product = binary(CK_MULTIPLY, x, y)
    guard records(x, y) else { return product }
    let (xs, ys, xv, yv) = (gradientShape(x), gradientShape(y), x.detached(), y.detached())
    return product.recorded(from: [x, y]) { dz in
        [xs.map { (dz * yv).summed(to: $0) }, ys.map { (dz * xv).summed(to: $0) }]
    }
}

public func / (_ x: Tensor, _ y: Tensor) -> Tensor {
    let quotient = binary(CK_DIVIDE, x, y)
    guard records(x, y) else { return quotient }
    let (xs, ys, yv, zv) = (gradientShape(x), gradientShape(y), y.detached(), quotient)
    return quotient.recorded(from: [x, y]) { dz in
        let dx = dz / yv  // ∂(x/y)/∂y = -z/y
        return [xs.map { dx.summed(to: $0) }, ys.map { (dx * zv * -1).summed(to: $0) }]
    }
}

/// The larger of each pair. Where they are equal each gets half of the gradient.
public func maximum(_ x: Tensor, _ y: Tensor) -> Tensor { choose(CK_MAXIMUM, x, y) }

/// The smaller of each pair. Where they are equal each gets half of the gradient.
public func minimum(_ x: Tensor, _ y: Tensor) -> Tensor { choose(CK_MINIMUM, x, y) }

private func choose(_ operation: ck_binary_op, _ x: Tensor, _ y: Tensor) -> Tensor {
    let chosen = binary(operation, x, y)
    guard records(x, y) else { return chosen }
    let (xs, ys, xv, yv) = (gradientShape(x), gradientShape(y), x.detached(), y.detached())
    return chosen.recorded(from: [x, y]) { dz in
        let (left, right) = (xv.broadcast(to: dz.shape).contiguous(), yv.broadcast(to: dz.shape).contiguous())
        func share(_ one: Tensor, _ other: Tensor) -> Tensor {
            let result = Tensor(unfilled: dz.shape)
            withExtendedLifetime((one, other, dz, result)) {
                let (a, b, d, r) = (one.floatAddress, other.floatAddress, dz.floatAddress, result.floatAddress)
                parallel(dz.count, grain: elementGrain) { part in
                    let i = part.lowerBound
                    ck_choose_backward(operation, a + i, b + i, d + i, r + i, Int64(part.count))
                }
            }
            return result
        }
        return [xs.map { share(left, right).summed(to: $0) }, ys.map { share(right, left).summed(to: $0) }]
    }
}

public func + (_ x: Tensor, _ shift: Float) -> Tensor { affine(x, scale: 1, shift: shift) }
public func - (_ x: Tensor, _ shift: Float) -> Tensor { affine(x, scale: 1, shift: -shift) }
public func - (_ start: Float, _ x: Tensor) -> Tensor { affine(x, scale: -1, shift: start) }
public func * (_ x: Tensor, _ scale: Float) -> Tensor { affine(x, scale: scale, shift: 0) }
public func * (_ scale: Float, _ x: Tensor) -> Tensor { affine(x, scale: scale, shift: 0) }
public func / (_ x: Tensor, _ divisor: Float) -> Tensor { affine(x, scale: 1 / divisor, shift: 0) }
public prefix func - (_ x: Tensor) -> Tensor { affine(x, scale: -1, shift: 0) }

/// scale · x + shift
public func affine(_ x: Tensor, scale: Float, shift: Float) -> Tensor {
    let result = elementwise(x) { x, y, n in ck_affine(x, scale, shift, y, n) }
    guard records(x) else { return result }
    return result.recorded(from: [x]) { [scale == 1 ? $0 : affine($0, scale: scale, shift: 0)] }
}

/// Each number moved into `low ... high`. No gradient passes where it was outside.
public func clamp(_ x: Tensor, _ low: Float, _ high: Float) -> Tensor {
    let source = x.contiguous()
    let result = elementwise(source) { x, y, n in ck_clamp(x, low, high, y, n) }
    guard records(x) else { return result }
    let saved = source.detached()
    return result.recorded(from: [source]) { dy in
        [elementwise(saved, dy) { x, dy, dx, n in ck_clamp_backward(x, dy, low, high, dx, n) }]
    }
}

/// Σ x y over all elements of two tensors of one shape; no gradient.
public func dot(_ x: Tensor, _ y: Tensor) -> Float {
    precondition(x.shape == y.shape, "dot of \(x.shape) and \(y.shape)")
    let (x, y) = (x.contiguous(), y.contiguous())
    return x.withFloats { xs in
        y.withFloats { ys in
            guard let a = xs.baseAddress, let b = ys.baseAddress else { return 0 }
            return ck_dot(a, b, Int64(xs.count))
        }
    }
}

extension Tensor {
    /// self += scale · other, in place and outside the gradient graph, on the terms of `withMutableFloats`.
    public func accumulate(_ other: Tensor, scale: Float = 1) {
        precondition(shape == other.shape && dtype == .f32 && other.dtype == .f32 && isContiguous)
        let source = other.contiguous()
        withExtendedLifetime((self, source)) {
            let (from, to) = (source.floatAddress, floatAddress)
            parallel(count, grain: elementGrain) { part in
                ck_accumulate(from + part.lowerBound, scale, to + part.lowerBound, Int64(part.count))
            }
        }
    }
}

/// The shape a gradient must have, nil when none is needed.
func gradientShape(_ x: Tensor) -> Shape? { x.node == nil ? nil : x.shape }

/// The shape two shapes broadcast to.
func broadcastShape(_ x: Shape, _ y: Shape) -> Shape {
    if x == y { return x }
    let rank = max(x.rank, y.rank)
    var dimensions = [Int](repeating: 1, count: rank)
    for index in 1...max(rank, 1) where rank > 0 {
        let a = index <= x.rank ? x[-index] : 1
        let b = index <= y.rank ? y[-index] : 1
        precondition(a == b || a == 1 || b == 1, "shapes \(x) and \(y) don't broadcast")
        dimensions[rank - index] = a == 1 ? b : a
    }
    return Shape(dimensions)
}

private func binary(_ operation: ck_binary_op, _ x: Tensor, _ y: Tensor) -> Tensor {
    precondition(x.dtype == .f32 && y.dtype == .f32, "arithmetic on \(x.dtype) and \(y.dtype); cast to f32 first")
    let shape = broadcastShape(x.shape, y.shape)
    let z = Tensor(unfilled: shape)
    if shape.count == 0 { return z }
    if x.shape == y.shape, x.isContiguous, y.isContiguous {
        withExtendedLifetime((x, y, z)) {
            let (a, b, c) = (x.floatAddress, y.floatAddress, z.floatAddress)
            parallel(shape.count, grain: elementGrain) { part in
                let i = part.lowerBound
                ck_binary(operation, a + i, 1, b + i, 1, c + i, Int64(part.count))
            }
        }
        return z
    }
    let (left, right) = (withSimpleRows(x).broadcast(to: shape), withSimpleRows(y).broadcast(to: shape))
    withExtendedLifetime((left, right, z)) {
        broadcastLoop(operation, left, right, z)
    }
    return z
}

/// A tensor whose last dimension has stride 1 (or one element, or is repeated).
private func withSimpleRows(_ x: Tensor) -> Tensor {
    x.rank == 0 || x.strides[-1] <= 1 || x.shape[-1] == 1 ? x.detached() : x.detached().contiguous()
}

/// Runs an operation over the trailing dimensions that both operands walk evenly, looping over those before.
private func broadcastLoop(_ operation: ck_binary_op, _ x: Tensor, _ y: Tensor, _ z: Tensor) {
    let shape = z.shape
    var run = 1
    var axis = shape.rank
    var (xStep, yStep): (Int?, Int?) = (nil, nil)
    // A dimension joins the run when the operand goes on at the run's own pace: contiguous, or the same number throughout.
    func joins(_ stride: Int, _ step: Int?) -> Int? {
        if stride == 0 { return step == nil || step == 0 ? 0 : nil }
        if stride == run { return step == nil || step == 1 ? 1 : nil }
        return nil
    }
    while axis > 0 {
        if shape[axis - 1] == 1 {
            axis -= 1
            continue
        }
        guard let a = joins(x.strides[axis - 1], xStep), let b = joins(y.strides[axis - 1], yStep) else { break }
        (xStep, yStep) = (a, b)
        run *= shape[axis - 1]
        axis -= 1
    }
    let outer = shape.count / run
    let (a, b, c) = (x.floatAddress, y.floatAddress, z.floatAddress)
    let (xs, ys) = (Int32(xStep ?? 0), Int32(yStep ?? 0))
    parallel(outer, grain: max(1, elementGrain / run)) { part in
        for index in part {
            var (rest, xAt, yAt) = (index, 0, 0)
            for dimension in stride(from: axis - 1, through: 0, by: -1) {
                let place = rest % shape[dimension]
                rest /= shape[dimension]
                xAt += place * x.strides[dimension]
                yAt += place * y.strides[dimension]
            }
            ck_binary(operation, a + xAt, xs, b + yAt, ys, c + index * run, Int64(run))
        }
    }
}
