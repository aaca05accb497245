#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file's bytes, mapped read-only into memory; the system loads a page when it is first touched.
///
/// Nobody may shorten the file while it is mapped: touching a page that is gone ends the process.
public final class MappedFile: Sendable {
    /// The path that it was opened by.
    public let path: String
    /// The file's size in bytes.
    public let count: Int

    /// Written once in `init` and only read through afterwards; the memory lives until `deinit`.
    private nonisolated(unsafe) let base: UnsafeRawPointer
    private let isMapped: Bool

    /// Maps a regular file.
    public init(path: String) throws(WeightFileError) {
        // O_NONBLOCK: a pipe in the file's place must not hang the open.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw WeightFileError(.unreadable, file: path, "cannot be opened: \(systemErrorText())")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw WeightFileError(.unreadable, file: path, "cannot be examined: \(systemErrorText())")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw WeightFileError(.unreadable, file: path, "is not a regular file")
        }
        let size = Int(status.st_size)
        if size == 0 {
            base = UnsafeRawPointer(UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 64))
            isMapped = false
        } else {
            guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
                throw WeightFileError(.unreadable, file: path, "cannot be mapped: \(systemErrorText())")
            }
            base = UnsafeRawPointer(address)
            isMapped = true
        }
        self.path = path
        count = size
    }

    /// The same access to bytes that are in memory already. The name stands in error messages.
    public init(bytes: [UInt8], name: String) {
        let copy = UnsafeMutableRawPointer.allocate(byteCount: max(bytes.count, 1), alignment: 64)
        bytes.withUnsafeBytes { copy.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(copy), byteCount: $0.count) }
        base = UnsafeRawPointer(copy)
        isMapped = false
        path = name
        count = bytes.count
    }

    deinit {
        if isMapped {
            munmap(UnsafeMutableRawPointer(mutating: base), count)
        } else {
            base.deallocate()
        }
    }

    /// All bytes, for the duration of the call.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withExtendedLifetime(self) { () throws(Failure) in try body(unsafeBytes) }
    }

    /// All bytes, valid as long as the caller keeps this object alive: the last mention of the object may end its life.
    public var unsafeBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// A part of the file that keeps the file mapped.
    ///
    /// - Parameter field: what the range belongs to, for the error when it lies outside the file.
    public func slice(_ range: Range<Int>, field: String? = nil) throws(WeightFileError) -> ByteSlice {
        guard range.lowerBound >= 0, range.upperBound <= count else {
            throw WeightFileError(
                .truncated, file: path, field: field,
                "bytes \(range.lowerBound) to \(range.upperBound) are needed, the file has \(count)")
        }
        return ByteSlice(file: self, range: range)
    }

    /// The whole file as a slice.
    public var all: ByteSlice { ByteSlice(file: self, range: 0..<count) }

    /// Lets the system drop the pages that lie wholly inside the range; they are read again when next touched.
    public func adviseDontNeed(_ range: Range<Int>) { advise(range, MADV_DONTNEED, inward: true) }

    /// Asks the system to read the pages of the range ahead of their use.
    public func adviseWillNeed(_ range: Range<Int>) { advise(range, MADV_WILLNEED, inward: false) }

    private func advise(_ range: Range<Int>, _ advice: Int32, inward: Bool) {
        guard isMapped else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let range = range.clamped(to: 0..<count)
        let start = (range.lowerBound + (inward ? page - 1 : 0)) / page * page
        let isFileEnd = range.upperBound == count
        let end = inward && !isFileEnd ? range.upperBound / page * page : range.upperBound
        guard start < end else { return }
        // Advice is only advice: a system that does not take it changes nothing of the result.
        _ = madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, advice)
    }
}

/// Some bytes of a ``MappedFile``, which stays mapped as long as the slice exists.
public struct ByteSlice: Sendable {
    public let file: MappedFile
    /// The place in the file.
    public let range: Range<Int>

    fileprivate init(file: MappedFile, range: Range<Int>) {
        self.file = file
        self.range = range
    }

    public var count: Int { range.count }

    /// The bytes, for the duration of the call.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withExtendedLifetime(file) { () throws(Failure) in try body(unsafeBytes) }
    }

    /// The bytes, valid as long as the caller keeps `file` alive: the last mention of it may end its life.
    public var unsafeBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: file.unsafeBytes[range]) }

    /// The bytes, for a look that is not repeated soon: afterwards the system may drop their pages, see ``MappedFile/adviseDontNeed(_:)``.
    public func readOnce<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { file.adviseDontNeed(range) }
        return try withUnsafeBytes(body)
    }
}

/// The system's words for the current `errno`.
func systemErrorText() -> String { String(cString: strerror(errno)) }
