#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that appears under its name only when it is whole: it is written beside and renamed at the end.
///
/// Unless ``commit()`` succeeds, nothing is left behind.
struct OutputFile: ~Copyable {
    private static let bufferSize = 1 << 20

    let path: String
    private let temporaryPath: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// How many bytes were written so far.
    private(set) var count = 0
    private var isCommitted = false

    init(path: String) throws(WeightFileError) {
        self.path = path
        temporaryPath = "\(path).partial-\(getpid())-\(UInt32.random(in: .min ... .max))"
        descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw WeightFileError(.unwritable, file: path, "cannot be created: \(systemErrorText())")
        }
        buffer.reserveCapacity(Self.bufferSize)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if !isCommitted { unlink(temporaryPath) }
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws(WeightFileError) {
        count += bytes.count
        if bytes.count >= Self.bufferSize {
            try flush()
            return try writeOut(bytes)
        }
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.bufferSize { try flush() }
    }

    mutating func write(_ bytes: [UInt8]) throws(WeightFileError) {
        count += bytes.count
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.bufferSize { try flush() }
    }

    /// Writes zeros up to the next multiple of `alignment`.
    mutating func pad(to alignment: Int) throws(WeightFileError) {
        let rest = count % alignment
        if rest > 0 { try write([UInt8](repeating: 0, count: alignment - rest)) }
    }

    /// Brings the bytes to the disk and gives the file its name, in place of what had it before.
    mutating func commit() throws(WeightFileError) {
        try flush()
        guard fsync(descriptor) == 0, rename(temporaryPath, path) == 0 else { throw failure() }
        isCommitted = true
    }

    private mutating func flush() throws(WeightFileError) {
        let pending = buffer
        try pending.withUnsafeBytes { bytes in
            Result { () throws(WeightFileError) in try writeOut(bytes) }
        }.get()
        buffer.removeAll(keepingCapacity: true)
    }

    private func writeOut(_ bytes: UnsafeRawBufferPointer) throws(WeightFileError) {
        var rest = bytes
        while let address = rest.baseAddress, rest.count > 0 {
            #if canImport(Glibc)
                let written = Glibc.write(descriptor, address, rest.count)
            #else
                let written = Darwin.write(descriptor, address, rest.count)
            #endif
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw failure() }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }

    private func failure() -> WeightFileError {
        WeightFileError(.unwritable, file: path, "cannot be written: \(systemErrorText())")
    }
}
