extension WeightFormat {
    /// Whether numbers can be brought into this format; the other formats can only be read and copied.
    public var canBeWritten: Bool {
        switch self {
        case .f64, .f32, .f16, .bf16, .q80, .q40, .q41, .q50, .q51: true
        case .i64, .i32, .i16, .i8, .u8, .bool, .q2K, .q3K, .q4K, .q5K, .q6K: false
        }
    }

    /// Brings numbers into this format, bit for bit as the `gguf` Python package does where it can.
    ///
    /// - Parameters:
    ///   - values: as many as make whole blocks.
    ///   - file: what the error names when the format cannot be written or the count makes no whole blocks.
    ///   - field: the tensor that the error names.
    public func quantised(
        _ values: UnsafeBufferPointer<Float>, file: String, field: String
    ) throws(WeightFileError) -> [UInt8] {
        guard canBeWritten else {
            throw WeightFileError(
                .unsupported, file: file, field: field,
                "numbers cannot be stored as \(rawValue); choose F32, F16, BF16, Q8_0, Q5_1, Q5_0, Q4_1 or Q4_0")
        }
        guard let size = byteCount(elements: values.count) else {
            throw WeightFileError(
                .invalidValue, file: file, field: field,
                "\(values.count) numbers make no whole \(rawValue) blocks of \(elementsPerBlock)")
        }
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, initialised in
            if let target = UnsafeMutableRawBufferPointer(buffer).baseAddress, let source = values.baseAddress {
                encode(source, values.count, into: target)
            }
            initialised = size
        }
    }

    private func encode(_ source: UnsafePointer<Float>, _ count: Int, into target: UnsafeMutableRawPointer) {
        switch self {
        case .f32: target.copyMemory(from: source, byteCount: 4 * count)
        case .f64:
            for index in 0..<count {
                target.storeBytes(of: Double(source[index]), toByteOffset: 8 * index, as: Double.self)
            }
        case .f16:
            for index in 0..<count { store(HalfPrecision.f16(source[index]), at: target + 2 * index) }
        case .bf16:
            for index in 0..<count { store(HalfPrecision.bf16(source[index]), at: target + 2 * index) }
        case .q80: forEachBlock(source, count, target, quantiseQ80)
        case .q40: forEachBlock(source, count, target, quantiseQ40)
        case .q41: forEachBlock(source, count, target, quantiseQ41)
        case .q50: forEachBlock(source, count, target, quantiseQ50)
        case .q51: forEachBlock(source, count, target, quantiseQ51)
        case .i64, .i32, .i16, .i8, .u8, .bool, .q2K, .q3K, .q4K, .q5K, .q6K:
            preconditionFailure("\(rawValue) cannot be written")
        }
    }

    @inline(__always)
    private func forEachBlock(
        _ source: UnsafePointer<Float>, _ count: Int, _ target: UnsafeMutableRawPointer,
        _ encode: (UnsafePointer<Float>, UnsafeMutableRawPointer) -> Void
    ) {
        for block in 0..<count / elementsPerBlock {
            encode(source + block * elementsPerBlock, target + block * bytesPerBlock)
        }
    }
}

@inline(__always)
private func store(_ value: UInt16, at target: UnsafeMutableRawPointer) {
    target.storeBytes(of: value.littleEndian, as: UInt16.self)
}

/// A number cut to an integer within 0...maximum; NaN becomes 0.
@inline(__always)
private func truncated(_ value: Float, maximum: Float) -> UInt8 {
    value >= 0 ? UInt8(min(value, maximum)) : 0
}

/// The number of largest magnitude in a block of 32, with its sign; the first of equals.
@inline(__always)
private func extremeNumber(_ values: UnsafePointer<Float>) -> Float {
    var extreme = values[0]
    for index in 1..<32 where values[index].magnitude > extreme.magnitude { extreme = values[index] }
    return extreme
}

@inline(__always)
private func range(_ values: UnsafePointer<Float>) -> (minimum: Float, maximum: Float) {
    var minimum = values[0]
    var maximum = values[0]
    for index in 1..<32 {
        if values[index] < minimum { minimum = values[index] }
        if values[index] > maximum { maximum = values[index] }
    }
    return (minimum, maximum)
}

@inline(__always)
private func reciprocal(_ scale: Float) -> Float { scale == 0 ? 0 : 1 / scale }

/// d = max|x| / 127; q = x/d rounded half away from zero.
private func quantiseQ80(_ values: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer) {
    let scale = extremeNumber(values).magnitude / 127
    let inverse = reciprocal(scale)
    store(HalfPrecision.f16(scale), at: target)
    for index in 0..<32 {
        let rounded = (values[index] * inverse).rounded(.toNearestOrAwayFromZero)
        let quant = rounded.isNaN ? 0 : Int8(max(-128, min(127, rounded)))
        target.storeBytes(of: quant, toByteOffset: 2 + index, as: Int8.self)
    }
}

/// d = the extreme number / −8; q = ⌊x/d + 8.5⌋.
private func quantiseQ40(_ values: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer) {
    let scale = extremeNumber(values) / -8
    let inverse = reciprocal(scale)
    store(HalfPrecision.f16(scale), at: target)
    storeNibbles(at: target + 2) { truncated(values[$0] * inverse + 8.5, maximum: 15) }
}

/// m = min x; d = (max x − m) / 15; q = ⌊(x − m)/d + 0.5⌋.
private func quantiseQ41(_ values: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer) {
    let (minimum, maximum) = range(values)
    let scale = (maximum - minimum) / 15
    let inverse = reciprocal(scale)
    store(HalfPrecision.f16(scale), at: target)
    store(HalfPrecision.f16(minimum), at: target + 2)
    storeNibbles(at: target + 4) { truncated((values[$0] - minimum) * inverse + 0.5, maximum: 15) }
}

/// As Q4_0 with 32 steps.
private func quantiseQ50(_ values: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer) {
    let scale = extremeNumber(values) / -16
    let inverse = reciprocal(scale)
    store(HalfPrecision.f16(scale), at: target)
    storeFiveBits(at: target + 2) { truncated(values[$0] * inverse + 16.5, maximum: 31) }
}

/// As Q4_1 with 32 steps.
private func quantiseQ51(_ values: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer) {
    let (minimum, maximum) = range(values)
    let scale = (maximum - minimum) / 31
    let inverse = reciprocal(scale)
    store(HalfPrecision.f16(scale), at: target)
    store(HalfPrecision.f16(minimum), at: target + 2)
    storeFiveBits(at: target + 4) { truncated((values[$0] - minimum) * inverse + 0.5, maximum: 31) }
}

/// 16 bytes: numbers 0–15 in the low nibbles, 16–31 in the high ones.
@inline(__always)
private func storeNibbles(at target: UnsafeMutableRawPointer, _ quant: (Int) -> UInt8) {
    for index in 0..<16 {
        target.storeBytes(of: quant(index) & 15 | quant(index + 16) << 4, toByteOffset: index, as: UInt8.self)
    }
}

/// 32 fifth bits, then the nibbles.
@inline(__always)
private func storeFiveBits(at target: UnsafeMutableRawPointer, _ quant: (Int) -> UInt8) {
    var high: UInt32 = 0
    for index in 0..<32 { high |= UInt32(quant(index) >> 4) << UInt32(index) }
    target.storeBytes(of: high.littleEndian, as: UInt32.self)
    storeNibbles(at: target + 4, quant)
}
