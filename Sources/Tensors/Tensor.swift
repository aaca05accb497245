/// A block of numbers with a shape: a view on a storage, and, where gradients are wanted, its place in the gradient graph.
///
/// A tensor is a small value; copying it copies no numbers. Its contents don't change after the operation that made it, except
/// through the explicit in-place writers, so tensors may be shared between tasks.
///
/// Operations take and give `f32`; the weights of `linear`, `matmul`, `embedding` may be `bf16` (or `f16`), indices are `i32`.
/// A shape that doesn't fit an operation is a programmer's error and traps with a message; data from outside is checked where it
/// is read.
public struct Tensor: Sendable {
    public internal(set) var storage: Storage
    /// Where the first element lies in the storage, in bytes.
    public let byteOffset: Int
    public let shape: Shape
    /// The distance between neighbours along each dimension, in elements.
    public let strides: Shape
    public let dtype: DType
    /// The place in the gradient graph; nil for a tensor that needs no gradient.
    let node: GradientNode?

    init(storage: Storage, byteOffset: Int, shape: Shape, strides: Shape, dtype: DType, node: GradientNode?) {
        self.storage = storage
        self.byteOffset = byteOffset
        self.shape = shape
        self.strides = strides
        self.dtype = dtype
        self.node = node
    }

    /// A row-major view of memory that already holds the numbers.
    public init(storage: Storage, byteOffset: Int = 0, shape: Shape, dtype: DType) {
        precondition(
            byteOffset >= 0 && byteOffset + shape.count * dtype.byteCount <= storage.byteCount,
            "a \(dtype) tensor of shape \(shape) at byte \(byteOffset) does not fit \(storage.byteCount) bytes")
        precondition(byteOffset % dtype.byteCount == 0, "a \(dtype) tensor can't start at byte \(byteOffset)")
        self.init(
            storage: storage, byteOffset: byteOffset, shape: shape, strides: shape.rowMajorStrides, dtype: dtype,
            node: nil)
    }

    /// A new tensor whose contents are undefined until something writes them.
    public init(unfilled shape: Shape, dtype: DType = .f32) {
        self.init(
            storage: Storage(byteCount: shape.count * dtype.byteCount), byteOffset: 0, shape: shape,
            strides: shape.rowMajorStrides, dtype: dtype, node: nil)
    }

    /// The numbers in row-major order; without a shape, one dimension.
    public init(_ values: [Float], _ shape: Shape? = nil) {
        self.init(copying: values, shape: shape ?? [values.count], dtype: .f32)
    }

    public init(_ values: [Int32], _ shape: Shape? = nil) {
        self.init(copying: values, shape: shape ?? [values.count], dtype: .i32)
    }

    public init(_ values: [UInt8], _ shape: Shape? = nil) {
        self.init(copying: values, shape: shape ?? [values.count], dtype: .u8)
    }

    /// One number with no dimensions.
    public init(_ value: Float) {
        self.init(copying: [value], shape: [], dtype: .f32)
    }

    private init<Element>(copying values: [Element], shape: Shape, dtype: DType) {
        precondition(values.count == shape.count, "\(values.count) numbers for a tensor of shape \(shape)")
        self.init(unfilled: shape, dtype: dtype)
        values.withUnsafeBytes { source in
            if let base = source.baseAddress {
                storage.pointer.copyMemory(from: base, byteCount: source.count)
            }
        }
    }

    /// Every bit zero, which is 0 in every dtype.
    public static func zeros(_ shape: Shape, dtype: DType = .f32) -> Tensor {
        let tensor = Tensor(unfilled: shape, dtype: dtype)
        tensor.storage.pointer.initializeMemory(as: UInt8.self, repeating: 0, count: shape.count * dtype.byteCount)
        return tensor
    }

    public static func full(_ value: Float, _ shape: Shape) -> Tensor {
        let tensor = Tensor(unfilled: shape)
        tensor.withMutableFloats { $0.update(repeating: value) }
        return tensor
    }

    public static func ones(_ shape: Shape) -> Tensor { full(1, shape) }

    /// The number of elements.
    public var count: Int { shape.count }
    public var rank: Int { shape.rank }

    /// Whether the elements lie in row-major order without gaps.
    public var isContiguous: Bool {
        var step = 1
        for index in stride(from: shape.rank - 1, through: 0, by: -1) {
            if shape[index] != 1 && strides[index] != step { return false }
            step *= shape[index]
        }
        return true
    }
}
