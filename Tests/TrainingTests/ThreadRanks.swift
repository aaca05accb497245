import Foundation
import Synchronization
import Tensors
import Training

/// Ranks that are threads of this process, for tests. What they share lies on one table: every call has its number, and is done when all ranks
/// that take part have made it.
///
/// `@unchecked Sendable`: everything that changes is guarded by the condition.
final class ThreadRanks: @unchecked Sendable {
    /// One of the ranks was abandoned.
    struct Abandoned: Error {}
    /// The ranks called different things.
    struct OutOfStep: Error {}

    private struct Call {
        var kind: String
        var tensors: [Int: Tensor] = [:]
        var bytes: [Int: [UInt8]] = [:]
        var isDone = false
    }

    private let condition = NSCondition()
    private var calls: [Int: Call] = [:]
    private var letters: [String: [[Float]]] = [:]
    private var isAbandoned = false
    private let size: Int
    /// Numbers that were summed at another rank or spread from one, by rank.
    private(set) var received: [Int]

    init(_ size: Int) {
        self.size = size
        received = Array(repeating: 0, count: size)
    }

    /// Runs the body as every rank at once, each on a thread of its own, and gives what they return in order. The first error of any is
    /// thrown when all have ended.
    static func run<Result: Sendable>(
        _ size: Int, _ body: @escaping @Sendable (any Communicator) throws -> Result
    ) throws -> [Result] {
        let table = ThreadRanks(size)
        let results = Mutex<[Int: Swift.Result<Result, any Error>]>([:])
        let group = DispatchGroup()
        for rank in 0..<size {
            group.enter()
            let thread = Thread {
                let own = Rank(rank: rank, table: table)
                let result = Swift.Result {
                    do { return try body(own) } catch {
                        own.abandon(error)
                        throw error
                    }
                }
                results.withLock { $0[rank] = result }
                group.leave()
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
        group.wait()
        let all = results.withLock { results in (0..<size).compactMap { results[$0] } }
        // The cause before its consequences.
        for case .failure(let error) in all where !(error is Abandoned) { throw error }
        return try all.map { try $0.get() }
    }

    // MARK: Calls

    fileprivate func begin(_ number: Int, _ kind: String, rank: Int, tensor: Tensor? = nil, bytes: [UInt8]? = nil)
        throws
    {
        condition.lock()
        defer { condition.unlock() }
        if isAbandoned { throw Abandoned() }
        var call = calls[number] ?? Call(kind: kind)
        guard call.kind == kind else {
            isAbandoned = true
            condition.broadcast()
            throw OutOfStep()
        }
        call.tensors[rank] = tensor
        call.bytes[rank] = bytes
        if max(call.tensors.count, call.bytes.count) == size {
            finish(&call)
            condition.broadcast()
        }
        calls[number] = call
    }

    private func finish(_ call: inout Call) {
        call.isDone = true
        let words = call.kind.split(separator: " ")
        guard words.count == 3, let owner = Int(words[1]), let own = call.tensors[owner] else { return }
        for other in 0..<size where other != owner {
            guard let tensor = call.tensors[other] else { continue }
            if words[0] == "sum" { own.accumulate(tensor) } else { tensor.assign(own) }
            received[words[0] == "sum" ? owner : other] += tensor.count
        }
        call.tensors = [:]
    }

    fileprivate func isDone(_ number: Int) throws -> Bool {
        condition.lock()
        defer { condition.unlock() }
        if isAbandoned { throw Abandoned() }
        return calls[number]?.isDone ?? false
    }

    fileprivate func wait(_ number: Int) throws -> [[UInt8]] {
        condition.lock()
        defer { condition.unlock() }
        while !(calls[number]?.isDone ?? false) {
            if isAbandoned { throw Abandoned() }
            condition.wait()
        }
        return (0..<size).map { calls[number]?.bytes[$0] ?? [] }
    }

    fileprivate func post(_ letter: [Float], _ address: String) {
        condition.lock()
        letters[address, default: []].append(letter)
        condition.broadcast()
        condition.unlock()
    }

    fileprivate func take(_ address: String) throws -> [Float] {
        condition.lock()
        defer { condition.unlock() }
        while letters[address]?.isEmpty ?? true {
            if isAbandoned { throw Abandoned() }
            condition.wait()
        }
        return letters[address]!.removeFirst()
    }

    fileprivate func abandon() {
        condition.lock()
        isAbandoned = true
        condition.broadcast()
        condition.unlock()
    }
}

/// One of the threads' ranks.
private final class Rank: Communicator {
    let rank: Int
    private let table: ThreadRanks
    private var calls = 0
    let size: Int

    init(rank: Int, table: ThreadRanks) {
        (self.rank, self.table) = (rank, table)
        size = table.received.count
    }

    private struct Pending: Transfer {
        let number: Int
        let table: ThreadRanks
        func isDone() throws -> Bool { try table.isDone(number) }
        func wait() throws { _ = try table.wait(number) }
    }

    private func start(_ kind: String, tensor: Tensor? = nil, bytes: [UInt8]? = nil) throws -> Int {
        calls += 1
        try table.begin(calls, kind, rank: rank, tensor: tensor, bytes: bytes)
        return calls
    }

    func gather(_ bytes: [UInt8]) throws -> [[UInt8]] { try table.wait(start("gather", bytes: bytes)) }

    func startSum(_ tensor: Tensor, at owner: Int) throws -> any Transfer {
        Pending(number: try start("sum \(owner) \(tensor.count)", tensor: tensor), table: table)
    }

    func startSpread(_ tensor: Tensor, from owner: Int) throws -> any Transfer {
        Pending(number: try start("spread \(owner) \(tensor.count)", tensor: tensor), table: table)
    }

    func send(_ tensor: Tensor, to other: Int) { table.post(tensor.floats(), "\(rank) \(other)") }

    func receive(_ tensor: Tensor, from other: Int) throws {
        tensor.assign(Tensor(try table.take("\(other) \(rank)"), tensor.shape))
    }

    func leave() throws { _ = try gather([]) }
    func abandon(_ error: any Error) { table.abandon() }
}
