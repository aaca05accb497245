/// What a file says about one tensor.
public struct TensorInfo: Sendable, Hashable {
    /// The name in the file.
    public let name: String
    public let format: WeightFormat
    /// The extents, row-major with the outermost first, as PyTorch prints them: a linear layer's weight is
    /// `[outputs, inputs]`. (A GGUF tensor table lists the same extents innermost first; they are reversed here.)
    public let shape: [Int]
    public let byteCount: Int

    public init(name: String, format: WeightFormat, shape: [Int], byteCount: Int) {
        self.name = name
        self.format = format
        self.shape = shape
        self.byteCount = byteCount
    }

    /// How many numbers the tensor holds; 1 for a scalar.
    public var elementCount: Int { shape.reduce(1, *) }
}

/// A model's tensors on disk, in whichever file format: names, shapes, and the bytes themselves without copying.
public protocol WeightSource: Sendable {
    /// The file or folder, as error messages name it.
    var path: String { get }

    /// All tensors, in the order of the file.
    var tensors: [TensorInfo] { get }

    /// Whose names the tensors bear.
    var naming: TensorNaming { get }

    /// What the file says about a tensor, or nil when it has none of this name.
    func info(_ name: String) -> TensorInfo?

    /// A tensor's bytes, which keep the file mapped as long as they are held.
    func bytes(of name: String) throws(WeightFileError) -> ByteSlice

    /// The model's sizes and switches, each validated.
    func configuration() throws(WeightFileError) -> ModelConfiguration
}

extension WeightSource {
    /// The bytes of a tensor for the duration of a call.
    public func withBytes<Result>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
        try bytes(of: name).withUnsafeBytes(body)
    }

    /// A tensor as floats, whatever its format.
    public func floats(of name: String) throws(WeightFileError) -> [Float] {
        let info = try requiredInfo(name)
        return try bytes(of: name).readOnce { info.format.dequantised($0) }
    }

    /// What the file says about a tensor that must be there.
    public func requiredInfo(_ name: String) throws(WeightFileError) -> TensorInfo {
        guard let info = info(name) else {
            throw WeightFileError(.missing, file: path, field: name, "the file has no tensor of this name")
        }
        return info
    }

    /// How many numbers all tensors hold.
    public var parameterCount: Int { tensors.reduce(0) { $0 + $1.elementCount } }

    /// How many bytes all tensors take.
    public var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }

    /// How many tensors there are of each format.
    public var formats: [WeightFormat: Int] { tensors.reduce(into: [:]) { $0[$1.format, default: 0] += 1 } }
}

/// Opens whatever lies at a path: a GGUF file, a safetensors file, a Hugging Face folder, or a folder whose only model is a GGUF file.
public func openWeights(at path: String) throws(WeightFileError) -> any WeightSource {
    if isDirectory(path) {
        let files = SafetensorsFolder.hasWeights(path) ? [] : filesInFolder(path, ending: ".gguf")
        guard let file = files.first else { return try SafetensorsFolder(path: path) }
        guard files.count == 1 else {
            throw WeightFileError(
                .unsupported, file: path, "holds several GGUF files; give one of \(files.joined(separator: ", "))")
        }
        return try openWeights(at: joined(path, file))
    }
    let file = try MappedFile(path: path)
    if file.withUnsafeBytes({ $0.starts(with: GGUFFile.magic) }) { return try GGUFFile(file) }
    if SafetensorsFile.looksLikeSafetensors(file) { return try SafetensorsFile(file) }
    throw WeightFileError(
        .unsupported, file: path,
        "is neither GGUF nor safetensors; give a .gguf file, a .safetensors file or a Hugging Face folder")
}

/// The tensors of a source by place in its files, with their byte ranges checked against one another.
struct TensorTable: Sendable {
    struct Entry: Sendable {
        var info: TensorInfo
        /// The place of the bytes in the file.
        var range: Range<Int>
    }

    private(set) var entries: [Entry] = []
    private var positions: [String: Int] = [:]

    subscript(name: String) -> Entry? { positions[name].map { entries[$0] } }

    /// Adds a tensor; false when the name is taken.
    mutating func add(_ entry: Entry) -> Bool {
        guard positions.updateValue(entries.count, forKey: entry.info.name) == nil else { return false }
        entries.append(entry)
        return true
    }

    /// The entries by the place of their bytes.
    var byPlace: [Entry] {
        entries.sorted { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
    }

    /// Two tensors that share bytes, or nil.
    var overlap: (Entry, Entry)? {
        let ordered = byPlace
        for (first, second) in zip(ordered, ordered.dropFirst()) where first.range.upperBound > second.range.lowerBound
        {
            return (first, second)
        }
        return nil
    }
}

/// The product of extents, or nil when it overflows or an extent is negative.
func checkedProduct(_ extents: [Int]) -> Int? {
    var product = 1
    for extent in extents {
        let (next, overflowed) = product.multipliedReportingOverflow(by: extent)
        guard !overflowed, extent >= 0 else { return nil }
        product = next
    }
    return product
}
