import Foundation

/// A program that was started with pipes to and from it. All use must be on the thread that started it, and that thread must live
/// as long as the program: the kernel takes the thread's end for the parent's.
final class ChildProcess {
    /// Why `pump` returned.
    enum Pause { case done, deadline, flooded, interrupted }

    private struct Writer {
        var descriptor: Int32
        var bytes: [UInt8]
        var written = 0
        var closesAtEnd: Bool
    }

    private struct Reader {
        var descriptor: Int32
        var bytes: [UInt8] = []
        var isAtEnd = false
    }

    private let pid: pid_t
    /// By the child's descriptors.
    private var writers: [Int32: Writer] = [:]
    private var readers: [Int32: Reader] = [:]
    private var isReaped = false

    /// Starts a program in a process group of its own, with nothing of this process but the pipes.
    ///
    /// - Parameters:
    ///   - inputs: the child's descriptors that it reads, with what it finds there; each ends with those bytes.
    ///   - requests: a descriptor that stays open for `send`.
    ///   - outputs: the child's descriptors that it writes.
    /// - Throws: `SandboxError.failed`.
    init(
        command: [String], inputs: [Int32: [UInt8]], requests: Int32? = nil, outputs: [Int32]
    ) throws(SandboxError) {
        #if os(Linux)
            var pairs: [(child: Int32, theirs: Int32)] = []
            var mine: [Int32] = []
            func fail(_ reason: String, _ code: Int32) -> SandboxError {
                for descriptor in mine + pairs.map(\.theirs) { close(descriptor) }
                return .failed("\(reason): \(String(cString: strerror(code)))")
            }
            for child in inputs.keys.sorted() + outputs.sorted() + (requests.map { [$0] } ?? []) {
                let reads = outputs.contains(child)
                guard let ends = Self.pipeEnds() else { throw fail("no more pipes can be opened", errno) }
                pairs.append((child, reads ? ends.write : ends.read))
                let own = reads ? ends.read : ends.write
                mine.append(own)
                _ = fcntl(own, F_SETFL, fcntl(own, F_GETFL) | O_NONBLOCK)
                if reads {
                    readers[child] = Reader(descriptor: own)
                } else {
                    writers[child] = Writer(
                        descriptor: own, bytes: inputs[child] ?? [], closesAtEnd: child != requests)
                }
            }
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            for pair in pairs { posix_spawn_file_actions_adddup2(&actions, pair.theirs, pair.child) }
            // Whatever else this process has open, files of the user among them, must not be there inside.
            let taken = Set(pairs.map(\.child))
            let last = taken.max() ?? 2
            for other in 3..<max(3, last) where !taken.contains(other) {
                posix_spawn_file_actions_addclose(&actions, other)
            }
            guard let closeFrom = Self.closeFrom, closeFrom(&actions, last + 1) == 0 else {
                throw fail("the C library can't close files for a new program; it needs glibc 2.34", ENOSYS)
            }
            var attributes = posix_spawnattr_t()
            posix_spawnattr_init(&attributes)
            defer { posix_spawnattr_destroy(&attributes) }
            var signals = sigset_t()
            sigemptyset(&signals)
            posix_spawnattr_setsigmask(&attributes, &signals)
            sigfillset(&signals)
            posix_spawnattr_setsigdefault(&attributes, &signals)
            posix_spawnattr_setpgroup(&attributes, 0)
            let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
            posix_spawnattr_setflags(&attributes, Int16(flags))
            var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
            var environment: [UnsafeMutablePointer<CChar>?] = [nil]
            defer { for argument in arguments { free(argument) } }
            var pid: pid_t = 0
            let code = posix_spawn(&pid, command[0], &actions, &attributes, &arguments, &environment)
            guard code == 0 else { throw fail(command[0], code) }
            for pair in pairs { close(pair.theirs) }
            self.pid = pid
        #else
            throw SandboxError.unsupported
        #endif
    }

    deinit {
        if !isReaped { terminate() }
        for reader in readers.values where !reader.isAtEnd { close(reader.descriptor) }
        for writer in writers.values { close(writer.descriptor) }
        _ = waitForEnd()
    }

    /// What was read from one of the child's descriptors since the last `take`.
    func bytes(_ child: Int32) -> [UInt8] { readers[child]?.bytes ?? [] }

    func take(_ child: Int32) -> [UInt8] {
        defer { readers[child]?.bytes = [] }
        return bytes(child)
    }

    /// Whether the child, and all that it started, have closed this descriptor.
    func isAtEnd(_ child: Int32) -> Bool { readers[child]?.isAtEnd ?? true }

    var isAtEnd: Bool { readers.values.allSatisfy(\.isAtEnd) }

    /// Queues bytes for a descriptor that was opened for requests.
    func send(_ bytes: [UInt8], to child: Int32) {
        guard var writer = writers[child] else { return }
        writer.bytes = writer.bytes[writer.written...] + bytes
        writer.written = 0
        writers[child] = writer
    }

    /// Kills the program; in a sandbox, everything that it started goes with it.
    func terminate() {
        guard !isReaped else { return }
        // The group, for the moment in which bubblewrap's own child has not yet asked to die with its parent.
        kill(-pid, SIGKILL)
        kill(pid, SIGKILL)
    }

    /// Waits for the program's end, which must be near.
    func waitForEnd() -> Int32 {
        guard !isReaped else { return 0 }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1, errno == EINTR {}
        isReaped = true
        return status
    }

    /// Moves bytes both ways until the condition holds, the deadline has passed, more than `limit` bytes lie unread in the
    /// descriptors 1 and 2 (or 1 MiB in another), or `interruption` has something to read.
    func pump(
        until deadline: ContinuousClock.Instant, limit: Int, interruption: Int32?, isDone: (ChildProcess) -> Bool
    ) -> Pause {
        ignoreBrokenPipes()
        let clock = ContinuousClock()
        while !isDone(self) {
            let left = (deadline - clock.now).seconds
            if left <= 0 { return .deadline }
            writeWhatFits()
            var waits: [pollfd] = []
            for reader in readers.values where !reader.isAtEnd {
                waits.append(pollfd(fd: reader.descriptor, events: Int16(POLLIN), revents: 0))
            }
            for writer in writers.values where writer.written < writer.bytes.count {
                waits.append(pollfd(fd: writer.descriptor, events: Int16(POLLOUT), revents: 0))
            }
            if let interruption { waits.append(pollfd(fd: interruption, events: Int16(POLLIN), revents: 0)) }
            let milliseconds = Int32(min(left * 1000, 60_000).rounded(.up))
            if poll(&waits, nfds_t(waits.count), milliseconds) < 0 && errno != EINTR { return .interrupted }
            if let interruption, waits.contains(where: { $0.fd == interruption && $0.revents != 0 }) {
                return .interrupted
            }
            if !readWhatIsThere(limit: limit) { return .flooded }
        }
        return .done
    }

    /// Reads what lies in the pipes without waiting. False when more came than the limits let stand.
    @discardableResult
    func readWhatIsThere(limit: Int) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        for (child, reader) in readers where !reader.isAtEnd {
            let isOutput = child == 1 || child == 2
            while true {
                let most = isOutput ? limit - bytes(1).count - bytes(2).count : (1 << 20) - bytes(child).count
                let count = read(reader.descriptor, &buffer, buffer.count)
                if count > 0 {
                    readers[child]?.bytes.append(contentsOf: buffer[..<min(count, max(0, most))])
                    if count > most { return false }
                } else if count == 0 {
                    readers[child]?.isAtEnd = true
                    close(reader.descriptor)
                    break
                } else if errno != EINTR {
                    break
                }
            }
        }
        return true
    }

    private func writeWhatFits() {
        for (child, writer) in writers {
            var writer = writer
            var isBroken = false
            while writer.written < writer.bytes.count, !isBroken {
                let count = writer.bytes[writer.written...].withUnsafeBytes {
                    write(writer.descriptor, $0.baseAddress, $0.count)
                }
                if count >= 0 { writer.written += count } else if errno == EAGAIN { break }
                isBroken = count < 0 && errno != EINTR
            }
            if isBroken || (writer.closesAtEnd && writer.written == writer.bytes.count) {
                close(writer.descriptor)
                writers[child] = nil
            } else {
                writers[child] = writer
            }
        }
    }

    /// A program may close its input early: then writing fails, without the signal that would end this process.
    private func ignoreBrokenPipes() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    #if os(Linux)
        private typealias CloseFrom =
            @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32

        /// Closes all descriptors from one on; Swift's view of the C library leaves GNU's extensions out.
        private static let closeFrom: CloseFrom? =
            dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map { unsafeBitCast($0, to: CloseFrom.self) }
    #endif

    /// A pipe whose ends are closed in other children and lie above all descriptors that children use.
    static func pipeEnds() -> (read: Int32, write: Int32)? {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        let moved = ends.map { fcntl($0, F_DUPFD_CLOEXEC, 128) }
        for end in ends { close(end) }
        guard moved.allSatisfy({ $0 >= 0 }) else {
            for end in moved where end >= 0 { close(end) }
            return nil
        }
        return (moved[0], moved[1])
    }
}
