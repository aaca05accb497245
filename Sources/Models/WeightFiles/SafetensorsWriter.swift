import Text

/// Writes one safetensors file.
public struct SafetensorsWriter: Sendable {
    /// The tensors in the order of the file: widest numbers first, so that each stays aligned.
    public let tensors: [TensorDeclaration]
    /// Free-form texts for the header. Transformers expects `format` to be `pt`.
    public let metadata: [String: String]

    public init(_ tensors: [TensorDeclaration], metadata: [String: String] = ["format": "pt"]) {
        let widths = Set(tensors.map(\.format.bytesPerBlock)).sorted(by: >)
        self.tensors = widths.flatMap { width in tensors.filter { $0.format.bytesPerBlock == width } }
        self.metadata = metadata
    }

    /// Writes the file: the header, then each tensor's bytes as `contents` gives them, in the order of ``tensors``.
    /// The file gets its name only when it is whole.
    public func write(
        to path: String, contents: (TensorDeclaration, borrowing TensorSink) throws -> Void
    ) throws {
        let (header, infos) = try encodedHeader(file: path)
        var output = try OutputFile(path: path)
        try output.write(header)
        for (tensor, info) in zip(tensors, infos) {
            try writeTensor(info, to: &output) { try contents(tensor, $0) }
        }
        try output.commit()
    }

    private func encodedHeader(file: String) throws(WeightFileError) -> ([UInt8], [TensorInfo]) {
        var members: [JSONValue.Member] = []
        if !metadata.isEmpty {
            let texts = metadata.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, .string($0.value)) }
            members.append(JSONValue.Member("__metadata__", .object(texts)))
        }
        var infos: [TensorInfo] = []
        var names: Set<String> = ["__metadata__"]
        var offset = 0
        for tensor in tensors {
            let info = try tensor.info(file: file)
            guard names.insert(info.name).inserted else {
                throw WeightFileError(.invalidValue, file: file, field: info.name, "two tensors have this name")
            }
            guard let type = info.format.safetensorsName else {
                throw WeightFileError(
                    .unsupported, file: file, field: info.name,
                    "\(info.format.rawValue) cannot be stored in safetensors; F32, F16 and BF16 can")
            }
            infos.append(info)
            members.append(
                JSONValue.Member(
                    info.name,
                    [
                        "dtype": .string(type), "shape": .array(info.shape.map { .integer($0) }),
                        "data_offsets": [.integer(offset), .integer(offset + info.byteCount)],
                    ]))
            offset += info.byteCount
        }
        var text = JSONValue.object(members).utf8()
        // Spaces bring the data to a multiple of eight bytes.
        text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - text.count % 8) % 8))
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(UInt64(text.count))
        return (bytes + text, infos)
    }
}

/// Writes a model in Hugging Face layout: `config.json`, and the weights in one file or in shards with an index.
public struct HuggingFaceFolderWriter: Sendable {
    public var tensors: [TensorDeclaration]
    /// The `config.json`, as it is to stand in the folder.
    public var configuration: JSONValue
    /// No file of weights grows beyond this many bytes, unless one tensor alone does.
    public var shardLimit: Int

    public init(tensors: [TensorDeclaration], configuration: JSONValue, shardLimit: Int = 5_000_000_000) {
        self.tensors = tensors
        self.configuration = configuration
        self.shardLimit = shardLimit
    }

    /// Writes the folder, which must exist. Each file gets its name only when it is whole; `config.json` comes last, so
    /// that a folder with it is complete.
    public func write(
        to folder: String, contents: (TensorDeclaration, borrowing TensorSink) throws -> Void
    ) throws {
        let shards = try shards(folder)
        if shards.count == 1 {
            try SafetensorsWriter(tensors).write(to: joined(folder, "model.safetensors"), contents: contents)
        } else {
            var map: [JSONValue.Member] = []
            for (index, shard) in shards.enumerated() {
                let name = "model-\(fiveDigits(index + 1))-of-\(fiveDigits(shards.count)).safetensors"
                try SafetensorsWriter(shard).write(to: joined(folder, name), contents: contents)
                map += shard.map { JSONValue.Member($0.name, .string(name)) }
            }
            let total = try tensors.reduce(0) { try $0 + $1.info(file: folder).byteCount }
            let index: JSONValue = [
                "metadata": ["total_size": .integer(total)],
                "weight_map": .object(map.sorted { $0.key < $1.key }),
            ]
            try writeText(index.text(pretty: true) + "\n", to: joined(folder, "model.safetensors.index.json"))
        }
        try writeText(configuration.text(pretty: true) + "\n", to: joined(folder, "config.json"))
    }

    /// The tensors in their order, cut where the limit is reached.
    private func shards(_ folder: String) throws(WeightFileError) -> [[TensorDeclaration]] {
        var shards: [[TensorDeclaration]] = [[]]
        var size = 0
        for tensor in tensors {
            let bytes = try tensor.info(file: folder).byteCount
            if size > 0, size + bytes > shardLimit {
                shards.append([])
                size = 0
            }
            shards[shards.count - 1].append(tensor)
            size += bytes
        }
        return shards
    }

    private func fiveDigits(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    private func writeText(_ text: String, to path: String) throws {
        var output = try OutputFile(path: path)
        try output.write(Array(text.utf8))
        try output.commit()
    }
}
