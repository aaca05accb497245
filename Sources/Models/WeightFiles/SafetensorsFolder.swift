import Text

/// A Hugging Face model folder: `config.json` and the weights in `model.safetensors`, or in shards that
/// `model.safetensors.index.json` lists.
public struct SafetensorsFolder: WeightSource {
    /// The folder.
    public let path: String
    /// The open files, by the order of the index.
    public let files: [SafetensorsFile]
    public let tensors: [TensorInfo]
    /// The position in `files` of each tensor's file.
    private let fileOfTensor: [String: Int]

    public var naming: TensorNaming { .huggingFace }

    private static let fileName = "model.safetensors"
    private static let indexName = "model.safetensors.index.json"

    /// Whether a folder holds weights in safetensors.
    static func hasWeights(_ path: String) -> Bool {
        fileExists(joined(path, indexName)) || fileExists(joined(path, fileName))
    }

    public init(path: String) throws(WeightFileError) {
        self.path = path
        let index = joined(path, Self.indexName)
        let single = joined(path, Self.fileName)
        if fileExists(index) {
            let (shards, positions) = try Self.openShards(index: index, folder: path)
            files = shards
            fileOfTensor = positions
            tensors = shards.enumerated().flatMap { position, file in
                file.tensors.filter { positions[$0.name] == position }
            }
        } else if fileExists(single) {
            let file = try SafetensorsFile(path: single)
            files = [file]
            tensors = file.tensors
            fileOfTensor = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, 0) })
        } else {
            let hasPickle = fileExists(joined(path, "pytorch_model.bin"))
            throw WeightFileError(
                .missing, file: path,
                hasPickle
                    ? "holds weights only as pytorch_model.bin, which can carry code; convert them to safetensors"
                    : "holds neither model.safetensors nor model.safetensors.index.json nor a GGUF file")
        }
    }

    public func info(_ name: String) -> TensorInfo? { fileOfTensor[name].flatMap { files[$0].info(name) } }

    public func bytes(of name: String) throws(WeightFileError) -> ByteSlice {
        guard let position = fileOfTensor[name] else {
            throw WeightFileError(.missing, file: path, field: name, "the folder has no tensor of this name")
        }
        return try files[position].bytes(of: name)
    }

    public func configuration() throws(WeightFileError) -> ModelConfiguration {
        try ModelConfiguration(huggingFaceFolder: path)
    }

    private static func openShards(
        index: String, folder: String
    ) throws(WeightFileError) -> ([SafetensorsFile], [String: Int]) {
        let document = try readJSON(index)
        guard let map = document["weight_map"]?.objectValue, !map.isEmpty else {
            throw WeightFileError(
                .malformed, file: index, field: "weight_map", "must be an object from tensor names to file names")
        }
        var files: [SafetensorsFile] = []
        var positions: [String: Int] = [:]
        var fileOfTensor: [String: Int] = [:]
        for member in map {
            guard let name = member.value.stringValue, isPlainFileName(name) else {
                throw WeightFileError(
                    .malformed, file: index, field: member.key, "must name a file in the same folder")
            }
            let position: Int
            if let known = positions[name] {
                position = known
            } else {
                position = files.count
                positions[name] = position
                files.append(try SafetensorsFile(path: joined(folder, name)))
            }
            guard files[position].info(member.key) != nil else {
                throw WeightFileError(
                    .missing, file: joined(folder, name), field: member.key,
                    "the index says that this tensor is here, but it is not")
            }
            guard fileOfTensor.updateValue(position, forKey: member.key) == nil else {
                throw WeightFileError(.malformed, file: index, field: member.key, "is listed twice")
            }
        }
        return (files, fileOfTensor)
    }
}
