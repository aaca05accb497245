import CKernels

/// Zeroes each number with a probability and divides the rest by 1 - probability, so that the expectation stays. Which ones is
/// decided by the seed and the element's place alone: the same seed gives the same mask on any number of threads.
public func dropout(_ x: Tensor, probability: Float, seed: UInt64) -> Tensor {
    precondition(probability >= 0 && probability <= 1, "a dropout probability of \(probability)")
    if probability == 0 { return x }
    let result = masked(x.detached(), probability, seed)
    return result.recordedIfNeeded(from: x) { [masked($0, probability, seed)] }
}

private func masked(_ x: Tensor, _ probability: Float, _ seed: UInt64) -> Tensor {
    precondition(x.dtype == .f32, "dropout of \(x.dtype)")
    let source = x.contiguous()
    let result = Tensor(unfilled: x.shape)
    withExtendedLifetime((source, result)) {
        let (from, to) = (source.floatAddress, result.floatAddress)
        parallel(result.count, grain: elementGrain) { part in
            let i = part.lowerBound
            ck_dropout(from + i, probability, seed, Int64(i), to + i, Int64(part.count))
        }
    }
    return result
}
