import Foundation

/// The functions of Open MPI's library, loaded when a process joins others, so that everything builds, starts and runs without it.
///
/// Names, handles and constants are those that Open MPI promises under the number 40 of its library, from version 2 to 5: a handle is the
/// address of one of the library's symbols or of what a call makes.
final class OpenMPI {
    typealias Handle = UnsafeMutableRawPointer
    typealias Request = UnsafeMutableRawPointer?
    private typealias Code = Int32

    private typealias Initialise = @convention(c) (Handle?, Handle?, Int32, UnsafeMutablePointer<Int32>) -> Code
    private typealias Finish = @convention(c) () -> Code
    private typealias Ask = @convention(c) (Handle, UnsafeMutablePointer<Int32>) -> Code
    private typealias Abort = @convention(c) (Handle, Int32) -> Code
    private typealias SetHandler = @convention(c) (Handle, Handle) -> Code
    private typealias Describe =
        @convention(c) (Int32, UnsafeMutablePointer<CChar>, UnsafeMutablePointer<Int32>) -> Code
    private typealias Gather =
        @convention(c) (
            UnsafeRawPointer?, Int32, Handle, UnsafeMutableRawPointer?, Int32, Handle, Handle
        ) -> Code
    private typealias GatherParts =
        @convention(c) (
            UnsafeRawPointer?, Int32, Handle, UnsafeMutableRawPointer?, UnsafePointer<Int32>, UnsafePointer<Int32>,
            Handle,
            Handle
        ) -> Code
    private typealias StartBroadcast =
        @convention(c) (
            UnsafeMutableRawPointer?, Int32, Handle, Int32, Handle, UnsafeMutablePointer<Request>
        ) -> Code
    private typealias Send = @convention(c) (UnsafeRawPointer?, Int32, Handle, Int32, Int32, Handle) -> Code
    private typealias Receive =
        @convention(c) (
            UnsafeMutableRawPointer?, Int32, Handle, Int32, Int32, Handle, Handle?
        ) -> Code
    private typealias StartSending =
        @convention(c) (
            UnsafeRawPointer?, Int32, Handle, Int32, Int32, Handle, UnsafeMutablePointer<Request>
        ) -> Code
    private typealias StartReceiving =
        @convention(c) (
            UnsafeMutableRawPointer?, Int32, Handle, Int32, Int32, Handle, UnsafeMutablePointer<Request>
        ) -> Code
    private typealias Probe = @convention(c) (Int32, Int32, Handle, UnsafeMutablePointer<Int32>, Handle?) -> Code
    private typealias Test =
        @convention(c) (UnsafeMutablePointer<Request>, UnsafeMutablePointer<Int32>, Handle?) -> Code
    private typealias Wait = @convention(c) (UnsafeMutablePointer<Request>, Handle?) -> Code

    private let finalise: Finish
    private let abortAll: Abort
    private let describe: Describe
    private let allGather: Gather
    private let allGatherParts: GatherParts
    private let startBroadcast: StartBroadcast
    private let sendAll: Send
    private let receiveAll: Receive
    private let startSending: StartSending
    private let startReceiving: StartReceiving
    private let probe: Probe
    private let test: Test
    private let waitFor: Wait

    private let world: Handle
    private let bytes: Handle
    private let numbers: Handle

    private(set) var rank = 0
    private(set) var size = 1

    /// Tags that every MPI has: 0 is that of `send`; those from 1 on are the caller's.
    static let largestTag = 32767
    /// MPI_THREAD_FUNNELED: one thread, the one that initialises, makes every call.
    private static let oneThread: Int32 = 1

    /// Joins the other processes. The calling thread is the one that makes every call from now on.
    init() throws {
        let library = try Self.library()
        func function<Function>(_ name: String) throws -> Function {
            unsafeBitCast(try Self.symbol(name, in: library), to: Function.self)
        }
        finalise = try function("MPI_Finalize")
        abortAll = try function("MPI_Abort")
        describe = try function("MPI_Error_string")
        allGather = try function("MPI_Allgather")
        allGatherParts = try function("MPI_Allgatherv")
        startBroadcast = try function("MPI_Ibcast")
        sendAll = try function("MPI_Send")
        receiveAll = try function("MPI_Recv")
        startSending = try function("MPI_Isend")
        startReceiving = try function("MPI_Irecv")
        probe = try function("MPI_Iprobe")
        test = try function("MPI_Test")
        waitFor = try function("MPI_Wait")
        world = try Self.symbol("ompi_mpi_comm_world", in: library)
        bytes = try Self.symbol("ompi_mpi_byte", in: library)
        numbers = try Self.symbol("ompi_mpi_float", in: library)
        let initialise: Initialise = try function("MPI_Init_thread")
        let setHandler: SetHandler = try function("MPI_Comm_set_errhandler")
        let askRank: Ask = try function("MPI_Comm_rank")
        let askSize: Ask = try function("MPI_Comm_size")
        let handler = try Self.symbol("ompi_mpi_errors_return", in: library)

        var level: Int32 = 0
        try check(initialise(nil, nil, Self.oneThread, &level), "joining")
        guard level >= Self.oneThread else {
            throw TrainingError.ranks("this Open MPI is built for programs of a single thread, which Lyceum is not")
        }
        try check(setHandler(world, handler), "joining")
        var (place, count): (Int32, Int32) = (0, 0)
        try check(askRank(world, &place), "joining")
        try check(askSize(world, &count), "joining")
        (rank, size) = (Int(place), Int(count))
    }

    private static func library() throws -> Handle {
        let names = [
            "libmpi.so.40", "libmpi.40.dylib", "/opt/homebrew/lib/libmpi.40.dylib", "/usr/local/lib/libmpi.40.dylib",
        ]
        // Open MPI's own plug-ins look for the library's symbols among those of the program.
        for name in names { if let library = dlopen(name, RTLD_NOW | RTLD_GLOBAL) { return library } }
        throw TrainingError.ranks(
            "Open MPI's library (libmpi.so.40) can't be loaded; install it with apt-get install openmpi-bin, on a Mac "
                + "with brew install open-mpi, or start one process without mpirun")
    }

    private static func symbol(_ name: String, in library: Handle) throws -> Handle {
        guard let address = dlsym(library, name) else {
            throw TrainingError.ranks("the library libmpi has no \(name), so it isn't Open MPI's; install Open MPI")
        }
        return address
    }

    private func check(_ code: Int32, _ what: String) throws {
        guard code != 0 else { return }
        var (text, length) = ([CChar](repeating: 0, count: 512), Int32(0))
        _ = describe(code, &text, &length)
        let reason = String(decoding: text.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        throw TrainingError.ranks("\(what) failed with \(reason)")
    }

    // MARK: Calls

    func leave() throws { try check(finalise(), "leaving") }

    func abort() { _ = abortAll(world, 1) }

    func gather(_ own: [UInt8]) throws -> [[UInt8]] {
        guard let count = Int32(exactly: own.count) else {
            throw TrainingError.ranks("a message of \(own.count) bytes is too long")
        }
        var counts = [Int32](repeating: 0, count: size)
        try withUnsafeBytes(of: count) {
            try check(allGather($0.baseAddress, 4, bytes, &counts, 4, bytes, world), "an exchange of sizes")
        }
        var starts: [Int32] = []
        var total: Int32 = 0
        for count in counts {
            starts.append(total)
            let (sum, isTooLong) = total.addingReportingOverflow(count)
            guard !isTooLong else { throw TrainingError.ranks("the ranks' messages together are too long") }
            total = sum
        }
        var all = [UInt8](repeating: 0, count: Int(total))
        try check(allGatherParts(own, count, bytes, &all, counts, starts, bytes, world), "an exchange")
        return zip(starts, counts).map { Array(all[Int($0)..<Int($0 + $1)]) }
    }

    func startSpread(_ part: UnsafeMutableBufferPointer<Float>, from owner: Int) throws -> Request {
        var request: Request = nil
        try check(
            startBroadcast(part.baseAddress, Int32(part.count), numbers, Int32(owner), world, &request),
            "handing weights on")
        return request
    }

    func send(_ part: UnsafeMutableBufferPointer<Float>, to other: Int) throws {
        try check(sendAll(part.baseAddress, Int32(part.count), numbers, Int32(other), 0, world), "sending")
    }

    func receive(_ part: UnsafeMutableBufferPointer<Float>, from other: Int) throws {
        try check(receiveAll(part.baseAddress, Int32(part.count), numbers, Int32(other), 0, world, nil), "receiving")
    }

    func startSend(_ part: UnsafeMutableBufferPointer<Float>, to other: Int, tag: Int) throws -> Request {
        var request: Request = nil
        try check(
            startSending(part.baseAddress, Int32(part.count), numbers, Int32(other), Int32(tag), world, &request),
            "sending")
        return request
    }

    func startReceive(_ part: UnsafeMutableBufferPointer<Float>, from other: Int, tag: Int) throws -> Request {
        var request: Request = nil
        try check(
            startReceiving(part.baseAddress, Int32(part.count), numbers, Int32(other), Int32(tag), world, &request),
            "receiving")
        return request
    }

    /// Whether a message from another rank can be received now.
    func hasMessage(from other: Int, tag: Int) throws -> Bool {
        var flag: Int32 = 0
        try check(probe(Int32(other), Int32(tag), world, &flag, nil), "looking for a message")
        return flag != 0
    }

    /// Whether a request is done, in which case it becomes none.
    func isDone(_ request: inout Request) throws -> Bool {
        var flag: Int32 = 0
        try check(test(&request, &flag, nil), "a transfer")
        return flag != 0
    }

    func wait(for request: inout Request) throws { try check(waitFor(&request, nil), "a transfer") }
}
