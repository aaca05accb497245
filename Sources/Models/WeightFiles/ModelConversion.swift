import Text

/// Writes a model in another file format or number format.
public struct ModelConversion: Sendable {
    public let weights: ModelWeights
    /// The format of matrices. Vectors (norms, biases) and matrices whose rows fill no whole blocks become F32.
    public let format: WeightFormat

    /// - Throws: when numbers cannot be stored in the format.
    public init(_ weights: ModelWeights, format: WeightFormat) throws(WeightFileError) {
        guard format.canBeWritten else {
            throw WeightFileError(
                .unsupported, file: weights.source.path, field: format.rawValue,
                "cannot be written; choose F32, F16, BF16, Q8_0, Q5_1, Q5_0, Q4_1 or Q4_0")
        }
        self.weights = weights
        self.format = format
    }

    /// Writes a Hugging Face folder, which must exist: the words of the source, the weights and `config.json`. Block formats have no
    /// place there.
    public func writeHuggingFace(to folder: String, shardLimit: Int = 5_000_000_000) throws {
        guard !format.isQuantised else {
            throw WeightFileError(
                .unsupported, file: folder, field: format.rawValue,
                "has no place in a Hugging Face folder; choose F32, F16 or BF16")
        }
        try weights.writeText(to: folder)
        let writer = HuggingFaceFolderWriter(
            tensors: weights.tensors.map { TensorDeclaration(name: $0.name, format: format, shape: $0.shape) },
            configuration: try weights.configuration.huggingFaceDocument(format: format), shardLimit: shardLimit)
        try writer.write(to: folder) { declaration, sink in
            guard let tensor = weights[declaration.name] else { return }
            if tensor.format == format, tensor.change == .none {
                try weights.bytes(of: tensor).withUnsafeBytes { bytes throws(WeightFileError) in try sink.write(bytes) }
            } else {
                try sink.write(weights.floats(of: tensor))
            }
        }
    }

    /// Writes a GGUF file.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - metadata: what stands in the file besides the model's own sizes; nil: the words of the source.
    public func writeGGUF(to path: String, metadata: [(key: String, value: GGUFValue)]? = nil) throws {
        let configuration = weights.configuration
        let stored = try ggufTensors()
        var writer = GGUFWriter(architecture: configuration.family.ggufArchitecture)
        for (key, value) in try metadata ?? weights.ggufText() { writer.set(key, value) }
        for (key, value) in configuration.ggufMetadata() { writer.set(key, value) }
        writer.set("general.quantization_version", .uint32(2))
        writer.set("general.file_type", .uint32(fileType))
        let factors = configuration.rotary?.frequencyFactors
        if let factors {
            writer.add(TensorDeclaration(name: "rope_freqs.weight", format: .f32, shape: [factors.count]))
        }
        for tensor in stored { writer.add(tensor.declaration) }
        let parts = Dictionary(uniqueKeysWithValues: stored.map { ($0.declaration.name, $0.parts) })
        try writer.write(to: path) { declaration, sink in
            if let factors, declaration.name == "rope_freqs.weight" { return try sink.write(factors) }
            for part in parts[declaration.name] ?? [] { try write(part, as: declaration, to: sink) }
        }
    }

    /// A GGUF tensor and the Hugging Face tensors that it is made of, one or a stack of experts.
    private struct Stored {
        var declaration: TensorDeclaration
        var parts: [(tensor: ModelWeights.Tensor, change: StorageChange)]
    }

    private func ggufTensors() throws(WeightFileError) -> [Stored] {
        let names = TensorNames(family: weights.configuration.family)
        var stored: [Stored] = []
        var positions: [String: Int] = [:]
        for tensor in weights.tensors {
            guard let place = names.gguf(for: tensor.name) else { continue }
            if let position = positions[place.name] {
                guard place.expert == stored[position].parts.count,
                    tensor.shape == Array(stored[position].declaration.shape.dropFirst())
                else {
                    throw WeightFileError(
                        .malformed, file: weights.source.path, field: tensor.sourceName,
                        "its expert is not the next one of the same shape in \(place.name)")
                }
                stored[position].parts.append((tensor, place.change))
                stored[position].declaration.shape[0] += 1
                continue
            }
            positions[place.name] = stored.count
            var shape = place.change == .transposed ? tensor.shape.reversed() : tensor.shape
            if place.expert != nil { shape = [1] + shape }
            let isMatrix = shape.count >= 2 && !place.name.contains("norm")
            let fits = (shape.last ?? 1).isMultiple(of: format.elementsPerBlock)
            stored.append(
                Stored(
                    declaration: TensorDeclaration(
                        name: place.name, format: isMatrix && fits ? format : .f32, shape: shape),
                    parts: [(tensor, place.change)]))
        }
        return stored
    }

    private func write(
        _ part: (tensor: ModelWeights.Tensor, change: StorageChange), as declaration: TensorDeclaration,
        to sink: borrowing TensorSink
    ) throws(WeightFileError) {
        let (tensor, change) = part
        if tensor.format == declaration.format, tensor.change == change {
            return try weights.bytes(of: tensor).withUnsafeBytes { bytes throws(WeightFileError) in
                try sink.write(bytes)
            }
        }
        let values = try weights.floats(of: tensor)
        try sink.write(change.done(values, shape: tensor.shape, weights.configuration))
    }

    /// The number by which llama.cpp names what most of a file's tensors are stored as.
    private var fileType: UInt32 {
        switch format {
        case .f16: 1
        case .q40: 2
        case .q41: 3
        case .q80: 7
        case .q50: 8
        case .q51: 9
        case .bf16: 32
        default: 0
        }
    }
}
