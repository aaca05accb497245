import Foundation
import Tensors

/// The processes that `mpirun` started.
///
/// Used on one thread only, the one that joins (`MPI_THREAD_FUNNELED`). Transfers move while MPI is asked about them; there is no thread
/// for that, which would take a core's time from the computation.
public final class MPICommunicator: Communicator {
    private let library: OpenMPI

    public var rank: Int { library.rank }
    public var size: Int { library.size }
    /// How many threads this process may compute with, so that the ranks of a machine have its processors to themselves.
    public private(set) var threads = 1
    /// Sums begun so far.
    private var sums = 0

    /// A process's place among those that were started together.
    public struct Place: Sendable, Hashable {
        public var rank: Int
        public var size: Int

        public var isFirst: Bool { rank == 0 }

        /// This process's, as `mpirun` tells it in the environment; alone where it was started by itself.
        public static let own = Place(environment: ProcessInfo.processInfo.environment)

        /// - Parameter environment: Open MPI's names, or those that other launchers share.
        public init(environment: [String: String]) {
            func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
            rank = number("OMPI_COMM_WORLD_RANK") ?? number("PMI_RANK") ?? 0
            size = number("OMPI_COMM_WORLD_SIZE") ?? number("PMI_SIZE") ?? 1
        }
    }

    /// Joins the processes that were started together with this one; alone where none were. From now on kernels use this rank's share of the
    /// machine's processors.
    public static func join() throws -> any Communicator {
        Place.own.size > 1 ? try MPICommunicator(Place.own) : SingleProcess()
    }

    private init(_ place: Place) throws {
        library = try OpenMPI()
        guard library.size == place.size else {
            throw TrainingError.ranks(
                "\(place.size) processes were started, but Open MPI sees \(library.size); start them with Open MPI's own mpirun"
            )
        }
        threads = try Self.threads(of: gather(ProcessorSet.own), rank: library.rank)
        ThreadPool.threads = threads
    }

    // MARK: Processors

    /// The processors that a process may run on.
    package struct ProcessorSet: Sendable, Codable, Hashable {
        var machine: String
        var processors: [Int]

        package init(machine: String, processors: [Int]) {
            self.machine = machine
            self.processors = processors
        }

        static var own: ProcessorSet {
            ProcessorSet(machine: ProcessInfo.processInfo.hostName, processors: Processor.allowed)
        }
    }

    /// A rank's share of its processors: each one divided among the ranks that may run on it. At least 1.
    package static func threads(of ranks: [ProcessorSet], rank: Int) -> Int {
        var users: [Int: Int] = [:]
        for other in ranks where other.machine == ranks[rank].machine {
            for processor in other.processors { users[processor, default: 0] += 1 }
        }
        let share = ranks[rank].processors.reduce(0.0) { $0 + 1 / Double(users[$1] ?? 1) }
        return max(1, Int(share + 1e-6))
    }

    // MARK: Communication

    public func gather(_ bytes: [UInt8]) throws -> [[UInt8]] { try library.gather(bytes) }

    public func startSum(_ tensor: Tensor, at owner: Int) throws -> any Transfer {
        // The same on every rank, since all start the same sums.
        let tag = sums % OpenMPI.largestTag + 1
        sums += 1
        if owner == rank { return MPISum(tensor, library, tag: tag) }
        return try MPITransfer(tensor, library, messageSize: MPISum.messageSize) { [library] in
            try library.startSend($0, to: owner, tag: tag)
        }
    }

    public func startSpread(_ tensor: Tensor, from owner: Int) throws -> any Transfer {
        try MPITransfer(tensor, library) { [library] in try library.startSpread($0, from: owner) }
    }

    public func send(_ tensor: Tensor, to rank: Int) throws {
        try tensor.forEachMessage { try library.send($0, to: rank) }
    }

    public func receive(_ tensor: Tensor, from rank: Int) throws {
        try tensor.forEachMessage { try library.receive($0, from: rank) }
    }

    public func leave() throws { try library.leave() }

    public func abandon(_ error: any Error) {
        let who = rank == 0 ? "Error" : "Error on rank \(rank)"
        FileHandle.standardError.write(Data("\(who): \(error)\n".utf8))
        library.abort()
        exit(1)
    }
}

/// A tensor on its way, which lives until it has arrived.
private final class MPITransfer: Transfer {
    private let tensor: Tensor
    private let library: OpenMPI
    private var requests: [OpenMPI.Request] = []

    init(
        _ tensor: Tensor, _ library: OpenMPI, messageSize: Int = largestMessage,
        start: (UnsafeMutableBufferPointer<Float>) throws -> OpenMPI.Request
    ) throws {
        self.tensor = tensor
        self.library = library
        try tensor.forEachMessage(of: messageSize) { requests.append(try start($0)) }
    }

    func isDone() throws -> Bool {
        while var request = requests.last {
            guard try library.isDone(&request) else { return false }
            requests.removeLast()
        }
        return true
    }

    func wait() throws {
        while var request = requests.popLast() { try library.wait(for: &request) }
    }
}

/// A tensor that the other ranks' are added to as they arrive, one rank after the other, so that the sum has the same bits every time.
///
/// They come in messages that the processor's cache holds, each into the same memory: MPI's own reductions take new memory for whole tensors.
private final class MPISum: Transfer {
    /// Numbers: 1 MiB.
    static let messageSize = 1 << 18

    private let tensor: Tensor
    private let library: OpenMPI
    private let tag: Int
    /// The ranks that have yet to send all or some of theirs.
    private var sources: ArraySlice<Int>
    /// Where the next message of the first of them belongs.
    private var place = 0
    private var arriving: (part: Tensor, request: OpenMPI.Request)?

    init(_ tensor: Tensor, _ library: OpenMPI, tag: Int) {
        self.tensor = tensor
        self.library = library
        self.tag = tag
        sources = (0..<library.size).filter { $0 != library.rank }[...]
    }

    func isDone() throws -> Bool {
        while let source = sources.first {
            guard case (let part, var request)? = try arriving ?? startMessage(from: source) else { return false }
            guard try library.isDone(&request) else {
                arriving = (part, request)
                return false
            }
            arriving = nil
            tensor.reshaped([tensor.count]).slice(0, place..<place + part.count).accumulate(part)
            place += part.count
            if place == tensor.count {
                place = 0
                sources.removeFirst()
            }
        }
        return true
    }

    /// Begins to receive the next message of a rank, if there is one.
    private func startMessage(from source: Int) throws -> (part: Tensor, request: OpenMPI.Request)? {
        guard try library.hasMessage(from: source, tag: tag) else { return nil }
        let part = Tensor(unfilled: [min(Self.messageSize, tensor.count - place)])
        return (part, try part.withMutableFloats { try library.startReceive($0, from: source, tag: tag) })
    }

    func wait() throws {
        while try !isDone() {}
    }
}

/// The most numbers that MPI counts in one message, near enough.
private let largestMessage = 1 << 30

extension Tensor {
    fileprivate func forEachMessage(
        of size: Int = largestMessage, _ body: (UnsafeMutableBufferPointer<Float>) throws -> Void
    ) throws {
        try withMutableFloats { numbers in
            for start in stride(from: 0, to: numbers.count, by: size) {
                try body(UnsafeMutableBufferPointer(rebasing: numbers[start..<min(start + size, numbers.count)]))
            }
        }
    }
}
