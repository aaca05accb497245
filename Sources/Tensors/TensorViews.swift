import CKernels

// Views share the storage of the tensor they look at. Each is differentiable.
extension Tensor {
    private func view(_ shape: Shape, _ strides: Shape, elementOffset: Int = 0) -> Tensor {
        Tensor(
            storage: storage, byteOffset: byteOffset + elementOffset * dtype.byteCount, shape: shape, strides: strides,
            dtype: dtype, node: nil)
    }

    /// The same elements in row-major order under another shape. One extent may be -1: whatever is left. Copies only when the
    /// elements are not in row-major order.
    public func reshaped(_ shape: Shape) -> Tensor {
        var target = shape
        var (open, known) = (-1, 1)
        for axis in 0..<shape.rank {
            if shape[axis] == -1 { open = axis } else { known *= shape[axis] }
        }
        if open >= 0 {
            precondition(known > 0 && count % known == 0, "a tensor of shape \(self.shape) as \(shape)")
            target[open] = count / known
        }
        precondition(target.count == count, "a tensor of shape \(self.shape) as \(shape)")
        if target == self.shape { return self }
        let source = contiguous()
        let result = source.view(target, target.rowMajorStrides)
        guard source.node != nil else { return result }
        let original = self.shape
        return result.recorded(from: [source]) { [$0.reshaped(original)] }
    }

    /// The elements `range` along one dimension.
    public func slice(_ axis: Int, _ range: Range<Int>) -> Tensor {
        let axis = shape.resolved(axis)
        precondition(
            range.lowerBound >= 0 && range.upperBound <= shape[axis],
            "elements \(range) along dimension \(axis) of a tensor of shape \(shape)")
        var part = shape
        part[axis] = range.count
        let result = view(part, strides, elementOffset: range.lowerBound * strides[axis])
        guard node != nil else { return result }
        let whole = shape
        return result.recorded(from: [self]) { gradient in
            let padded = Tensor.zeros(whole)
            padded.slice(axis, range).assign(gradient)
            return [padded]
        }
    }

    /// One element along a dimension, which disappears.
    public func at(_ axis: Int, _ index: Int) -> Tensor {
        slice(axis, index..<(index + 1)).squeezed(axis)
    }

    /// The rows `range`: a slice along the first dimension.
    public func rows(_ range: Range<Int>) -> Tensor { slice(0, range) }

    /// Without a dimension of extent 1.
    public func squeezed(_ axis: Int) -> Tensor {
        let axis = shape.resolved(axis)
        precondition(shape[axis] == 1, "dimension \(axis) of a tensor of shape \(shape) is not 1")
        let result = view(shape.removing(axis), strides.removing(axis))
        return result.recordedIfNeeded(from: self) { [$0.expanded(axis)] }
    }

    /// With one more dimension of extent 1 before `axis`; -1 adds it at the end.
    public func expanded(_ axis: Int) -> Tensor {
        let place = axis < 0 ? axis + rank + 1 : axis
        let result = view(shape.inserting(1, at: place), strides.inserting(1, at: place))
        return result.recordedIfNeeded(from: self) { [$0.squeezed(place)] }
    }

    /// With two dimensions exchanged; the last two when none are named.
    public func transposed(_ first: Int = -2, _ second: Int = -1) -> Tensor {
        let (first, second) = (shape.resolved(first), shape.resolved(second))
        var (newShape, newStrides) = (shape, strides)
        (newShape[first], newShape[second]) = (shape[second], shape[first])
        (newStrides[first], newStrides[second]) = (strides[second], strides[first])
        return view(newShape, newStrides).recordedIfNeeded(from: self) { [$0.transposed(first, second)] }
    }

    /// The same numbers repeated along dimensions of extent 1 (and new leading ones) until the shape is `target`. Copies nothing:
    /// repeated dimensions have stride 0.
    public func broadcast(to target: Shape) -> Tensor {
        if target == shape { return self }
        let lead = target.rank - rank
        precondition(lead >= 0, "a tensor of shape \(shape) can't broadcast to \(target)")
        var steps = target
        for axis in 0..<target.rank {
            if axis >= lead && shape[axis - lead] == target[axis] {
                steps[axis] = strides[axis - lead]
            } else {
                precondition(
                    axis < lead || shape[axis - lead] == 1, "a tensor of shape \(shape) can't broadcast to \(target)")
                steps[axis] = 0
            }
        }
        let original = shape
        return view(target, steps).recordedIfNeeded(from: self) { [$0.summed(to: original)] }
    }

    /// The same numbers in row-major order; itself when they are already.
    public func contiguous() -> Tensor {
        if isContiguous { return self }
        let result = Tensor(unfilled: shape, dtype: dtype)
        result.assign(self)
        return result.recordedIfNeeded(from: self) { [$0] }
    }

    /// A copy with storage of its own, in row-major order.
    public func copied() -> Tensor {
        let result = Tensor(unfilled: shape, dtype: dtype)
        result.assign(self)
        return result.recordedIfNeeded(from: self) { [$0] }
    }

    /// Overwrites the elements of this view with those of `source`, which has the same shape and dtype. An in-place writer: see
    /// `withMutableFloats` for what the caller promises.
    public func assign(_ source: Tensor) {
        precondition(source.shape == shape && source.dtype == dtype, "assigning \(source.shape) to \(shape)")
        let width = dtype.byteCount
        defer { withExtendedLifetime((storage, source.storage)) {} }
        if isContiguous && source.isContiguous {
            return address.copyMemory(from: source.address, byteCount: count * width)
        }
        if count == 0 { return }
        copyStrided(axis: 0, to: address, from: source.address, source: source, width: width)
    }

    private func copyStrided(
        axis: Int, to: UnsafeMutableRawPointer, from: UnsafeMutableRawPointer, source: Tensor, width: Int
    ) {
        let (extent, step, sourceStep) = (shape[axis], strides[axis] * width, source.strides[axis] * width)
        if axis == rank - 1 {
            if strides[axis] == 1 && source.strides[axis] == 1 {
                return to.copyMemory(from: from, byteCount: extent * width)
            }
            for index in 0..<extent {
                (to + index * step).copyMemory(from: from + index * sourceStep, byteCount: width)
            }
            return
        }
        if axis == rank - 2, strides[axis + 1] == 1, source.strides[axis] == 1, width != 1, source.strides[axis + 1] > 0
        {
            // A transpose of the last two dimensions.
            let columns = shape[axis + 1]
            if width == 4 {
                ck_transpose_4(
                    from.assumingMemoryBound(to: UInt32.self), Int64(source.strides[axis + 1]),
                    to.assumingMemoryBound(to: UInt32.self), Int64(strides[axis]), Int64(columns), Int64(extent))
            } else {
                ck_transpose_2(
                    from.assumingMemoryBound(to: UInt16.self), Int64(source.strides[axis + 1]),
                    to.assumingMemoryBound(to: UInt16.self), Int64(strides[axis]), Int64(columns), Int64(extent))
            }
            return
        }
        for index in 0..<extent {
            copyStrided(
                axis: axis + 1, to: to + index * step, from: from + index * sourceStep, source: source, width: width)
        }
    }
}
