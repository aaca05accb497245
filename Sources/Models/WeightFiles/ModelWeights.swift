/// A model's tensors under their Hugging Face names, whichever file they lie in: an expert's matrix that GGUF keeps in
/// a stack is found alone, and what GGUF stores differently can be undone.
public struct ModelWeights: Sendable {
    /// Where one Hugging Face tensor is.
    public struct Tensor: Sendable, Hashable {
        /// The canonical Hugging Face name, such as `model.layers.0.self_attn.q_proj.weight`.
        public var name: String
        /// The tensor of the source that holds it.
        public var sourceName: String
        public var format: WeightFormat
        /// The extents as Hugging Face has them, also where GGUF stores the transpose.
        public var shape: [Int]
        /// The place among stacked experts, or nil when the tensor is the source's whole tensor.
        public var expert: Int?
        /// How the source's numbers differ from Hugging Face's.
        public var change: StorageChange

        public var elementCount: Int { shape.reduce(1, *) }
    }

    public let source: any WeightSource
    public let configuration: ModelConfiguration
    /// All tensors that have a place in the model, in the order of the source.
    public let tensors: [Tensor]
    private let positions: [String: Int]

    /// Finds the tensors of a source, whose configuration is read from it.
    public init(_ source: any WeightSource) throws(WeightFileError) {
        try self.init(source, configuration: source.configuration())
    }

    /// Finds the tensors of a source. Tensors that the family's table does not know (rotation factors, buffers of old
    /// checkpoints) are left out.
    public init(_ source: any WeightSource, configuration: ModelConfiguration) throws(WeightFileError) {
        let names = TensorNames(family: configuration.family)
        var tensors: [Tensor] = []
        for info in source.tensors {
            switch source.naming {
            case .huggingFace:
                let name = names.canonical(info.name)
                guard names.gguf(for: name) != nil || configuration.family == .bert else { continue }
                tensors.append(
                    Tensor(
                        name: name, sourceName: info.name, format: info.format, shape: info.shape, expert: nil,
                        change: .none))
            case .gguf: tensors += try Self.tensors(of: info, names, configuration, path: source.path)
            }
        }
        var positions: [String: Int] = [:]
        for (position, tensor) in tensors.enumerated() {
            guard positions.updateValue(position, forKey: tensor.name) == nil else {
                throw WeightFileError(
                    .malformed, file: source.path, field: tensor.sourceName,
                    "two tensors of the file are the model's \(tensor.name)")
            }
        }
        self.source = source
        self.configuration = configuration
        self.tensors = tensors
        self.positions = positions
    }

    private static func tensors(
        of info: TensorInfo, _ names: TensorNames, _ configuration: ModelConfiguration, path: String
    ) throws(WeightFileError) -> [Tensor] {
        if names.stacksExperts(gguf: info.name) {
            guard info.shape.count == 3, info.shape[0] == configuration.experts?.count else {
                throw WeightFileError(
                    .invalidValue, file: path, field: info.name,
                    "has the shape \(info.shape); it must stack \(configuration.experts?.count ?? 0) matrices")
            }
            return (0..<info.shape[0]).compactMap { expert in
                names.huggingFace(for: info.name, expert: expert).map {
                    Tensor(
                        name: $0.name, sourceName: info.name, format: info.format,
                        shape: Array(info.shape.dropFirst()), expert: expert, change: $0.change)
                }
            }
        }
        guard let place = names.huggingFace(for: info.name) else { return [] }
        let shape = place.change == .transposed ? info.shape.reversed() : info.shape
        return [
            Tensor(
                name: place.name, sourceName: info.name, format: info.format, shape: shape, expert: nil,
                change: place.change)
        ]
    }

    /// Where a tensor is, or nil when the model has none of this name.
    public subscript(name: String) -> Tensor? { positions[name].map { tensors[$0] } }

    /// Where a tensor is that must be there, with the extents that it must have.
    public func tensor(_ name: String, shape: [Int]) throws(WeightFileError) -> Tensor {
        guard let tensor = self[name] else {
            throw WeightFileError(.missing, file: source.path, field: name, "the model needs this tensor")
        }
        guard tensor.shape == shape || (tensor.shape.filter { $0 != 1 } == shape.filter { $0 != 1 }) else {
            throw WeightFileError(
                .invalidValue, file: source.path, field: tensor.sourceName,
                "has the shape \(tensor.shape); the configuration asks for \(shape)")
        }
        return tensor
    }

    /// A tensor's bytes as the source has them: in its format, with its ``Tensor/change`` still in place.
    public func bytes(of tensor: Tensor) throws(WeightFileError) -> ByteSlice {
        let whole = try source.bytes(of: tensor.sourceName)
        guard let expert = tensor.expert else { return whole }
        let size = tensor.format.byteCount(elements: tensor.elementCount) ?? 0
        let start = whole.range.lowerBound + expert * size
        return try whole.file.slice(start..<start + size, field: tensor.sourceName)
    }

    /// A tensor's numbers as Hugging Face has them, the change undone.
    public func floats(of tensor: Tensor) throws(WeightFileError) -> [Float] {
        let values = try bytes(of: tensor).readOnce { tensor.format.dequantised($0) }
        return tensor.change.undone(values, shape: tensor.shape, configuration)
    }
}
