import AsyncHTTPClient
import Inference
import Text

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Asks one endpoint: in turn, with key and headers, repeating what may succeed later.
struct Connection: Sendable {
    let endpoint: RemoteEndpoint
    let account: RemoteAccount
    private let key: ResolvedKey
    private let transport: Transport
    private let gate: AsyncSemaphore

    init(endpoint: RemoteEndpoint, account: RemoteAccount, environment: [String: String]) throws {
        try endpoint.validate()
        self.endpoint = endpoint
        self.account = account
        key = try ResolvedKey(for: endpoint, environment: environment)
        transport = Transport(timeouts: endpoint.timeouts, concurrency: endpoint.concurrency)
        gate = AsyncSemaphore(permits: endpoint.concurrency)
    }

    /// Sends a request, repeatedly where needed, and gives what `read` makes of the first good answer.
    ///
    /// - Parameters:
    ///   - body: sent with POST; nil: GET.
    ///   - canRepeat: asked after a failure; false once something was delivered that can't be taken back.
    /// - Throws: ``RemoteError``, or `CancellationError`.
    func ask<Answer: Sendable>(
        _ operation: String, body: JSONValue?, streaming: Bool = false,
        canRepeat: @escaping @Sendable () -> Bool = { true },
        read: @escaping @Sendable (HTTPAnswer) async throws -> Answer
    ) async throws -> Answer {
        let request = makeRequest(operation, body: body, streaming: streaming)
        return try await gate.withPermit {
            let start = ContinuousClock.now
            let deadline = start + endpoint.timeouts.total
            var attempts: [String] = []
            while true {
                let failure: AttemptFailure
                do {
                    account.record { $0.requests += 1 }
                    return try await transport.send(
                        request, timeouts: endpoint.timeouts, deadline: deadline, maxBytes: endpoint.maxResponseBytes
                    ) { answer in
                        guard (200..<300).contains(answer.status) else { throw try await statusFailure(of: answer) }
                        return try await read(answer)
                    }
                } catch let error as AttemptFailure {
                    failure = error
                } catch {
                    failure = AttemptFailure(connecting: error)
                }
                try Task.checkCancellation()
                attempts.append(error(failure.kind).label)
                let retry = attempts.count - 1
                let wait = try wait(after: failure, retry: retry, canRepeat: canRepeat(), deadline: deadline) { kind in
                    var error = error(kind)
                    error.url = endpoint.url.description + "/" + operation
                    error.model = endpoint.name
                    error.attempts = attempts
                    error.elapsed = ContinuousClock.now - start
                    return error
                }
                account.record { $0.retries += 1 }
                try await Task.sleep(for: wait, clock: .continuous)
            }
        }
    }

    /// How long to wait before asking again, or the error that ends the call.
    private func wait(
        after failure: AttemptFailure, retry: Int, canRepeat: Bool, deadline: ContinuousClock.Instant,
        error: (RemoteError.Kind) -> RemoteError
    ) throws -> Duration {
        guard failure.isRetryable, canRepeat, retry < endpoint.retries.maxRetries else { throw error(failure.kind) }
        if let retryAfter = failure.retryAfter, retryAfter > endpoint.retries.longestRetryAfter,
            case .status(let status, _) = failure.kind
        {
            throw error(.retryTooFar(seconds: Int(retryAfter / .seconds(1)), after: status))
        }
        var generator = SystemRandomNumberGenerator()
        let wait = endpoint.retries.delay(beforeRetry: retry, retryAfter: failure.retryAfter, using: &generator)
        guard ContinuousClock.now + wait < deadline else { throw error(failure.kind) }
        return wait
    }

    private func makeRequest(_ operation: String, body: JSONValue?, streaming: Bool) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: endpoint.url.operation(operation))
        request.headers.add(name: "User-Agent", value: "lyceum")
        request.headers.add(name: "Accept", value: streaming ? "text/event-stream" : "application/json")
        if let key = key.key { request.headers.add(name: "Authorization", value: "Bearer \(key.secret)") }
        for header in endpoint.headers { request.headers.replaceOrAdd(name: header.name, value: header.value) }
        if let body {
            request.method = .POST
            request.headers.replaceOrAdd(name: "Content-Type", value: "application/json")
            request.body = .bytes(body.utf8())
        }
        return request
    }

    private func statusFailure(of answer: HTTPAnswer) async throws -> AttemptFailure {
        let body = try await answer.excerpt()
        let text = String(decoding: body, as: UTF8.self)
        let report = try? JSONValue(parsing: body)
        let message =
            report?["error"]?["message"]?.stringValue ?? report?["error"]?.stringValue
            ?? report?["message"]?.stringValue ?? report?["detail"]?.stringValue ?? text
        return AttemptFailure(
            .status(answer.status, excerpt: Excerpt.of(redacted(message))),
            // An account without credit answers 429 too, but waiting doesn't fill it.
            isRetryable: RetryPolicy.isRetryable(status: answer.status)
                && report?["error"]?["code"]?.stringValue != "insufficient_quota",
            retryAfter: retryAfter(of: answer))
    }

    private func retryAfter(of answer: HTTPAnswer) -> Duration? {
        if let text = answer.header("retry-after-ms"), let milliseconds = Double(text), milliseconds >= 0,
            milliseconds.isFinite
        {
            return .milliseconds(min(milliseconds, 1e12))
        }
        return answer.header("retry-after").flatMap {
            RetryAfter.parse($0, now: Date.now.timeIntervalSince1970)
        }
    }

    /// A foreign text without any secret that was sent.
    private func redacted(_ text: String) -> String {
        let secrets = [key.key?.secret].compactMap { $0 } + endpoint.headers.map(\.value).filter { $0.count >= 8 }
        return secrets.reduce(text) { $0.replacing($1, with: "[key]") }
    }

    /// The error of a kind, with the advice that belongs to it.
    private func error(_ kind: RemoteError.Kind) -> RemoteError {
        switch kind {
        case .status(401, _), .status(403, _):
            let hint: String
            if key.isWithheld {
                hint = """
                    A key was found in the environment but not sent, because \(endpoint.url.host) would get it \
                    unencrypted: use https, or permit it with sendsKeyOverPlainHTTP.
                    """
            } else if key.key == nil {
                hint = "No key was sent: set \(KeySource.variable(forHost: endpoint.url.host)) or LYCEUM_API_KEY."
            } else {
                hint = "The key that was sent isn't accepted there."
            }
            return RemoteError(kind, hint: hint)
        case .status(404, _):
            return RemoteError(
                kind,
                hint: "Is the model's name right, and does the URL end where the server's API begins (mostly /v1)?")
        case .status(300..<400, _):
            return RemoteError(kind, hint: "Redirects aren't followed: give the URL that it moved to.")
        case .reported(let message): return RemoteError(.reported(redacted(message)))
        case .malformed(let problem): return RemoteError(.malformed(redacted(problem)))
        case .constraintIgnored(let problem): return RemoteError(.constraintIgnored(redacted(problem)))
        default: return RemoteError(kind)
        }
    }
}
