/// What code in a sandbox may use up.
public struct SandboxLimits: Sendable, Hashable, Codable {
    /// Seconds by the clock, from start to end, for a program or for one block of a session.
    public var wallSeconds: Double
    /// Seconds of processor time that one process may use; in a session, that one block may use.
    public var processorSeconds: Int
    /// Bytes of address space of one process. A Python with nothing loaded takes about 20 MiB.
    public var memoryBytes: Int
    /// Processes and threads alive at once, the program itself among them.
    public var processes: Int
    /// Bytes of the largest file that can be written.
    public var fileBytes: Int
    /// Bytes of all files together: those in `/tmp`, and as much again in shared memory.
    public var storageBytes: Int
    /// Bytes of standard output and standard error together. A program that writes more is ended.
    public var outputBytes: Int
    /// Files that one process may hold open.
    public var openFiles: Int

    public init(
        wallSeconds: Double = 10, processorSeconds: Int = 10, memoryBytes: Int = 512 << 20, processes: Int = 16,
        fileBytes: Int = 16 << 20, storageBytes: Int = 64 << 20, outputBytes: Int = 1 << 20, openFiles: Int = 128
    ) {
        self.wallSeconds = wallSeconds
        self.processorSeconds = processorSeconds
        self.memoryBytes = memoryBytes
        self.processes = processes
        self.fileBytes = fileBytes
        self.storageBytes = storageBytes
        self.outputBytes = outputBytes
        self.openFiles = openFiles
    }

    /// Throws for a limit that nothing could run under.
    package func check() throws(SandboxError) {
        guard wallSeconds > 0, wallSeconds <= 86_400 else {
            throw .invalidLimit("wallSeconds is \(wallSeconds); it must be above 0 and at most 86400.")
        }
        let counts = [
            ("processorSeconds", processorSeconds, 1), ("memoryBytes", memoryBytes, 32 << 20),
            ("processes", processes, 1), ("fileBytes", fileBytes, 0), ("storageBytes", storageBytes, 4096),
            ("outputBytes", outputBytes, 0), ("openFiles", openFiles, 16),
        ]
        for (name, value, least) in counts where value < least || value > 1 << 50 {
            throw .invalidLimit("\(name) is \(value); it must be at least \(least) and at most \(1 << 50).")
        }
    }
}

/// A limit that ended code in a sandbox.
public enum SandboxLimit: String, Sendable, Hashable, Codable {
    case wallTime, processorTime, memory, processes, fileSize, output

    /// The limit by name, for the user.
    public var title: String {
        switch self {
        case .wallTime: "wall-clock time"
        case .processorTime: "processor time"
        case .memory: "memory"
        case .processes: "number of processes"
        case .fileSize: "file size"
        case .output: "output"
        }
    }

    /// The limit that a Python program ran into when an exception it did not catch ends with this line. Below Python, these limits
    /// are calls that fail, so the exception is all there is to see of them.
    init?(exception line: some StringProtocol) {
        if line.hasPrefix("MemoryError") {
            self = .memory
        } else if line.hasPrefix("BlockingIOError: [Errno 11]")
            || line.hasPrefix("RuntimeError: can't start new thread")
        {
            self = .processes
        } else if line.hasPrefix("OSError: [Errno 27]") {
            self = .fileSize
        } else {
            return nil
        }
    }
}
