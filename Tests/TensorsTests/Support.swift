import Tensors

/// max |a - b| / (max |b| + tiny): how far two blocks of numbers are apart, measured against the largest.
func relativeError(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    var (difference, largest): (Float, Float) = (0, 1e-12)
    for (x, y) in zip(a, b) {
        let gap = (x - y).magnitude
        difference = gap.isNaN ? .infinity : max(difference, gap)
        largest = max(largest, y.magnitude)
    }
    return difference / largest
}

func relativeError(_ a: Tensor, _ b: [Float]) -> Float { relativeError(a.floats(), b) }

/// The slow, obvious forms that the kernels are held against, in double precision.
enum Reference {
    /// x [m, k] · y [k, n]
    static func matmul(_ x: [Float], _ y: [Float], m: Int, k: Int, n: Int) -> [Float] {
        var result = [Float](repeating: 0, count: m * n)
        for i in 0..<m {
            for j in 0..<n {
                var sum = 0.0
                for l in 0..<k { sum += Double(x[i * k + l]) * Double(y[l * n + j]) }
                result[i * n + j] = Float(sum)
            }
        }
        return result
    }

    /// `onto` + a · b in block floating point: blocks of 128 terms of a line share a scale, terms are integers up to 4095, and blocks
    /// are added one after another with a single rounding each.
    static func blockMatmul(_ a: Tensor, _ b: Tensor, onto: Tensor) -> [Float] {
        let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1])
        func blocks(_ line: [Float]) -> [(scale: Float, terms: [Int32])] {
            stride(from: 0, to: k, by: 128).map { start in
                let terms = line[start..<min(k, start + 128)]
                let largest = terms.reduce(0) { max($0, $1.magnitude) }
                if largest < 0x1p-100 { return (0, terms.map { _ in 0 }) }
                return (largest / 4095, terms.map { Int32(($0 * (4095 / largest)).rounded(.toNearestOrEven)) })
            }
        }
        func lines(_ x: Tensor, _ count: Int) -> [[(scale: Float, terms: [Int32])]] {
            let numbers = x.contiguous().cast(to: .f32).floats()
            return (0..<count).map { blocks(Array(numbers[$0 * k..<($0 + 1) * k])) }
        }
        let (rows, columns) = (lines(a, m), lines(b.transposed(), n))
        var result = onto.contiguous().floats()
        for i in 0..<m {
            for j in 0..<n {
                for (x, y) in zip(rows[i], columns[j]) {
                    var sum: Int32 = 0
                    for (p, q) in zip(x.terms, y.terms) { sum += p * q }
                    result[i * n + j].addProduct(Float(sum), x.scale * y.scale)
                }
            }
        }
        return result
    }

    static func transpose(_ x: [Float], rows: Int, columns: Int) -> [Float] {
        (0..<columns).flatMap { column in (0..<rows).map { x[$0 * columns + column] } }
    }

    /// One sequence after another; every score written out.
    static func attention(
        q: Tensor, k: Tensor, v: Tensor, lengths: [Int], scale: Double, causal: Bool, window: Int?
    ) -> [Float] {
        let (heads, keyHeads, width, valueWidth) = (q.shape[1], k.shape[1], q.shape[2], v.shape[2])
        let (qs, ks, vs) = (q.floats(), k.floats(), v.floats())
        var output = [Float](repeating: 0, count: q.shape[0] * heads * valueWidth)
        var start = 0
        for length in lengths {
            for head in 0..<heads {
                let keyHead = head / (heads / keyHeads)
                for i in 0..<length {
                    var weights = [Double](repeating: 0, count: length)
                    for j in 0..<length {
                        if causal && j > i { continue }
                        if let window, abs(i - j) >= window { continue }
                        var score = 0.0
                        for c in 0..<width {
                            score +=
                                Double(qs[((start + i) * heads + head) * width + c])
                                * Double(ks[((start + j) * keyHeads + keyHead) * width + c])
                        }
                        weights[j] = exponential(score * scale)
                    }
                    let total = weights.reduce(0, +)
                    for c in 0..<valueWidth {
                        var sum = 0.0
                        for j in 0..<length {
                            sum += weights[j] * Double(vs[((start + j) * keyHeads + keyHead) * valueWidth + c])
                        }
                        output[((start + i) * heads + head) * valueWidth + c] = Float(sum / total)
                    }
                }
            }
            start += length
        }
        return output
    }
}
