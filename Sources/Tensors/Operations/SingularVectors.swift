/// A matrix as U diag(σ) Vᵀ, or the first part of it.
public struct SingularVectors: Sendable {
    /// U: [rows, rank], with orthonormal columns.
    public var left: Tensor
    /// σ: [rank], falling.
    public var values: [Float]
    /// V: [columns, rank], with orthonormal columns.
    public var right: Tensor
}

/// The singular value decomposition of a matrix [rows, columns], cut to a rank.
///
/// Small matrices, and those of which most is asked for, are decomposed exactly: the shorter side's lines are turned against one another until they
/// are orthogonal (one-sided Jacobi, Hestenes 1958), in f64. Of others the leading part is found by subspace iteration from a random start (Halko
/// et al. 2011, algorithm 4.4), whose error falls with the gap after the rank. Columns that belong to a value of 0 are arbitrary, yet orthonormal.
///
/// - Parameters:
///   - rank: from 1 to the shorter side; nil: all of it.
///   - seed: of the random start.
/// - Complexity: exact: sweeps · shorter² · longer, some ten sweeps; iterated: rows · columns · rank for each of eight products.
public func singularVectors(_ x: Tensor, rank: Int? = nil, seed: UInt64 = 0) -> SingularVectors {
    precondition(x.rank == 2 && x.dtype == .f32, "singular vectors of \(x.dtype) \(x.shape)")
    let (rows, columns) = (x.shape[0], x.shape[1])
    let shorter = min(rows, columns)
    let rank = rank ?? shorter
    precondition((1...shorter).contains(rank), "rank \(rank) of a matrix \(x.shape)")
    return GradientMode.withoutGradients {
        let source = x.detached()
        guard shorter > 96, 2 * rank + 10 < shorter else { return exactSingularVectors(source, rank: rank) }
        return leadingSingularVectors(source, rank: rank, seed: seed)
    }
}

private func exactSingularVectors(_ x: Tensor, rank: Int) -> SingularVectors {
    let isWide = x.shape[0] <= x.shape[1]
    // The lines of the shorter side, [count] of [width] numbers each.
    let lines = (isWide ? x : x.transposed()).contiguous()
    let (count, width) = (lines.shape[0], lines.shape[1])
    var a = lines.floats().map(Double.init)
    // turns · lines = a throughout.
    var turns = [Double](repeating: 0, count: count * count)
    for line in 0..<count { turns[line * count + line] = 1 }
    a.withUnsafeMutableBufferPointer { a in
        turns.withUnsafeMutableBufferPointer { turns in
            orthogonalise(a, turns, count: count, width: width)
        }
    }
    let norms = (0..<count).map { line -> Double in
        (0..<width).reduce(0) { $0 + a[line * width + $1] * a[line * width + $1] }.squareRoot()
    }
    let order = norms.indices.sorted { (norms[$0], $1) > (norms[$1], $0) }.prefix(rank)
    let near = order.flatMap { line in (0..<count).map { Float(turns[line * count + $0]) } }  // [rank, count]
    let tiny = max((norms.max() ?? 0) * 1e-13, 1e-300)
    var far = order.map { line in
        (0..<width).map { norms[line] > tiny ? a[line * width + $0] / norms[line] : 0 }
    }
    completeBasis(&far)
    let side = Tensor(near, [rank, count]).transposed().contiguous()
    let other = Tensor(far.joined().map(Float.init), [rank, width]).transposed().contiguous()
    return SingularVectors(
        left: isWide ? side : other, values: order.map { Float(norms[$0]) }, right: isWide ? other : side)
}

/// Turns pairs of lines of `a` against one another, and those of `turns` with them, until all are orthogonal.
private func orthogonalise(
    _ a: UnsafeMutableBufferPointer<Double>, _ turns: UnsafeMutableBufferPointer<Double>, count: Int, width: Int
) {
    func rotate(_ m: UnsafeMutableBufferPointer<Double>, _ p: Int, _ q: Int, _ width: Int, _ c: Double, _ s: Double) {
        for k in 0..<width {
            let (x, y) = (m[p * width + k], m[q * width + k])
            m[p * width + k] = c * x - s * y
            m[q * width + k] = s * x + c * y
        }
    }
    for _ in 0..<40 {
        var isDone = true
        for p in 0..<max(0, count - 1) {
            for q in p + 1..<count {
                var (pp, qq, pq) = (0.0, 0.0, 0.0)
                for k in 0..<width {
                    let (x, y) = (a[p * width + k], a[q * width + k])
                    pp += x * x
                    qq += y * y
                    pq += x * y
                }
                if abs(pq) <= 1e-13 * (pp * qq).squareRoot() || pq == 0 { continue }
                isDone = false
                let zeta = (qq - pp) / (2 * pq)
                let t = (zeta >= 0 ? 1.0 : -1) / (abs(zeta) + (1 + zeta * zeta).squareRoot())
                let c = 1 / (1 + t * t).squareRoot()
                rotate(a, p, q, width, c, c * t)
                rotate(turns, p, q, count, c, c * t)
            }
        }
        if isDone { return }
    }
}

/// Replaces lines of zeros by unit lines that are orthogonal to all others.
private func completeBasis(_ lines: inout [[Double]]) {
    for index in lines.indices where lines[index].allSatisfy({ $0 == 0 }) {
        for axis in lines[index].indices {
            var candidate = [Double](repeating: 0, count: lines[index].count)
            candidate[axis] = 1
            for _ in 0..<2 {
                for (other, line) in lines.enumerated() where other != index {
                    let along = zip(candidate, line).reduce(0) { $0 + $1.0 * $1.1 }
                    if along != 0 { for k in candidate.indices { candidate[k] -= along * line[k] } }
                }
            }
            let norm = candidate.reduce(0) { $0 + $1 * $1 }.squareRoot()
            if norm > 0.1 {
                lines[index] = candidate.map { $0 / norm }
                break
            }
        }
    }
}

private func leadingSingularVectors(_ x: Tensor, rank: Int, seed: UInt64) -> SingularVectors {
    let width = min(rank + 10, min(x.shape[0], x.shape[1]))
    let (a, transposed) = (x.contiguous(), x.transposed().contiguous())
    var basis = orthonormalColumns(matmul(a, Tensor.normal([x.shape[1], width], seed: seed)))  // [rows, width]
    for _ in 0..<3 { basis = orthonormalColumns(matmul(a, orthonormalColumns(matmul(transposed, basis)))) }
    let inner = exactSingularVectors(matmul(basis.transposed().contiguous(), a), rank: rank)
    return SingularVectors(left: matmul(basis, inner.left), values: inner.values, right: inner.right)
}

/// The columns of x [rows, width], made orthonormal one after another (Gram and Schmidt, twice); what vanishes is replaced.
public func orthonormalColumns(_ x: Tensor) -> Tensor {
    let lines = x.transposed().contiguous()
    let (count, width) = (lines.shape[0], lines.shape[1])
    precondition(count <= width, "\(count) orthonormal columns of \(width) numbers")
    var values = lines.floats()
    var generator = SplitMixGenerator(seed: 1)
    values.withUnsafeMutableBufferPointer { values in
        func line(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
            UnsafeMutableBufferPointer(rebasing: values[index * width..<(index + 1) * width])
        }
        for index in 0..<count {
            let own = line(index)
            var before = own.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
            var attempt = 0
            while true {
                for _ in 0..<2 {
                    for other in 0..<index {
                        let q = line(other)
                        var along: Float = 0
                        for k in 0..<width { along += own[k] * q[k] }
                        for k in 0..<width { own[k] -= along * q[k] }
                    }
                }
                let norm = own.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
                if norm > 1e-5 * before, norm > 1e-30 {
                    for k in 0..<width { own[k] /= norm }
                    break
                }
                // Nothing new in this column: another direction stands for it.
                precondition(attempt < 100, "no direction is left")
                attempt += 1
                for k in 0..<width { own[k] = Float(generator.normal()) }
                before = own.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
            }
        }
    }
    return Tensor(values, [count, width]).transposed().contiguous()
}
