import CKernels

/// e^x / Σ e^x along the last dimension.
public func softmax(_ x: Tensor) -> Tensor {
    let y = rowwise(x) { x, y, rows, width in ck_softmax(x, y, rows, width) }
    guard records(x) else { return y }
    return y.recorded(from: [x]) { dy in
        [rowwise(y, dy) { y, dy, dx, rows, width in ck_softmax_backward(y, dy, dx, rows, width) }]
    }
}

/// x - log Σ e^x along the last dimension.
public func logSoftmax(_ x: Tensor) -> Tensor {
    let y = rowwise(x) { x, y, rows, width in ck_log_softmax(x, y, rows, width) }
    guard records(x) else { return y }
    return y.recorded(from: [x]) { dy in
        [rowwise(y, dy) { y, dy, dx, rows, width in ck_log_softmax_backward(y, dy, dx, rows, width) }]
    }
}

private func rowwise(
    _ x: Tensor, _ kernel: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int64, Int64) -> Void
) -> Tensor {
    precondition(x.dtype == .f32 && x.rank >= 1, "rows of \(x.dtype) \(x.shape)")
    let source = x.detached().contiguous()
    let result = Tensor(unfilled: x.shape)
    let (rows, width) = rowsAndWidth(x.shape)
    withExtendedLifetime((source, result)) {
        let (from, to) = (source.floatAddress, result.floatAddress)
        parallel(rows, grain: rowGrain(width)) { part in
            kernel(from + part.lowerBound * width, to + part.lowerBound * width, Int64(part.count), Int64(width))
        }
    }
    return result
}

private func rowwise(
    _ y: Tensor, _ dy: Tensor,
    _ kernel: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int64, Int64) -> Void
) -> Tensor {
    let result = Tensor(unfilled: y.shape)
    let (rows, width) = rowsAndWidth(y.shape)
    withExtendedLifetime((y, dy, result)) {
        let (a, b, to) = (y.floatAddress, dy.floatAddress, result.floatAddress)
        parallel(rows, grain: rowGrain(width)) { part in
            let at = part.lowerBound * width
            kernel(a + at, b + at, to + at, Int64(part.count), Int64(width))
        }
    }
    return result
}
