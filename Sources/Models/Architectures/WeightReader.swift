import Tensors

/// How weights are held and computed with.
public enum Precision: String, Sendable, Hashable, Codable, CaseIterable {
    /// Quantised weights as they are, multiplied with 16-bit activations; unquantised weights in bf16.
    case standard = "default"
    /// Quantised weights as they are, multiplied with 8-bit activations: faster prompts and batches, a visible error.
    case fast
    /// Everything in f32: the reference for parity, and what training starts from.
    case f32
}

/// Takes weights out of a file in the form a model computes with. Tensors are asked for by their GGUF names, whatever the file.
struct WeightReader {
    let source: any WeightSource
    let configuration: ModelConfiguration
    let precision: Precision
    /// Decides over each matrix by its Hugging Face name instead of the precision; then no matrices are stacked.
    let forms: ((String) -> WeightForm)?
    private let names: TensorNames
    /// Canonical Hugging Face name to the name in the file.
    private let canonical: [String: String]

    init(
        _ source: any WeightSource, configuration: ModelConfiguration, precision: Precision,
        forms: ((String) -> WeightForm)? = nil
    ) {
        self.forms = forms
        self.source = source
        self.configuration = configuration
        self.precision = precision
        let names = TensorNames(family: configuration.family)
        self.names = names
        canonical =
            source.naming == .gguf
            ? [:]
            : Dictionary(
                source.tensors.map { (names.canonical($0.name), $0.name) }, uniquingKeysWith: { first, _ in first })
    }

    /// The tensor that holds a GGUF name, or a slice of one where experts are stacked.
    private func place(_ name: String, expert: Int?) throws -> (info: TensorInfo, slice: Int?) {
        if source.naming == .gguf { return (try source.requiredInfo(name), expert) }
        guard let other = names.huggingFace(for: name, expert: expert)?.name else {
            throw WeightFileError(
                .missing, file: source.path, field: name, "has no counterpart in a Hugging Face folder")
        }
        return (try source.requiredInfo(canonical[other] ?? other), nil)
    }

    func has(_ name: String) -> Bool {
        (try? place(name, expert: nil)) != nil
    }

    /// Checks a tensor's shape and passes its bytes on (those of one expert where they are stacked).
    private func withMatrix<Result>(
        _ name: String, rows: Int, columns: Int, expert: Int?,
        _ body: (WeightFormat, UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        let (info, slice) = try place(name, expert: expert)
        let expected = slice == nil ? [rows, columns] : [configuration.experts?.count ?? 0, rows, columns]
        guard info.shape == expected || slice == nil && rows == 1 && info.elementCount == columns else {
            throw WeightFileError(
                .invalidValue, file: source.path, field: info.name,
                "has the shape \(info.shape); the configuration asks for \(expected)")
        }
        return try source.bytes(of: info.name).readOnce { all in
            let size = slice == nil ? all.count : all.count / expected[0]
            let start = (slice ?? 0) * size
            return try body(info.format, UnsafeRawBufferPointer(rebasing: all[start..<start + size]))
        }
    }

    /// A one-dimensional weight in f32.
    func vector(_ name: String, count: Int, offset: Double = 0) throws -> Tensor {
        let (info, _) = try place(name, expert: nil)
        guard info.elementCount == count else {
            throw WeightFileError(
                .invalidValue, file: source.path, field: info.name,
                "has \(info.elementCount) numbers; the configuration asks for \(count)")
        }
        var values = try source.floats(of: info.name)
        if offset != 0 { values = values.map { $0 + Float(offset) } }
        return Tensor(values, [count])
    }

    /// A tensor's name in a Hugging Face folder.
    private func huggingFaceName(_ name: String, expert: Int?) -> String {
        names.huggingFace(for: name, expert: expert)?.name ?? name
    }

    /// A matrix [rows, columns] in the form that the precision, or its own form, asks for.
    ///
    /// - Parameter activations: how finely products with it round their input in the standard precision, where it is quantised.
    func weight(
        _ name: String, rows: Int, columns: Int, expert: Int? = nil, activations: ActivationPrecision = .full
    ) throws -> Weight {
        let form = forms.map { $0(huggingFaceName(name, expert: expert)) } ?? (precision == .f32 ? .f32 : .asStored)
        return try withMatrix(name, rows: rows, columns: columns, expert: expert) { format, bytes in
            if form == .asStored,
                let packed = packed([(format, rows, bytes)], columns: columns, activations: activations)
            {
                return .packed(packed)
            }
            let isNarrow = form == .asStored || form == .bf16
            let tensor = widened(format, bytes, rows: rows, columns: columns, to: isNarrow ? .bf16 : .f32)
            return form == .mixed && Processor.hasLowPrecision ? .mixed(tensor) : .dense(tensor)
        }
    }

    /// Stored numbers as a matrix. A few rows are f32 at a time: beside a large table in bf16 its f32 copy would be most of the memory.
    private func widened(
        _ format: WeightFormat, _ bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, to type: DType
    ) -> Tensor {
        let matrix = Tensor(unfilled: [rows, columns], dtype: type)
        let rowBytes = bytes.count / max(1, rows)
        let step = max(1, (1 << 20) / max(1, columns))
        for start in stride(from: 0, to: rows, by: step) {
            let part = start..<min(start + step, rows)
            let stored = UnsafeRawBufferPointer(
                rebasing: bytes[part.lowerBound * rowBytes..<part.upperBound * rowBytes])
            let wide = type == .f32 ? matrix.rows(part) : Tensor(unfilled: [part.count, columns])
            wide.withMutableFloatPointer {
                format.dequantise(stored, into: UnsafeMutableBufferPointer(start: $0, count: wide.count))
            }
            if type != .f32 { matrix.rows(part).assign(wide.cast(to: type)) }
        }
        return matrix
    }

    private func packed(
        _ parts: [(format: WeightFormat, rows: Int, bytes: UnsafeRawBufferPointer)], columns: Int,
        activations: ActivationPrecision
    ) -> PackedMatrix? {
        let natives = parts.compactMap { part -> PackedMatrix.Part? in
            guard part.format.isQuantised, let type = part.format.ggufType, let base = part.bytes.baseAddress else {
                return nil
            }
            return PackedMatrix.Part(format: Int32(type), rows: part.rows, blocks: base)
        }
        return natives.count == parts.count
            ? PackedMatrix(parts: natives, columns: columns, activations: precision == .fast ? .coarse : activations)
            : nil
    }

    /// Layers over the same input. Packed weights of one format are stacked; so are, when `merges` says so, their outputs.
    func projection(
        _ layers: [(name: String, rows: Int)], columns: Int, expert: Int? = nil, hasBias: Bool = false,
        merges: Bool = false, activations: ActivationPrecision = .full
    ) throws -> Projection {
        let biases =
            hasBias
            ? try layers.map { try vector($0.name.replacingSuffix(".weight", with: ".bias"), count: $0.rows) } : []
        if forms == nil, precision != .f32,
            let matrix = try stacked(layers, columns: columns, expert: expert, activations: activations)
        {
            let sizes = layers.map(\.rows)
            return Projection(
                [Projection.Part(.packed(matrix), sizes: merges ? [sizes.reduce(0, +)] : sizes)], biases: biases,
                names: layers.map { huggingFaceName($0.name, expert: expert) }, stackedSizes: sizes)
        }
        let parts = try layers.map { layer in
            Projection.Part(
                try weight(layer.name, rows: layer.rows, columns: columns, expert: expert, activations: activations),
                sizes: [layer.rows])
        }
        return Projection(
            parts, biases: biases, names: layers.map { huggingFaceName($0.name, expert: expert) })
    }

    private func stacked(
        _ layers: [(name: String, rows: Int)], columns: Int, expert: Int?, activations: ActivationPrecision
    ) throws -> PackedMatrix? {
        var parts: [(format: WeightFormat, rows: Int, bytes: UnsafeRawBufferPointer)] = []
        func collect(_ index: Int) throws -> PackedMatrix? {
            guard index < layers.count else { return packed(parts, columns: columns, activations: activations) }
            let layer = layers[index]
            return try withMatrix(layer.name, rows: layer.rows, columns: columns, expert: expert) { format, bytes in
                parts.append((format, layer.rows, bytes))
                return try collect(index + 1)
            }
        }
        return try collect(0)
    }
}

extension String {
    fileprivate func replacingSuffix(_ suffix: String, with other: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) + other : self
    }
}
