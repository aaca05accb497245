import Foundation
import Inference
import Text

/// One bubblewrap with what runs in it, on a thread of its own that lives as long.
actor SandboxProcess {
    private let executor = EngineThread(name: "lyceum.sandbox")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private nonisolated let interruption: Interruption
    private var child: ChildProcess?
    private let clock = ContinuousClock()

    /// How long the pipes of something killed are waited for.
    private static let grace = Duration.seconds(2)
    /// The descriptors that sessions speak over: the driver reads blocks from the one and writes replies to the other.
    static let requests: Int32 = 4
    static let replies: Int32 = 5

    init() throws(SandboxError) { interruption = try Interruption() }

    /// Runs a program from start to end.
    func run(_ command: [String], inputs: [Int32: [UInt8]], limits: SandboxLimits) async throws -> SandboxResult {
        try await withTaskCancellationHandler {
            try Task.checkCancellation()
            return try runToEnd(command, inputs: inputs, limits: limits)
        } onCancel: {
            interruption.raise()
        }
    }

    private func runToEnd(
        _ command: [String], inputs: [Int32: [UInt8]], limits: SandboxLimits
    ) throws -> SandboxResult {
        let start = clock.now
        let status = SandboxCommand.statusDescriptor
        let child = try ChildProcess(command: command, inputs: inputs, outputs: [1, 2, status])
        let pause = child.pump(
            until: start + .seconds(limits.wallSeconds), limit: limits.outputBytes,
            interruption: interruption.descriptor
        ) { $0.isAtEnd }
        if pause != .done { finish(child, limit: limits.outputBytes) }
        _ = child.waitForEnd()
        if pause == .interrupted { throw CancellationError() }
        let errors = String(decoding: child.bytes(2), as: UTF8.self)
        let code = pause == .done ? Self.exitStatus(child.bytes(status)) : nil
        if pause == .done, code == nil { throw SandboxError.failed(errors.oneLine) }
        let limit: SandboxLimit? =
            switch pause {
            case .deadline: .wallTime
            case .flooded: .output
            default: code.flatMap { Self.limit(status: $0, errors: errors) }
            }
        return SandboxResult(
            output: String(decoding: child.bytes(1), as: UTF8.self), errors: errors, status: code, limit: limit,
            seconds: (clock.now - start).seconds)
    }

    /// Kills a program and takes what still lies in its pipes, which closes them.
    private func finish(_ child: ChildProcess, limit: Int) {
        child.terminate()
        _ = child.pump(until: clock.now + Self.grace, limit: limit, interruption: nil) { $0.isAtEnd }
    }

    /// The program's exit status out of bubblewrap's reports, one JSON object a line; nil when the program never ran.
    private static func exitStatus(_ reports: [UInt8]) -> Int? {
        for line in reports.split(separator: UInt8(ascii: "\n")) {
            if let status = (try? JSONValue(parsing: Array(line)))?["exit-code"]?.intValue { return status }
        }
        return nil
    }

    private static func limit(status: Int, errors: String) -> SandboxLimit? {
        switch status {
        case 0: nil
        case 128 + Int(SIGXCPU): .processorTime
        case 128 + Int(SIGXFSZ): .fileSize
        default: errors.split(separator: "\n").last.flatMap { SandboxLimit(exception: $0) }
        }
    }

    // MARK: Sessions

    /// Starts a program that answers requests until it is closed.
    func start(_ command: [String], inputs: [Int32: [UInt8]]) throws {
        child = try ChildProcess(
            command: command, inputs: inputs, requests: Self.requests,
            outputs: [1, 2, SandboxCommand.statusDescriptor, Self.replies])
    }

    /// What came of a request.
    struct Exchange: Sendable {
        enum Outcome: Sendable { case reply([UInt8]), limit(SandboxLimit), ended(status: Int?), interrupted }
        var outcome: Outcome
        var output: [UInt8]
        var errors: [UInt8]
        var seconds: Double
    }

    /// Sends a request and waits for a line of reply that `isReply` takes. Whatever ends the wait otherwise ends the program.
    func exchange(
        _ request: [UInt8], limits: SandboxLimits, isReply: @Sendable @escaping (ArraySlice<UInt8>) -> Bool
    ) async -> Exchange {
        await withTaskCancellationHandler {
            exchangeNow(request, limits: limits, isReply: isReply)
        } onCancel: {
            interruption.raise()
        }
    }

    private func exchangeNow(
        _ request: [UInt8], limits: SandboxLimits, isReply: (ArraySlice<UInt8>) -> Bool
    ) -> Exchange {
        let start = clock.now
        guard let child else { return Exchange(outcome: .ended(status: nil), output: [], errors: [], seconds: 0) }
        // What processes left behind by earlier blocks have written belongs to no block.
        child.readWhatIsThere(limit: limits.outputBytes)
        for descriptor in [1, 2, Self.replies] { _ = child.take(descriptor) }
        child.send(request, to: Self.requests)
        var reply: [UInt8]?
        let status = SandboxCommand.statusDescriptor
        let pause = child.pump(
            until: start + .seconds(limits.wallSeconds), limit: limits.outputBytes,
            interruption: interruption.descriptor
        ) { child in
            // The last piece is a line that has not ended yet.
            let lines = child.bytes(Self.replies).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            reply = lines.dropLast().first(where: isReply).map { Array($0) }
            return reply != nil || child.isAtEnd(status)
        }
        let outcome: Exchange.Outcome
        switch (pause, reply) {
        case (.done, let reply?):
            // Whatever the block has written lies in the pipes by now.
            let fits = child.readWhatIsThere(limit: limits.outputBytes)
            outcome = fits ? .reply(reply) : .limit(.output)
        case (.done, nil):
            let code = Self.exitStatus(child.bytes(status))
            outcome = code == 128 + Int(SIGXCPU) ? .limit(.processorTime) : .ended(status: code)
        case (.deadline, _): outcome = .limit(.wallTime)
        case (.flooded, _): outcome = .limit(.output)
        case (.interrupted, _): outcome = .interrupted
        }
        if case .reply = outcome {} else { end(limit: limits.outputBytes) }
        return Exchange(
            outcome: outcome, output: child.take(1), errors: child.take(2), seconds: (clock.now - start).seconds)
    }

    /// Ends the wait of an exchange, from anywhere.
    nonisolated func interrupt() { interruption.raise() }

    /// Ends the program with all that it started.
    func end(limit: Int = 0) {
        guard let child else { return }
        finish(child, limit: limit)
        _ = child.waitForEnd()
        self.child = nil
    }
}
