/// What a program in a sandbox did.
public struct SandboxResult: Sendable, Hashable, Codable {
    /// What it wrote to standard output and standard error, up to the limit. Bytes that are no UTF-8 are replaced.
    public var output: String
    public var errors: String
    /// The exit status, with 128 and the signal's number for a program that a signal ended; nil when the sandbox was killed.
    public var status: Int?
    /// The limit that ended it.
    public var limit: SandboxLimit?
    /// Seconds by the clock, the making of the sandbox included.
    public var seconds: Double

    /// Whether it ended by itself without an error.
    public var succeeded: Bool { status == 0 }

    public init(output: String, errors: String, status: Int?, limit: SandboxLimit?, seconds: Double) {
        self.output = output
        self.errors = errors
        self.status = status
        self.limit = limit
        self.seconds = seconds
    }
}

/// What a block of code did in a session.
public struct SandboxBlockResult: Sendable, Hashable, Codable {
    /// What was written to standard output and standard error while the block ran, up to the limit. The trace of an exception
    /// that the block did not catch is the last of `errors`.
    public var output: String
    public var errors: String
    /// What Python's `repr` says of the block's last line where that is an expression other than None.
    public var value: String?
    /// The last line of an exception that the block did not catch: `ZeroDivisionError: division by zero`.
    public var exception: String?
    /// The limit that was hit.
    public var limit: SandboxLimit?
    /// Why the session is over, where this block ended it.
    public var sessionEnd: String?
    /// Seconds by the clock.
    public var seconds: Double

    public var succeeded: Bool { exception == nil && limit == nil && sessionEnd == nil }
}
