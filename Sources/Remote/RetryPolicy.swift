/// When a failed request is repeated, and after how long.
///
/// Before retry n (from 0) the wait is drawn uniformly from 0 … min(maxDelay, baseDelay · 2ⁿ) ("full jitter"), so that many
/// callers who failed together don't return together. Where the endpoint says Retry-After, that is the least wait.
public struct RetryPolicy: Sendable, Hashable {
    /// How often a request is repeated; 0: never.
    public var maxRetries = 5
    public var baseDelay: Duration = .milliseconds(500)
    public var maxDelay: Duration = .seconds(30)
    /// The longest Retry-After that is waited for; a longer one is an error at once.
    public var longestRetryAfter: Duration = .seconds(120)

    public init() {}

    public static var never: RetryPolicy {
        var policy = RetryPolicy()
        policy.maxRetries = 0
        return policy
    }

    /// Whether the same request may succeed later.
    package static func isRetryable(status: Int) -> Bool {
        switch status {
        case 408, 409, 425, 429: true
        case 501, 505: false
        case 500...599: true
        default: false
        }
    }

    /// The wait before a retry.
    package func delay(
        beforeRetry retry: Int, retryAfter: Duration?, using generator: inout some RandomNumberGenerator
    ) -> Duration {
        let ceiling = min(maxDelay, baseDelay * (1 << min(max(retry, 0), 30)))
        let jitter = ceiling * Double.random(in: 0...1, using: &generator)
        guard let retryAfter else { return jitter }
        return retryAfter + min(jitter, baseDelay)
    }
}

/// Reads when an endpoint wants to be asked again.
package enum RetryAfter {
    /// The wait that a Retry-After header asks for: seconds, or a date in any of HTTP's three forms (RFC 9110, 5.6.7).
    ///
    /// - Parameter now: seconds since 1970.
    /// - Returns: never less than zero; nil when the header says neither.
    package static func parse(_ text: String, now: Double) -> Duration? {
        let trimmed = text.split(separator: " ").joined(separator: " ")
        if let seconds = Double(trimmed), seconds.isFinite {
            return .seconds(min(max(seconds, 0), 1e9))
        }
        guard let date = secondsSince1970(httpDate: trimmed) else { return nil }
        return .seconds(max(Double(date) - now, 0))
    }

    package static func secondsSince1970(httpDate text: String) -> Int? {
        guard text.utf8.count <= 64 else { return nil }
        var parts = text.split { " ,-:".contains($0) }.map(String.init)
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        if parts.count == 7 {
            // asctime's order: Sun Nov 6 08:49:37 1994
            parts = [parts[0], parts[2], parts[1], parts[6], parts[3], parts[4], parts[5], "GMT"]
        }
        guard parts.count == 8, parts[7] == "GMT", let month = months.firstIndex(of: parts[2]).map({ $0 + 1 }),
            let day = Int(parts[1]), var year = Int(parts[3]), let hour = Int(parts[4]), let minute = Int(parts[5]),
            let second = Int(parts[6]), (1...31).contains(day), (0...9999).contains(year), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        if year < 100 { year += year < 70 ? 2000 : 1900 }
        return daysSince1970(year: year, month: month, day: day) * 86400 + hour * 3600 + minute * 60 + second
    }

    /// Days of the Gregorian calendar, with years counted from March so that the leap day comes last.
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let marchYear = month <= 2 ? year - 1 : year
        let marchMonth = (month + 9) % 12
        let daysBeforeMonth = (153 * marchMonth + 2) / 5
        let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
        return marchYear * 365 + leapDays + daysBeforeMonth + day - 1 - 719_468
    }
}
