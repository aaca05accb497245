extension WeightFormat {
    /// The formats that a model's matrices can be written in, those of blocks only into GGUF.
    public static let writable: [WeightFormat] = [
        .f32, .f16, .bf16, .q80, .q6K, .q5K, .q51, .q50, .q4K, .q41, .q40,
    ]

    /// The names of the writable formats, as a sentence lists them.
    public static func writableNames(blocks: Bool = true) -> String {
        let names = writable.filter { blocks || !$0.isQuantised }.map(\.rawValue)
        return names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
    }

    /// Whether numbers can be brought into this format; the other formats can only be read and copied.
    public var canBeWritten: Bool { self == .f64 || Self.writable.contains(self) }

    /// The format of a matrix whose rows have so many numbers: this one where they fill whole blocks, else, as llama.cpp has it, one of
    /// blocks of 32 that keeps at least as much; else F32.
    func fitting(rowLength: Int) -> WeightFormat {
        let fallback: WeightFormat? =
            switch self {
            case .q4K: .q50
            case .q5K: .q51
            case .q6K: .q80
            default: nil
            }
        return [self, fallback].compactMap { $0 }.first { rowLength.isMultiple(of: $0.elementsPerBlock) } ?? .f32
    }

    /// Brings numbers into this format: those in blocks of 32 and single ones, to the nearest, bit for bit as the `gguf` Python package
    /// does; the K formats by a search for the scales of least error.
    ///
    /// - Parameters:
    ///   - values: as many as make whole blocks.
    ///   - file: what the error names when the format cannot be written or the count makes no whole blocks.
    ///   - field: the tensor that the error names.
    public func quantised(
        _ values: UnsafeBufferPointer<Float>, rounding: Rounding = .nearest, file: String, field: String
    ) throws(WeightFileError) -> [UInt8] {
        guard canBeWritten else {
            throw WeightFileError(
                .unsupported, file: file, field: field,
                "numbers cannot be stored as \(rawValue); choose \(Self.writableNames())")
        }
        guard let size = byteCount(elements: values.count) else {
            throw WeightFileError(
                .invalidValue, file: file, field: field,
                "\(values.count) numbers make no whole \(rawValue) blocks of \(elementsPerBlock)")
        }
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, initialised in
            if let target = UnsafeMutableRawBufferPointer(buffer).baseAddress, let source = values.baseAddress {
                encode(source, values.count, rounding, into: target)
            }
            initialised = size
        }
    }

    private func encode(
        _ source: UnsafePointer<Float>, _ count: Int, _ rounding: Rounding, into target: UnsafeMutableRawPointer
    ) {
        switch self {
        case .f32: target.copyMemory(from: source, byteCount: 4 * count)
        case .f64:
            for index in 0..<count {
                target.storeBytes(of: Double(source[index]), toByteOffset: 8 * index, as: Double.self)
            }
        case .f16:
            for index in 0..<count {
                let bits = rounding.bits(
                    of: source[index], index, nearest: HalfPrecision.f16, decoded: HalfPrecision.float(f16:))
                store(bits, at: target + 2 * index)
            }
        case .bf16:
            for index in 0..<count {
                let bits = rounding.bits(
                    of: source[index], index, nearest: HalfPrecision.bf16, decoded: HalfPrecision.float(bf16:))
                store(bits, at: target + 2 * index)
            }
        case .q80: forEachBlock(source, count, target, rounding, quantiseQ80)
        case .q40: forEachBlock(source, count, target, rounding, quantiseQ40)
        case .q41: forEachBlock(source, count, target, rounding, quantiseQ41)
        case .q50: forEachBlock(source, count, target, rounding, quantiseQ50)
        case .q51: forEachBlock(source, count, target, rounding, quantiseQ51)
        case .q4K: forEachBlock(source, count, target, rounding, quantiseQ4K)
        case .q5K: forEachBlock(source, count, target, rounding, quantiseQ5K)
        case .q6K: forEachBlock(source, count, target, rounding, quantiseQ6K)
        case .i64, .i32, .i16, .i8, .u8, .bool, .q2K, .q3K:
            preconditionFailure("\(rawValue) cannot be written")
        }
    }

    @inline(__always)
    private func forEachBlock(
        _ source: UnsafePointer<Float>, _ count: Int, _ target: UnsafeMutableRawPointer, _ rounding: Rounding,
        _ encode: (UnsafePointer<Float>, UnsafeMutableRawPointer, BlockRounding) -> Void
    ) {
        for block in 0..<count / elementsPerBlock {
            let start = block * elementsPerBlock
            encode(
                source + start, target + block * bytesPerBlock, BlockRounding(rounding: rounding, start: start))
        }
    }
}

/// Stores 16 bits in little-endian order, at any alignment.
@inline(__always)
func store(_ value: UInt16, at target: UnsafeMutableRawPointer) {
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
private func quantiseQ80(
    _ values: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer, _ rounding: BlockRounding
) {
    let scale = extremeNumber(values).magnitude / 127
    let inverse = reciprocal(rounding.divisor(scale))
    store(HalfPrecision.f16(scale), at: target)
    for index in 0..<32 {
        let steps = values[index] * inverse
        let rounded =
            rounding.isNearest
            ? steps.rounded(.toNearestOrAwayFromZero) : (steps + rounding.threshold(index)).rounded(.down)
        let quant = rounded.isNaN ? 0 : Int8(max(-128, min(127, rounded)))
        target.storeBytes(of: quant, toByteOffset: 2 + index, as: Int8.self)
    }
}

/// d = the extreme number / −8; q = ⌊x/d + 8.5⌋.
private func quantiseQ40(
    _ values: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer, _ rounding: BlockRounding
) {
    let scale = extremeNumber(values) / -8
    let inverse = reciprocal(rounding.divisor(scale))
    store(HalfPrecision.f16(scale), at: target)
    storeNibbles(at: target + 2) { truncated(values[$0] * inverse + (8 + rounding.threshold($0)), maximum: 15) }
}

/// m = min x; d = (max x − m) / 15; q = ⌊(x − m)/d + 0.5⌋.
private func quantiseQ41(
    _ values: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer, _ rounding: BlockRounding
) {
    let (minimum, maximum) = range(values)
    let scale = (maximum - minimum) / 15
    let inverse = reciprocal(rounding.divisor(scale))
    let offset = rounding.divisor(minimum)
    store(HalfPrecision.f16(scale), at: target)
    store(HalfPrecision.f16(minimum), at: target + 2)
    storeNibbles(at: target + 4) {
        truncated((values[$0] - offset) * inverse + rounding.threshold($0), maximum: 15)
    }
}

/// As Q4_0 with 32 steps.
private func quantiseQ50(
    _ values: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer, _ rounding: BlockRounding
) {
    let scale = extremeNumber(values) / -16
    let inverse = reciprocal(rounding.divisor(scale))
    store(HalfPrecision.f16(scale), at: target)
    storeFiveBits(at: target + 2) { truncated(values[$0] * inverse + (16 + rounding.threshold($0)), maximum: 31) }
}

/// As Q4_1 with 32 steps.
private func quantiseQ51(
    _ values: UnsafePointer<Float>, _ target: UnsafeMutableRawPointer, _ rounding: BlockRounding
) {
    let (minimum, maximum) = range(values)
    let scale = (maximum - minimum) / 31
    let inverse = reciprocal(rounding.divisor(scale))
    let offset = rounding.divisor(minimum)
    store(HalfPrecision.f16(scale), at: target)
    store(HalfPrecision.f16(minimum), at: target + 2)
    storeFiveBits(at: target + 4) {
        truncated((values[$0] - offset) * inverse + rounding.threshold($0), maximum: 31)
    }
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
