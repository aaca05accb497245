/// The type of a GGUF metadata value, by its number in the file.
public enum GGUFValueType: UInt32, Sendable, Hashable, CaseIterable {
    case uint8 = 0
    case int8 = 1
    case uint16 = 2
    case int16 = 3
    case uint32 = 4
    case int32 = 5
    case float32 = 6
    case bool = 7
    case string = 8
    case array = 9
    case uint64 = 10
    case int64 = 11
    case float64 = 12

    /// The bytes of one value; nil for strings and arrays, whose size varies.
    var size: Int? {
        switch self {
        case .uint8, .int8, .bool: 1
        case .uint16, .int16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        case .string, .array: nil
        }
    }

    /// The least that one value takes in the file.
    var minimumSize: Int {
        switch self {
        case .string: 8
        case .array: 12
        default: size ?? 1
        }
    }
}

/// One GGUF metadata value.
public enum GGUFValue: Sendable {
    case uint8(UInt8)
    case int8(Int8)
    case uint16(UInt16)
    case int16(Int16)
    case uint32(UInt32)
    case int32(Int32)
    case uint64(UInt64)
    case int64(Int64)
    case float32(Float)
    case float64(Double)
    case bool(Bool)
    case string(String)
    case array(GGUFArray)

    public var type: GGUFValueType {
        switch self {
        case .uint8: .uint8
        case .int8: .int8
        case .uint16: .uint16
        case .int16: .int16
        case .uint32: .uint32
        case .int32: .int32
        case .uint64: .uint64
        case .int64: .int64
        case .float32: .float32
        case .float64: .float64
        case .bool: .bool
        case .string: .string
        case .array: .array
        }
    }

    /// Any integer that fits in `Int`.
    public var intValue: Int? {
        switch self {
        case .uint8(let value): Int(value)
        case .int8(let value): Int(value)
        case .uint16(let value): Int(value)
        case .int16(let value): Int(value)
        case .uint32(let value): Int(value)
        case .int32(let value): Int(value)
        case .uint64(let value): Int(exactly: value)
        case .int64(let value): Int(value)
        default: nil
        }
    }

    /// Any number.
    public var doubleValue: Double? {
        switch self {
        case .float32(let value): Double(value)
        case .float64(let value): value
        default: intValue.map(Double.init)
        }
    }

    public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    public var arrayValue: GGUFArray? { if case .array(let value) = self { value } else { nil } }
}

/// A GGUF metadata array, left in the mapped file until it is asked for: a vocabulary of 50,000 strings costs nothing
/// to open.
public struct GGUFArray: Sendable {
    public let elementType: GGUFValueType
    public let count: Int
    /// The elements' bytes as the file has them, validated when the file was opened.
    public let bytes: ByteSlice

    init(elementType: GGUFValueType, count: Int, bytes: ByteSlice) {
        self.elementType = elementType
        self.count = count
        self.bytes = bytes
    }

    /// Calls `body` with the bytes of each string in turn, not copied and not checked to be UTF-8; does nothing when the
    /// elements are no strings. The buffers must not outlive the call.
    public func forEachStringBytes(_ body: (_ index: Int, _ bytes: UnsafeRawBufferPointer) throws -> Void) rethrows {
        guard elementType == .string else { return }
        try withExtendedLifetime(bytes.file) {
            let all = bytes.unsafeBytes
            var position = 0
            for index in 0..<count {
                let length = Int(UInt64(littleEndian: all.loadUnaligned(fromByteOffset: position, as: UInt64.self)))
                position += 8
                try body(index, UnsafeRawBufferPointer(rebasing: all[position..<position + length]))
                position += length
            }
        }
    }

    /// The place of each string in `bytes`, for random access; nil when the elements are no strings.
    public var stringRanges: [Range<Int>]? {
        guard elementType == .string else { return nil }
        var ranges: [Range<Int>] = []
        ranges.reserveCapacity(count)
        var position = 0
        forEachStringBytes { _, bytes in
            ranges.append(position + 8..<position + 8 + bytes.count)
            position += 8 + bytes.count
        }
        return ranges
    }

    /// The strings; bytes that are no UTF-8 become U+FFFD. Nil when the elements are no strings.
    public var strings: [String]? {
        guard elementType == .string else { return nil }
        var strings: [String] = []
        strings.reserveCapacity(count)
        forEachStringBytes { _, bytes in strings.append(String(decoding: bytes, as: UTF8.self)) }
        return strings
    }

    /// The elements as integers; nil when they are no integers, or one does not fit in `Int`.
    public var integers: [Int]? {
        switch elementType {
        case .uint8: elements(UInt8.self) { Int($0) }
        case .int8: elements(Int8.self) { Int($0) }
        case .uint16: elements(UInt16.self) { Int(UInt16(littleEndian: $0)) }
        case .int16: elements(Int16.self) { Int(Int16(littleEndian: $0)) }
        case .uint32: elements(UInt32.self) { Int(UInt32(littleEndian: $0)) }
        case .int32: elements(Int32.self) { Int(Int32(littleEndian: $0)) }
        case .int64: elements(Int64.self) { Int(Int64(littleEndian: $0)) }
        case .uint64: allPresent(elements(UInt64.self) { Int(exactly: UInt64(littleEndian: $0)) })
        case .bool, .string, .array, .float32, .float64: nil
        }
    }

    /// The elements as floats; nil when they are no floats.
    public var floats: [Float]? {
        switch elementType {
        case .float32: elements(UInt32.self) { Float(bitPattern: UInt32(littleEndian: $0)) }
        case .float64: elements(UInt64.self) { Float(Double(bitPattern: UInt64(littleEndian: $0))) }
        default: nil
        }
    }

    public var booleans: [Bool]? {
        elementType == .bool ? elements(UInt8.self) { $0 != 0 } : nil
    }

    private func allPresent(_ values: [Int?]) -> [Int]? {
        let present = values.compactMap(\.self)
        return present.count == values.count ? present : nil
    }

    private func elements<Stored: BitwiseCopyable, Element>(
        _ type: Stored.Type, _ transform: (Stored) -> Element
    ) -> [Element] {
        bytes.withUnsafeBytes { buffer in
            (0..<count).map {
                transform(buffer.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Stored>.size, as: Stored.self))
            }
        }
    }
}

// MARK: Making arrays

extension GGUFArray {
    public init(strings: some Collection<String>) {
        var bytes: [UInt8] = []
        for string in strings {
            let utf8 = Array(string.utf8)
            bytes.appendLittleEndian(UInt64(utf8.count))
            bytes.append(contentsOf: utf8)
        }
        self.init(elementType: .string, count: strings.count, encoded: bytes)
    }

    public init(int32s values: some Collection<Int32>) {
        var bytes: [UInt8] = []
        for value in values { bytes.appendLittleEndian(value) }
        self.init(elementType: .int32, count: values.count, encoded: bytes)
    }

    public init(uint32s values: some Collection<UInt32>) {
        var bytes: [UInt8] = []
        for value in values { bytes.appendLittleEndian(value) }
        self.init(elementType: .uint32, count: values.count, encoded: bytes)
    }

    public init(floats values: some Collection<Float>) {
        var bytes: [UInt8] = []
        for value in values { bytes.appendLittleEndian(value.bitPattern) }
        self.init(elementType: .float32, count: values.count, encoded: bytes)
    }

    public init(booleans values: some Collection<Bool>) {
        self.init(elementType: .bool, count: values.count, encoded: values.map { $0 ? 1 : 0 })
    }

    private init(elementType: GGUFValueType, count: Int, encoded: [UInt8]) {
        let file = MappedFile(bytes: encoded, name: "array in memory")
        self.init(elementType: elementType, count: count, bytes: file.all)
    }
}

extension [UInt8] {
    mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}
