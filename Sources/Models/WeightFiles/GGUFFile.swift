import Text

/// A GGUF file of version 2 or 3: metadata and tensors, mapped and validated.
///
/// Opening checks every length, count, type and offset against the file; after that no access can leave it. Nothing of
/// the file's arrays and tensors is copied.
///
/// Source of the layout: the GGUF specification in ggml's `docs/gguf.md`.
public struct GGUFFile: WeightSource {
    static let magic = Array("GGUF".utf8)
    /// The longest tensor name and metadata key; the specification's own limits are 64 and 65,535 bytes.
    private static let longestName = 65_535
    private static let maximumDimensions = 4
    private static let maximumArrayDepth = 4

    public let file: MappedFile
    public let version: Int
    /// Tensors start at multiples of this many bytes.
    public let alignment: Int
    /// The metadata keys in the order of the file.
    public let keys: [String]
    public let metadata: [String: GGUFValue]
    private let table: TensorTable

    public var path: String { file.path }
    public var tensors: [TensorInfo] { table.entries.map(\.info) }
    public var naming: TensorNaming { .gguf }

    public init(path: String) throws(WeightFileError) { try self.init(MappedFile(path: path)) }

    public init(_ file: MappedFile) throws(WeightFileError) {
        var cursor = ByteCursor(file: file)
        version = try Self.readVersion(&cursor)
        let tensorCount = try cursor.integer("tensor count", as: UInt64.self)
        let keyCount = try cursor.count(minimumSize: 8 + 1 + 4 + 1, "metadata count")

        var keys: [String] = []
        var metadata: [String: GGUFValue] = [:]
        for index in 0..<keyCount {
            let key = try cursor.string(maximum: Self.longestName, "metadata key \(index + 1) of \(keyCount)")
            guard !key.isEmpty else {
                throw WeightFileError(.malformed, file: file.path, field: "metadata key \(index + 1)", "is empty")
            }
            let value = try Self.readValue(&cursor, key: key)
            guard metadata.updateValue(value, forKey: key) == nil else {
                throw WeightFileError(.malformed, file: file.path, field: key, "occurs twice in the metadata")
            }
            keys.append(key)
        }
        self.keys = keys
        self.metadata = metadata
        alignment = try Self.alignment(metadata, file.path)
        table = try Self.readTensorTable(&cursor, count: tensorCount, alignment: alignment)
        self.file = file
    }

    public func info(_ name: String) -> TensorInfo? { table[name]?.info }

    public func bytes(of name: String) throws(WeightFileError) -> ByteSlice {
        _ = try requiredInfo(name)
        return try file.slice(table[name]?.range ?? 0..<0, field: name)
    }

    /// A metadata value, or nil when the key is absent.
    public subscript(key: String) -> GGUFValue? { metadata[key] }
}

// MARK: Header

extension GGUFFile {
    private static func readVersion(_ cursor: inout ByteCursor) throws(WeightFileError) -> Int {
        let path = cursor.file.path
        let magicStart = try cursor.advance(4, "magic number")
        guard cursor.file.withUnsafeBytes({ $0[magicStart..<magicStart + 4].elementsEqual(magic) }) else {
            throw WeightFileError(.malformed, file: path, field: "magic number", "is not \"GGUF\"")
        }
        let version = try cursor.integer("version", as: UInt32.self)
        switch version {
        case 2, 3: return Int(version)
        case 1: throw WeightFileError(.unsupported, file: path, field: "version", "is 1; convert the file to version 3")
        default:
            if version.byteSwapped < 0x1_0000 {
                throw WeightFileError(
                    .unsupported, file: path, field: "version", "the file is big-endian; convert it to little-endian")
            }
            throw WeightFileError(.unsupported, file: path, field: "version", "is \(version); 2 and 3 are read")
        }
    }

    private static func alignment(
        _ metadata: [String: GGUFValue], _ path: String
    ) throws(WeightFileError) -> Int {
        let key = "general.alignment"
        guard let value = metadata[key] else { return 32 }
        guard let alignment = value.intValue, alignment > 0, alignment <= 1 << 20, alignment.nonzeroBitCount == 1 else {
            throw WeightFileError(
                .invalidValue, file: path, field: key, "must be an integer power of two up to 1,048,576")
        }
        return alignment
    }
}

// MARK: Metadata

extension GGUFFile {
    private static func readType(_ cursor: inout ByteCursor, key: String) throws(WeightFileError) -> GGUFValueType {
        let number = try cursor.integer(key, as: UInt32.self)
        guard let type = GGUFValueType(rawValue: number) else {
            throw WeightFileError(
                .malformed, file: cursor.file.path, field: key, "has the value type \(number); 0 to 12 exist")
        }
        return type
    }

    private static func readValue(_ cursor: inout ByteCursor, key: String) throws(WeightFileError) -> GGUFValue {
        switch try readType(&cursor, key: key) {
        case .uint8: return .uint8(try cursor.integer(key))
        case .int8: return .int8(try cursor.integer(key))
        case .uint16: return .uint16(try cursor.integer(key))
        case .int16: return .int16(try cursor.integer(key))
        case .uint32: return .uint32(try cursor.integer(key))
        case .int32: return .int32(try cursor.integer(key))
        case .uint64: return .uint64(try cursor.integer(key))
        case .int64: return .int64(try cursor.integer(key))
        case .float32: return .float32(Float(bitPattern: try cursor.integer(key)))
        case .float64: return .float64(Double(bitPattern: try cursor.integer(key)))
        case .bool:
            let byte = try cursor.integer(key, as: UInt8.self)
            guard byte <= 1 else {
                throw WeightFileError(
                    .malformed, file: cursor.file.path, field: key, "is a truth value of \(byte); 0 and 1 exist")
            }
            return .bool(byte == 1)
        case .string: return .string(try cursor.string(key))
        case .array: return .array(try readArray(&cursor, key: key, depth: 1))
        }
    }

    private static func readArray(
        _ cursor: inout ByteCursor, key: String, depth: Int
    ) throws(WeightFileError) -> GGUFArray {
        guard depth <= maximumArrayDepth else {
            throw WeightFileError(
                .unsupported, file: cursor.file.path, field: key,
                "nests arrays more than \(maximumArrayDepth) deep")
        }
        let type = try readType(&cursor, key: key)
        let count = try cursor.count(minimumSize: type.minimumSize, key)
        let start = cursor.position
        if let size = type.size {
            _ = try cursor.advance(count * size, key)
        } else if type == .string {
            for index in 0..<count { _ = try cursor.stringRange("\(key)[\(index)]") }
        } else {
            for _ in 0..<count { _ = try readArray(&cursor, key: key, depth: depth + 1) }
        }
        let bytes = try cursor.file.slice(start..<cursor.position, field: key)
        return GGUFArray(elementType: type, count: count, bytes: bytes)
    }
}

// MARK: Tensors

extension GGUFFile {
    private static func readTensorTable(
        _ cursor: inout ByteCursor, count: UInt64, alignment: Int
    ) throws(WeightFileError) -> TensorTable {
        let path = cursor.file.path
        guard count <= UInt64(cursor.remaining / (8 + 1 + 4 + 4 + 8)) else {
            throw WeightFileError(
                .truncated, file: path, field: "tensor count",
                "announces \(count), but the \(cursor.remaining) bytes that follow cannot hold that many")
        }
        var described: [(info: TensorInfo, offset: UInt64)] = []
        for index in 0..<Int(count) {
            described.append(try readTensor(&cursor, "tensor \(index + 1) of \(count)", alignment: alignment))
        }
        let (rounded, overflowed) = cursor.position.addingReportingOverflow(alignment - 1)
        let dataStart = overflowed ? Int.max : rounded / alignment * alignment

        var table = TensorTable()
        for (info, offset) in described {
            let available = max(0, cursor.file.count - dataStart)
            guard offset <= UInt64(available), info.byteCount <= available - Int(offset) else {
                throw WeightFileError(
                    .truncated, file: path, field: info.name,
                    "its \(info.byteCount) bytes at offset \(offset) lie beyond the file's \(available) bytes of data")
            }
            let start = dataStart + Int(offset)
            guard table.add(TensorTable.Entry(info: info, range: start..<start + info.byteCount)) else {
                throw WeightFileError(.malformed, file: path, field: info.name, "two tensors have this name")
            }
        }
        if let (first, second) = table.overlap {
            throw WeightFileError(
                .malformed, file: path, field: second.info.name, "shares bytes with the tensor \(first.info.name)")
        }
        return table
    }

    private static func readTensor(
        _ cursor: inout ByteCursor, _ place: String, alignment: Int
    ) throws(WeightFileError) -> (info: TensorInfo, offset: UInt64) {
        let path = cursor.file.path
        let name = try cursor.string(maximum: longestName, "\(place): name")
        guard !name.isEmpty else {
            throw WeightFileError(.malformed, file: path, field: place, "has an empty name")
        }
        let dimensions = try cursor.integer(name, as: UInt32.self)
        guard dimensions <= maximumDimensions else {
            throw WeightFileError(
                .malformed, file: path, field: name, "has \(dimensions) dimensions; at most \(maximumDimensions) exist")
        }
        var extents: [Int] = []
        for _ in 0..<dimensions {
            let extent = try cursor.integer(name, as: UInt64.self)
            guard extent > 0, extent <= UInt64(Int.max) else {
                throw WeightFileError(.malformed, file: path, field: name, "has a dimension of \(extent)")
            }
            extents.append(Int(extent))
        }
        let type = try cursor.integer(name, as: UInt32.self)
        guard let format = WeightFormat(ggufType: type) else {
            throw WeightFileError(
                .unsupported, file: path, field: name,
                "is stored as \(WeightFormat.nameOfUnreadGGUFType(type)), which Lyceum does not read; take a file of "
                    + "one of F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K to Q6_K")
        }
        guard let elements = checkedProduct(extents), let byteCount = format.byteCount(elements: elements) else {
            throw WeightFileError(
                .malformed, file: path, field: name,
                "its extents \(extents) are too large or fill no whole blocks of \(format.elementsPerBlock)")
        }
        guard (extents.first ?? 1).isMultiple(of: format.elementsPerBlock) else {
            throw WeightFileError(
                .malformed, file: path, field: name,
                "its rows of \(extents.first ?? 1) fill no whole \(format.rawValue) blocks of \(format.elementsPerBlock)"
            )
        }
        let offset = try cursor.integer(name, as: UInt64.self)
        guard offset.isMultiple(of: UInt64(alignment)) else {
            throw WeightFileError(
                .malformed, file: path, field: name, "its offset \(offset) is no multiple of the alignment \(alignment)"
            )
        }
        return (
            TensorInfo(name: name, format: format, shape: extents.reversed(), byteCount: byteCount), offset
        )
    }
}
