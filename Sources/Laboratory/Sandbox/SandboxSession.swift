import Foundation
import Text

/// A Python in a sandbox that keeps its state from block to block, as a notebook does.
///
/// A block that takes too long, writes too much or ends the interpreter ends the session: its result says so, and later
/// blocks throw `SandboxError.sessionEnded`. An exception, lack of memory included, ends the block alone. The session also ends when
/// it is closed, when the task of a block is cancelled, and with this value.
public actor SandboxSession {
    private let process: SandboxProcess
    private let limits: SandboxLimits
    private var blocks = 0
    private var isBusy = false
    private var ending: String?

    init(process: SandboxProcess, limits: SandboxLimits) {
        self.process = process
        self.limits = limits
    }

    /// Why the session is over; nil while it lasts.
    public var sessionEnd: String? { ending }

    /// Runs a block of code. Blocks run one at a time; a second one while the first runs is an error.
    ///
    /// - Throws: `SandboxError.sessionEnded`, `SandboxError.failed`, `CancellationError`; never for what the code does.
    public func run(_ code: String) async throws -> SandboxBlockResult {
        if let ending { throw SandboxError.sessionEnded(ending) }
        guard !isBusy else { throw SandboxError.failed("a block of this session runs already; await its end first") }
        try Task.checkCancellation()
        isBusy = true
        defer { isBusy = false }
        blocks += 1
        let number = blocks
        let bytes = Array(code.utf8)
        let exchange = await process.exchange(
            Array("\(number) \(bytes.count)\n".utf8) + bytes, limits: limits
        ) { line in
            // Code may write into the pipe of replies, too; only lies about itself come of it.
            (try? JSONValue(parsing: Array(line)))?["block"]?.intValue == number
        }
        var result = SandboxBlockResult(
            output: String(decoding: exchange.output, as: UTF8.self),
            errors: String(decoding: exchange.errors, as: UTF8.self), seconds: exchange.seconds)
        switch exchange.outcome {
        case .reply(let line):
            let reply = try JSONValue(parsing: line)
            result.value = reply["value"]?.stringValue
            result.exception = reply["exception"]?.stringValue
            result.limit = result.exception.flatMap { SandboxLimit(exception: $0) }
        case .limit(let limit):
            result.limit = limit
            ending = "block \(number) went over its limit of \(limit.title) and was killed"
        case .ended(let status):
            ending = "block \(number) ended the interpreter" + (status.map { " with status \($0)" } ?? "")
        case .interrupted:
            if let ending { throw SandboxError.sessionEnded(ending) }
            ending = "block \(number) was cancelled"
            throw CancellationError()
        }
        result.sessionEnd = ending
        return result
    }

    /// Ends the session and everything that its code started.
    public func close() async {
        if ending == nil { ending = "it was closed" }
        process.interrupt()
        await process.end()
    }
}
