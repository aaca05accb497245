import AsyncHTTPClient
import Text

/// Why one request failed, and whether another may fare better.
struct AttemptFailure: Error {
    var kind: RemoteError.Kind
    var isRetryable: Bool
    var retryAfter: Duration?

    init(_ kind: RemoteError.Kind, isRetryable: Bool, retryAfter: Duration? = nil) {
        self.kind = kind
        self.isRetryable = isRetryable
        self.retryAfter = retryAfter
    }

    static func malformed(_ problem: String) -> AttemptFailure {
        AttemptFailure(.malformed(problem), isRetryable: false)
    }

    /// An error object inside an answer whose status was success.
    init(reported error: JSONValue) {
        let message = error["message"]?.stringValue ?? error.stringValue ?? error.text()
        let code = error["code"]?.intValue ?? error["status"]?.intValue
        self.init(
            .reported(Excerpt.of(message)), isRetryable: code.map(RetryPolicy.isRetryable(status:)) ?? false)
    }

    /// What the client threw before there was an answer.
    init(connecting error: any Error) {
        if let failure = error as? AttemptFailure {
            self = failure
            return
        }
        switch error as? HTTPClientError {
        case .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout:
            self.init(.timedOut(.connect), isRetryable: true)
        case .remoteConnectionClosed:
            self.init(.connection("it closed the connection before answering"), isRetryable: true)
        case .invalidURL, .emptyHost, .unsupportedScheme(""):
            self.init(.connection("its URL can't be used"), isRetryable: false)
        default:
            let description = "\(error)"
            let isUntrusted =
                description.contains("CERTIFICATE_VERIFY_FAILED")
                || description.contains("unableToValidateCertificate")
            self.init(.connection(Self.reason(from: description)), isRetryable: !isUntrusted)
        }
    }

    /// The sentence inside a connection error, whose own description is for programmers.
    private static func reason(from description: String) -> String {
        let known = [
            ("Connection refused", "connection refused, so no server listens there"),
            ("Connection reset", "the connection was reset"), ("Broken pipe", "the connection was reset"),
            ("Network is unreachable", "the network is unreachable"), ("No route to host", "there is no route to it"),
            ("CERTIFICATE_VERIFY_FAILED", "its TLS certificate isn't trusted"),
            ("unableToValidateCertificate", "its TLS certificate is for another name"),
            ("dnsAError: Optional", "its host name isn't known"), ("unknown host", "its host name isn't known"),
        ]
        return known.first { description.contains($0.0) }?.1 ?? Excerpt.of(description, limit: 300)
    }
}
