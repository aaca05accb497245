/// Writes GGUF files of version 3.
public struct GGUFWriter: Sendable {
    /// The metadata in the order of the file. A key that is set again keeps its place.
    public private(set) var metadata: [(key: String, value: GGUFValue)] = []
    /// The tensors in the order of the file.
    public private(set) var tensors: [TensorDeclaration] = []
    /// Tensors start at multiples of this many bytes; a power of two. Anything but 32 is written as `general.alignment`.
    public let alignment: Int

    /// - Parameter architecture: the value of `general.architecture`, the one key that every file needs.
    public init(architecture: String, alignment: Int = 32) {
        precondition(alignment > 0 && alignment.nonzeroBitCount == 1, "an alignment is a power of two")
        self.alignment = alignment
        set("general.architecture", .string(architecture))
        if alignment != 32 { set("general.alignment", .uint32(UInt32(alignment))) }
    }

    /// Sets a metadata value.
    public mutating func set(_ key: String, _ value: GGUFValue) {
        if let index = metadata.firstIndex(where: { $0.key == key }) {
            metadata[index].value = value
        } else {
            metadata.append((key, value))
        }
    }

    /// Announces a tensor; its bytes are asked for when the file is written.
    public mutating func add(_ tensor: TensorDeclaration) { tensors.append(tensor) }

    /// Writes the file: header, metadata, then each tensor's bytes as `contents` gives them, one tensor after another.
    /// The file gets its name only when it is whole.
    public func write(
        to path: String, contents: (TensorDeclaration, borrowing TensorSink) throws -> Void
    ) throws {
        let (header, infos) = try encodedHeader(file: path)
        var output = try OutputFile(path: path)
        try output.write(header)
        for (tensor, info) in zip(tensors, infos) {
            try output.pad(to: alignment)
            try writeTensor(info, to: &output) { try contents(tensor, $0) }
        }
        try output.pad(to: alignment)
        try output.commit()
    }

    /// Everything before the tensors' bytes.
    private func encodedHeader(file: String) throws(WeightFileError) -> ([UInt8], [TensorInfo]) {
        var bytes = GGUFFile.magic
        bytes.appendLittleEndian(UInt32(3))
        bytes.appendLittleEndian(UInt64(tensors.count))
        bytes.appendLittleEndian(UInt64(metadata.count))
        for (key, value) in metadata {
            bytes.append(gguf: key)
            bytes.appendLittleEndian(value.type.rawValue)
            bytes.append(gguf: value)
        }
        var infos: [TensorInfo] = []
        var names: Set<String> = []
        var offset = 0
        for tensor in tensors {
            let info = try tensor.info(file: file)
            guard names.insert(info.name).inserted else {
                throw WeightFileError(.invalidValue, file: file, field: info.name, "two tensors have this name")
            }
            guard let type = info.format.ggufType, info.shape.count <= 4, !info.shape.contains(0) else {
                throw WeightFileError(
                    .unsupported, file: file, field: info.name,
                    "\(info.format.rawValue) of shape \(info.shape) cannot be stored in GGUF")
            }
            infos.append(info)
            bytes.append(gguf: info.name)
            bytes.appendLittleEndian(UInt32(info.shape.count))
            for extent in info.shape.reversed() { bytes.appendLittleEndian(UInt64(extent)) }
            bytes.appendLittleEndian(type)
            bytes.appendLittleEndian(UInt64(offset))
            offset += (info.byteCount + alignment - 1) / alignment * alignment
        }
        return (bytes, infos)
    }
}

extension [UInt8] {
    fileprivate mutating func append(gguf text: String) {
        let utf8 = Array(text.utf8)
        appendLittleEndian(UInt64(utf8.count))
        append(contentsOf: utf8)
    }

    fileprivate mutating func append(gguf value: GGUFValue) {
        switch value {
        case .uint8(let value): append(value)
        case .int8(let value): append(UInt8(bitPattern: value))
        case .uint16(let value): appendLittleEndian(value)
        case .int16(let value): appendLittleEndian(value)
        case .uint32(let value): appendLittleEndian(value)
        case .int32(let value): appendLittleEndian(value)
        case .uint64(let value): appendLittleEndian(value)
        case .int64(let value): appendLittleEndian(value)
        case .float32(let value): appendLittleEndian(value.bitPattern)
        case .float64(let value): appendLittleEndian(value.bitPattern)
        case .bool(let value): append(value ? 1 : 0)
        case .string(let value): append(gguf: value)
        case .array(let array):
            appendLittleEndian(array.elementType.rawValue)
            appendLittleEndian(UInt64(array.count))
            array.bytes.withUnsafeBytes { append(contentsOf: $0) }
        }
    }
}
