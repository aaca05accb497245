#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import Synchronization

/// Memory for tensors, reused by size: a freed buffer goes on the list of its size class and comes back at the next request, so
/// that a loop of equal steps asks the system for nothing after its first round.
///
/// Classes are an eighth of a power of two apart. The lists are threaded through the free buffers themselves.
/// Thread-safe; a request takes one short lock.
public enum BufferPool {
    /// The alignment of every buffer, in bytes.
    public static let alignment = 64

    private static let smallest = 256
    private static let classCount = 8 * 40

    private struct State: ~Copyable {
        let heads: UnsafeMutablePointer<UnsafeMutableRawPointer?>
        var idleBytes = 0
        var limit: Int

        init() {
            heads = .allocate(capacity: BufferPool.classCount)
            heads.initialize(repeating: nil, count: BufferPool.classCount)
            limit = BufferPool.physicalMemory() / 2
        }
    }

    private static let guarded = Mutex(State())

    /// Bytes kept for reuse and not in use now.
    public static var idleBytes: Int { guarded.withLock { $0.idleBytes } }

    /// The most bytes kept for reuse; what is freed beyond that goes back to the system. At first half the machine's memory.
    public static var limit: Int {
        get { guarded.withLock { $0.limit } }
        set {
            guarded.withLock { $0.limit = newValue }
            trim(to: newValue)
        }
    }

    /// Gives buffers that nobody uses back to the system until at most `bytes` of them remain, the largest first.
    public static func trim(to bytes: Int = 0) {
        guarded.withLock { state in
            for index in stride(from: classCount - 1, through: 0, by: -1) {
                while state.idleBytes > bytes, let buffer = state.heads[index] {
                    state.heads[index] = buffer.load(as: UnsafeMutableRawPointer?.self)
                    state.idleBytes -= byteCount(ofClass: index)
                    free(buffer)
                }
            }
        }
    }

    /// A buffer of at least `bytes` and the class to give it back with. The contents are undefined.
    static func take(_ bytes: Int) -> (buffer: UnsafeMutableRawPointer, sizeClass: Int) {
        let index = sizeClass(of: bytes)
        let reused: UnsafeMutableRawPointer? = guarded.withLock { state in
            guard let buffer = state.heads[index] else { return nil }
            state.heads[index] = buffer.load(as: UnsafeMutableRawPointer?.self)
            state.idleBytes -= byteCount(ofClass: index)
            return buffer
        }
        if let reused { return (reused, index) }
        var fresh: UnsafeMutableRawPointer?
        let size = byteCount(ofClass: index)
        if posix_memalign(&fresh, alignment, size) != 0 || fresh == nil {
            trim()
            guard posix_memalign(&fresh, alignment, size) == 0 else {
                fatalError("out of memory: a tensor needs \(size) bytes")
            }
        }
        guard let fresh else { fatalError("out of memory: a tensor needs \(size) bytes") }
        return (fresh, index)
    }

    static func giveBack(_ buffer: UnsafeMutableRawPointer, sizeClass index: Int) {
        let size = byteCount(ofClass: index)
        let address = UInt(bitPattern: buffer)  // a number, which may cross into the lock's region
        let kept = guarded.withLock { state in
            guard state.idleBytes + size <= state.limit, let buffer = UnsafeMutableRawPointer(bitPattern: address)
            else {
                return false
            }
            buffer.storeBytes(of: state.heads[index], as: UnsafeMutableRawPointer?.self)
            state.heads[index] = buffer
            state.idleBytes += size
            return true
        }
        if !kept { free(buffer) }
    }

    /// The smallest class whose buffers hold `bytes`.
    package static func sizeClass(of bytes: Int) -> Int {
        if bytes <= smallest { return 0 }
        // 2^e < bytes <= 2^(e + 1), split in eight
        let exponent = Int.bitWidth - 1 - (bytes - 1).leadingZeroBitCount
        let base = 1 << exponent
        let eighth = (bytes - base + base / 8 - 1) / (base / 8)  // 1 ... 8
        return (exponent - 8) * 8 + eighth
    }

    package static func byteCount(ofClass index: Int) -> Int {
        if index == 0 { return smallest }
        let exponent = 8 + (index - 1) / 8
        let eighth = (index - 1) % 8 + 1
        return (1 << exponent) + eighth * (1 << exponent) / 8
    }

    private static func physicalMemory() -> Int {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        let pageSize = sysconf(Int32(_SC_PAGESIZE))
        return pages > 0 && pageSize > 0 ? pages * pageSize : 4 << 30
    }
}
