import Testing

import Tensors

/// Packed products against the reference, against dequantised weights, and against themselves in other batches.
struct PackedMatrixTests {
    /// GGUF format, bytes of a unit, weights of a unit.
    static let formats: [(format: Int32, bytes: Int, weights: Int)] = [
        (2, 18, 32), (3, 20, 32), (6, 22, 32), (7, 24, 32), (8, 34, 32), (10, 84, 256), (11, 110, 256),
        (12, 144, 256), (13, 176, 256), (14, 210, 256),
    ]

    /// Random blocks with scales of a sensible size.
    static func blocks(_ format: Int32, rows: Int, columns: Int, seed: UInt64) -> [UInt8] {
        var random = TestRandom(seed: seed)
        let (_, size, weights) = formats.first { $0.format == format } ?? (0, 0, 1)
        var bytes: [UInt8] = []
        for _ in 0..<rows * columns / weights {
            var unit = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            func put(_ value: Float, at offset: Int) {
                let bits = Float16(value).bitPattern
                unit[offset] = UInt8(bits & 255)
                unit[offset + 1] = UInt8(bits >> 8)
            }
            let d = Float(random.next() % 100) / 10_000 + 0.001
            switch format {
            case 2, 6, 8: put(d, at: 0)
            case 3, 7:
                put(d, at: 0)
                put(-0.05, at: 2)
            case 10:
                put(d, at: 80)
                put(d / 2, at: 82)
            case 11: put(d, at: 108)
            case 14: put(d, at: 208)
            default:
                put(d, at: 0)
                put(d / 2, at: 2)
            }
            bytes += unit
        }
        return bytes
    }

    static func matrix(
        _ format: Int32, rows: Int, columns: Int, seed: UInt64 = 1, activations: ActivationPrecision = .full
    ) throws -> PackedMatrix {
        try blocks(format, rows: rows, columns: columns, seed: seed).withUnsafeBytes { bytes in
            let part = PackedMatrix.Part(format: format, rows: rows, blocks: try #require(bytes.baseAddress))
            return try #require(PackedMatrix(parts: [part], columns: columns, activations: activations))
        }
    }

    static let precisions: [ActivationPrecision] = [.full, .adaptive(reach: 3), .coarse]

    /// Numbers with a far larger one now and then.
    static func inputs(_ count: Int, seed: UInt64) -> [Float] {
        var random = TestRandom(seed: seed)
        return (0..<count).map { index in random.uniform(-2, 2) * (index % 97 == 5 ? 50 : 1) }
    }

    static func product(_ matrix: PackedMatrix, _ x: [Float], rows: Int, byReference: Bool = false) -> [Float] {
        var activations = QuantisedActivations()
        var out = [Float](repeating: 0, count: rows * matrix.rows)
        x.withUnsafeBufferPointer { x in
            activations.quantise(x.baseAddress!, rows: rows, stride: matrix.columns, for: matrix)
        }
        out.withUnsafeMutableBufferPointer { out in
            if byReference {
                matrix.multiplyByReference(activations, into: out.baseAddress!, stride: matrix.rows)
            } else {
                matrix.multiply(activations, into: out.baseAddress!, stride: matrix.rows)
            }
        }
        return out
    }

    @Test("the fast product equals the reference to the bit", arguments: formats.map(\.format), precisions)
    func fastEqualsReference(format: Int32, activations: ActivationPrecision) throws {
        let matrix = try Self.matrix(format, rows: 83, columns: 512, activations: activations)
        for rows in [1, 2, 5, 12, 13, 27] {
            let x = Self.inputs(rows * 512, seed: 2)
            #expect(Self.product(matrix, x, rows: rows) == Self.product(matrix, x, rows: rows, byReference: true))
        }
    }

    @Test("a row's result does not depend on its batch", arguments: formats.map(\.format), precisions)
    func batchInvariance(format: Int32, activations: ActivationPrecision) throws {
        let matrix = try Self.matrix(format, rows: 48, columns: 256, activations: activations)
        let rows = 29
        let x = Self.inputs(rows * 256, seed: 3)
        let together = Self.product(matrix, x, rows: rows)
        for row in 0..<rows {
            let alone = Self.product(matrix, Array(x[row * 256..<(row + 1) * 256]), rows: 1)
            #expect(alone == Array(together[row * 48..<(row + 1) * 48]))
        }
    }

    @Test("products are near those of the dequantised weights", arguments: formats.map(\.format))
    func nearDequantised(format: Int32) throws {
        let matrix = try Self.matrix(format, rows: 32, columns: 512)
        var random = TestRandom(seed: 4)
        let x = (0..<512).map { _ in random.uniform(-1, 1) }
        let product = Self.product(matrix, x, rows: 1)
        var row = [Float](repeating: 0, count: 512)
        for n in 0..<32 {
            row.withUnsafeMutableBufferPointer { matrix.row(n, into: $0.baseAddress!) }
            let exact = zip(row, x).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            let norm = row.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            // 8-bit activations: an error of at most half a step (1/254) in each of 512 terms, adding up like a random walk.
            #expect(abs(Double(product[n]) - exact) < norm * 512.0.squareRoot() / 254 * 0.5)
        }
    }

    @Test("beside one large number the others keep their digits")
    func outliers() throws {
        // One number of 100 in each block among numbers below 1: steps of 100/127 would leave nothing of them.
        var random = TestRandom(seed: 8)
        let x = (0..<512).map { index in index % 32 == 7 ? 100 : random.uniform(-1, 1) }
        func error(_ activations: ActivationPrecision) throws -> Float {
            let matrix = try Self.matrix(3, rows: 64, columns: 512, activations: activations)
            let exact = Self.product(try Self.matrix(3, rows: 64, columns: 512), x, rows: 1)
            return zip(Self.product(matrix, x, rows: 1), exact).map { ($0 - $1) * ($0 - $1) }.reduce(0, +).squareRoot()
        }
        #expect(try error(.adaptive(reach: 3)) < error(.coarse) / 6)
    }

    @Test("parts are stacked and outputs shared out")
    func stacking() throws {
        let first = Self.blocks(3, rows: 32, columns: 64, seed: 5)
        let second = Self.blocks(3, rows: 20, columns: 64, seed: 6)
        let x = (0..<3 * 64).map { Float($0 % 7) - 3 }
        try first.withUnsafeBytes { first in
            try second.withUnsafeBytes { second in
                let parts = [
                    PackedMatrix.Part(format: 3, rows: 32, blocks: first.baseAddress!),
                    PackedMatrix.Part(format: 3, rows: 20, blocks: second.baseAddress!),
                ]
                let stacked = try #require(PackedMatrix(parts: parts, columns: 64))
                let a = try #require(PackedMatrix(parts: [parts[0]], columns: 64))
                let b = try #require(PackedMatrix(parts: [parts[1]], columns: 64))
                var activations = QuantisedActivations()
                x.withUnsafeBufferPointer {
                    activations.quantise($0.baseAddress!, rows: 3, stride: 64, for: stacked)
                }
                var left = [Float](repeating: 0, count: 96)
                var right = [Float](repeating: 0, count: 60)
                left.withUnsafeMutableBufferPointer { left in
                    right.withUnsafeMutableBufferPointer { right in
                        stacked.multiply(
                            activations, into: [left.baseAddress!, right.baseAddress!], sizes: [32, 20])
                    }
                }
                #expect(left == Self.product(a, x, rows: 3))
                #expect(right == Self.product(b, x, rows: 3))
            }
        }
    }

    @Test("what can't be packed is refused")
    func refusals() {
        let bytes = [UInt8](repeating: 0, count: 4096)
        bytes.withUnsafeBytes { bytes in
            let base = bytes.baseAddress!
            #expect(PackedMatrix(parts: [.init(format: 0, rows: 16, blocks: base)], columns: 32) == nil)
            #expect(PackedMatrix(parts: [.init(format: 3, rows: 16, blocks: base)], columns: 40) == nil)
            #expect(PackedMatrix(parts: [.init(format: 12, rows: 1, blocks: base)], columns: 128) == nil)
            #expect(
                PackedMatrix(
                    parts: [.init(format: 3, rows: 8, blocks: base), .init(format: 3, rows: 8, blocks: base)],
                    columns: 32) == nil)
        }
    }
}
