// The K formats: 256 numbers a block in sub-blocks of 16 or 32, whose scales are themselves quantised.

/// Q2_K: 16 bytes (low nibble scale s, high nibble minimum m, one per 16 numbers), 64 bytes of 2-bit q, f16 d and
/// dmin; x = (d·s)·q − dmin·m. Each 32 bytes of q hold 128 numbers: bits 0–1 the first 32, bits 2–3 the next.
func dequantiseQ2K(_ source: UnsafeRawPointer, _ blocks: Int, _ target: UnsafeMutablePointer<Float>) {
    for block in 0..<blocks {
        let bytes = source + block * 84
        let scales = bytes.assumingMemoryBound(to: UInt8.self)
        let quants = scales + 16
        let scale = half(bytes + 80)
        let minimum = half(bytes + 82)
        for subBlock in 0..<16 {
            let output = target + (block * 256 + subBlock * 16)
            let group = quants + (subBlock / 8 * 32 + subBlock % 2 * 16)
            let shift = UInt32(subBlock % 8 / 2 * 2)
            let step = scale * Float(Int32(scales[subBlock] & 15))
            let offset = minimum * Float(Int32(scales[subBlock] >> 4))
            for index in 0..<16 {
                output[index] = step * Float(Int32(bitPattern: UInt32(group[index]) >> shift & 3)) - offset
            }
        }
    }
}

/// Q3_K: 32 bytes of third bits (bit k of byte j belongs to number 32·k + j; a set bit adds 4), 64 bytes of 2-bit q
/// as in Q2_K, 12 bytes of 6-bit scales s, f16 d; x = (d·(s − 32))·(q − 4 + 4·bit).
func dequantiseQ3K(_ source: UnsafeRawPointer, _ blocks: Int, _ target: UnsafeMutablePointer<Float>) {
    for block in 0..<blocks {
        let bytes = source + block * 110
        let high = bytes.assumingMemoryBound(to: UInt8.self)
        let quants = high + 32
        let scales = high + 96
        let scale = half(bytes + 108)
        for subBlock in 0..<16 {
            let output = target + (block * 256 + subBlock * 16)
            let half = subBlock % 2 * 16
            let group = quants + (subBlock / 8 * 32 + half)
            let shift = UInt32(subBlock % 8 / 2 * 2)
            let highShift = UInt32(subBlock / 2)
            // Low four bits: nibbles of bytes 0–7, all low ones first; high two bits: bytes 8–11, pair by pair.
            let low = subBlock < 8 ? scales[subBlock] & 15 : scales[subBlock - 8] >> 4
            let upper = scales[8 + subBlock % 4] >> UInt8(subBlock / 4 * 2) & 3
            let step = scale * Float(Int32(low | upper << 4) &- 32)
            for index in 0..<16 {
                let bits = UInt32(group[index]) >> shift & 3
                let third = UInt32(high[half + index]) >> highShift & 1
                output[index] = step * Float(Int32(bitPattern: bits | third << 2) &- 4)
            }
        }
    }
}

/// The 6-bit scale and minimum of one of the eight sub-blocks of Q4_K and Q5_K, packed in 12 bytes: the first four of
/// each in the low six bits of bytes 0–3 and 4–7; the others' low nibbles in bytes 8–11, their high two bits on top
/// of bytes 0–3 and 4–7.
@inline(__always)
func scaleAndMinimum(_ packed: UnsafePointer<UInt8>, _ subBlock: Int) -> (scale: Int32, minimum: Int32) {
    if subBlock < 4 { return (Int32(packed[subBlock] & 63), Int32(packed[subBlock + 4] & 63)) }
    let nibbles = packed[subBlock + 4]
    return (
        Int32(nibbles & 15 | packed[subBlock - 4] >> 2 & 0x30), Int32(nibbles >> 4 | packed[subBlock] >> 2 & 0x30)
    )
}

/// Q4_K: f16 d and dmin, 12 bytes of scales s and minima m, 128 bytes of nibbles (each 32 bytes hold 64 numbers, low
/// nibbles first); x = (d·s)·q − dmin·m.
func dequantiseQ4K(_ source: UnsafeRawPointer, _ blocks: Int, _ target: UnsafeMutablePointer<Float>) {
    for block in 0..<blocks {
        let bytes = source + block * 144
        let scale = half(bytes)
        let minimum = half(bytes + 2)
        let packed = (bytes + 4).assumingMemoryBound(to: UInt8.self)
        for subBlock in 0..<8 {
            let output = target + (block * 256 + subBlock * 32)
            let quants = packed + (12 + subBlock / 2 * 32)
            let shift = UInt32(subBlock % 2 * 4)
            let factors = scaleAndMinimum(packed, subBlock)
            let step = scale * Float(factors.scale)
            let offset = minimum * Float(factors.minimum)
            for index in 0..<32 {
                output[index] = step * Float(Int32(bitPattern: UInt32(quants[index]) >> shift & 15)) - offset
            }
        }
    }
}

/// Q5_K: as Q4_K, with 32 bytes of fifth bits (bit k of byte j belongs to number 32·k + j) before the nibbles.
func dequantiseQ5K(_ source: UnsafeRawPointer, _ blocks: Int, _ target: UnsafeMutablePointer<Float>) {
    for block in 0..<blocks {
        let bytes = source + block * 176
        let scale = half(bytes)
        let minimum = half(bytes + 2)
        let packed = (bytes + 4).assumingMemoryBound(to: UInt8.self)
        let high = packed + 12
        for subBlock in 0..<8 {
            let output = target + (block * 256 + subBlock * 32)
            let quants = packed + (44 + subBlock / 2 * 32)
            let shift = UInt32(subBlock % 2 * 4)
            let highShift = UInt32(subBlock)
            let factors = scaleAndMinimum(packed, subBlock)
            let step = scale * Float(factors.scale)
            let offset = minimum * Float(factors.minimum)
            for index in 0..<32 {
                let low = UInt32(quants[index]) >> shift & 15
                let fifth = UInt32(high[index]) >> highShift & 1
                output[index] = step * Float(Int32(bitPattern: low | fifth << 4)) - offset
            }
        }
    }
}

/// Q6_K: 128 bytes of low nibbles (each 64 bytes hold 128 numbers, low nibbles first), 64 bytes of high bit pairs
/// (each 32 bytes hold 128 numbers, low pairs first), 16 signed scales s, f16 d; x = (d·s)·(q − 32).
func dequantiseQ6K(_ source: UnsafeRawPointer, _ blocks: Int, _ target: UnsafeMutablePointer<Float>) {
    for block in 0..<blocks {
        let bytes = source + block * 210
        let low = bytes.assumingMemoryBound(to: UInt8.self)
        let high = low + 128
        let scales = (bytes + 192).assumingMemoryBound(to: Int8.self)
        let scale = half(bytes + 208)
        for subBlock in 0..<16 {
            let output = target + (block * 256 + subBlock * 16)
            let nibbles = low + (subBlock / 8 * 64 + subBlock % 4 * 16)
            let pairs = high + (subBlock / 8 * 32 + subBlock % 2 * 16)
            let shift = UInt32(subBlock % 8 / 4 * 4)
            let highShift = UInt32(subBlock % 8 / 2 * 2)
            let step = scale * Float(scales[subBlock])
            for index in 0..<16 {
                let bits = UInt32(nibbles[index]) >> shift & 15
                let upper = UInt32(pairs[index]) >> highShift & 3
                output[index] = step * Float(Int32(bitPattern: bits | upper << 4) &- 32)
            }
        }
    }
}
