import CKernels

/// a · b over the last two dimensions, [..., m, k] · [..., k, n] → [..., m, n] in f32; leading dimensions broadcast. Both are f32 or
/// both bf16; transposed views cost nothing extra.
///
/// - Parameter precision: `.bf16` multiplies f32 numbers as `linear` does then.
public func matmul(_ a: Tensor, _ b: Tensor, precision: DType? = nil) -> Tensor {
    precondition(a.rank >= 2 && b.rank >= 2 && a.shape[-1] == b.shape[-2], "matmul of \(a.shape) and \(b.shape)")
    let (saved, other) = (a.detached().rounded(for: precision), b.detached().rounded(for: precision))
    let low = precision == .bf16 || saved.dtype == .bf16 && other.dtype == .bf16
    let product = batchedProduct(saved, other, low: low)
    guard records(a, b) else { return product }
    let (aShape, bShape) = (gradientShape(a), gradientShape(b))
    return product.recorded(from: [a, b]) { dc in
        // dA = dC Bᵀ, dB = Aᵀ dC, in the operands' own precision
        let dc = dc.cast(to: saved.dtype == .bf16 && other.dtype == .bf16 ? .bf16 : .f32)
        return [
            aShape.map { batchedProduct(dc, other.transposed(), low: low).summed(to: $0) },
            bShape.map { batchedProduct(saved.transposed(), dc, low: low).summed(to: $0) },
        ]
    }
}

private func batchedProduct(_ a: Tensor, _ b: Tensor, low: Bool) -> Tensor {
    if a.rank == 2 && b.rank == 2 {
        let c = Tensor(unfilled: [a.shape[0], b.shape[1]])
        product(a, b, into: c, low: low)
        return c
    }
    let lead = broadcastShape(Shape(a.shape.dimensions.dropLast(2)), Shape(b.shape.dimensions.dropLast(2)))
    let (m, n) = (a.shape[-2], b.shape[-1])
    let c = Tensor(unfilled: Shape(lead.dimensions + [m, n]))
    let left = a.broadcast(to: Shape(lead.dimensions + [m, a.shape[-1]]))
    let right = b.broadcast(to: Shape(lead.dimensions + [b.shape[-2], n]))
    func matrix(_ tensor: Tensor, _ index: Int) -> Tensor {
        var (rest, offset) = (index, 0)
        for axis in stride(from: lead.rank - 1, through: 0, by: -1) {
            offset += rest % lead[axis] * tensor.strides[axis]
            rest /= lead[axis]
        }
        return Tensor(
            storage: tensor.storage, byteOffset: tensor.byteOffset + offset * tensor.dtype.byteCount,
            shape: [tensor.shape[-2], tensor.shape[-1]], strides: [tensor.strides[-2], tensor.strides[-1]],
            dtype: tensor.dtype, node: nil)
    }
    // Each product runs on the pool when there are few; when there are many, each runs on one thread.
    parallel(lead.count, grain: lead.count >= 2 * ThreadPool.threads ? 1 : lead.count) { part in
        for index in part { product(matrix(left, index), matrix(right, index), into: matrix(c, index), low: low) }
    }
    return c
}

/// C = A · B (+ bias), or C += A · B, for matrices; C is f32 with adjacent columns.
///
/// - Parameter low: where the processor has no bf16 products but multiplies faster in block floating point, it does.
package func product(
    _ a: Tensor, _ b: Tensor, bias: Tensor? = nil, into c: Tensor, accumulate: Bool = false, low: Bool = false
) {
    var (a, b) = (withUnitStride(a), withUnitStride(b))
    // Of fewer rows or columns each number enters too few products to be worth packing.
    let packs = low && Processor.multipliesBlocks && min(a.shape[0], a.shape[1], b.shape[1]) >= 48
    if a.productPrecision == .f32 || b.productPrecision == .f32 {
        // A bf16 matrix is widened tile by tile, the first of two only when it is packed.
        if !packs || a.dtype != .bf16 { a = a.cast(to: .f32) }
        if b.dtype != .bf16 { b = b.cast(to: .f32) }
    }
    let (m, n, k) = (a.shape[0], b.shape[1], a.shape[1])
    if m == 0 || n == 0 { return }
    if k == 0 {
        if !accumulate { c.assign(bias.map { $0.broadcast(to: c.shape) } ?? Tensor.zeros(c.shape)) }
        return
    }
    let (aRow, aColumn) = unitStrides(a)
    let (bRow, bColumn) = unitStrides(b)
    var shape = ck_matmul_shape(
        m: Int64(m), n: Int64(n), k: Int64(k), a_type: a.kernelType, b_type: b.kernelType,
        a_row: Int64(aRow), a_column: Int64(aColumn), b_row: Int64(bRow), b_column: Int64(bColumn),
        c_row: Int64(max(c.strides[0], n)), accumulate: accumulate, bias: bias != nil)
    withExtendedLifetime((a, b, bias, c)) {
        if packs {
            let done = ck_bfp_matmul(&shape, a.address, b.address, bias?.floatAddress, c.floatAddress)
            precondition(done, "no memory for a product of \(a.shape) and \(b.shape)")
            return
        }
        let status = ck_matmul(&shape, a.address, b.address, bias?.floatAddress, c.floatAddress)
        precondition(
            status == 0, "oneDNN refused a product of \(a.shape) and \(b.shape) in \(a.dtype): status \(status)")
    }
}

/// sum + A · B for matrices, written over the sum, of whatever shape; without one, A · B.
func added(_ a: Tensor, _ b: Tensor, to sum: Tensor?, low: Bool = false) -> Tensor {
    let shape: Shape = [a.shape[0], b.shape[1]]
    let c = sum?.reshaped(shape) ?? Tensor(unfilled: shape)
    product(a, b, into: c, accumulate: sum != nil, low: low)
    return c
}

extension Tensor {
    /// The precision that products with this matrix have.
    var productPrecision: DType { dtype == .bf16 && Processor.multipliesBF16 ? .bf16 : .f32 }

    /// As it is multiplied when the caller wants that precision: rounded to bf16 where the processor is fast with it.
    func rounded(for precision: DType?) -> Tensor {
        precision == .bf16 && Processor.multipliesBF16 ? cast(to: .bf16) : self
    }

    /// How kernels call the dtype of an f32 or bf16 matrix.
    var kernelType: ck_type { dtype == .bf16 ? CK_TYPE_BF16 : CK_TYPE_F32 }
}

/// A matrix one of whose strides is 1.
private func withUnitStride(_ x: Tensor) -> Tensor {
    let strides = unitStrides(x)
    return (strides.row == 1 || strides.column == 1) && strides.row > 0 && strides.column > 0 ? x : x.copied()
}

/// The strides of a matrix with those of single rows or columns, which are arbitrary, put into row-major order.
private func unitStrides(_ x: Tensor) -> (row: Int, column: Int) {
    let (rows, columns) = (x.shape[0], x.shape[1])
    if x.strides[1] == 1 || columns == 1 {
        if rows == 1 || columns == 1 && x.strides[0] == 1 { return (columns, 1) }
        if columns == 1 { return (x.strides[0], 1) }
        return (x.strides[0], 1)
    }
    if rows == 1 && x.strides[1] != 1 { return (1, x.strides[1]) }
    return (x.strides[0], x.strides[1])
}
