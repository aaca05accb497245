import Models
import Testing

struct QuantiseTests {
    @Test(arguments: [WeightFormat.f16, .bf16, .q80, .q40, .q41, .q50, .q51])
    func agreesWithTheReferenceToTheBit(_ format: WeightFormat) throws {
        let golden = try DequantiseTests.golden.get()
        let source = try golden.floats(of: "source")
        let expected = try golden.bytes(of: "\(format.rawValue).encoded").withUnsafeBytes { Array($0) }
        let encoded = try source.withUnsafeBufferPointer { try format.quantised($0, file: "-", field: "source") }
        #expect(encoded == expected)
    }

    @Test func survivesNumbersThatAreNone() throws {
        let values = (0..<256).map { [Float.nan, .infinity, -.infinity, 1e38, -.leastNonzeroMagnitude, 0][$0 % 6] }
        for format in WeightFormat.allCases where format.canBeWritten {
            for rounding in [Rounding.nearest, .dithered(seed: 1)] {
                let encoded = try values.withUnsafeBufferPointer {
                    try format.quantised($0, rounding: rounding, file: "-", field: "x")
                }
                #expect(encoded.count == format.byteCount(elements: 256))
            }
        }
    }

    @Test func refusesWhatItCannotStore() {
        let values = [Float](repeating: 1, count: 31)
        let whole = #expect(throws: WeightFileError.self) {
            try values.withUnsafeBufferPointer { try WeightFormat.q41.quantised($0, file: "f", field: "w") }
        }
        #expect(whole?.description == "f: w: 31 numbers make no whole Q4_1 blocks of 32")
        let format = #expect(throws: WeightFileError.self) {
            try values.withUnsafeBufferPointer { try WeightFormat.q2K.quantised($0, file: "f", field: "w") }
        }
        #expect(format?.problem == .unsupported)
    }
}
