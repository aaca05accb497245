extension WeightFormat {
    /// Turns stored numbers into floats, bit for bit as the `gguf` Python package does (NaNs apart, whose payload no
    /// format defines).
    ///
    /// - Parameters:
    ///   - bytes: whole blocks, in the file's little-endian layout; any alignment.
    ///   - output: exactly as many floats as the blocks hold. Other sizes are a programmer error.
    /// - Complexity: one pass, no allocation. Different ranges may be converted at the same time.
    public func dequantise(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<Float>) {
        precondition(
            byteCount(elements: output.count) == bytes.count,
            "\(rawValue): \(bytes.count) bytes do not hold \(output.count) numbers")
        guard let source = bytes.baseAddress, let target = output.baseAddress else { return }
        let blocks = output.count / elementsPerBlock
        switch self {
        case .f32: UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: bytes.count)
        case .f64: convert(Float64.self, from: source, to: target, output.count) { Float($0) }
        case .f16: convert(UInt16.self, from: source, to: target, output.count) { HalfPrecision.float(f16: $0) }
        case .bf16: convert(UInt16.self, from: source, to: target, output.count) { HalfPrecision.float(bf16: $0) }
        case .i64: convert(Int64.self, from: source, to: target, output.count) { Float($0) }
        case .i32: convert(Int32.self, from: source, to: target, output.count) { Float($0) }
        case .i16: convert(Int16.self, from: source, to: target, output.count) { Float($0) }
        case .i8: convert(Int8.self, from: source, to: target, output.count) { Float($0) }
        case .u8, .bool: convert(UInt8.self, from: source, to: target, output.count) { Float($0) }
        case .q80: dequantiseQ80(source, blocks, target)
        case .q40: dequantiseQ40(source, blocks, target)
        case .q41: dequantiseQ41(source, blocks, target)
        case .q50: dequantiseQ50(source, blocks, target)
        case .q51: dequantiseQ51(source, blocks, target)
        case .q2K: dequantiseQ2K(source, blocks, target)
        case .q3K: dequantiseQ3K(source, blocks, target)
        case .q4K: dequantiseQ4K(source, blocks, target)
        case .q5K: dequantiseQ5K(source, blocks, target)
        case .q6K: dequantiseQ6K(source, blocks, target)
        }
    }

    /// Turns stored numbers into a new array of floats; see ``dequantise(_:into:)``.
    public func dequantised(_ bytes: UnsafeRawBufferPointer) -> [Float] {
        let count = bytes.count / bytesPerBlock * elementsPerBlock
        return [Float](unsafeUninitializedCapacity: count) { buffer, initialised in
            dequantise(bytes, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            initialised = count
        }
    }
}

@inline(__always)
private func convert<Stored: BitwiseCopyable>(
    _ type: Stored.Type, from source: UnsafeRawPointer, to target: UnsafeMutablePointer<Float>, _ count: Int,
    _ value: (Stored) -> Float
) {
    for index in 0..<count {
        target[index] = value(source.loadUnaligned(fromByteOffset: index * MemoryLayout<Stored>.stride, as: type))
    }
}

/// The half-precision number at an address.
@inline(__always)
func half(_ address: UnsafeRawPointer) -> Float {
    HalfPrecision.float(f16: UInt16(littleEndian: address.loadUnaligned(as: UInt16.self)))
}

/// Q8_0: f16 scale d, then 32 signed bytes q; x = q·d.
private func dequantiseQ80(_ source: UnsafeRawPointer, _ blocks: Int, _ target: UnsafeMutablePointer<Float>) {
    for block in 0..<blocks {
        let bytes = source + block * 34
        let output = target + block * 32
        let scale = half(bytes)
        let quants = (bytes + 2).assumingMemoryBound(to: Int8.self)
        for index in 0..<32 { output[index] = Float(quants[index]) * scale }
    }
}

/// Q4_0: f16 scale d, then 16 bytes whose low nibbles are numbers 0–15 and whose high nibbles are 16–31;
/// x = (q − 8)·d.
private func dequantiseQ40(_ source: UnsafeRawPointer, _ blocks: Int, _ target: UnsafeMutablePointer<Float>) {
    for block in 0..<blocks {
        let bytes = source + block * 18
        let output = target + block * 32
        let scale = half(bytes)
        let quants = (bytes + 2).assumingMemoryBound(to: UInt8.self)
        for index in 0..<16 {
            output[index] = Float(Int32(quants[index] & 15) &- 8) * scale
            output[index + 16] = Float(Int32(quants[index] >> 4) &- 8) * scale
        }
    }
}

/// Q4_1: f16 scale d, f16 minimum m, nibbles as in Q4_0; x = q·d + m.
private func dequantiseQ41(_ source: UnsafeRawPointer, _ blocks: Int, _ target: UnsafeMutablePointer<Float>) {
    for block in 0..<blocks {
        let bytes = source + block * 20
        let output = target + block * 32
        let scale = half(bytes)
        let minimum = half(bytes + 2)
        let quants = (bytes + 4).assumingMemoryBound(to: UInt8.self)
        for index in 0..<16 {
            output[index] = Float(Int32(quants[index] & 15)) * scale + minimum
            output[index + 16] = Float(Int32(quants[index] >> 4)) * scale + minimum
        }
    }
}

/// Q5_0: f16 scale d, 32 fifth bits, nibbles as in Q4_0; x = (q − 16)·d.
private func dequantiseQ50(_ source: UnsafeRawPointer, _ blocks: Int, _ target: UnsafeMutablePointer<Float>) {
    for block in 0..<blocks {
        let bytes = source + block * 22
        let output = target + block * 32
        let scale = half(bytes)
        let high = UInt32(littleEndian: (bytes + 2).loadUnaligned(as: UInt32.self))
        let quants = (bytes + 6).assumingMemoryBound(to: UInt8.self)
        for index in 0..<16 {
            let low = UInt32(quants[index] & 15) | (high >> UInt32(index) & 1) << 4
            let upper = UInt32(quants[index] >> 4) | (high >> UInt32(index &+ 16) & 1) << 4
            output[index] = Float(Int32(bitPattern: low) &- 16) * scale
            output[index + 16] = Float(Int32(bitPattern: upper) &- 16) * scale
        }
    }
}

/// Q5_1: f16 scale d, f16 minimum m, 32 fifth bits, nibbles as in Q4_0; x = q·d + m.
private func dequantiseQ51(_ source: UnsafeRawPointer, _ blocks: Int, _ target: UnsafeMutablePointer<Float>) {
    for block in 0..<blocks {
        let bytes = source + block * 24
        let output = target + block * 32
        let scale = half(bytes)
        let minimum = half(bytes + 2)
        let high = UInt32(littleEndian: (bytes + 4).loadUnaligned(as: UInt32.self))
        let quants = (bytes + 8).assumingMemoryBound(to: UInt8.self)
        for index in 0..<16 {
            let low = UInt32(quants[index] & 15) | (high >> UInt32(index) & 1) << 4
            let upper = UInt32(quants[index] >> 4) | (high >> UInt32(index &+ 16) & 1) << 4
            output[index] = Float(Int32(bitPattern: low)) * scale + minimum
            output[index + 16] = Float(Int32(bitPattern: upper)) * scale + minimum
        }
    }
}
