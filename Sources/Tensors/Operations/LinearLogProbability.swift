import CKernels

/// `logProbabilities(linear(x, weight), targets)` without ever holding the [rows, vocabulary] matrix of logits: rows are taken in
/// chunks whose logits fit in `scratchBytes`, and the backward computes each chunk's logits again. Rows with a negative target
/// cost nothing.
///
/// - Parameters:
///   - x: hidden states [rows, width]
///   - weight: [vocabulary, width], f32 or bf16
///   - targets: i32 [rows]; negative: ignored, gives 0.
///   - precision: `.bf16` rounds an f32 weight for the products as in `linear`.
/// - Returns: [rows]
public func linearLogProbabilities(
    _ x: Tensor, _ weight: Tensor, _ targets: Tensor, precision: DType? = nil, scratchBytes: Int = 48 << 20
) -> Tensor {
    let job = LinearTargets(x, weight, targets, precision: precision, scratchBytes: scratchBytes)
    let result = Tensor.zeros([x.shape[0]])
    let normaliser = Tensor(unfilled: [job.kept.count])
    for chunk in job.chunks {
        let values = Tensor(unfilled: [chunk.count])
        job.logProbabilities(of: job.logits(chunk), chunk, into: values, normaliser: normaliser.slice(0, chunk))
        for (place, row) in chunk.enumerated() {
            result.floatAddress[job.kept[row]] = values.floatAddress[place]
        }
    }
    guard records(x, weight) else { return result }
    let (xNeeds, wNeeds) = (x.requiresGradient, weight.requiresGradient)
    return result.recorded(from: [x, weight]) { dy, pass in
        let kept = Tensor(unfilled: [job.kept.count])
        for (place, row) in job.kept.enumerated() { kept.floatAddress[place] = dy.floatAddress[row] }
        let gradients = LinearGradients(job, x: xNeeds, weight: wNeeds, sum: wNeeds ? pass.takeSum(1) : nil)
        for chunk in job.chunks {
            let logits = job.logits(chunk)
            gradients.add(
                job.gradient(of: logits, chunk, normaliser: normaliser.slice(0, chunk), dy: kept.slice(0, chunk)), chunk
            )
        }
        return [gradients.x, gradients.weight]
    }
}

/// Σ weights[r] · -log p(target r) of `linear(x, weight)`, in chunks as `linearLogProbabilities`, with the gradients made along
/// with the loss so that no logits are computed twice. Without `weights`, the mean over rows whose target isn't negative.
///
/// Where the weight needs a gradient and the logits' own gradients are no larger than it would be, those wait for the backward pass.
public func linearCrossEntropy(
    _ x: Tensor, _ weight: Tensor, _ targets: Tensor, weights: [Float]? = nil, precision: DType? = nil,
    scratchBytes: Int = 48 << 20
) -> Tensor {
    let job = LinearTargets(x, weight, targets, precision: precision, scratchBytes: scratchBytes)
    precondition(weights.map { $0.count == x.shape[0] } ?? true, "\(weights?.count ?? 0) weights for \(x.shape)")
    let share = 1 / Float(max(1, job.kept.count))
    let rowWeights = Tensor(job.kept.map { weights?[$0] ?? share })
    let recording = records(x, weight)
    let (xNeeds, wNeeds) = (recording && x.requiresGradient, recording && weight.requiresGradient)
    let waits = wNeeds && job.kept.count * job.weight.productPrecision.byteCount <= 4 * x.shape[1]
    let gradients = waits ? nil : LinearGradients(job, x: xNeeds, weight: wNeeds)
    var waiting: [(chunk: Range<Int>, gradient: Tensor)] = []
    var loss: Double = 0
    for chunk in job.chunks {
        let (values, normaliser) = (Tensor(unfilled: [chunk.count]), Tensor(unfilled: [chunk.count]))
        let logits = job.logits(chunk)
        job.logProbabilities(of: logits, chunk, into: values, normaliser: normaliser)
        let part = rowWeights.slice(0, chunk)
        for row in 0..<chunk.count { loss -= Double(part.floatAddress[row]) * Double(values.floatAddress[row]) }
        guard recording else { continue }
        let gradient = job.gradient(of: logits, chunk, normaliser: normaliser, dy: part * -1)
        if let gradients { gradients.add(gradient, chunk) } else { waiting.append((chunk, gradient)) }
    }
    return Tensor(Float(loss)).recorded(from: [x, weight]) { [waiting] dy, pass in
        let factor = dy.item
        let made =
            gradients ?? LinearGradients(job, x: xNeeds, weight: wNeeds, sum: factor == 1 ? pass.takeSum(1) : nil)
        for (chunk, gradient) in waiting { made.add(gradient, chunk) }
        return factor == 1 ? [made.x, made.weight] : [made.x.map { $0 * factor }, made.weight.map { $0 * factor }]
    }
}

/// The rows that have a target, gathered, and the chunks they are worked in.
private struct LinearTargets: Sendable {
    let x: Tensor  // [kept, width], in the precision of the products
    let weight: Tensor
    let targets: Tensor  // [kept]
    let kept: [Int]
    let rows: Int
    let chunkRows: Int
    let low: Bool

    init(_ x: Tensor, _ weight: Tensor, _ targets: Tensor, precision: DType?, scratchBytes: Int) {
        precondition(
            x.rank == 2 && weight.rank == 2 && x.shape[1] == weight.shape[1] && targets.dtype == .i32
                && targets.count == x.shape[0], "targets \(targets.shape) for \(x.shape) · \(weight.shape)ᵀ")
        let all = targets.integers()
        checkTargets(targets.contiguous(), classes: weight.shape[0])
        kept = all.indices.filter { all[$0] >= 0 }
        let gathered = kept.count == all.count ? x.detached() : takeRows(x.detached(), kept.map(Int32.init))
        self.weight = weight.detached().rounded(for: precision)
        low = precision == .bf16 || weight.dtype == .bf16
        self.x = gathered.cast(to: self.weight.productPrecision).contiguous()
        self.targets = Tensor(kept.map { all[$0] })
        rows = x.shape[0]
        chunkRows = max(16, scratchBytes / (4 * max(1, weight.shape[0])) / 16 * 16)
    }

    var chunks: [Range<Int>] {
        stride(from: 0, to: kept.count, by: chunkRows).map { $0..<min($0 + chunkRows, kept.count) }
    }

    func logits(_ chunk: Range<Int>) -> Tensor {
        let result = Tensor(unfilled: [chunk.count, weight.shape[0]])
        product(x.rows(chunk), weight.transposed(), into: result, low: low)
        return result
    }

    func logProbabilities(of logits: Tensor, _ chunk: Range<Int>, into values: Tensor, normaliser: Tensor) {
        let width = weight.shape[0]
        withExtendedLifetime((logits, targets, values, normaliser)) {
            let (l, t) = (logits.floatAddress, targets.integerAddress + chunk.lowerBound)
            let (y, z) = (values.floatAddress, normaliser.floatAddress)
            parallel(chunk.count, grain: rowGrain(width)) { part in
                let r = part.lowerBound
                ck_log_probability(l + r * width, t + r, y + r, z + r, Int64(part.count), Int64(width))
            }
        }
    }

    /// ∂loss/∂logits in the precision of the products, written over the logits where that is f32.
    /// - Parameter dy: ∂loss/∂log-probability of the chunk's rows.
    func gradient(of logits: Tensor, _ chunk: Range<Int>, normaliser: Tensor, dy: Tensor) -> Tensor {
        let width = weight.shape[0]
        let narrow = x.dtype == .bf16
        let d = narrow ? Tensor(unfilled: logits.shape, dtype: .bf16) : logits
        withExtendedLifetime((logits, normaliser, dy, d, targets)) {
            let (l, t) = (logits.floatAddress, targets.integerAddress + chunk.lowerBound)
            let (z, g) = (normaliser.floatAddress, dy.floatAddress)
            let to = d.address
            parallel(chunk.count, grain: rowGrain(width)) { part in
                let r = part.lowerBound
                if narrow {
                    ck_log_probability_backward_bf16(
                        l + r * width, t + r, z + r, g + r, to.assumingMemoryBound(to: UInt16.self) + r * width,
                        Int64(part.count), Int64(width))
                } else {
                    ck_log_probability_backward(
                        l + r * width, t + r, z + r, g + r, to.assumingMemoryBound(to: Float.self) + r * width,
                        Int64(part.count), Int64(width))
                }
            }
        }
        return d
    }
}

/// Gradients of the hidden states and the weight, filled chunk by chunk.
private struct LinearGradients: Sendable {
    private let job: LinearTargets
    private let keptX: Tensor?
    let weight: Tensor?

    /// - Parameter sum: what the weight's gradient is added to, in place.
    init(_ job: LinearTargets, x: Bool, weight: Bool, sum: Tensor? = nil) {
        self.job = job
        keptX = x ? Tensor(unfilled: job.x.shape) : nil
        self.weight = weight ? sum ?? .zeros(job.weight.shape) : nil
    }

    /// In the shape of all rows.
    var x: Tensor? {
        guard let keptX, job.kept.count < job.rows else { return keptX }
        let width = keptX.shape[1]
        let whole = Tensor.zeros([job.rows, width])
        for (place, row) in job.kept.enumerated() {
            (whole.floatAddress + row * width).update(from: keptX.floatAddress + place * width, count: width)
        }
        return whole
    }

    /// Adds what one chunk brings.
    /// - Parameter d: ∂loss/∂logits
    func add(_ d: Tensor, _ chunk: Range<Int>) {
        if let keptX { product(d, job.weight, into: keptX.rows(chunk), low: job.low) }
        if let weight { product(d.transposed(), job.x.rows(chunk), into: weight, accumulate: true, low: job.low) }
    }
}
