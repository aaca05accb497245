import Models
import Tensors
import Testing
import Training

/// Gradients of a whole two-layer model.
@Suite struct GradientTests {
    /// The mean loss over the tiny model's samples and its gradients.
    func gradients(
        _ trainable: TrainableModel, recomputes: Bool = false
    ) throws -> (loss: Float, gradients: [String: Tensor]) {
        let samples = TinyModel.samples
        let weight = samples.reduce(0) { $0 + $1.weight }
        let total = Policy(trainable.model, recomputes: recomputes).crossEntropy(samples)
        let found = total.backward(Tensor(Float(1 / weight)))
        let named = try trainable.parameters.map { ($0.name, try #require(found[$0.tensor])) }
        return (total.item / Float(weight), Dictionary(uniqueKeysWithValues: named))
    }

    /// Against PyTorch, to 1e-4 in f32 and 2e-2 in bf16.
    @Test(arguments: ComputePrecision.allCases) func matchPyTorch(_ precision: ComputePrecision) throws {
        let golden = try Golden.values.get().gradients
        let tolerance: Float = precision == .f32 ? 1e-4 : 2e-2
        let (loss, found) = try gradients(try TinyModel.load(precision: precision))
        #expect(abs(loss - Float(golden.loss)) <= tolerance)
        #expect(Set(found.keys) == Set(golden.parameters.keys))
        for (name, expected) in golden.parameters {
            let values = try #require(found[name]).floats()
            let shown = stride(from: 0, to: values.count, by: expected.step).map { values[$0] }
            #expect(relativeDistance(shown, expected.values) <= tolerance, "\(name)")
            let gradient = try #require(found[name])
            let norm = Double(dot(gradient, gradient)).squareRoot()
            #expect(abs(norm - expected.norm) <= Double(tolerance) * expected.norm, "\(name)")
            let along = Double(dot(gradient, Golden.numbers(gradient.shape, 99)))
            let length = Double(values.count).squareRoot()
            #expect(abs(along - expected.along) <= Double(tolerance) * expected.norm * length, "\(name)")
        }
    }

    /// ‖a - b‖ / ‖b‖
    func relativeDistance(_ a: [Float], _ b: [Float]) -> Float {
        guard a.count == b.count else { return .infinity }
        let (gap, size) = (zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }, b.reduce(0) { $0 + $1 * $1 })
        return (gap / size).squareRoot()
    }

    /// Central differences of the loss along the gradient of each parameter.
    @Test func matchDifferences() throws {
        let trainable = try TinyModel.load()
        let (_, found) = try gradients(trainable)
        for parameter in trainable.parameters {
            let gradient = try #require(found[parameter.name])
            let length = dot(gradient, gradient).squareRoot()
            let direction = gradient * (1 / length)
            let (numbers, step) = (parameter.tensor.detached(), Float(0.01))
            func loss(_ shift: Float) throws -> Double {
                numbers.accumulate(direction, scale: shift)
                defer { numbers.accumulate(direction, scale: -shift) }
                let sums = GradientMode.withoutGradients {
                    Policy(trainable.model).logProbabilities(TinyModel.samples).sums.floats()
                }
                return -sums.reduce(0) { $0 + Double($1) } / TinyModel.samples.reduce(0) { $0 + $1.weight }
            }
            let (near, far) = (try loss(step) - loss(-step), try loss(2 * step) - loss(-2 * step))
            let slope = (8 * near - far) / Double(12 * step)
            #expect(abs(slope - Double(length)) <= 2e-3 * Double(length), "\(parameter.name): \(slope) and \(length)")
        }
    }

    /// Layers that are computed again give the same gradients to the bit.
    @Test func sameWhenRecomputed() throws {
        let trainable = try TinyModel.load()
        let kept = try gradients(trainable)
        let again = try gradients(trainable, recomputes: true)
        #expect(kept.loss == again.loss)
        for (name, gradient) in kept.gradients {
            #expect(gradient.floats() == again.gradients[name]?.floats(), "\(name)")
        }
    }

    /// Packed texts don't see one another: together as alone.
    @Test func packedTextsAreApart() throws {
        let golden = try Golden.values.get().gradients
        let policy = Policy(try TinyModel.load().model)
        let together = policy.logProbabilities(TinyModel.samples).sums.floats()
        let alone = TinyModel.samples.flatMap { policy.logProbabilities([$0]).sums.floats() }
        #expect(relativeError(together, alone) <= 1e-6)
        #expect(relativeError(together, golden.sums) <= 1e-5)
        #expect(relativeError(policy.crossEntropy(TinyModel.samples).floats(), [-golden.sums.reduce(0, +)]) <= 1e-5)
    }

    /// Frozen quantised weights pass gradients on as the matrices they stand for.
    @Test func throughQuantisedWeights() throws {
        let generator = Golden.numbers([24, 64], 5)
        var blocks: [UInt8] = []
        for row in generator.floats().chunked(32) {
            // Q8_0: an f16 scale, then 32 signed bytes.
            let scale = Float16((row.map(abs).max() ?? 1) / 127)
            withUnsafeBytes(of: scale.bitPattern.littleEndian) { blocks += Array($0) }
            blocks += row.map { UInt8(bitPattern: Int8(($0 / Float(scale)).rounded())) }
        }
        let matrix = try #require(
            blocks.withUnsafeBytes {
                PackedMatrix(parts: [.init(format: 8, rows: 24, blocks: $0.baseAddress!)], columns: 64)
            })
        let dense = matrix.rows(0..<24)
        let x = Golden.numbers([10, 64], 6)
        func run(_ weight: Weight) -> (Tensor, Tensor?) {
            let leaf = x.requiringGradient()
            let y = Projection([Projection.Part(weight, sizes: [24])])(leaf)[0]
            return (y, y.backward(Golden.numbers([10, 24], 7))[leaf])
        }
        let (packed, plain) = (run(.packed(matrix)), run(.dense(dense)))
        #expect(relativeError(packed.0.floats(), plain.0.floats()) <= 1e-3)
        #expect(relativeError(try #require(packed.1).floats(), try #require(plain.1).floats()) <= 1e-2)
    }
}

extension Array {
    fileprivate func chunked(_ size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    }
}
