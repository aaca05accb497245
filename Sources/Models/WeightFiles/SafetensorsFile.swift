import Text

/// A safetensors file: a JSON header that names each tensor, then their bytes without gaps.
///
/// Opening checks the header against the file: sizes, overlaps, gaps, duplicate names.
///
/// Source of the layout: the README of huggingface/safetensors.
public struct SafetensorsFile: WeightSource {
    /// The longest header read, in bytes; the reference reader has the same limit.
    private static let longestHeader = 100_000_000

    public let file: MappedFile
    /// The header's free-form texts (`__metadata__`).
    public let metadata: [String: String]
    private let table: TensorTable

    public var path: String { file.path }
    public var tensors: [TensorInfo] { table.entries.map(\.info) }
    public var naming: TensorNaming { .huggingFace }

    public init(path: String) throws(WeightFileError) { try self.init(MappedFile(path: path)) }

    public init(_ file: MappedFile) throws(WeightFileError) {
        let path = file.path
        var cursor = ByteCursor(file: file)
        let length = try cursor.integer("header length", as: UInt64.self)
        guard length >= 2, length <= UInt64(Self.longestHeader), length <= UInt64(cursor.remaining) else {
            throw WeightFileError(
                length <= UInt64(Self.longestHeader) && length >= 2 ? .truncated : .malformed, file: path,
                field: "header length",
                "announces \(length) bytes; it must be 2 to \(Self.longestHeader) and the file has \(cursor.remaining)")
        }
        let headerStart = try cursor.advance(Int(length), "header")
        let header = try file.slice(headerStart..<headerStart + Int(length), field: "header")
        let document: JSONValue
        do {
            document = try header.withUnsafeBytes { bytes throws(JSONError) in
                try JSONValue(parsing: bytes, limits: JSONLimits(bytes: Self.longestHeader, depth: 8))
            }
        } catch {
            throw WeightFileError(.malformed, file: path, field: "header", "is not JSON: \(error)")
        }
        guard let members = document.objectValue else {
            throw WeightFileError(.malformed, file: path, field: "header", "must be a JSON object")
        }
        var table = TensorTable()
        var metadata: [String: String] = [:]
        for member in members {
            if member.key == "__metadata__" {
                metadata = try Self.readMetadata(member.value, path)
                continue
            }
            let entry = try Self.readTensor(member, dataStart: cursor.position, dataCount: cursor.remaining, path)
            guard table.add(entry) else {
                throw WeightFileError(.malformed, file: path, field: member.key, "two tensors have this name")
            }
        }
        try Self.checkCoverage(table, of: cursor.position..<file.count, path)
        self.table = table
        self.metadata = metadata
        self.file = file
    }

    public func info(_ name: String) -> TensorInfo? { table[name]?.info }

    public func bytes(of name: String) throws(WeightFileError) -> ByteSlice {
        _ = try requiredInfo(name)
        return try file.slice(table[name]?.range ?? 0..<0, field: name)
    }

    /// Reads the `config.json` beside the file.
    public func configuration() throws(WeightFileError) -> ModelConfiguration {
        try ModelConfiguration(huggingFaceFolder: folder(of: path))
    }

    /// Whether the bytes start as a safetensors file does: a plausible header length, then `{`.
    static func looksLikeSafetensors(_ file: MappedFile) -> Bool {
        file.withUnsafeBytes { $0.count > 9 && $0[8] == UInt8(ascii: "{") && $0[4..<8].allSatisfy { $0 == 0 } }
    }
}

extension SafetensorsFile {
    private static func readMetadata(_ value: JSONValue, _ path: String) throws(WeightFileError) -> [String: String] {
        guard let members = value.objectValue else {
            throw WeightFileError(.malformed, file: path, field: "__metadata__", "must be an object of texts")
        }
        var metadata: [String: String] = [:]
        for member in members {
            guard let text = member.value.stringValue else {
                throw WeightFileError(.malformed, file: path, field: "__metadata__.\(member.key)", "must be a text")
            }
            metadata[member.key] = text
        }
        return metadata
    }

    private static func readTensor(
        _ member: JSONValue.Member, dataStart: Int, dataCount: Int, _ path: String
    ) throws(WeightFileError) -> TensorTable.Entry {
        func fault(_ message: String, _ problem: WeightFileError.Problem = .malformed) -> WeightFileError {
            WeightFileError(problem, file: path, field: member.key, message)
        }
        guard let typeName = member.value["dtype"]?.stringValue else { throw fault("its dtype must be a text") }
        guard let format = WeightFormat(safetensorsName: typeName) else {
            throw fault(
                "has the dtype \(typeName), which Lyceum does not read; convert it to F32, F16 or BF16", .unsupported)
        }
        guard let extents = member.value["shape"]?.arrayValue, extents.count <= 16 else {
            throw fault("its shape must be a list of at most 16 integers")
        }
        let shape = extents.compactMap { if case .integer(let extent) = $0, extent >= 0 { extent } else { nil } }
        guard shape.count == extents.count else { throw fault("its shape must hold integers from 0 up") }
        guard let offsets = member.value["data_offsets"]?.arrayValue, offsets.count == 2,
            case .integer(let start) = offsets[0], case .integer(let end) = offsets[1], start >= 0, start <= end
        else { throw fault("its data_offsets must be two integers, the start and the end") }
        guard end <= dataCount else {
            throw fault("its bytes end at \(end), the file has \(dataCount) bytes of data", .truncated)
        }
        guard let elements = checkedProduct(shape), let byteCount = format.byteCount(elements: elements),
            byteCount == end - start
        else {
            throw fault("its shape \(shape) of \(typeName) does not make the \(end - start) bytes of its data_offsets")
        }
        return TensorTable.Entry(
            info: TensorInfo(name: member.key, format: format, shape: shape, byteCount: byteCount),
            range: dataStart + start..<dataStart + end)
    }

    /// The tensors must cover the data exactly, as the format demands.
    private static func checkCoverage(
        _ table: TensorTable, of data: Range<Int>, _ path: String
    ) throws(WeightFileError) {
        var position = data.lowerBound
        for entry in table.byPlace {
            guard entry.range.lowerBound == position else {
                throw WeightFileError(
                    .malformed, file: path, field: entry.info.name,
                    entry.range.lowerBound < position
                        ? "shares bytes with the tensor before it"
                        : "starts \(entry.range.lowerBound - position) bytes after the tensor before it ends")
            }
            position = entry.range.upperBound
        }
        guard position == data.upperBound else {
            throw WeightFileError(
                .malformed, file: path, field: "data",
                "\(data.upperBound - position) bytes at the end of the file belong to no tensor")
        }
    }
}
