extension Tensor {
    /// The memory the numbers take.
    public var byteCount: Int { count * dtype.byteCount }

    /// Calls `body` with the address of a contiguous f32 tensor's first number.
    public func withFloatPointer<Result>(_ body: (UnsafePointer<Float>) throws -> Result) rethrows -> Result {
        precondition(dtype == .f32 && isContiguous, "needs contiguous f32, not \(dtype) \(shape) \(strides)")
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafePointer(floatAddress))
    }

    /// The same to write through, on the terms of `withMutableFloats`.
    public func withMutableFloatPointer<Result>(
        _ body: (UnsafeMutablePointer<Float>) throws -> Result
    ) rethrows -> Result {
        precondition(dtype == .f32 && isContiguous, "needs contiguous f32, not \(dtype) \(shape) \(strides)")
        defer { withExtendedLifetime(storage) {} }
        return try body(floatAddress)
    }
}
