import Models
import Tensors
import Testing

struct QuantiseKTests {
    static let formats: [WeightFormat] = [.q4K, .q5K, .q6K]

    /// The numbers after they were stored and read again.
    private func stored(
        _ values: [Float], as format: WeightFormat, rounding: Rounding = .nearest
    ) throws -> [Float] {
        let bytes = try values.withUnsafeBufferPointer {
            try format.quantised($0, rounding: rounding, file: "-", field: "x")
        }
        return bytes.withUnsafeBytes { format.dequantised($0) }
    }

    /// √Σ(x̂ − x)² / √Σx².
    private func relativeError(_ values: [Float], as format: WeightFormat) throws -> Double {
        let back = try stored(values, as: format)
        let error = zip(back, values).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        return (error / values.reduce(0.0) { $0 + Double($1) * Double($1) }).squareRoot()
    }

    private func normal(_ count: Int, mean: Float = 0, deviation: Float = 1) -> [Float] {
        Tensor.normal(Shape([count]), mean: mean, deviation: deviation, seed: 1).floats()
    }

    /// llama.cpp's reference quantisers reach 0.0713, 0.0361 and 0.0177 on normal numbers; the formats of as many bits without a search
    /// err more, but for Q8_0.
    @Test(arguments: [(WeightFormat.q4K, 0.0725, WeightFormat.q41), (.q5K, 0.0365, .q51), (.q6K, 0.0180, .q50)])
    func errsAsLittleAsTheReference(_ format: WeightFormat, limit: Double, plain: WeightFormat) throws {
        let values = normal(256 * 400)
        let error = try relativeError(values, as: format)
        #expect(error < limit)
        #expect(try error < relativeError(values, as: plain))
        for (mean, deviation) in [(Float(0), Float(0.02)), (0, 1000), (0, 1e-3)] {
            let scaled = normal(256 * 40, mean: mean, deviation: deviation)
            #expect(try relativeError(scaled, as: format) < 1.05 * limit)
        }
    }

    @Test(arguments: formats)
    func keepsZerosAndConstants(_ format: WeightFormat) throws {
        #expect(try stored([Float](repeating: 0, count: 256), as: format).allSatisfy { $0 == 0 })
        for constant: Float in [1, -1, 0.37, -1234.5] {
            let back = try stored([Float](repeating: constant, count: 512), as: format)
            #expect(back.allSatisfy { abs($0 - constant) <= 2e-3 * abs(constant) }, "\(constant): \(back[0])")
        }
    }

    @Test(arguments: formats)
    func keepsAnOutlierAndItsNeighbours(_ format: WeightFormat) throws {
        var values = normal(256, deviation: 0.01)
        values[70] = 5
        let back = try stored(values, as: format)
        #expect(abs(back[70] - 5) < 0.1)
        // Its sub-block loses its steps, the others keep theirs within the 6 bits of their scales.
        #expect((0..<64).allSatisfy { abs(back[$0] - values[$0]) < 0.06 })
    }

    @Test(arguments: formats)
    func keepsNumbersOfOneSign(_ format: WeightFormat) throws {
        for sign: Float in [1, -1] {
            let values = normal(256 * 20, deviation: 0.1).map { sign * (abs($0) + 0.5) }
            let back = try stored(values, as: format)
            #expect(back.allSatisfy { sign * $0 > 0 })
            #expect(try relativeError(values, as: format) < 0.06)
        }
    }

    @Test(arguments: formats)
    func neverMakesNumbersThatAreNone(_ format: WeightFormat) throws {
        let tiny = (0..<256).map { Float($0 - 128) * .leastNonzeroMagnitude }
        #expect(try stored(tiny, as: format).allSatisfy { abs($0) < 1e-6 })
        let huge = (0..<256).map { [Float.nan, .infinity, -.infinity, 1e38, -1e38, 1][$0 % 6] }
        for rounding in [Rounding.nearest, .dithered(seed: 3)] {
            #expect(try stored(huge, as: format, rounding: rounding).allSatisfy(\.isFinite))
        }
    }

    @Test(arguments: formats)
    func refusesBrokenBlocks(_ format: WeightFormat) {
        for count in [1, 32, 255, 257, 288] {
            let error = #expect(throws: WeightFileError.self) {
                try [Float](repeating: 1, count: count).withUnsafeBufferPointer {
                    try format.quantised($0, file: "f", field: "w")
                }
            }
            #expect(
                error?.description == "f: w: \(count) numbers make no whole \(format.rawValue) blocks of 256")
        }
    }

    /// What dithering stores is right in the mean, though each number errs by up to a step.
    @Test(arguments: [WeightFormat.q4K, .q5K, .q6K, .q41, .q51, .q80, .bf16, .f16])
    func dithersToTheMean(_ format: WeightFormat) throws {
        let values = normal(256)
        var mean = [Double](repeating: 0, count: 256)
        let rounds = 400
        for seed in 0..<rounds {
            let back = try stored(values, as: format, rounding: .dithered(seed: UInt64(seed)))
            for index in mean.indices { mean[index] += Double(back[index]) / Double(rounds) }
        }
        let nearest = try stored(values, as: format)
        func error(_ other: (Int) -> Double) -> Double {
            values.indices.reduce(0) { $0 + (other($1) - Double(values[$1])) * (other($1) - Double(values[$1])) }
        }
        #expect(error { mean[$0] } < 0.25 * error { Double(nearest[$0]) })
    }
}
