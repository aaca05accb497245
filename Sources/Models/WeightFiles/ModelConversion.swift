import Text

/// Writes a model in another file format or number format, its numbers as they are or changed.
public struct ModelConversion: Sendable {
    /// What became of the numbers.
    public struct Outcome: Sendable, Hashable {
        public var matrices = 0
        /// How many matrices, their rows filling no whole blocks of the format asked for, have another one.
        public var fallbacks: [WeightFormat: Int] = [:]
        /// What was kept of the numbers that are not the source's.
        public var kept = KeptChange()
    }

    /// New numbers of a tensor, as Hugging Face has them; nil: the source's own.
    public typealias NewNumbers = (ModelWeights.Tensor) throws -> [Float]?

    public let weights: ModelWeights
    /// The format of matrices. Vectors (norms, biases) and matrices whose rows fill no whole blocks become F32, but those of the K formats
    /// have formats with smaller blocks to fall back to.
    public let format: WeightFormat

    /// - Throws: when numbers cannot be stored in the format.
    public init(_ weights: ModelWeights, format: WeightFormat) throws(WeightFileError) {
        guard format.canBeWritten else {
            throw WeightFileError(
                .unsupported, file: weights.source.path, field: format.rawValue,
                "cannot be written; choose \(WeightFormat.writableNames())")
        }
        self.weights = weights
        self.format = format
    }

    /// Writes a Hugging Face folder, which must exist: the words of the source, the weights and `config.json`. Block formats have no
    /// place there.
    @discardableResult
    public func writeHuggingFace(
        to folder: String, shardLimit: Int = 5_000_000_000, newNumbers: NewNumbers = { _ in nil }
    ) throws -> Outcome {
        guard !format.isQuantised else {
            throw WeightFileError(
                .unsupported, file: folder, field: format.rawValue,
                "has no place in a Hugging Face folder; choose \(WeightFormat.writableNames(blocks: false))")
        }
        try weights.writeText(to: folder)
        let writer = HuggingFaceFolderWriter(
            tensors: weights.tensors.map { TensorDeclaration(name: $0.name, format: format, shape: $0.shape) },
            configuration: try weights.configuration.huggingFaceDocument(format: format), shardLimit: shardLimit)
        var outcome = Outcome()
        outcome.matrices = writer.tensors.count { $0.shape.count >= 2 }
        try writer.write(to: folder) { declaration, sink in
            guard let tensor = weights[declaration.name] else { return }
            outcome.kept.add(try write((tensor, .none), as: declaration, newNumbers, to: sink))
        }
        return outcome
    }

    /// Writes a GGUF file.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - metadata: what stands in the file besides the model's own sizes; nil: the words of the source.
    @discardableResult
    public func writeGGUF(
        to path: String, metadata: [(key: String, value: GGUFValue)]? = nil, newNumbers: NewNumbers = { _ in nil }
    ) throws -> Outcome {
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
        var outcome = Outcome()
        for tensor in stored where tensor.isMatrix {
            outcome.matrices += 1
            if tensor.declaration.format != format { outcome.fallbacks[tensor.declaration.format, default: 0] += 1 }
        }
        try writer.write(to: path) { declaration, sink in
            if let factors, declaration.name == "rope_freqs.weight" { return try sink.write(factors) }
            for part in parts[declaration.name] ?? [] {
                outcome.kept.add(try write(part, as: declaration, newNumbers, to: sink))
            }
        }
        return outcome
    }

    /// A GGUF tensor and the Hugging Face tensors that it is made of, one or a stack of experts.
    private struct Stored {
        var declaration: TensorDeclaration
        var isMatrix: Bool
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
            let format = isMatrix ? format.fitting(rowLength: shape.last ?? 1) : .f32
            stored.append(
                Stored(
                    declaration: TensorDeclaration(name: place.name, format: format, shape: shape),
                    isMatrix: isMatrix, parts: [(tensor, place.change)]))
        }
        return stored
    }

    /// Writes a tensor, and gives what was kept of its new numbers.
    private func write(
        _ part: (tensor: ModelWeights.Tensor, change: StorageChange), as declaration: TensorDeclaration,
        _ newNumbers: NewNumbers, to sink: borrowing TensorSink
    ) throws -> KeptChange {
        let (tensor, change) = part
        func stored(_ values: [Float]) -> [Float] { change.done(values, shape: tensor.shape, weights.configuration) }
        if let new = try newNumbers(tensor) {
            let (bytes, kept) = try declaration.format.quantised(
                stored(new), changedFrom: stored(weights.floats(of: tensor)), file: weights.source.path,
                field: tensor.name)
            try sink.write(bytes: bytes)
            return kept
        }
        if tensor.format == declaration.format, tensor.change == change {
            try weights.bytes(of: tensor).withUnsafeBytes { bytes throws(WeightFileError) in try sink.write(bytes) }
        } else {
            try sink.write(stored(weights.floats(of: tensor)))
        }
        return KeptChange()
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
        case .q4K: 14
        case .q5K: 16
        case .q6K: 18
        case .bf16: 32
        default: 0
        }
    }
}
