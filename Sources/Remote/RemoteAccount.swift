import Inference
import Synchronization

/// What was asked of endpoints and what it cost. One account may serve several models.
public final class RemoteAccount: Sendable {
    /// The account's figures at one moment.
    public struct Ledger: Sendable, Hashable, Codable {
        /// Completions and scores that were asked for, from the cache or over the network.
        public var calls = 0
        /// Requests sent over the network.
        public var requests = 0
        /// Requests that repeated a failed one.
        public var retries = 0
        public var cacheHits = 0
        /// Answers that couldn't be kept in the cache, such as on a full disk.
        public var cacheWriteFailures = 0
        /// Calls that ended with an error.
        public var failures = 0
        /// Calls that were cancelled.
        public var cancelled = 0
        /// Tokens as the endpoints counted them, without cache hits.
        public var usage = Usage()

        public init() {}
    }

    private let state = Mutex(Ledger())

    public init() {}

    public var ledger: Ledger { state.withLock { $0 } }

    func record(_ change: (inout Ledger) -> Void) {
        state.withLock { change(&$0) }
    }

    /// Runs a call and counts it and how it ended.
    func counting<Value>(_ body: () async throws -> Value) async throws -> Value {
        record { $0.calls += 1 }
        do {
            return try await body()
        } catch {
            record { ledger in
                if error is CancellationError { ledger.cancelled += 1 } else { ledger.failures += 1 }
            }
            throw error
        }
    }
}
