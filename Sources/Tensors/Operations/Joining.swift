/// Tensors one after another along a dimension; the other extents agree.
public func concatenate(_ parts: [Tensor], axis: Int = 0) -> Tensor {
    guard let first = parts.first else { preconditionFailure("concatenate of no tensors") }
    let axis = first.shape.resolved(axis)
    var shape = first.shape
    shape[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
    let result = Tensor(unfilled: shape, dtype: first.dtype)
    var start = 0
    var ranges: [Range<Int>?] = []
    for part in parts {
        let range = start..<start + part.shape[axis]
        var expected = shape
        expected[axis] = range.count
        precondition(part.shape == expected, "concatenate of \(part.shape) with \(first.shape) along dimension \(axis)")
        result.slice(axis, range).assign(part)
        ranges.append(part.requiresGradient ? range : nil)
        start = range.upperBound
    }
    let spans = ranges
    return result.recorded(from: parts) { dy in spans.map { $0.map { dy.slice(axis, $0) } } }
}

extension Tensor {
    /// Consecutive parts along a dimension, of the given extents, as views.
    public func split(_ extents: [Int], axis: Int = -1) -> [Tensor] {
        let axis = shape.resolved(axis)
        precondition(extents.reduce(0, +) == shape[axis], "parts \(extents) of dimension \(axis) of \(shape)")
        var start = 0
        return extents.map { extent in
            defer { start += extent }
            return slice(axis, start..<start + extent)
        }
    }
}
