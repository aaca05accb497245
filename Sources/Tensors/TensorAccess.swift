extension Tensor {
    /// The address of the first element. Valid while the tensor lives.
    var address: UnsafeMutableRawPointer { storage.pointer + byteOffset }

    var floatAddress: UnsafeMutablePointer<Float> { address.assumingMemoryBound(to: Float.self) }
    var integerAddress: UnsafeMutablePointer<Int32> { address.assumingMemoryBound(to: Int32.self) }
    var halfAddress: UnsafeMutablePointer<UInt16> { address.assumingMemoryBound(to: UInt16.self) }

    /// Calls `body` with the numbers of a contiguous f32 tensor.
    public func withFloats<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(dtype == .f32 && isContiguous, "withFloats reads contiguous f32, not \(dtype) \(shape) \(strides)")
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeBufferPointer(start: floatAddress, count: count))
    }

    /// Calls `body` with the numbers of a contiguous f32 tensor, to be changed in place. Every view of the same storage sees the
    /// change; the caller makes sure that nobody reads or writes it meanwhile, and that no graph that saved the old
    /// numbers is run backward afterwards.
    public func withMutableFloats<Result, Failure: Error>(
        _ body: (UnsafeMutableBufferPointer<Float>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(
            dtype == .f32 && isContiguous, "withMutableFloats writes contiguous f32, not \(dtype) \(shape) \(strides)")
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeMutableBufferPointer(start: floatAddress, count: count))
    }

    /// Calls `body` with the bytes of a contiguous tensor of any dtype.
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(isContiguous, "withBytes reads a contiguous tensor")
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeRawBufferPointer(start: address, count: count * dtype.byteCount))
    }

    /// Calls `body` with the bytes of a contiguous tensor, to be changed in place, on the terms of `withMutableFloats`.
    public func withMutableBytes<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(isContiguous, "withMutableBytes writes a contiguous tensor")
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeMutableRawBufferPointer(start: address, count: count * dtype.byteCount))
    }

    /// The numbers in row-major order, as 32-bit floats whatever the dtype.
    public func floats() -> [Float] {
        switch dtype {
        case .f32: return detached().contiguous().withFloats { Array($0) }
        case .bf16, .f16: return detached().cast(to: .f32).floats()
        case .i32: return integers().map(Float.init)
        case .u8: return detached().contiguous().withBytes { $0.map(Float.init) }
        }
    }

    /// The numbers of an i32 tensor in row-major order.
    public func integers() -> [Int32] {
        precondition(dtype == .i32, "integers() of a \(dtype) tensor")
        return detached().contiguous().withBytes { Array($0.bindMemory(to: Int32.self)) }
    }

    /// The only element of a tensor that has one.
    public var item: Float {
        precondition(count == 1, "item of a tensor of shape \(shape)")
        return floats()[0]
    }
}
