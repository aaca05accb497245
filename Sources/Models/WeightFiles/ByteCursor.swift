/// Reads little-endian values one after another from a mapped file and refuses to step over its end.
struct ByteCursor {
    let file: MappedFile
    private(set) var position: Int

    init(file: MappedFile, position: Int = 0) {
        self.file = file
        self.position = position
    }

    var remaining: Int { file.count - position }

    /// Reads one integer.
    mutating func integer<Value: FixedWidthInteger>(
        _ field: @autoclosure () -> String, as type: Value.Type = Value.self
    ) throws(WeightFileError) -> Value {
        let start = try advance(MemoryLayout<Value>.size, field())
        return file.withUnsafeBytes { bytes in
            Value(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: Value.self))
        }
    }

    /// Reads a 64-bit count of things that take at least `minimumSize` bytes each in the rest of the file.
    mutating func count(minimumSize: Int, _ field: @autoclosure () -> String) throws(WeightFileError) -> Int {
        let value = try integer(field(), as: UInt64.self)
        guard value <= UInt64(remaining / minimumSize) else {
            throw WeightFileError(
                .truncated, file: file.path, field: field(),
                "announces \(value), but the \(remaining) bytes that follow cannot hold that many")
        }
        return Int(value)
    }

    /// Steps over bytes and returns where they start.
    mutating func advance(_ count: Int, _ field: @autoclosure () -> String) throws(WeightFileError) -> Int {
        guard count >= 0, count <= remaining else {
            throw WeightFileError(
                .truncated, file: file.path, field: field(),
                "needs \(count) bytes at offset \(position), the file ends after \(remaining)")
        }
        defer { position += count }
        return position
    }

    /// Reads a string with a 64-bit length before it and returns its place.
    mutating func stringRange(
        maximum: Int = .max, _ field: @autoclosure () -> String
    ) throws(WeightFileError) -> Range<Int> {
        let length = try integer(field(), as: UInt64.self)
        guard length <= UInt64(maximum) else {
            throw WeightFileError(
                .malformed, file: file.path, field: field(),
                "announces a text of \(length) bytes; at most \(maximum) are allowed")
        }
        let start = try advance(Int(length), field())
        return start..<start + Int(length)
    }

    /// Reads a string with a 64-bit length before it. Bytes that are no UTF-8 become U+FFFD.
    mutating func string(maximum: Int = .max, _ field: @autoclosure () -> String) throws(WeightFileError) -> String {
        let range = try stringRange(maximum: maximum, field())
        return file.withUnsafeBytes { String(decoding: $0[range], as: UTF8.self) }
    }
}
