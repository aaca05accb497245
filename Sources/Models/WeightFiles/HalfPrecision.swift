/// Conversions between 32-bit floats and the two 16-bit formats, in integer arithmetic so that they are the same on
/// every processor and under every floating-point mode.
public enum HalfPrecision {
    /// The value of an IEEE half-precision bit pattern; exact. A signalling NaN becomes quiet.
    @inlinable @inline(__always)
    public static func float(f16 bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let magnitude = UInt32(bits & 0x7FFF) << 13
        let exponent = magnitude & 0x0F80_0000
        // Rebias from 15 to 127; infinities and NaNs go up to the top exponent.
        let normal = magnitude &+ (112 << 23) &+ (exponent == 0x0F80_0000 ? 112 << 23 : 0)
        let quieted = magnitude > 0x0F80_0000 ? normal | 0x0040_0000 : normal
        // A subnormal's digits are put after a leading one, which is then subtracted.
        let subnormal = Float(bitPattern: magnitude | 113 << 23) - Float(bitPattern: 113 << 23)
        return Float(bitPattern: sign | (exponent == 0 ? subnormal.bitPattern : quieted))
    }

    /// The nearest half-precision bit pattern, ties to even; beyond 65,504 + half a step it is infinite.
    @inlinable
    public static func f16(_ value: Float) -> UInt16 {
        let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16 & 0x8000)
        let magnitude = value.bitPattern & 0x7FFF_FFFF
        if magnitude > 0x7F80_0000 { return sign | 0x7E00 | UInt16(truncatingIfNeeded: magnitude >> 13 & 0x3FF) }
        if magnitude >= 0x477F_F000 { return sign | 0x7C00 }
        if magnitude >= 0x3880_0000 {
            let rebiased = magnitude &- (112 << 23)
            let rounded = rebiased &+ 0xFFF &+ (rebiased >> 13 & 1)
            return sign | UInt16(truncatingIfNeeded: rounded >> 13)
        }
        // Below 2^-14: count in steps of 2^-24, ties to even.
        if magnitude < 0x3300_0000 { return sign }
        let shift = 126 &- (magnitude >> 23)
        let digits = magnitude & 0x007F_FFFF | 0x0080_0000
        let quotient = digits >> shift
        let rest = digits & ((1 << shift) &- 1)
        let half: UInt32 = 1 << (shift &- 1)
        let up: UInt32 = rest > half || (rest == half && quotient & 1 == 1) ? 1 : 0
        return sign | UInt16(truncatingIfNeeded: quotient &+ up)
    }

    /// The value of a bfloat16 bit pattern; exact.
    @inlinable @inline(__always)
    public static func float(bf16 bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

    /// The nearest bfloat16 bit pattern, ties to even; a NaN becomes quiet.
    @inlinable @inline(__always)
    public static func bf16(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if bits & 0x7FFF_FFFF > 0x7F80_0000 { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
    }
}
