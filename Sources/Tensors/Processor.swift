import CKernels
import COneDNN

/// What the processor and its libraries offer.
public enum Processor {
    /// Whether products of bf16 numbers run at full speed. Elsewhere `linear` and `matmul` don't round f32 numbers to it.
    public static let multipliesBF16 = ck_matmul_has_bf16()

    /// Whether f32 numbers multiply faster in block floating point, with 13 bits a number and a scale for 128 terms of a sum: where there
    /// are no fast bf16 products but those of 16-bit integers.
    package static let multipliesBlocks = ck_has_bfp()

    /// Whether low precision makes products of f32 numbers faster.
    public static var hasLowPrecision: Bool { multipliesBF16 || multipliesBlocks }

    /// The numbers of the processors that the calling thread may run on.
    public static var allowed: [Int] {
        var numbers = [Int32](repeating: 0, count: 1024)
        return numbers.prefix(Int(ck_pool_processors(&numbers, Int32(numbers.count)))).map(Int.init)
    }

    /// The version of oneDNN that runs the matrix products, such as `2.6.3`.
    public static var oneDNNVersion: String {
        guard let version = dnnl_version()?.pointee else { return "unknown" }
        return "\(version.major).\(version.minor).\(version.patch)"
    }
}
