import Models
import Testing

struct DequantiseTests {
    /// Made by `Tests/Golden/weights.py` with the gguf package.
    static let golden = Result { try SafetensorsFile(path: goldenFile("weights-blocks.safetensors")) }

    static let formats: [WeightFormat] = [
        .f16, .bf16, .q80, .q40, .q41, .q50, .q51, .q2K, .q3K, .q4K, .q5K, .q6K,
    ]

    @Test(arguments: formats) func agreesWithTheReferenceToTheBit(_ format: WeightFormat) throws {
        let golden = try Self.golden.get()
        let expected = try golden.floats(of: "\(format.rawValue).values")
        let decoded = try golden.bytes(of: "\(format.rawValue).blocks").withUnsafeBytes { format.dequantised($0) }
        #expect(decoded.count == expected.count)
        let wrong = zip(decoded, expected).enumerated().filter { _, pair in
            pair.0.bitPattern != pair.1.bitPattern && !(pair.0.isNaN && pair.1.isNaN)
        }
        #expect(wrong.isEmpty, "\(wrong.count) numbers differ, the first is \(String(describing: wrong.first))")
    }

    @Test func readsBlocksAtAnyAddress() throws {
        let golden = try Self.golden.get()
        for format in Self.formats {
            let blocks = try golden.bytes(of: "\(format.rawValue).blocks").withUnsafeBytes { Array($0) }
            let shifted = [0xFF] + blocks
            let plain = blocks.withUnsafeBytes { format.dequantised($0) }
            let moved = shifted.withUnsafeBytes { format.dequantised(UnsafeRawBufferPointer(rebasing: $0[1...])) }
            #expect(plain.map(\.bitPattern) == moved.map(\.bitPattern))
        }
    }

    @Test func convertsPlainNumbers() {
        #expect(WeightFormat.f32.dequantised(bytes(of: [1.5, -0.25] as [Float])) == [1.5, -0.25])
        #expect(WeightFormat.f64.dequantised(bytes(of: [1.5, -0.25] as [Double])) == [1.5, -0.25])
        #expect(WeightFormat.i64.dequantised(bytes(of: [3, -4] as [Int64])) == [3, -4])
        #expect(WeightFormat.i8.dequantised(bytes(of: [3, -4] as [Int8])) == [3, -4])
    }

    private func bytes<Element>(of values: [Element]) -> UnsafeRawBufferPointer {
        let copy = UnsafeMutableBufferPointer<Element>.allocate(capacity: values.count)
        _ = copy.initialize(from: values)
        return UnsafeRawBufferPointer(copy)
    }

    #if !(os(macOS) && arch(x86_64))
        @Test func halfPrecisionIsTheHardwares() {
            let wrongHalves = (UInt16.min...UInt16.max).filter { bits in
                let expected = Float(Float16(bitPattern: bits))
                let value = HalfPrecision.float(f16: bits)
                return value.bitPattern != expected.bitPattern && !(value.isNaN && expected.isNaN)
            }
            #expect(wrongHalves.isEmpty)
            let wrong = (0..<500_000).lazy.map { Float(bitPattern: UInt32(truncatingIfNeeded: $0 &* 2_147_483_659)) }
                .filter { value in
                    let bits = HalfPrecision.f16(value)
                    return bits != Float16(value).bitPattern && !(value.isNaN && Float16(bitPattern: bits).isNaN)
                }
            #expect(wrong.first == nil)
        }
    #endif

    @Test func knowsItsSizes() {
        #expect(WeightFormat.q41.byteCount(elements: 576) == 360)
        #expect(WeightFormat.q41.byteCount(elements: 577) == nil)
        #expect(WeightFormat.f64.byteCount(elements: .max) == nil)
        #expect(WeightFormat.q6K.byteCount(elements: -256) == nil)
        for format in WeightFormat.allCases {
            if let type = format.ggufType { #expect(WeightFormat(ggufType: type) == format) }
            if let name = format.safetensorsName { #expect(WeightFormat(safetensorsName: name) == format) }
        }
    }
}
