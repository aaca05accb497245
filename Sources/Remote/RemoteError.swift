/// Why an endpoint gave no answer: what was asked where, what came back, and what was retried. Never holds a key.
public struct RemoteError: Error, Sendable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// A setting can't be used. The sentence says which and what would be right.
        case invalidEndpoint(String)
        /// The request needs what this endpoint can't do. Nothing was sent.
        case unsupported(String)
        /// The endpoint answered with an error; the excerpt is of its body, at most 500 characters.
        case status(Int, excerpt: String)
        /// The endpoint reported an error inside an answer that began well.
        case reported(String)
        /// No connection, or one that broke before an answer came.
        case connection(String)
        case timedOut(Phase)
        /// The answer ended before it was whole.
        case truncated(String)
        /// The answer isn't what the protocol says.
        case malformed(String)
        /// The answer is longer than allowed, in bytes.
        case tooLarge(limit: Int)
        /// The answer breaks the constraint that was asked for, so the endpoint ignored it.
        case constraintIgnored(String)
        /// The endpoint wants to be asked again only after a longer time than is allowed, in seconds.
        case retryTooFar(seconds: Int, after: Int)
    }

    public enum Phase: String, Sendable, Hashable {
        case connect, firstByte, betweenBytes, total
    }

    public var kind: Kind
    /// Where it was asked, without query; nil when nothing was asked.
    public var url: String?
    public var model: String?
    /// What became of each request that was sent, in order, in a word or two: `503`, `timed out`.
    public var attempts: [String]
    /// From the first request to this error.
    public var elapsed: Duration
    /// A further sentence that helps.
    public var hint: String?

    init(_ kind: Kind, hint: String? = nil) {
        self.kind = kind
        self.hint = hint
        attempts = []
        elapsed = .zero
    }

    public var description: String {
        var sentences: [String] = []
        switch kind {
        case .invalidEndpoint(let problem), .unsupported(let problem): sentences.append(problem)
        default:
            let place = url.map { "The endpoint \($0)" } ?? "The endpoint"
            let subject = model.map { "\(place) (model \($0))" } ?? place
            sentences.append("\(subject) \(whatHappened).")
        }
        if attempts.count > 1 {
            sentences.append(
                "Asked \(attempts.count) times over \(Excerpt.seconds(elapsed)): \(attempts.joined(separator: ", ")).")
        }
        if let hint { sentences.append(hint) }
        return sentences.joined(separator: " ")
    }

    private var whatHappened: String {
        switch kind {
        case .invalidEndpoint(let problem), .unsupported(let problem): problem
        case .status(let code, let excerpt):
            "answered \(code)\(Self.reason(of: code).map { " " + $0 } ?? "")"
                + (excerpt.isEmpty ? " without a body" : ": “\(excerpt)”")
        case .reported(let message): "reported an error in its answer: “\(message)”"
        case .connection(let reason): "couldn't be reached: \(reason)"
        case .timedOut(.connect): "did not accept a connection in time"
        case .timedOut(.firstByte): "did not begin its answer in time"
        case .timedOut(.betweenBytes): "fell silent in the middle of its answer"
        case .timedOut(.total): "did not finish in the time that the whole call may take"
        case .truncated(let place): "broke off its answer \(place)"
        case .malformed(let problem): "gave an answer that can't be read: \(problem)"
        case .tooLarge(let limit): "gave an answer longer than the \(limit) bytes that are allowed (maxResponseBytes)"
        case .constraintIgnored(let problem): "ignored the constraint that was asked for: \(problem)"
        case .retryTooFar(let seconds, let status):
            "answered \(status) and wants to be asked again only after \(seconds) s, longer than longestRetryAfter allows"
        }
    }

    /// The kind in a word or two, for the list of attempts.
    var label: String {
        switch kind {
        case .invalidEndpoint: "not asked"
        case .unsupported: "unsupported"
        case .status(let code, _): "\(code)"
        case .reported: "error in the answer"
        case .connection: "no connection"
        case .timedOut(let phase): "timed out (\(phase.rawValue))"
        case .truncated: "broken off"
        case .malformed: "unreadable"
        case .tooLarge: "too long"
        case .constraintIgnored: "constraint ignored"
        case .retryTooFar(_, let status): "\(status)"
        }
    }

    private static func reason(of status: Int) -> String? {
        let reasons = [
            301: "Moved Permanently", 302: "Found", 307: "Temporary Redirect", 308: "Permanent Redirect",
            400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
            408: "Request Timeout", 409: "Conflict", 413: "Content Too Large", 422: "Unprocessable Content",
            425: "Too Early", 429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented",
            502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
        ]
        return reasons[status]
    }
}

/// Makes foreign text fit for one line of a message.
enum Excerpt {
    /// The beginning of a text on one line, without control characters.
    static func of(_ text: some StringProtocol, limit: Int = 500) -> String {
        var result = ""
        var length = 0
        var pendingSpace = false
        for scalar in text.unicodeScalars {
            if scalar.properties.isWhitespace || scalar.properties.generalCategory == .control {
                pendingSpace = !result.isEmpty
                continue
            }
            if scalar.properties.generalCategory == .format { continue }
            let needed = pendingSpace ? 2 : 1
            guard length + needed <= limit else { return result + "…" }
            if pendingSpace { result.append(" ") }
            pendingSpace = false
            result.unicodeScalars.append(scalar)
            length += needed
        }
        return result
    }

    /// A duration in seconds with one digit, such as `3.2 s`.
    static func seconds(_ duration: Duration) -> String {
        let tenths = Int((duration / .milliseconds(100)).rounded())
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
