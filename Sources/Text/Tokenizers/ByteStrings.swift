/// Many short byte strings in one block of memory: a vocabulary or a merge list without a heap object per entry.
public struct ByteStrings: Sendable {
    /// All strings, one after the other.
    public private(set) var bytes: [UInt8]
    /// Where each string starts, and where the last one ends: `count + 1` entries.
    public private(set) var offsets: [UInt32]

    public init() {
        bytes = []
        offsets = [0]
    }

    public init(_ strings: some Sequence<String>) {
        self.init()
        for string in strings { append(string.utf8) }
    }

    /// Reads strings that are stored as GGUF stores them: each a 64-bit little-endian length and that many bytes.
    ///
    /// - Throws: `TokenizerError` when a length points beyond `data`.
    public init(lengthPrefixed data: UnsafeRawBufferPointer, count: Int, field: String) throws(TokenizerError) {
        guard count >= 0, count <= data.count / 8, data.count <= Int(UInt32.max) else {
            throw TokenizerError(field, "claims \(count) strings in \(data.count) bytes")
        }
        bytes = []
        offsets = []
        bytes.reserveCapacity(data.count - 8 * count)
        offsets.reserveCapacity(count + 1)
        offsets.append(0)
        var position = 0
        for index in 0..<count {
            guard data.count - position >= 8 else { throw TokenizerError(field, "ends inside string \(index)") }
            let length = UInt64(littleEndian: data.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            position += 8
            guard length <= UInt64(data.count - position) else {
                throw TokenizerError(field, "has string \(index) of \(length) bytes, which reach beyond the end")
            }
            bytes.append(contentsOf: data[position..<position + Int(length)])
            position += Int(length)
            offsets.append(UInt32(bytes.count))
        }
    }

    public var count: Int { offsets.count - 1 }

    public mutating func append(_ string: some Sequence<UInt8>) {
        bytes.append(contentsOf: string)
        offsets.append(UInt32(bytes.count))
    }

    public func range(of index: Int) -> Range<Int> { Int(offsets[index])..<Int(offsets[index + 1]) }

    public subscript(index: Int) -> ArraySlice<UInt8> { bytes[range(of: index)] }

    /// The string as text; invalid UTF-8 becomes U+FFFD.
    public func text(at index: Int) -> String { String(decoding: self[index], as: UTF8.self) }
}
