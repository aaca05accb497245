import Tensors
import Testing

/// Every operation's gradient against central differences.
@Suite struct GradientTests {
    let x = Tensor.normal([5, 6], seed: 1)
    let y = Tensor.normal([5, 6], seed: 2)

    @Test func products() {
        for rows in [2, 9] {
            let inputs = [
                Tensor.normal([rows, 6], seed: 1), Tensor.normal([7, 6], seed: 2), Tensor.normal([7], seed: 3),
            ]
            expectGradients("linear of \(rows) rows", of: inputs) { linear($0[0], $0[1], bias: $0[2]) }
        }
        expectGradients("linear in three dimensions", of: [.normal([2, 3, 6], seed: 1), .normal([4, 6], seed: 2)]) {
            linear($0[0], $0[1])
        }
        expectGradients("matmul", of: [.normal([5, 6], seed: 1), .normal([6, 7], seed: 2)]) { matmul($0[0], $0[1]) }
        expectGradients("matmul of transposes", of: [.normal([6, 5], seed: 1), .normal([7, 6], seed: 2)]) {
            matmul($0[0].transposed(), $0[1].transposed())
        }
        expectGradients("batched matmul", of: [.normal([3, 1, 4, 5], seed: 1), .normal([2, 5, 3], seed: 2)]) {
            matmul($0[0], $0[1])
        }
    }

    @Test func arithmetic() {
        let row = Tensor.normal([6], seed: 3)
        let column = Tensor.uniform([5, 1], low: 1, high: 2, seed: 4)
        expectGradients("+", of: [x, row]) { $0[0] + $0[1] }
        expectGradients("-", of: [column, x]) { $0[0] - $0[1] }
        expectGradients("*", of: [x, column]) { $0[0] * $0[1] }
        expectGradients("/", of: [x, column]) { $0[0] / $0[1] }
        expectGradients("numbers", of: [x]) { -(3 - $0[0] * 2 / 5 + 1) }
        expectGradients("the same twice", of: [x]) { $0[0] * $0[0] + $0[0] }
        // Away from ties and borders, where the functions have no derivative.
        let apart = x + Tensor.full(0.5, x.shape) * sign(x - y)
        expectGradients("maximum", of: [apart, y]) { maximum($0[0], $0[1]) }
        expectGradients("minimum", of: [apart, y]) { minimum($0[0], $0[1]) }
        let clear = x + sign(abs(x) - 0.7) * sign(x) * 0.2
        expectGradients("clamp", of: [clear]) { clamp($0[0], -0.7, 0.7) }
    }

    @Test func functions() {
        let positive = abs(x) + 0.5
        let away = x + sign(x) * 0.2
        let all: [(String, Tensor, (Tensor) -> Tensor)] = [
            ("exp", x, exp), ("log", positive, log), ("sqrt", positive, sqrt), ("square", x, square),
            ("abs", away, abs),
            ("sigmoid", x, sigmoid), ("logSigmoid", x, logSigmoid), ("tanh", x, tanh), ("relu", away, relu),
            ("silu", x, silu), ("gelu", x, { gelu($0) }), ("gelu tanh", x, { gelu($0, .tanh) }),
            ("softcap", x, { softcap($0, 1.5) }),
        ]
        for (name, input, function) in all { expectGradients(name, of: [input]) { function($0[0]) } }
        expectGradients("a function of a view", of: [x]) { silu($0[0].transposed()) }
    }

    @Test func gatedUnits() {
        let both = Tensor.normal([4, 12], seed: 5)
        expectGradients("swiglu", of: [both]) { swiglu($0[0]) }
        expectGradients("swiglu apart", of: [x, y]) { swiglu(gate: $0[0], up: $0[1]) }
        expectGradients("gelu unit", of: [both]) { gatedUnit($0[0], .gelu(.exact)) }
        expectGradients("gelu tanh unit", of: [x, y]) { gatedUnit(gate: $0[0], up: $0[1], .gelu(.tanh)) }
    }

    @Test func normalisations() {
        let (w, b) = (Tensor.normal([6], seed: 3), Tensor.normal([6], seed: 4))
        expectGradients("rmsNorm", of: [x, w]) { rmsNorm($0[0], $0[1], eps: 1e-5) }
        expectGradients("rmsNorm, 1 + w", of: [x, w]) { rmsNorm($0[0], $0[1], eps: 1e-5, onePlus: true) }
        expectGradients("rmsNorm without weight", of: [x]) { rmsNorm($0[0], nil, eps: 1e-5) }
        expectGradients("layerNorm", of: [x, w, b]) { layerNorm($0[0], $0[1], $0[2], eps: 1e-5) }
        expectGradients("layerNorm without bias", of: [x, w]) { layerNorm($0[0], $0[1], nil, eps: 1e-5) }
        // Enough rows that several threads sum the weight's gradient.
        let tall = [Tensor.normal([5000, 6], seed: 7), w, b]
        expectGradients("tall rmsNorm", of: Array(tall[0...1])) { rmsNorm($0[0], $0[1], eps: 1e-5) }
        expectGradients("tall layerNorm", of: tall) { layerNorm($0[0], $0[1], $0[2], eps: 1e-5) }
    }

    @Test(arguments: [RotaryPairing.interleaved, .halves])
    func rotaryEmbedding(_ pairing: RotaryPairing) {
        let table = RotaryTable(frequencies: RotaryTable.frequencies(width: 4, base: 100), positions: 9)
        let positions = Tensor([3, 0, 8, 8] as [Int32])
        expectGradients("rope", of: [.normal([4, 2, 6], seed: 1)]) {
            rope($0[0], positions: positions, table: table, pairing: pairing)
        }
    }

    @Test func softmaxes() {
        expectGradients("softmax", of: [x]) { softmax($0[0]) }
        expectGradients("logSoftmax", of: [x]) { logSoftmax($0[0]) }
        let targets = Tensor([0, 5, -1, 2, 3] as [Int32])
        expectGradients("logProbabilities", of: [x]) { logProbabilities($0[0], targets) }
        expectGradients("crossEntropy", of: [x]) { crossEntropy($0[0], targets) }
    }

    @Test func chunkedLosses() {
        let inputs = [Tensor.normal([50, 8], seed: 1), Tensor.normal([40, 8], deviation: 0.5, seed: 2)]
        let targets = Tensor((0..<50).map { $0 % 5 == 0 ? -1 : Int32($0 % 40) })
        let weights = Tensor.normal([50], seed: 9).floats()
        // 16 rows of logits at a time
        let bytes = 40 * 4 * 16
        expectGradients("linearLogProbabilities", of: inputs) {
            linearLogProbabilities($0[0], $0[1], targets, scratchBytes: bytes)
        }
        expectGradients("linearCrossEntropy", of: inputs) {
            linearCrossEntropy($0[0], $0[1], targets, scratchBytes: bytes)
        }
        expectGradients("weighted linearCrossEntropy", of: inputs) {
            linearCrossEntropy($0[0], $0[1], targets, weights: weights, scratchBytes: bytes)
        }
    }

    @Test(arguments: [
        ([7, 1, 5], 4, 2, 16, true, nil as Int?), ([9], 2, 2, 5, false, nil), ([12], 3, 1, 8, true, 4),
        ([10, 3], 2, 1, 8, false, 3), ([70, 66], 2, 1, 16, true, nil), ([130], 1, 1, 16, true, 65),
    ])
    func attends(_ lengths: [Int], _ heads: Int, _ keyHeads: Int, _ width: Int, _ causal: Bool, _ window: Int?) {
        let tokens = lengths.reduce(0, +)
        let inputs = [
            Tensor.normal([tokens, heads, width], seed: 1), .normal([tokens, keyHeads, width], seed: 2),
            .normal([tokens, keyHeads, width + 2], seed: 3),
        ]
        expectGradients("attention", of: inputs) {
            attention(
                $0[0], $0[1], $0[2], sequences: PackedSequences(lengths: lengths), scale: 0.4, causal: causal,
                window: window)
        }
    }

    @Test(arguments: [
        ([PackedSequences.Part(shared: 3, branches: [2, 4, 1]), .init(shared: 2, branches: [])], nil as Int?),
        ([.init(shared: 66, branches: [5, 63])], nil), ([.init(shared: 6, branches: [5, 7])], 4),
    ])
    func attendsInBranches(_ parts: [PackedSequences.Part], _ window: Int?) {
        let sequences = PackedSequences(parts)
        let inputs = [
            Tensor.normal([sequences.tokens, 2, 8], seed: 1), .normal([sequences.tokens, 1, 8], seed: 2),
            .normal([sequences.tokens, 1, 8], seed: 3),
        ]
        expectGradients("attention in branches", of: inputs) {
            attention($0[0], $0[1], $0[2], sequences: sequences, scale: 0.4, window: window)
        }
    }

    @Test func lookUps() {
        let indices = Tensor([2, 0, 2, 4] as [Int32])
        expectGradients("embedding", of: [x]) { embedding(indices, $0[0]) }
        expectGradients("takeRows", of: [.normal([3, 2, 2], seed: 1)]) { takeRows($0[0], [2, 2, 0]) }
        expectGradients("gather", of: [x]) { gather($0[0], Tensor([5, 0, 1, 1, 2] as [Int32])) }
    }

    @Test func viewsAndReductions() {
        let z = Tensor.normal([2, 3, 4], seed: 1)
        expectGradients("reshape", of: [z]) { $0[0].reshaped([6, 4]) * Tensor([1, 2, 3, 4] as [Float]) }
        expectGradients("transposed reshape", of: [z]) { $0[0].transposed(0, 2).reshaped([-1]) }
        expectGradients("slice", of: [z]) { $0[0].slice(1, 1..<3) }
        expectGradients("at", of: [z]) { $0[0].at(-1, 2) }
        expectGradients("broadcast", of: [z]) { $0[0].expanded(1).broadcast(to: [5, 2, 3, 3, 4]) }
        expectGradients("copied", of: [z]) { $0[0].transposed().copied() }
        expectGradients("concatenate", of: [z, .normal([2, 1, 4], seed: 2)]) {
            concatenate([$0[0], $0[1], $0[0]], axis: 1)
        }
        expectGradients("split", of: [z]) { $0[0].split([1, 3])[1] * $0[0].split([3, 1])[1] }
        expectGradients("sum", of: [z]) { $0[0].sum() }
        expectGradients("sum along", of: [z]) { $0[0].sum(1) }
        expectGradients("mean", of: [z]) { $0[0].mean() + $0[0].mean(0).sum() }
        expectGradients("mean along", of: [z]) { $0[0].mean(-1, keeping: true) * $0[0] }
        expectGradients("largest", of: [z * 3]) { $0[0].maxRows().values }
        expectGradients("dropout", of: [z]) { dropout($0[0], probability: 0.4, seed: 3) }
    }

    private func sign(_ x: Tensor) -> Tensor { Tensor(x.floats().map { $0 < 0 ? Float(-1) : 1 }, x.shape) }
}
