import CKernels

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The index of the first largest value of a row; 0 when none is larger than minus infinity.
public func indexOfMaximum(_ row: UnsafeBufferPointer<Float>) -> Int {
    guard let base = row.baseAddress else { return 0 }
    return Int(ck_argmax(base, Int64(row.count)))
}

/// log Σ eˣ over a row, in nats.
public func logSumExp(_ row: UnsafeBufferPointer<Float>) -> Float {
    guard let base = row.baseAddress else { return -.infinity }
    return ck_log_sum_exp(base, Int64(row.count))
}

/// Turns a row of logits into probabilities, in place.
public func softmaxInPlace(_ row: UnsafeMutableBufferPointer<Float>) {
    guard let base = row.baseAddress else { return }
    ck_softmax_row(base, Int64(row.count), base)
}

/// The indices of the `count` largest values, largest first; the earlier of equal ones first.
public func indicesOfLargest(_ count: Int, in row: UnsafeBufferPointer<Float>) -> [Int] {
    var best: [Int] = []
    best.reserveCapacity(count + 1)
    var least = -Float.infinity
    for index in row.indices where best.count < count || row[index] > least {
        let position = best.firstIndex { row[$0] < row[index] } ?? best.count
        best.insert(index, at: position)
        if best.count > count { best.removeLast() }
        if best.count == count, let last = best.last { least = row[last] }
    }
    return best
}

/// eˣ as the kernels compute it.
public func exponential(_ x: Float) -> Float { ck_expf(x) }

/// The natural logarithm.
public func logarithm(_ x: Double) -> Double { naturalLogarithm(x) }

/// The cosine and the sine of an angle in radians.
public func cosineAndSine(_ angle: Float) -> (cosine: Float, sine: Float) {
    #if canImport(Glibc)
        (Glibc.cos(angle), Glibc.sin(angle))
    #else
        (Darwin.cos(angle), Darwin.sin(angle))
    #endif
}
