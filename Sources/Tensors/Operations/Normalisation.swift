import CKernels

/// Root-mean-square normalisation along the last dimension: y = x / √(mean(x²) + eps) · weight (Zhang & Sennrich 2019).
///
/// - Parameters:
///   - weight: [width]; nil for none.
///   - onePlus: scales by 1 + weight instead of weight, as Gemma stores it.
public func rmsNorm(_ x: Tensor, _ weight: Tensor?, eps: Float, onePlus: Bool = false) -> Tensor {
    precondition(x.dtype == .f32 && (weight.map { $0.count == x.shape.last } ?? true), "rmsNorm of \(x.shape)")
    let (source, scale) = (x.contiguous(), weight?.cast(to: .f32).contiguous())
    let (rows, width) = rowsAndWidth(source.shape)
    let recording = records(source, scale)
    let result = Tensor(unfilled: source.shape)
    let inverse = recording ? Tensor(unfilled: [rows]) : nil
    let shift: Float = onePlus ? 1 : 0
    withExtendedLifetime((source, scale, result, inverse)) {
        let (from, w, to, s) = (source.floatAddress, scale?.floatAddress, result.floatAddress, inverse?.floatAddress)
        parallel(rows, grain: rowGrain(width)) { part in
            let r = part.lowerBound
            ck_rms_norm(
                from + r * width, Int64(width), w, shift, eps, to + r * width, s.map { $0 + r }, Int64(part.count),
                Int64(width))
        }
    }
    guard recording, let inverse else { return result }
    let (saved, savedScale) = (source.detached(), scale?.detached())
    let (xNeeds, wNeeds) = (source.requiresGradient, scale?.requiresGradient ?? false)
    return result.recorded(
        from: [source] + (scale.map { [$0] } ?? []),
        remake: { rmsNorm(saved, savedScale, eps: eps, onePlus: onePlus) }
    ) { dy, _ in
        let dx = xNeeds ? Tensor(unfilled: dy.shape) : nil
        let dw = withPartialSums(rows, width, wanted: wNeeds) { part, sums in
            let r = part.lowerBound
            ck_rms_norm_backward(
                saved.floatAddress + r * width, savedScale?.floatAddress, shift, inverse.floatAddress + r,
                dy.floatAddress + r * width, dx.map { $0.floatAddress + r * width }, sums, Int64(part.count),
                Int64(width))
        }
        return withExtendedLifetime((saved, savedScale, inverse, dy)) { scale == nil ? [dx] : [dx, dw] }
    }
}

/// Layer normalisation along the last dimension: y = (x - mean) / √(variance + eps) · weight + bias (Ba et al. 2016).
public func layerNorm(_ x: Tensor, _ weight: Tensor?, _ bias: Tensor?, eps: Float) -> Tensor {
    precondition(x.dtype == .f32, "layerNorm of \(x.dtype)")
    precondition(weight.map { $0.count == x.shape.last } ?? true, "layerNorm of \(x.shape)")
    precondition(bias.map { $0.count == x.shape.last } ?? true, "layerNorm of \(x.shape)")
    let (source, scale, shift) = (
        x.contiguous(), weight?.cast(to: .f32).contiguous(), bias?.cast(to: .f32).contiguous()
    )
    let (rows, width) = rowsAndWidth(source.shape)
    let result = Tensor(unfilled: source.shape)
    let (mean, inverse) = (Tensor(unfilled: [rows]), Tensor(unfilled: [rows]))
    withExtendedLifetime((source, scale, shift, result, mean, inverse)) {
        let (from, w, b, to) = (source.floatAddress, scale?.floatAddress, shift?.floatAddress, result.floatAddress)
        let (m, s) = (mean.floatAddress, inverse.floatAddress)
        parallel(rows, grain: rowGrain(width)) { part in
            let r = part.lowerBound
            ck_layer_norm(from + r * width, w, b, eps, to + r * width, m + r, s + r, Int64(part.count), Int64(width))
        }
    }
    guard records(source, scale, shift) else { return result }
    let (saved, savedScale) = (source.detached(), scale?.detached())
    let (xNeeds, wNeeds, bNeeds) =
        (source.requiresGradient, scale?.requiresGradient ?? false, shift?.requiresGradient ?? false)
    let inputs = [source, scale, shift].compactMap { $0 }
    let (hasScale, hasShift) = (scale != nil, shift != nil)
    return result.recorded(from: inputs) { dy in
        let dx = xNeeds ? Tensor(unfilled: dy.shape) : nil
        // The sums for weight and bias lie one after the other.
        let sums = withPartialSums(rows, 2 * width, wanted: wNeeds || bNeeds) { part, sums in
            let r = part.lowerBound
            ck_layer_norm_backward(
                saved.floatAddress + r * width, savedScale?.floatAddress, mean.floatAddress + r,
                inverse.floatAddress + r,
                dy.floatAddress + r * width, dx.map { $0.floatAddress + r * width }, wNeeds ? sums : nil,
                bNeeds ? sums.map { $0 + width } : nil, Int64(part.count), Int64(width))
        }
        return withExtendedLifetime((saved, savedScale, mean, inverse, dy)) {
            var gradients: [Tensor?] = [dx]
            if hasScale { gradients.append(wNeeds ? sums?.slice(0, 0..<width) : nil) }
            if hasShift { gradients.append(bNeeds ? sums?.slice(0, width..<2 * width) : nil) }
            return gradients
        }
    }
}

/// Runs `body` over parts of the rows, each adding into a row of sums of its own, and gives the total of those rows in a fixed
/// order; nil, and no sums for `body`, when none are wanted.
private func withPartialSums(
    _ rows: Int, _ width: Int, wanted: Bool, _ body: (Range<Int>, UnsafeMutablePointer<Float>?) -> Void
) -> Tensor? {
    let size = max(rowGrain(width), (rows + 63) / 64)
    let parts = max(1, (rows + size - 1) / size)
    let sums = wanted ? Tensor.zeros([parts, width]) : nil
    withExtendedLifetime(sums) {
        let base = sums?.floatAddress
        parallel(parts, grain: 1) { chunk in
            for index in chunk {
                body(index * size..<min(rows, (index + 1) * size), base.map { $0 + index * width })
            }
        }
    }
    return sums?.sum(0)
}
