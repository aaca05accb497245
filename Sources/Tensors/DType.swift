/// The kind of number a tensor holds.
public enum DType: UInt8, Sendable, Hashable, CaseIterable {
    case f32
    case bf16
    case f16
    case i32
    case u8

    /// Bytes of one element.
    public var byteCount: Int {
        switch self {
        case .f32, .i32: 4
        case .bf16, .f16: 2
        case .u8: 1
        }
    }

    public var isFloatingPoint: Bool { self == .f32 || self == .bf16 || self == .f16 }
}
