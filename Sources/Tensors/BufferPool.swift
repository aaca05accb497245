#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
import Synchronization

/// Memory for tensors, reused by size: a freed buffer goes on the list of its size class and comes back at the next request, so
/// that a loop of equal steps asks the system for nothing after its first round.
///
/// Classes are an eighth of a power of two apart. Where sizes change from step to step, buffers that were not asked for lately go back
/// to the system, so that all memory stays near the most that was ever in use at once. Thread-safe; a request takes one short lock.
public enum BufferPool {
    /// The alignment of every buffer, in bytes.
    public static let alignment = 64

    private static let smallest = 256
    package static let classCount = 8 * 40

    private static let guarded = Mutex(IdleBuffers(limit: physicalMemory() / 2))

    /// Bytes kept for reuse and not in use now.
    public static var idleBytes: Int { guarded.withLock { $0.idleBytes } }

    /// The most bytes kept for reuse; what is freed beyond that goes back to the system. At first half the machine's memory.
    public static var limit: Int {
        get { guarded.withLock { $0.limit } }
        set { guarded.withLock { $0.setLimit(newValue) } }
    }

    /// Gives buffers that nobody uses back to the system until at most `bytes` of them remain, the largest first.
    public static func trim(to bytes: Int = 0) {
        guarded.withLock { $0.trim(to: bytes) }
    }

    /// A buffer of at least `bytes` and the class to give it back with. The contents are undefined.
    static func take(_ bytes: Int) -> (buffer: UnsafeMutableRawPointer, sizeClass: Int) {
        let index = sizeClass(of: bytes)
        // A number may cross out of the lock's region.
        let reused = guarded.withLock { UInt(bitPattern: $0.take(index)) }
        if let buffer = UnsafeMutableRawPointer(bitPattern: reused) { return (buffer, index) }
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
        let address = UInt(bitPattern: buffer)
        guarded.withLock {
            if let buffer = UnsafeMutableRawPointer(bitPattern: address) { $0.giveBack(buffer, index) }
        }
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

/// Free buffers in lists by size class, threaded through the buffers themselves, and the count of those in use.
package struct IdleBuffers: ~Copyable {
    private let heads: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    /// When a buffer of each class was last asked for, in requests.
    private let asked: UnsafeMutablePointer<Int>
    private var requests = 0
    package private(set) var idleBytes = 0
    package private(set) var bytesInUse = 0
    /// The most bytes that were in use at once.
    private var mostInUse = 0
    package private(set) var limit: Int

    /// All memory may be half as much again as the most in use, and this: equal steps want several classes that are never in use together.
    package static let slack = 64 << 20
    /// The class of 64 kB: smaller ones hold too little to be worth giving back.
    private static let firstWorthwhile = BufferPool.sizeClass(of: 1 << 16)

    package init(limit: Int) {
        heads = .allocate(capacity: BufferPool.classCount)
        heads.initialize(repeating: nil, count: BufferPool.classCount)
        asked = .allocate(capacity: BufferPool.classCount)
        asked.initialize(repeating: 0, count: BufferPool.classCount)
        self.limit = limit
    }

    deinit {
        heads.deallocate()
        asked.deallocate()
    }

    /// A buffer of a class, which counts as in use from now on; nil: the caller has to make it.
    package mutating func take(_ index: Int) -> UnsafeMutableRawPointer? {
        let size = BufferPool.byteCount(ofClass: index)
        requests += 1
        asked[index] = requests
        bytesInUse += size
        mostInUse = max(mostInUse, bytesInUse)
        if let buffer = pop(index) { return buffer }
        while bytesInUse + idleBytes > mostInUse + mostInUse / 2 + Self.slack, let stale = stalest() {
            free(pop(stale))
        }
        return nil
    }

    package mutating func giveBack(_ buffer: UnsafeMutableRawPointer, _ index: Int) {
        let size = BufferPool.byteCount(ofClass: index)
        bytesInUse -= size
        guard idleBytes + size <= limit else { return free(buffer) }
        buffer.storeBytes(of: heads[index], as: UnsafeMutableRawPointer?.self)
        heads[index] = buffer
        idleBytes += size
    }

    package mutating func setLimit(_ limit: Int) {
        self.limit = limit
        trim(to: limit)
    }

    package mutating func trim(to bytes: Int) {
        for index in stride(from: BufferPool.classCount - 1, through: 0, by: -1) {
            while idleBytes > bytes, let buffer = pop(index) { free(buffer) }
        }
    }

    private mutating func pop(_ index: Int) -> UnsafeMutableRawPointer? {
        guard let buffer = heads[index] else { return nil }
        heads[index] = buffer.load(as: UnsafeMutableRawPointer?.self)
        idleBytes -= BufferPool.byteCount(ofClass: index)
        return buffer
    }

    /// The class with a free buffer that was asked for longest ago.
    private func stalest() -> Int? {
        var found: Int?
        for index in Self.firstWorthwhile..<BufferPool.classCount where heads[index] != nil {
            if asked[index] < found.map({ asked[$0] }) ?? .max { found = index }
        }
        return found
    }
}
