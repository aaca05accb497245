import Foundation
import Inference
import Text

/// One Chromium and the conversation with it over its debugging pipe: JSON messages that end in a zero byte.
/// It lives on a thread of its own, because the kernel takes the end of the thread that started it for its parent's.
actor BrowserProcess {
    private let executor = EngineThread(name: "lyceum.browser")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private nonisolated let interruption: Interruption
    private var child: ChildProcess?
    private var ending = "it was never started"
    private var lastCommand = 0
    /// What has arrived behind the last whole message.
    private var buffer: [UInt8] = []
    /// How long a message may be; a page decides what it answers.
    private static let messageLimit = 16 << 20
    private let clock = ContinuousClock()

    init() throws(SandboxError) { interruption = try Interruption() }

    func start(_ command: [String]) throws(SandboxError) {
        child = try ChildProcess(
            command: command, inputs: [0: []], requests: SandboxCommand.browserRequests,
            outputs: [1, 2, SandboxCommand.browserReplies])
    }

    /// Sends a command and waits for its reply. A wait that ends otherwise ends the browser.
    func call(
        _ method: String, _ parameters: JSONValue, session: String?, seconds: Double
    ) async throws -> JSONValue {
        try await withTaskCancellationHandler {
            try Task.checkCancellation()
            return try callNow(method, parameters, session: session, seconds: seconds)
        } onCancel: {
            interruption.raise()
        }
    }

    private func callNow(
        _ method: String, _ parameters: JSONValue, session: String?, seconds: Double
    ) throws -> JSONValue {
        guard let child else { throw BrowserError.ended(ending) }
        // What Chromium logs is of use only when it ends.
        for log in [Int32(1), 2] { _ = child.take(log) }
        let number = post(method, parameters, session: session, to: child)
        var reply: JSONValue?
        let pause = child.pump(
            until: clock.now + .seconds(seconds), limit: Self.messageLimit, interruption: interruption.descriptor
        ) { child in
            for message in messages(from: child) {
                if message["id"]?.intValue == number { reply = message }
                // A dialog holds the page up, and nobody is there to answer it.
                if message["method"]?.stringValue == "Page.javascriptDialogOpening" {
                    let answer: JSONValue = ["accept": true]
                    _ = post(
                        "Page.handleJavaScriptDialog", answer, session: message["sessionId"]?.stringValue, to: child)
                }
            }
            return reply != nil || buffer.count > Self.messageLimit || child.isAtEnd(SandboxCommand.browserReplies)
        }
        if let reply {
            if let error = reply["error"] {
                throw BrowserError.refused(command: method, reason: error["message"]?.stringValue ?? error.text())
            }
            return reply["result"] ?? .null
        }
        let said = String(decoding: child.bytes(2), as: UTF8.self).oneLine.suffix(400)
        switch pause {
        case .interrupted:
            end("a command was cancelled")
            throw CancellationError()
        case .deadline:
            end("\(method) took too long")
            throw BrowserError.tooSlow(what: method, seconds: seconds)
        case .done where buffer.count > Self.messageLimit, .flooded: end("it wrote more than is read at once")
        case .done: end(said.isEmpty ? "it stopped by itself" : String(said))
        }
        throw BrowserError.ended(ending)
    }

    private func post(_ method: String, _ parameters: JSONValue, session: String?, to child: ChildProcess) -> Int {
        lastCommand += 1
        var message: [JSONValue.Member] = [
            .init("id", .integer(lastCommand)), .init("method", .string(method)), .init("params", parameters),
        ]
        if let session { message.append(.init("sessionId", .string(session))) }
        child.send(JSONValue.object(message).utf8() + [0], to: SandboxCommand.browserRequests)
        return lastCommand
    }

    /// The whole messages that have arrived; one that is no JSON is passed over.
    private func messages(from child: ChildProcess) -> [JSONValue] {
        buffer += child.take(SandboxCommand.browserReplies)
        var pieces = buffer.split(separator: 0, omittingEmptySubsequences: false)
        buffer = pieces.popLast().map { Array($0) } ?? []
        return pieces.compactMap { try? JSONValue(parsing: Array($0)) }
    }

    /// Kills the browser with all that it started.
    func end(_ reason: String) {
        guard let child else { return }
        ending = reason
        child.terminate()
        _ = child.waitForEnd()
        self.child = nil
    }

    /// Ends the wait of a command, from anywhere.
    nonisolated func interrupt() { interruption.raise() }
}
