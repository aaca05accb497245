import AsyncHTTPClient
import Synchronization

/// The HTTP client of one endpoint. Its connections are closed when the last user lets go of it; its threads are the
/// process's shared ones.
final class Transport: Sendable {
    private let client: HTTPClient

    init(timeouts: RemoteTimeouts, concurrency: Int) {
        var configuration = HTTPClient.Configuration(
            // Following a redirect would carry the key and the prompt to a place that the user didn't name.
            redirectConfiguration: .disallow,
            timeout: .init(connect: .nanoseconds(Int64(timeouts.connect / .nanoseconds(1)))))
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = min(concurrency, 1024)
        // Failed connections are counted and retried like every other failure, not silently underneath.
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    deinit {
        client.shutdown { _ in }
    }

    /// Sends one request and hands its answer to `read` under the time-outs of `timeouts`.
    ///
    /// - Parameter deadline: when the whole call must be over.
    func send<Answer: Sendable>(
        _ request: HTTPClientRequest, timeouts: RemoteTimeouts, deadline: ContinuousClock.Instant,
        maxBytes: Int, read: @escaping @Sendable (HTTPAnswer) async throws -> Answer
    ) async throws -> Answer {
        let watch = Watch(timeouts: timeouts, deadline: deadline)
        let client = client
        return try await withThrowingTaskGroup(of: Answer?.self) { group in
            group.addTask {
                let response: HTTPClientResponse
                do {
                    // The watch keeps the time; this limit only satisfies the client.
                    response = try await client.execute(request, timeout: .hours(24 * 365))
                } catch {
                    throw AttemptFailure(connecting: error)
                }
                return try await read(HTTPAnswer(response: response, watch: watch, maxBytes: maxBytes))
            }
            group.addTask {
                try await watch.run()
                return nil
            }
            defer { group.cancelAll() }
            while let finished = try await group.next() {
                if let answer = finished { return answer }
            }
            throw CancellationError()
        }
    }
}

/// An answer whose body is still arriving.
struct HTTPAnswer: Sendable {
    fileprivate let response: HTTPClientResponse
    fileprivate let watch: Watch
    fileprivate let maxBytes: Int

    var status: Int { Int(response.status.code) }

    func header(_ name: String) -> String? { response.headers.first(name: name) }

    /// Whether the body is a stream of events.
    var isEventStream: Bool { header("content-type")?.lowercased().hasPrefix("text/event-stream") == true }

    /// Hands each piece of the body to `consume` until that returns false or the body ends.
    ///
    /// - Throws: ``AttemptFailure``: `truncated` when the connection breaks, `tooLarge` past the limit.
    func forEachPiece(_ consume: ([UInt8]) throws -> Bool) async throws {
        var total = 0
        var iterator = response.body.makeAsyncIterator()
        while true {
            let buffer: HTTPClientResponse.Body.Element?
            do {
                buffer = try await iterator.next()
            } catch {
                try Task.checkCancellation()
                throw AttemptFailure(.truncated("after \(total) bytes"), isRetryable: true)
            }
            // A cancelled body ends like a finished one.
            try Task.checkCancellation()
            guard let buffer else { return }
            watch.touch()
            total += buffer.readableBytes
            guard total <= maxBytes else { throw AttemptFailure(.tooLarge(limit: maxBytes), isRetryable: false) }
            guard try consume(Array(buffer.readableBytesView)) else { return }
        }
    }

    /// The whole body.
    func collect() async throws -> [UInt8] {
        var body: [UInt8] = []
        try await forEachPiece { piece in
            body += piece
            return true
        }
        return body
    }

    /// The beginning of the body, of an answer that is an error.
    func excerpt(limit: Int = 64 << 10) async throws -> [UInt8] {
        var body: [UInt8] = []
        do {
            try await forEachPiece { piece in
                body += piece.prefix(limit - body.count)
                return body.count < limit
            }
        } catch is AttemptFailure {
            // The status counts; its explanation may be cut.
        }
        return body
    }
}

/// Fails when an answer is late.
private final class Watch: Sendable {
    private struct State {
        var phase: RemoteError.Phase = .firstByte
        var deadline: ContinuousClock.Instant
    }

    private let state: Mutex<State>
    private let betweenBytes: Duration
    private let total: ContinuousClock.Instant
    /// How often to look: the deadline may come nearer when the phase changes.
    private let interval: Duration

    init(timeouts: RemoteTimeouts, deadline: ContinuousClock.Instant) {
        betweenBytes = timeouts.betweenBytes
        total = deadline
        interval = max(min(timeouts.firstByte, timeouts.betweenBytes) / 4, .milliseconds(5))
        // Connecting has its own time-out and comes first.
        state = Mutex(State(deadline: .now + timeouts.connect + timeouts.firstByte))
    }

    /// Notes that bytes have come.
    func touch() {
        let deadline = ContinuousClock.now + betweenBytes
        state.withLock { $0 = State(phase: .betweenBytes, deadline: deadline) }
    }

    /// Returns never but by throwing.
    func run() async throws {
        while true {
            let (phase, deadline) = state.withLock { ($0.phase, $0.deadline) }
            let now = ContinuousClock.now
            if now >= total { throw AttemptFailure(.timedOut(.total), isRetryable: false) }
            if now >= deadline { throw AttemptFailure(.timedOut(phase), isRetryable: true) }
            try await Task.sleep(until: min(deadline, total, now + interval), clock: .continuous)
        }
    }
}
