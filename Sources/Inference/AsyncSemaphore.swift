import Synchronization

/// Lets a fixed number of tasks through at once; the others wait in the order in which they came.
///
/// A waiting task that is cancelled leaves the queue at once and takes no permit with it.
package final class AsyncSemaphore: Sendable {
    private struct State {
        var free: Int
        var nextTicket: UInt64 = 0
        var waiting: [UInt64: CheckedContinuation<Void, any Error>] = [:]
        /// Tickets in the order of their queuing, from `head` on; those no longer in `waiting` were cancelled.
        var queue: [UInt64] = []
        var head = 0
        /// Tickets cancelled before they were queued.
        var cancelled: Set<UInt64> = []

        mutating func popFirst() -> CheckedContinuation<Void, any Error>? {
            while head < queue.count {
                let ticket = queue[head]
                head += 1
                if head >= 64, head * 2 >= queue.count {
                    queue.removeFirst(head)
                    head = 0
                }
                if let continuation = waiting.removeValue(forKey: ticket) { return continuation }
            }
            return nil
        }
    }

    private enum Entry { case granted, queued, cancelled }

    private let state: Mutex<State>

    package init(permits: Int) {
        state = Mutex(State(free: permits))
    }

    /// Runs `body` while holding a permit.
    package func withPermit<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await acquire()
        defer { release() }
        return try await body()
    }

    /// How many tasks wait, for tests and statistics.
    package var waiters: Int { state.withLock { $0.waiting.count } }

    package func acquire() async throws {
        try Task.checkCancellation()
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        defer { _ = state.withLock { $0.cancelled.remove(ticket) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let entry: Entry = state.withLock { state in
                    if state.cancelled.contains(ticket) { return .cancelled }
                    if state.free > 0 {
                        state.free -= 1
                        return .granted
                    }
                    state.waiting[ticket] = continuation
                    state.queue.append(ticket)
                    return .queued
                }
                switch entry {
                case .granted: continuation.resume()
                case .cancelled: continuation.resume(throwing: CancellationError())
                case .queued: break
                }
            }
        } onCancel: {
            let continuation = state.withLock { state in
                state.cancelled.insert(ticket)
                return state.waiting.removeValue(forKey: ticket)
            }
            continuation?.resume(throwing: CancellationError())
        }
    }

    package func release() {
        let next = state.withLock { state in
            let next = state.popFirst()
            if next == nil { state.free += 1 }
            return next
        }
        next?.resume()
    }
}
