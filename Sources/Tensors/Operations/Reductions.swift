import CKernels

extension Tensor {
    /// The sum of all elements, a tensor without dimensions.
    public func sum() -> Tensor {
        let source = contiguous()
        let result = Tensor(unfilled: [])
        source.withFloats { numbers in
            result.floatAddress.pointee = numbers.baseAddress.map { ck_sum($0, Int64(numbers.count)) } ?? 0
        }
        let original = shape
        return result.recordedIfNeeded(from: self) { [$0.broadcast(to: original)] }
    }

    /// The sum along one dimension, which disappears, or stays with extent 1 when `keeping`.
    public func sum(_ axis: Int, keeping: Bool = false) -> Tensor {
        let axis = shape.resolved(axis)
        precondition(dtype == .f32, "a sum of \(dtype)")
        let source = detached().contiguous()
        let outer = (0..<axis).reduce(1) { $0 * shape[$1] }
        let inner = (axis + 1..<rank).reduce(1) { $0 * shape[$1] }
        let extent = shape[axis]
        let kept = shape.replacing(axis, with: 1)
        let result = Tensor(unfilled: kept)
        withExtendedLifetime((source, result)) {
            let (from, to) = (source.floatAddress, result.floatAddress)
            parallel(outer, grain: max(1, elementGrain / max(1, extent * inner))) { part in
                ck_sum_axis(
                    from + part.lowerBound * extent * inner, to + part.lowerBound * inner, Int64(part.count),
                    Int64(extent),
                    Int64(inner))
            }
        }
        let original = shape
        let recorded = result.recordedIfNeeded(from: self) { [$0.reshaped(kept).broadcast(to: original)] }
        return keeping ? recorded : recorded.squeezed(axis)
    }

    /// The mean of all elements.
    public func mean() -> Tensor { sum() * (1 / Float(count)) }

    /// The mean along one dimension.
    public func mean(_ axis: Int, keeping: Bool = false) -> Tensor {
        sum(axis, keeping: keeping) * (1 / Float(shape[axis]))
    }

    /// The largest number of each row of the last dimension and the place of its first occurrence. The gradient goes to that place.
    public func maxRows() -> (values: Tensor, places: Tensor) {
        precondition(dtype == .f32 && shape.last > 0, "the largest of rows of shape \(shape)")
        let source = detached().contiguous()
        let (rows, width) = rowsAndWidth(shape)
        let rowShape = shape.removing(-1)
        let (values, places) = (Tensor(unfilled: rowShape), Tensor(unfilled: rowShape, dtype: .i32))
        withExtendedLifetime((source, values, places)) {
            let (from, to, at) = (source.floatAddress, values.floatAddress, places.integerAddress)
            parallel(rows, grain: rowGrain(width)) { part in
                let r = part.lowerBound
                ck_max_rows(from + r * width, to + r, at + r, Int64(part.count), Int64(width))
            }
        }
        let original = shape
        let recorded = values.recordedIfNeeded(from: self) { dy in
            [scatterIntoRows(dy, places, shape: original)]
        }
        return (recorded, places)
    }

    /// Sums over the dimensions along which `target` was broadcast to this shape; no gradient of its own beyond that.
    func summed(to target: Shape) -> Tensor {
        if shape == target { return self }
        var result = self
        while result.rank > target.rank { result = result.sum(0) }
        for axis in 0..<target.rank where target[axis] == 1 && result.shape[axis] != 1 {
            result = result.sum(axis, keeping: true)
        }
        return result
    }
}
