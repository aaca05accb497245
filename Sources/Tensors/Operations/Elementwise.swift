import CKernels

// The loops shared by operations that treat each number alone.

/// A new tensor y with y[i] = kernel(x[i]), run in parts on the pool.
@inline(__always)
func elementwise(
    _ x: Tensor, _ kernel: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int64) -> Void
) -> Tensor {
    precondition(x.dtype == .f32, "this operation takes f32, not \(x.dtype)")
    let source = x.isContiguous ? x : x.detached().contiguous()
    let result = Tensor(unfilled: x.shape)
    withExtendedLifetime((source, result)) {
        let (from, to) = (UnsafePointer(source.floatAddress), result.floatAddress)
        parallel(result.count, grain: elementGrain) { part in
            kernel(from + part.lowerBound, to + part.lowerBound, Int64(part.count))
        }
    }
    return result
}

/// The same for two tensors of one shape, both contiguous.
@inline(__always)
func elementwise(
    _ x: Tensor, _ y: Tensor,
    _ kernel: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int64) -> Void
) -> Tensor {
    let result = Tensor(unfilled: x.shape)
    withExtendedLifetime((x, y, result)) {
        let (a, b, to) = (UnsafePointer(x.floatAddress), UnsafePointer(y.floatAddress), result.floatAddress)
        parallel(result.count, grain: elementGrain) { part in
            kernel(a + part.lowerBound, b + part.lowerBound, to + part.lowerBound, Int64(part.count))
        }
    }
    return result
}

/// Rows and row length of a tensor seen as a matrix of its last dimension.
func rowsAndWidth(_ shape: Shape) -> (rows: Int, width: Int) {
    let width = shape.last
    return (width == 0 ? 0 : shape.count / width, width)
}
