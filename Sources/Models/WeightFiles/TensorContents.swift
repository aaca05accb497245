/// A tensor to be written: what it is called, how it is stored and its extents, outermost first.
public struct TensorDeclaration: Sendable, Hashable {
    public var name: String
    public var format: WeightFormat
    public var shape: [Int]

    public init(name: String, format: WeightFormat, shape: [Int]) {
        self.name = name
        self.format = format
        self.shape = shape
    }

    /// The tensor as it will stand in the file, or an error when its extents make no whole blocks.
    func info(file: String) throws(WeightFileError) -> TensorInfo {
        guard !name.isEmpty else {
            throw WeightFileError(.invalidValue, file: file, field: "tensor", "has an empty name")
        }
        guard let elements = checkedProduct(shape), let bytes = format.byteCount(elements: elements),
            (shape.last ?? 1).isMultiple(of: format.elementsPerBlock)
        else {
            throw WeightFileError(
                .invalidValue, file: file, field: name,
                "rows of \(shape) cannot be stored as \(format.rawValue), whose blocks hold \(format.elementsPerBlock)")
        }
        return TensorInfo(name: name, format: format, shape: shape, byteCount: bytes)
    }
}

/// Where a writer's caller puts the bytes of one tensor, in as many pieces as it likes.
public struct TensorSink: ~Copyable {
    private let info: TensorInfo
    private let output: UnsafeMutablePointer<OutputFile>
    private let start: Int

    /// The output must outlive the sink; ``writeTensor(_:to:_:)`` is the only maker.
    fileprivate init(info: TensorInfo, output: UnsafeMutablePointer<OutputFile>) {
        self.info = info
        self.output = output
        start = output.pointee.count
    }

    /// How many bytes are still to come.
    public var remaining: Int { info.byteCount - (output.pointee.count - start) }

    /// Appends bytes in the tensor's own format.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(WeightFileError) {
        guard bytes.count <= remaining else {
            throw WeightFileError(
                .invalidValue, file: output.pointee.path, field: info.name,
                "was given more than the \(info.byteCount) bytes that it takes")
        }
        try output.pointee.write(bytes)
    }

    /// Appends bytes in the tensor's own format.
    public func write(bytes: [UInt8]) throws(WeightFileError) {
        try bytes.withUnsafeBytes { buffer in
            Result { () throws(WeightFileError) in try write(buffer) }
        }.get()
    }

    /// Appends numbers, converted to the tensor's format; the count must make whole blocks.
    public func write(_ values: UnsafeBufferPointer<Float>) throws(WeightFileError) {
        try write(bytes: info.format.quantised(values, file: output.pointee.path, field: info.name))
    }

    /// Appends numbers, converted to the tensor's format; the count must make whole blocks.
    public func write(_ values: [Float]) throws(WeightFileError) {
        try values.withUnsafeBufferPointer { buffer in
            Result { () throws(WeightFileError) in try write(buffer) }
        }.get()
    }
}

/// Lets the caller write one tensor and checks that all its bytes came.
func writeTensor(
    _ info: TensorInfo, to output: inout OutputFile, _ contents: (borrowing TensorSink) throws -> Void
) throws {
    try withUnsafeMutablePointer(to: &output) { pointer in
        let sink = TensorSink(info: info, output: pointer)
        try contents(sink)
        guard sink.remaining == 0 else {
            throw WeightFileError(
                .invalidValue, file: pointer.pointee.path, field: info.name,
                "was given \(info.byteCount - sink.remaining) of its \(info.byteCount) bytes")
        }
    }
}

extension WeightSource {
    /// Copies a tensor's bytes into a file that is being written.
    public func copy(_ name: String, to sink: borrowing TensorSink) throws(WeightFileError) {
        try bytes(of: name).withUnsafeBytes { bytes throws(WeightFileError) in try sink.write(bytes) }
    }
}
