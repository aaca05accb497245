import Foundation
import Tensors
import Testing

/// Outputs and gradients against PyTorch's. `Tests/Golden/tensors.py` makes the values; inputs are made here as there.
@Suite struct GoldenTests {
    struct Case: Decodable {
        let output: [Float]
        let gradients: [[Float]]
    }

    static let cases: [String: Case] = {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        guard let data = try? Data(contentsOf: tests.appendingPathComponent("Golden/tensors.json")),
            let cases = try? JSONDecoder().decode([String: Case].self, from: data)
        else { return [:] }
        return cases
    }()

    static func numbers(_ shape: Shape, _ seed: UInt32) -> Tensor {
        let values = (0..<UInt32(shape.count)).map { index -> Float in
            var h = (index + 1) &* 2_654_435_761 &+ seed &* 40503
            h = (h ^ (h >> 15)) &* 2_246_822_519
            h = (h ^ (h >> 13)) &* 3_266_489_917
            return Float((h ^ (h >> 16)) >> 16) / 32768 - 1
        }
        return Tensor(values, shape)
    }

    func expectGolden(
        _ name: String, _ shapes: [Shape], tolerance: Float = 1e-4, sourceLocation: SourceLocation = #_sourceLocation,
        _ operation: ([Tensor]) -> Tensor
    ) {
        guard let golden = Self.cases[name] else {
            Issue.record("no golden values for \(name)", sourceLocation: sourceLocation)
            return
        }
        let inputs = shapes.enumerated().map { Self.numbers($1, UInt32($0 + 1)).requiringGradient() }
        let output = operation(inputs)
        let error = relativeError(output, golden.output)
        #expect(error <= tolerance, "\(name): output", sourceLocation: sourceLocation)
        let gradients = output.backward(Self.numbers(output.shape, 99))
        #expect(golden.gradients.count == inputs.count, sourceLocation: sourceLocation)
        for (index, expected) in golden.gradients.enumerated() {
            let error = relativeError(gradients[inputs[index]]?.floats() ?? [], expected)
            #expect(error <= tolerance, "\(name): gradient of input \(index)", sourceLocation: sourceLocation)
        }
    }

    @Test func products() {
        expectGolden("linear", [[9, 10], [6, 10], [6]]) { linear($0[0], $0[1], bias: $0[2]) }
        expectGolden("linear few rows", [[2, 35], [6, 35], [6]]) { linear($0[0], $0[1], bias: $0[2]) }
        expectGolden("batched matmul", [[3, 1, 4, 5], [2, 5, 3]]) { matmul($0[0], $0[1]) }
        expectGolden("linear bf16", [[16, 32], [12, 32]], tolerance: 2e-2) { linear($0[0], $0[1].cast(to: .bf16)) }
        expectGolden("matmul bf16", [[16, 32], [32, 12]], tolerance: 2e-2) {
            matmul($0[0].cast(to: .bf16), $0[1].cast(to: .bf16))
        }
    }

    @Test func arithmetic() {
        expectGolden("arithmetic", [[4, 1, 3], [5, 3]]) {
            (($0[0] + $0[1]) * ($0[0] - $0[1])) / ($0[1] + 3) + 2 * $0[0]
        }
        expectGolden("maximum minimum clamp", [[4, 5], [4, 5]]) {
            maximum($0[0], $0[1]) * minimum($0[0], $0[1]) + clamp($0[0], -0.4, 0.6)
        }
    }

    @Test func functions() {
        let all: [(String, (Tensor) -> Tensor)] = [
            ("exp", exp), ("sigmoid", sigmoid), ("logSigmoid", logSigmoid), ("tanh", tanh), ("relu", relu),
            ("silu", silu), ("gelu", { gelu($0) }), ("geluTanh", { gelu($0, .tanh) }), ("square", square), ("abs", abs),
            ("log", { log(abs($0) + 0.1) }), ("sqrt", { sqrt(abs($0) + 0.1) }), ("softcap", { softcap($0, 2) }),
            ("softmax", softmax), ("logSoftmax", logSoftmax),
        ]
        for (name, function) in all { expectGolden(name, [[4, 9]]) { function($0[0] * 4) } }
        expectGolden("swiglu", [[3, 14]]) { swiglu($0[0]) }
        expectGolden("geglu", [[3, 7], [3, 7]]) { gatedUnit(gate: $0[0], up: $0[1], .gelu(.tanh)) }
    }

    @Test func rows() {
        expectGolden("rmsNorm", [[5, 12], [12]]) { rmsNorm($0[0], $0[1], eps: 1e-5) }
        expectGolden("rmsNorm onePlus", [[5, 12], [12]]) { rmsNorm($0[0], $0[1], eps: 1e-6, onePlus: true) }
        expectGolden("layerNorm", [[5, 12], [12], [12]]) { layerNorm($0[0], $0[1], $0[2], eps: 1e-5) }
        let table = RotaryTable(frequencies: RotaryTable.frequencies(width: 8, base: 10_000), positions: 201)
        let positions = Tensor([0, 3, 200, 17] as [Int32])
        for (name, pairing) in [("rope interleaved", RotaryPairing.interleaved), ("rope halves", .halves)] {
            expectGolden(name, [[4, 2, 8]]) { rope($0[0], positions: positions, table: table, pairing: pairing) }
        }
    }

    @Test func attends() {
        expectGolden("attention causal", [[12, 4, 8], [12, 2, 8], [12, 2, 6]]) {
            attention($0[0], $0[1], $0[2], sequences: PackedSequences(lengths: [5, 7]), scale: 0.35)
        }
        expectGolden("attention window", [[12, 2, 8], [12, 1, 8], [12, 1, 8]]) {
            attention($0[0], $0[1], $0[2], sequences: PackedSequences(lengths: [12]), scale: 1, window: 4)
        }
        expectGolden("attention both ways", [[10, 2, 8], [10, 2, 8], [10, 2, 8]]) {
            attention($0[0], $0[1], $0[2], sequences: PackedSequences(lengths: [3, 7]), scale: 0.5, causal: false)
        }
    }

    @Test func losses() {
        let targets = Tensor([3, -100, 0, 8, 8, 1] as [Int32])
        expectGolden("crossEntropy", [[6, 9]]) { crossEntropy($0[0] * 4, targets) }
        expectGolden("linearCrossEntropy", [[6, 5], [9, 5]]) { linearCrossEntropy($0[0], $0[1], targets) }
        expectGolden("linearLogProbabilities", [[6, 5], [9, 5]]) { linearLogProbabilities($0[0], $0[1], targets) }
    }

    @Test func lookUpsAndReductions() {
        expectGolden("embedding", [[7, 4]]) { embedding(Tensor([1, 6, 1, 0] as [Int32], [2, 2]), $0[0]) }
        expectGolden("gather", [[5, 4]]) { gather($0[0], Tensor([0, 3, 1, 1, 2] as [Int32])) }
        expectGolden("sums", [[3, 4, 5]]) {
            ($0[0].sum(1) * $0[0].mean(1) + $0[0].maxRows().values.sum()) * $0[0].sum()
        }
        expectGolden("joins", [[2, 3, 4], [2, 2, 4]]) {
            let joined = concatenate([$0[0], $0[1].slice(1, 1..<2), $0[0]], axis: 1)
            return joined.transposed(1, 2).transposed(0, 1).reshaped([8, -1])
        }
    }

    /// In bf16 too against the exact values: what low precision costs over a whole layer, forward and backward.
    @Test(arguments: [false, true]) func decoderLayer(_ bf16: Bool) {
        let shapes: [Shape] = [[11, 16], [16], [32, 16], [16, 16], [16], [48, 16], [16, 24]]
        expectGolden("decoder layer", shapes, tolerance: bf16 ? 2e-2 : 1e-4) { weights in
            func narrow(_ weight: Tensor) -> Tensor { bf16 ? weight.cast(to: .bf16) : weight }
            let sequences = PackedSequences(lengths: [5, 3])
            let positions = Tensor(sequences.positions)
            let rotary = RotaryTable(frequencies: RotaryTable.frequencies(width: 8, base: 100), positions: 5)
            let tokens = Tensor([1, 5, 9, 2, 2, 7, 3, 0] as [Int32])
            var x = embedding(tokens, weights[0])
            let h = linear(rmsNorm(x, weights[1], eps: 1e-5, onePlus: true), narrow(weights[2] / 4))
            let parts = h.split([16, 8, 8])
            let q = rope(parts[0].reshaped([8, 2, 8]), positions: positions, table: rotary, pairing: .halves)
            let k = rope(parts[1].reshaped([8, 1, 8]), positions: positions, table: rotary, pairing: .halves)
            let a = attention(
                q, k, parts[2].reshaped([8, 1, 8]), sequences: sequences, scale: 1 / Float(8).squareRoot())
            x = x + linear(a.reshaped([8, 16]), narrow(weights[3] / 4))
            let gateUp = linear(rmsNorm(x, weights[4], eps: 1e-5, onePlus: true), narrow(weights[5] / 4))
            x = x + linear(swiglu(gateUp), narrow(weights[6] / 4))
            let labels = Tensor([5, 9, 2, 2, -100, 3, 0, -100] as [Int32])
            return linearCrossEntropy(x, narrow(weights[0]), labels)
        }
    }
}
