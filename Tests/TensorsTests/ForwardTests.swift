import Tensors
import Testing

/// Each fast operation against its slow, obvious form.
@Suite struct ForwardTests {
    @Test(arguments: [
        (1, 5, 7), (3, 64, 48), (4, 577, 96), (5, 33, 17), (70, 100, 130), (257, 96, 200), (9, 4500, 70),
        (256, 40, 512), (512, 2100, 256),
    ])
    func products(_ m: Int, _ k: Int, _ n: Int) {
        let (x, w) = (Tensor.normal([m, k], seed: 1), Tensor.normal([n, k], seed: 2))
        let bias = Tensor.normal([n], seed: 3)
        let turned = Reference.transpose(w.floats(), rows: n, columns: k)
        let expected = Reference.matmul(x.floats(), turned, m: m, k: k, n: n)
        #expect(relativeError(linear(x, w), expected) < 1e-5)
        #expect(relativeError(matmul(x, w.transposed()), expected) < 1e-5)
        #expect(relativeError(matmul(x, Tensor(turned, [k, n])), expected) < 1e-5)
        let xt = Tensor(Reference.transpose(x.floats(), rows: m, columns: k), [k, m])
        #expect(relativeError(matmul(xt.transposed(), w.transposed()), expected) < 1e-5)
        let shift = bias.floats()
        let shifted = expected.enumerated().map { $1 + shift[$0 % n] }
        #expect(relativeError(linear(x, w, bias: bias), shifted) < 1e-5)
        // bf16: exact against the rounded operands, up to f32 sums, or else to 13 bits
        let narrow = w.cast(to: .bf16)
        let xs = m <= 4 || !Processor.multipliesBF16 ? x.floats() : x.cast(to: .bf16).floats()
        let rounded = Reference.matmul(
            xs, Reference.transpose(narrow.floats(), rows: n, columns: k), m: m, k: k, n: n)
        #expect(relativeError(linear(x, narrow), rounded) < (Processor.multipliesBlocks ? 5e-4 : 1e-5))
        #expect(relativeError(linear(x, narrow), expected) < 2e-2)
        #expect(relativeError(linear(x, w.cast(to: .f16)), expected) < 2e-3)
        // f32 times bf16, which is widened on the way
        let exact = Reference.matmul(
            x.floats(), Reference.transpose(narrow.floats(), rows: n, columns: k), m: m, k: k, n: n)
        #expect(relativeError(matmul(x, narrow.transposed()), exact) < 1e-5)
        #expect(relativeError(matmul(x, narrow.transposed().contiguous()), exact) < 1e-5)
        #expect(relativeError(matmul(xt.transposed(), narrow.transposed()), exact) < 1e-5)
        // A slice of a wider input
        let wide = concatenate([x, x], axis: 1)
        #expect(relativeError(matmul(wide.slice(1, k..<2 * k), w.transposed()), expected) < 1e-5)
    }

    /// To the bit, in every layout and type of the operands, with a bias and added to what is there.
    @Test(
        .enabled(if: Processor.multipliesBlocks, "for processors with fast products of 16-bit integers and no bf16"),
        arguments: [(48, 48, 48), (50, 64, 97), (61, 129, 110), (300, 77, 200), (97, 1400, 100), (2100, 70, 2201)])
    func productsInBlockFloatingPoint(_ m: Int, _ k: Int, _ n: Int) {
        var (a, b) = (Tensor.normal([m, k], seed: 1), Tensor.normal([k, n], seed: 2))
        // Rows and columns of very different size, one of zeros, one that vanishes.
        let sizes = [1, 1e-6, 3e4, 0, 1e-31, 1] as [Float]
        a = a * Tensor((0..<m).map { sizes[$0 % sizes.count] }).reshaped([m, 1])
        b = b * Tensor((0..<n).map { sizes[$0 / 7 % sizes.count] }).reshaped([1, n])
        let (narrowA, narrowB) = (a.cast(to: .bf16), b.cast(to: .bf16))
        let bias = Tensor.normal([n], seed: 3)
        func turned(_ x: Tensor) -> Tensor { x.transposed().contiguous().transposed() }
        func multiplied(_ a: Tensor, _ b: Tensor) -> [Float] {
            let c = Tensor(unfilled: [m, n])
            product(a, b, into: c, low: true)
            return c.floats()
        }
        for (a, b) in [(a, b), (narrowA, b), (a, narrowB)] {
            let expected = Reference.blockMatmul(a, b, onto: Tensor.zeros([m, n]))
            #expect(multiplied(a, b) == expected)
            #expect(multiplied(turned(a), b) == expected)
            #expect(multiplied(a, turned(b)) == expected)
            #expect(multiplied(turned(a), turned(b)) == expected)
        }
        let c = Tensor.normal([m, n], seed: 4)
        let sum = Reference.blockMatmul(a, b, onto: c)
        product(a, b, into: c, accumulate: true, low: true)
        #expect(c.floats() == sum)
        product(a, b, bias: bias, into: c, low: true)
        #expect(c.floats() == Reference.blockMatmul(a, b, onto: bias.broadcast(to: [m, n])))
    }

    @Test(.enabled(if: Processor.multipliesBlocks)) func infinitiesSpoilTheirRowsInBlockFloatingPoint() {
        let b = Tensor.normal([100, 64], seed: 2)
        for bad in [Float.infinity, -.infinity, .nan] {
            for place in [0, 6499] {
                var numbers = Tensor.normal([65, 100], seed: 1).floats()
                numbers[place] = bad
                let row = place / 100
                let c = Tensor(unfilled: [65, 64])
                product(Tensor(numbers, [65, 100]), b, into: c, low: true)
                for (i, value) in c.floats().enumerated() { #expect(value.isNaN == (i / 64 == row)) }
            }
        }
    }

    @Test func batchedProductsBroadcast() {
        let (a, b) = (Tensor.normal([5, 1, 6, 7], seed: 1), Tensor.normal([3, 7, 4], seed: 2))
        let c = matmul(a, b)
        #expect(c.shape == [5, 3, 6, 4])
        for i in 0..<5 {
            for j in 0..<3 {
                let expected = Reference.matmul(a.at(0, i).floats(), b.at(0, j).floats(), m: 6, k: 7, n: 4)
                #expect(relativeError(c.at(0, i).at(0, j), expected) < 1e-5)
            }
        }
    }

    /// The same bits on one thread and on all, backward too.
    @Test func threadsDoNotChangeResults() {
        defer { ThreadPool.threads = 0 }
        func run() -> [[Float]] {
            let x = Tensor.normal([700, 96], seed: 1).requiringGradient()
            let w = Tensor.normal([288, 96], deviation: 0.1, seed: 2).requiringGradient()
            let scale = Tensor.normal([96], seed: 3).requiringGradient()
            let parts = linear(rmsNorm(x, scale, eps: 1e-5), w.cast(to: .bf16)).reshaped([700, 9, 32])
            let mixed = attention(
                parts.slice(1, 0..<6), parts.slice(1, 6..<8), parts.slice(1, 7..<9),
                sequences: PackedSequences(lengths: [300, 400]), scale: 0.2)
            let loss = crossEntropy(
                swiglu(mixed.reshaped([700, 192])), Tensor((0..<700).map { Int32($0 % 96) }))
            let gradients = loss.backward()
            return [mixed.floats(), loss.floats()] + [x, w, scale].map { gradients[$0]?.floats() ?? [] }
        }
        ThreadPool.threads = 1
        let one = run()
        ThreadPool.threads = 0
        let all = run()
        #expect(one.allSatisfy { !$0.isEmpty })
        for (index, (a, b)) in zip(one, all).enumerated() {
            let same = a == b  // outside the macro, which would describe every difference
            #expect(same, "result \(index)")
        }
    }

    @Test func arithmeticBroadcasts() {
        let x = Tensor((0..<6).map(Float.init), [2, 3])
        #expect((x + Tensor([10, 20, 30] as [Float])).floats() == [10, 21, 32, 13, 24, 35])
        #expect((x * Tensor([2, 3] as [Float], [2, 1])).floats() == [0, 2, 4, 9, 12, 15])
        #expect((x - x).floats() == [0, 0, 0, 0, 0, 0])
        #expect((Tensor(6) / Tensor([1, 2, 3] as [Float])).floats() == [6, 3, 2])
        #expect((x.transposed() + Tensor([1, 2] as [Float])).floats() == [1, 5, 2, 6, 3, 7])
        #expect(maximum(x, Tensor(2.5)).floats() == [2.5, 2.5, 2.5, 3, 4, 5])
        #expect(minimum(x, Tensor([1, 4] as [Float], [2, 1])).floats() == [0, 1, 1, 3, 4, 4])
        #expect((1 - x * 2).floats() == [1, -1, -3, -5, -7, -9])
        #expect(clamp(x, 1, 4).floats() == [1, 1, 2, 3, 4, 4])
        let (a, b) = (Tensor.normal([4, 1, 5], seed: 1), Tensor.normal([3, 1], seed: 2))
        let sums = (a + b).floats()
        let (av, bv) = (a.floats(), b.floats())
        for i in 0..<4 {
            for j in 0..<3 { for k in 0..<5 { #expect(sums[(i * 3 + j) * 5 + k] == av[i * 5 + k] + bv[j]) } }
        }
    }

    @Test func functionsOfOneNumber() {
        let points = stride(from: Float(-20), through: 20, by: 0.0371).map { $0 }
        let x = Tensor(points)
        func check(_ name: String, _ result: Tensor, _ f: (Double) -> Double, tolerance: Double = 2e-6) {
            for (value, point) in zip(result.floats(), points) {
                let exact = f(Double(point))
                let allowed = tolerance * max(exact.magnitude, 1e-2)
                #expect((Double(value) - exact).magnitude <= allowed, "\(name)(\(point)) = \(value), exactly \(exact)")
            }
        }
        func sigma(_ x: Double) -> Double { 1 / (1 + exponential(-x)) }
        check("exp", exp(x), exponential)
        check("tanh", tanh(x), hyperbolicTangent)
        check("sigmoid", sigmoid(x), sigma)
        check("logSigmoid", logSigmoid(x)) { -logarithm(1 + exponential(-$0)) }
        check("silu", silu(x)) { $0 * sigma($0) }
        check("gelu", gelu(x)) { 0.5 * $0 * (1 + errorFunction($0 / 2.0.squareRoot())) }
        check("gelu tanh", gelu(x, .tanh)) {
            0.5 * $0 * (1 + hyperbolicTangent((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0)))
        }
        check("relu", relu(x)) { max($0, 0) }
        check("softcap", softcap(x, 5)) { 5 * hyperbolicTangent($0 / 5) }
        check("square", square(x)) { $0 * $0 }
        check("abs", abs(x)) { $0.magnitude }
        check("sqrt", sqrt(abs(x))) { $0.magnitude.squareRoot() }
        check("log", log(abs(x))) { logarithm($0.magnitude) }
        #expect(exp(Tensor([-200, 200, -.infinity] as [Float])).floats() == [0, .infinity, 0])
        #expect(exp(Tensor([Float.nan])).floats()[0].isNaN)
    }

    @Test func gatedUnits() {
        let both = Tensor.normal([7, 20], seed: 4)
        let (gate, up) = (both.slice(1, 0..<10), both.slice(1, 10..<20))
        #expect(relativeError(swiglu(both), (silu(gate) * up).floats()) < 1e-6)
        #expect(relativeError(swiglu(gate: gate, up: up), (silu(gate) * up).floats()) < 1e-6)
        #expect(relativeError(gatedUnit(both, .gelu(.tanh)), (gelu(gate, .tanh) * up).floats()) < 1e-6)
        #expect(relativeError(gatedUnit(both, .gelu(.exact)), (gelu(gate) * up).floats()) < 1e-6)
    }

    @Test(arguments: [8, 21, 576])
    func normalisations(_ width: Int) {
        let (x, w, b) = (
            Tensor.normal([5, width], mean: 0.5, seed: 1), Tensor.normal([width], seed: 2),
            Tensor.normal([width], seed: 3)
        )
        let (xs, ws, bs) = (x.floats().map(Double.init), w.floats().map(Double.init), b.floats().map(Double.init))
        var (rms, rmsPlus, layer): ([Float], [Float], [Float]) = ([], [], [])
        for r in 0..<5 {
            let row = Array(xs[r * width..<(r + 1) * width])
            let s = 1 / (row.reduce(0) { $0 + $1 * $1 } / Double(width) + 1e-5).squareRoot()
            let mean = row.reduce(0, +) / Double(width)
            let deviation = (row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width) + 1e-5).squareRoot()
            for i in 0..<width {
                rms.append(Float(row[i] * s * ws[i]))
                rmsPlus.append(Float(row[i] * s * (1 + ws[i])))
                layer.append(Float((row[i] - mean) / deviation * ws[i] + bs[i]))
            }
        }
        #expect(relativeError(rmsNorm(x, w, eps: 1e-5), rms) < 2e-6)
        #expect(relativeError(rmsNorm(x, w, eps: 1e-5, onePlus: true), rmsPlus) < 2e-6)
        #expect(relativeError(layerNorm(x, w, b, eps: 1e-5), layer) < 2e-6)
    }

    @Test(arguments: [RotaryPairing.interleaved, .halves])
    func rotaryEmbedding(_ pairing: RotaryPairing) {
        let table = RotaryTable(frequencies: RotaryTable.frequencies(width: 8, base: 10_000), positions: 50)
        let x = Tensor.normal([3, 2, 10], seed: 1)  // the last two numbers of each head pass
        let positions: [Int32] = [0, 7, 49]
        let result = rope(x, positions: Tensor(positions), table: table, pairing: pairing).floats()
        let source = x.floats()
        for r in 0..<3 {
            for h in 0..<2 {
                let base = (r * 2 + h) * 10
                for i in 0..<4 {
                    let (first, second) = pairing == .halves ? (i, i + 4) : (2 * i, 2 * i + 1)
                    let angle = Double(positions[r]) * logarithmicPower(10_000, -2 * Double(i) / 8)
                    let (a, b) = (Double(source[base + first]), Double(source[base + second]))
                    #expect((Double(result[base + first]) - (a * cosine(angle) - b * sine(angle))).magnitude < 1e-5)
                    #expect((Double(result[base + second]) - (a * sine(angle) + b * cosine(angle))).magnitude < 1e-5)
                }
                #expect(result[base + 8] == source[base + 8] && result[base + 9] == source[base + 9])
            }
        }
    }

    @Test func softmaxes() {
        let x = Tensor.normal([6, 301], deviation: 5, seed: 1)
        let (p, l) = (softmax(x).floats(), logSoftmax(x).floats())
        let source = x.floats().map(Double.init)
        for r in 0..<6 {
            let row = source[r * 301..<(r + 1) * 301]
            let total = row.reduce(0) { $0 + exponential($1) }
            for (i, value) in row.enumerated() {
                #expect((Double(p[r * 301 + i]) - exponential(value) / total).magnitude < 1e-6)
                #expect((Double(l[r * 301 + i]) - (value - logarithm(total))).magnitude < 1e-5)
            }
        }
        #expect(softmax(Tensor([-.infinity, 0, -.infinity] as [Float])).floats() == [0, 1, 0])
        let targets = Tensor([5, 300, -1, 0, 7, 8] as [Int32])
        let picked = logProbabilities(x, targets).floats()
        #expect(picked[2] == 0)
        #expect((picked[1] - l[301 + 300]).magnitude < 1e-5)
        #expect((crossEntropy(x, targets).item + picked.reduce(0, +) / 5).magnitude < 1e-6)
    }

    @Test(arguments: [
        ([1], 1, 1, 16, true, nil as Int?), ([5, 70, 1, 130], 6, 2, 64, true, nil), ([200], 3, 3, 20, false, nil),
        ([150, 64], 4, 1, 32, true, 17), ([100], 2, 2, 16, false, 9), ([64, 128], 9, 3, 64, true, nil),
    ])
    func attends(_ lengths: [Int], _ heads: Int, _ keyHeads: Int, _ width: Int, _ causal: Bool, _ window: Int?) {
        let tokens = lengths.reduce(0, +)
        let q = Tensor.normal([tokens, heads, width], seed: 1)
        let k = Tensor.normal([tokens, keyHeads, width], seed: 2)
        let v = Tensor.normal([tokens, keyHeads, width + 3], seed: 3)
        let scale = 1 / Float(width).squareRoot()
        let result = attention(
            q, k, v, sequences: PackedSequences(lengths: lengths), scale: scale, causal: causal, window: window)
        let expected = Reference.attention(
            q: q, k: k, v: v, lengths: lengths, scale: Double(scale), causal: causal, window: window)
        #expect(relativeError(result, expected) < 1e-5)
    }

    /// The rows of a branch are those of its whole text alone.
    @Test(arguments: [
        ([PackedSequences.Part(shared: 3, branches: [2, 5, 1])], nil as Int?),
        (
            [
                .init(shared: 100, branches: [70, 1, 64]), .init(shared: 9, branches: []),
                .init(shared: 64, branches: [3]),
            ], nil
        ),
        ([.init(shared: 20, branches: [0, 90, 90]), .init(shared: 1, branches: [2, 2])], 30),
    ])
    func attendsInBranches(_ parts: [PackedSequences.Part], _ window: Int?) {
        let sequences = PackedSequences(parts)
        let tokens = sequences.tokens
        let q = Tensor.normal([tokens, 4, 16], seed: 1)
        let k = Tensor.normal([tokens, 2, 16], seed: 2)
        let v = Tensor.normal([tokens, 2, 16], seed: 3)
        let result = attention(q, k, v, sequences: sequences, scale: 0.3, window: window)
        for (sequence, part) in parts.enumerated() {
            let rows = sequences.range(sequence)
            var start = rows.lowerBound + part.shared
            for length in part.branches.isEmpty ? [0] : part.branches {
                let text = (Array(rows.prefix(part.shared)) + Array(start..<start + length)).map(Int32.init)
                start += length
                func own(_ x: Tensor) -> Tensor {
                    takeRows(x.reshaped([tokens, -1]), text).reshaped([text.count, x.shape[1], 16])
                }
                let alone = attention(
                    own(q), own(k), own(v), sequences: PackedSequences(lengths: [text.count]), scale: 0.3,
                    window: window)
                #expect(relativeError(own(result), alone.floats()) < 1e-5)
                #expect(text.map { sequences.positions[Int($0)] } == (0..<Int32(text.count)).map { $0 })
            }
        }
    }

    @Test func attendsInSlicesOfOneProduct() {
        let joint = Tensor.normal([40, 5 * 16], seed: 1)
        let parts = joint.split([48, 16, 16])
        let (q, k, v) = (
            parts[0].reshaped([40, 3, 16]), parts[1].reshaped([40, 1, 16]), parts[2].reshaped([40, 1, 16])
        )
        let sequences = PackedSequences(lengths: [40])
        let direct = attention(q.copied(), k.copied(), v.copied(), sequences: sequences, scale: 0.25)
        #expect(attention(q, k, v, sequences: sequences, scale: 0.25).floats() == direct.floats())
    }

    @Test func chunkedLossEqualsTheWholeOne() {
        let (x, w) = (Tensor.normal([50, 24], seed: 1), Tensor.normal([331, 24], deviation: 0.3, seed: 2))
        let targets = Tensor((0..<50).map { $0 % 7 == 0 ? -1 : Int32($0 * 6) })
        let whole = logProbabilities(linear(x, w), targets)
        let chunked = linearLogProbabilities(x, w, targets, scratchBytes: 331 * 4 * 16)
        #expect(relativeError(chunked, whole.floats()) < 1e-5)
        let loss = linearCrossEntropy(x, w, targets, scratchBytes: 331 * 4 * 16).item
        #expect((loss - crossEntropy(linear(x, w), targets).item).magnitude < 1e-5)
        let weights = (0..<50).map { Float($0) }
        let weighted = linearCrossEntropy(x, w, targets, weights: weights).item
        let expected = -zip(whole.floats(), weights).reduce(0) { $0 + $1.0 * $1.1 }
        #expect((weighted - expected).magnitude < 1e-4 * expected.magnitude)
    }

    @Test func lookUps() {
        let table = Tensor.normal([9, 5], seed: 1)
        let rows = embedding(Tensor([3, 0, 3, 8] as [Int32], [2, 2]), table)
        #expect(rows.shape == [2, 2, 5] && rows.at(0, 1).at(0, 0).floats() == table.at(0, 3).floats())
        #expect(
            embedding(Tensor([4] as [Int32]), table.cast(to: .bf16)).floats() == table.cast(to: .bf16).at(0, 4).floats()
        )
        #expect(
            embedding(Tensor([4] as [Int32]), table.cast(to: .f16)).floats() == table.cast(to: .f16).at(0, 4).floats())
        #expect(
            gather(table, Tensor([0, 1, 2, 3, 4, 0, 1, 2, 3] as [Int32])).floats()[4] == table.at(0, 4).floats()[4])
        #expect(takeRows(table, [7, 1]).floats() == table.at(0, 7).floats() + table.at(0, 1).floats())
    }

    @Test func reductions() {
        let x = Tensor.normal([3, 40, 5], seed: 1)
        let source = x.floats().map(Double.init)
        #expect((Double(x.sum().item) - source.reduce(0, +)).magnitude < 1e-4)
        #expect((Double(x.mean().item) - source.reduce(0, +) / 600).magnitude < 1e-6)
        let middle = x.sum(1)
        #expect(middle.shape == [3, 5] && x.sum(1, keeping: true).shape == [3, 1, 5])
        for o in 0..<3 {
            for i in 0..<5 {
                let exact = (0..<40).reduce(0.0) { $0 + source[(o * 40 + $1) * 5 + i] }
                #expect((Double(middle.floats()[o * 5 + i]) - exact).magnitude < 1e-4)
            }
        }
        let (values, places) = x.maxRows()
        for r in 0..<120 {
            let row = source[r * 5..<(r + 1) * 5]
            #expect(Double(values.floats()[r]) == row.max())
            #expect(source[r * 5 + Int(places.integers()[r])] == row.max())
        }
    }

    @Test func dropoutKeepsTheExpectationAndItsSeed() {
        let x = Tensor.ones([100_000])
        let y = dropout(x, probability: 0.3, seed: 5)
        let values = y.floats()
        #expect(values.allSatisfy { $0 == 0 || ($0 - 1 / 0.7).magnitude < 1e-6 })
        let zeros = values.count { $0 == 0 }
        #expect(abs(zeros - 30_000) < 600)  // four standard deviations
        #expect(dropout(x, probability: 0.3, seed: 5).floats() == values)
        #expect(dropout(x, probability: 0.3, seed: 6).floats() != values)
        #expect(dropout(x, probability: 1, seed: 6).floats().allSatisfy { $0 == 0 })
    }
}
