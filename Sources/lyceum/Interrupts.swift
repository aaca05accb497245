import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Ctrl-C: the first cancels the work, so that it ends in order and keeps what it has; the second ends the program at once.
enum Interrupts {
    private static let count = Atomic<Int>(0)

    static var wasInterrupted: Bool { count.load(ordering: .relaxed) > 0 }

    /// Takes an interruption as dealt with: the program goes on.
    static func forget() { count.store(0, ordering: .relaxed) }

    /// `mpirun` hands SIGUSR1 on to its processes, and leaves them the time that a step takes, which it doesn't after Ctrl-C.
    private static let numbers = [SIGINT, SIGTERM] + (Ranks.own.size > 1 ? [SIGUSR1] : [])

    /// Does work that Ctrl-C and a termination signal cancel.
    static func cancelling<Result: Sendable>(
        _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let task = Task { try await work() }
        let sources = numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInitiated))
            source.setEventHandler {
                if count.add(1, ordering: .relaxed).oldValue > 0 { _exit(130) }
                task.cancel()
            }
            source.activate()
            return source
        }
        defer {
            sources.forEach { $0.cancel() }
            for number in numbers { signal(number, SIG_DFL) }
        }
        return try await task.value
    }
}
