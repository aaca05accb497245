import CKernels

extension Tensor {
    /// The same numbers as another dtype, rounded to the nearest (ties to even); between the floating-point dtypes only.
    /// The gradient passes unchanged, in f32.
    public func cast(to target: DType) -> Tensor {
        if dtype == target { return self }
        precondition(dtype.isFloatingPoint && target.isFloatingPoint, "a cast from \(dtype) to \(target)")
        if dtype != .f32 && target != .f32 { return cast(to: .f32).cast(to: target) }
        let source = detached().contiguous()
        let result = Tensor(unfilled: shape, dtype: target)
        withExtendedLifetime((source, result)) {
            let (from, to, narrow) = (source.address, result.address, source.dtype == .f32 ? target : source.dtype)
            let widening = target == .f32
            parallel(count, grain: elementGrain) { part in
                let (i, n) = (part.lowerBound, Int64(part.count))
                if widening {
                    let input = from.assumingMemoryBound(to: UInt16.self) + i
                    let output = to.assumingMemoryBound(to: Float.self) + i
                    narrow == .bf16 ? ck_bf16_to_f32(input, output, n) : ck_f16_to_f32(input, output, n)
                } else {
                    let input = from.assumingMemoryBound(to: Float.self) + i
                    let output = to.assumingMemoryBound(to: UInt16.self) + i
                    narrow == .bf16 ? ck_f32_to_bf16(input, output, n) : ck_f32_to_f16(input, output, n)
                }
            }
        }
        guard records(self) else { return result }
        let remake: Remake? = node?.remake.map { source in { source().cast(to: target) } }
        return result.recorded(from: [self], remake: remake) { gradient, _ in [gradient] }
    }
}
