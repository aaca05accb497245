/// The memory behind one or more tensors: a buffer of the pool, or foreign memory (a mapped file) with the object that keeps
/// it valid.
///
/// `@unchecked Sendable`: the pointer and length never change. The bytes are written in two cases only: by the operation that
/// makes a tensor, before anyone else can see it, and by an explicit in-place writer (`Tensor.withMutableFloats`: an optimiser's
/// step, the loading of weights), whose caller promises that nobody reads the tensor meanwhile. Everything else only reads.
public final class Storage: @unchecked Sendable {
    public let pointer: UnsafeMutableRawPointer
    public let byteCount: Int

    private let sizeClass: Int  // of the pool; -1 for foreign memory
    private let owner: (any AnyObject & Sendable)?

    /// Fresh memory with undefined contents, aligned to 64 bytes.
    public init(byteCount: Int) {
        precondition(byteCount >= 0)
        (pointer, sizeClass) = BufferPool.take(byteCount)
        self.byteCount = byteCount
        owner = nil
    }

    /// Memory that belongs to `owner`, which lives at least as long as this storage. It must not be written through unless it
    /// was mapped writable.
    public init(_ pointer: UnsafeMutableRawPointer, byteCount: Int, ownedBy owner: any AnyObject & Sendable) {
        self.pointer = pointer
        self.byteCount = byteCount
        self.owner = owner
        sizeClass = -1
    }

    deinit {
        if sizeClass >= 0 { BufferPool.giveBack(pointer, sizeClass: sizeClass) }
    }
}
