import CKernels

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How finely the input of a product with packed weights is rounded, with a scale per row and 32 columns.
public enum ActivationPrecision: Sendable, Hashable {
    /// 16 bits: two integer products.
    case full
    /// 8 bits, and 16 in groups of 4 columns with a number beyond `reach` times the row's mean magnitude. No block's steps are coarser than
    /// that asks for, so the smaller the reach, the finer they are and the more groups need the second product; 0 is `full`.
    case adaptive(reach: Float)
    /// 8 bits: half the time of `full` in large products, at about 200 times the error.
    case coarse

    var bits: Int32 { self == .coarse ? 8 : 16 }

    var reach: Float {
        if case .adaptive(let reach) = self { reach } else { 0 }
    }
}

/// Quantised weights [rows, columns], read as they are by matrix products: 4 or 8 bits a weight with a scale per block.
///
/// See `ck_packed.h` for the layout. Immutable once built.
public final class PackedMatrix: @unchecked Sendable {
    // Sendable: the memory is written in `init` only.

    /// Output features.
    public var rows: Int { Int(matrix.rows) }
    /// Input features.
    public var columns: Int { Int(matrix.columns) }
    /// The memory it holds.
    public let byteCount: Int
    /// The precision of the activations it is multiplied with.
    public let activations: ActivationPrecision
    let matrix: ck_packed

    /// One tensor of a weight file: GGUF blocks in row-major order.
    public struct Part {
        public var format: Int32
        public var rows: Int
        public var blocks: UnsafeRawPointer

        public init(format: Int32, rows: Int, blocks: UnsafeRawPointer) {
            self.format = format
            self.rows = rows
            self.blocks = blocks
        }
    }

    /// Whether a GGUF format can be packed.
    public static func supports(format: Int32) -> Bool {
        var layout = ck_packed()
        return ck_packed_layout(format, &layout) != 0
    }

    /// Stacks parts with the same number of columns. nil when their formats differ in layout, or a part that isn't the last
    /// has a number of rows that 16 does not divide, or the columns are no multiple of the format's block.
    public init?(parts: [Part], columns: Int, activations: ActivationPrecision = .full) {
        self.activations = activations
        guard let first = parts.first else { return nil }
        var matrix = ck_packed()
        guard ck_packed_layout(first.format, &matrix) != 0 else { return nil }
        guard columns % (first.format >= Int32(CK_Q2_K) ? 256 : 32) == 0 else { return nil }
        guard parts.allSatisfy({ $0.format == first.format }), parts.dropLast().allSatisfy({ $0.rows % 16 == 0 })
        else { return nil }
        matrix.rows = Int64(parts.reduce(0) { $0 + $1.rows })
        matrix.columns = Int64(columns)
        matrix.scale =
            parts.map { part in
                ck_packed_scale(part.format, Self.bytes(part.blocks), Int64(part.rows * columns))
            }.max() ?? 1
        byteCount = Int(ck_packed_bytes(&matrix))
        // A few readable bytes past the end let vector loads run over the last block.
        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount + 64, alignment: 64)
        matrix.data = memory.assumingMemoryBound(to: UInt8.self)
        self.matrix = matrix
        var start = 0
        for part in parts {
            fill(from: part, at: start)
            start += part.rows
        }
    }

    deinit {
        matrix.data.deallocate()
    }

    private static func bytes(_ pointer: UnsafeRawPointer) -> UnsafePointer<UInt8> {
        pointer.assumingMemoryBound(to: UInt8.self)
    }

    /// Packs a part's rows on the pool, 64 rows a chunk.
    private func fill(from part: Part, at start: Int) {
        let rowBytes = Self.rowBytes(format: part.format, columns: columns)
        parallel((part.rows + 63) / 64) { chunk in
            let first = chunk * 64
            var target = self.matrix
            ck_packed_fill(
                &target, part.format, Self.bytes(part.blocks + first * rowBytes), Int64(start + first),
                Int64(min(64, part.rows - first)))
        }
    }

    private static func rowBytes(format: Int32, columns: Int) -> Int {
        switch Int(format) {
        case CK_Q4_0: columns / 32 * 18
        case CK_Q4_1: columns / 32 * 20
        case CK_Q5_0: columns / 32 * 22
        case CK_Q5_1: columns / 32 * 24
        case CK_Q8_0: columns / 32 * 34
        case CK_Q2_K: columns / 256 * 84
        case CK_Q3_K: columns / 256 * 110
        case CK_Q4_K: columns / 256 * 144
        case CK_Q5_K: columns / 256 * 176
        default: columns / 256 * 210
        }
    }

    /// Writes one row as f32 into `out` [columns].
    public func row(_ row: Int, into out: UnsafeMutablePointer<Float>) {
        precondition(row >= 0 && row < rows, "row outside the matrix")
        withUnsafePointer(to: matrix) { ck_packed_row($0, Int64(row), out) }
    }

    /// Rows as f32: [range.count, columns].
    public func rows(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of a matrix of \(rows)")
        let result = Tensor(unfilled: [range.count, columns])
        result.withMutableFloatPointer { out in
            parallel((range.count + 63) / 64) { chunk in
                for row in chunk * 64..<min(range.count, chunk * 64 + 64) {
                    self.row(range.lowerBound + row, into: out + row * columns)
                }
            }
        }
        return result
    }

    /// out[i, n] = Σₖ x[i, k] · w[n, k], added to what `out` holds when `accumulate` says so. Rows of `out` are `stride` floats apart.
    public func multiply(
        _ x: borrowing QuantisedActivations, into out: UnsafeMutablePointer<Float>, stride: Int,
        accumulate: Bool = false
    ) {
        precondition(x.activations.columns == matrix.columns && x.activations.block == matrix.block)
        withUnsafePointer(to: matrix) { matrix in
            withUnsafePointer(to: x.activations) { activations in
                ck_packed_matmul(matrix, activations, out, Int64(stride), accumulate ? 1 : 0)
            }
        }
    }

    /// The same where runs of output features go to outputs of their own, each `sizes[j]` features wide and contiguous.
    /// All sizes but the last are multiples of 16.
    public func multiply(
        _ x: borrowing QuantisedActivations, into outs: [UnsafeMutablePointer<Float>], sizes: [Int],
        accumulate: Bool = false
    ) {
        precondition(x.activations.columns == matrix.columns && x.activations.block == matrix.block)
        precondition(sizes.reduce(0, +) == rows && sizes.dropLast().allSatisfy { $0 % 16 == 0 })
        var starts: [Int64] = []
        var start: Int64 = 0
        for size in sizes {
            starts.append(start)
            start += Int64(size)
        }
        let strides = sizes.map(Int64.init)
        let pointers = outs.map(Optional.some)
        withUnsafePointer(to: matrix) { matrix in
            withUnsafePointer(to: x.activations) { activations in
                ck_packed_matmul_split(
                    matrix, activations, Int32(outs.count), starts, pointers, strides, accumulate ? 1 : 0)
            }
        }
    }

    /// The same by the slow path that the fast one is tested against.
    package func multiplyByReference(
        _ x: borrowing QuantisedActivations, into out: UnsafeMutablePointer<Float>, stride: Int,
        accumulate: Bool = false
    ) {
        withUnsafePointer(to: matrix) { matrix in
            withUnsafePointer(to: x.activations) { activations in
                ck_packed_matmul_reference(matrix, activations, out, Int64(stride), accumulate ? 1 : 0)
            }
        }
    }
}

/// What happens to activations on their way into a matrix product.
public enum Prologue {
    /// Nothing.
    case identity
    /// x · weight / √(mean(x²) + epsilon), per row.
    case rmsNorm(weight: UnsafePointer<Float>, epsilon: Float)
    /// silu(gate) · up of rows that hold gate, then up.
    case swiglu
}

/// Activations as integers of up to 16 bits with a scale per row and 32 columns, in memory that is kept for the next use.
public struct QuantisedActivations: ~Copyable {
    var activations = ck_activations()
    private var memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
    private var capacity = 64

    public init() {}

    deinit {
        memory.deallocate()
    }

    /// Quantises `rows` rows of `x`, `stride` floats apart, for products with `matrix`.
    public mutating func quantise(
        _ x: UnsafePointer<Float>, rows: Int, stride: Int, for matrix: PackedMatrix, prologue: Prologue = .identity
    ) {
        let precision = matrix.activations
        let bytes = Int(
            ck_activations_bytes(Int64(rows), matrix.matrix.columns, matrix.matrix.block, precision.bits))
        if bytes > capacity {
            memory.deallocate()
            memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
            capacity = bytes
        }
        ck_activations_place(
            &activations, memory, Int64(rows), matrix.matrix.columns, matrix.matrix.block, precision.bits,
            precision.reach)
        switch prologue {
        case .identity: ck_quantise(x, Int64(stride), &activations)
        case .rmsNorm(let weight, let epsilon): ck_rmsnorm_quantise(x, Int64(stride), weight, epsilon, &activations)
        case .swiglu: ck_swiglu_quantise(x, Int64(stride), &activations)
        }
    }
}
