/// How the numbers of a tensor are stored: one by one, or in blocks that share a scale.
///
/// The raw value is the format's name in GGUF, and in safetensors where that has it.
public enum WeightFormat: String, Sendable, Hashable, Codable, CaseIterable {
    case f64 = "F64"
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"
    case i64 = "I64"
    case i32 = "I32"
    case i16 = "I16"
    case i8 = "I8"
    case u8 = "U8"
    case bool = "BOOL"
    /// 32 × 8 bit and one scale.
    case q80 = "Q8_0"
    /// 32 × 4 bit and one scale.
    case q40 = "Q4_0"
    /// 32 × 4 bit, a scale and a minimum.
    case q41 = "Q4_1"
    /// 32 × 5 bit and one scale.
    case q50 = "Q5_0"
    /// 32 × 5 bit, a scale and a minimum.
    case q51 = "Q5_1"
    /// 256 × 2 bit; 16 sub-blocks with 4-bit scales and minima.
    case q2K = "Q2_K"
    /// 256 × 3 bit; 16 sub-blocks with 6-bit scales.
    case q3K = "Q3_K"
    /// 256 × 4 bit; 8 sub-blocks with 6-bit scales and minima.
    case q4K = "Q4_K"
    /// 256 × 5 bit; 8 sub-blocks with 6-bit scales and minima.
    case q5K = "Q5_K"
    /// 256 × 6 bit; 16 sub-blocks with 8-bit scales.
    case q6K = "Q6_K"

    /// How many numbers one block holds.
    public var elementsPerBlock: Int {
        switch self {
        case .f64, .f32, .f16, .bf16, .i64, .i32, .i16, .i8, .u8, .bool: 1
        case .q80, .q40, .q41, .q50, .q51: 32
        case .q2K, .q3K, .q4K, .q5K, .q6K: 256
        }
    }

    /// How many bytes one block takes.
    public var bytesPerBlock: Int {
        switch self {
        case .i8, .u8, .bool: 1
        case .f16, .bf16, .i16: 2
        case .f32, .i32: 4
        case .f64, .i64: 8
        case .q80: 2 + 32
        case .q40: 2 + 16
        case .q41: 2 + 2 + 16
        case .q50: 2 + 4 + 16
        case .q51: 2 + 2 + 4 + 16
        case .q2K: 16 + 64 + 2 + 2
        case .q3K: 32 + 64 + 12 + 2
        case .q4K: 2 + 2 + 12 + 128
        case .q5K: 2 + 2 + 12 + 32 + 128
        case .q6K: 128 + 64 + 16 + 2
        }
    }

    /// Whether a block holds more than one number.
    public var isQuantised: Bool { elementsPerBlock > 1 }

    /// The size of so many numbers in bytes; nil when they fill no whole number of blocks or the size overflows.
    public func byteCount(elements: Int) -> Int? {
        guard elements >= 0, elements.isMultiple(of: elementsPerBlock) else { return nil }
        let (bytes, overflowed) = (elements / elementsPerBlock).multipliedReportingOverflow(by: bytesPerBlock)
        return overflowed ? nil : bytes
    }

    /// The number that stands for this format in a GGUF tensor table; nil for what GGUF lacks.
    public var ggufType: UInt32? {
        switch self {
        case .f32: 0
        case .f16: 1
        case .q40: 2
        case .q41: 3
        case .q50: 6
        case .q51: 7
        case .q80: 8
        case .q2K: 10
        case .q3K: 11
        case .q4K: 12
        case .q5K: 13
        case .q6K: 14
        case .i8: 24
        case .i16: 25
        case .i32: 26
        case .i64: 27
        case .f64: 28
        case .bf16: 30
        case .u8, .bool: nil
        }
    }

    /// The format that a number in a GGUF tensor table stands for, or nil.
    public init?(ggufType: UInt32) {
        guard let format = WeightFormat.allCases.first(where: { $0.ggufType == ggufType }) else { return nil }
        self = format
    }

    /// The name in a safetensors header; nil for block formats.
    public var safetensorsName: String? { isQuantised ? nil : rawValue }

    /// The format that a safetensors header names, or nil.
    public init?(safetensorsName: String) {
        guard let format = WeightFormat(rawValue: safetensorsName), !format.isQuantised else { return nil }
        self = format
    }

    /// The names of GGUF's formats that Lyceum does not read, for error messages.
    static func nameOfUnreadGGUFType(_ type: UInt32) -> String {
        let names: [UInt32: String] = [
            4: "Q4_2", 5: "Q4_3", 9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
            20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
            40: "NVFP4",
        ]
        return names[type].map { "\($0) (type \(type))" } ?? "the unknown type \(type)"
    }
}
