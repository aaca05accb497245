import Foundation
import Inference

/// Runs Python that nobody has read, such as a model's, where it can do no harm: in bubblewrap, without a network, with a
/// read-only system, a private `/tmp`, none of the user's files, an empty environment and limits on everything.
///
/// Any number of tasks may call at once; so many programs run at a time as there are slots. Cancelling a task kills
/// its program with all that it started. Without bubblewrap nothing runs: there is no unprotected mode.
///
/// The walls are the kernel's namespaces and limits; a hole in the kernel is a hole in the sandbox. Memory is limited for each
/// process; all processes of a program together may use `processes` times as much, and when the machine runs out, the
/// sandbox goes first.
public struct Sandbox: Sendable {
    /// The limits of programs and sessions that name none of their own.
    public let limits: SandboxLimits
    private let command: SandboxCommand
    private let slots: AsyncSemaphore

    /// Makes sure that sandboxes can be made here by making one.
    ///
    /// - Parameter atOnce: how many programs run at a time; nil: one a processor.
    /// - Throws: `SandboxError`, saying what to install or to allow.
    public init(limits: SandboxLimits = SandboxLimits(), atOnce: Int? = nil) async throws {
        try await self.init(limits: limits, atOnce: atOnce, command: SandboxCommand())
    }

    package init(limits: SandboxLimits, atOnce: Int? = nil, command: SandboxCommand) async throws {
        try limits.check()
        self.limits = limits
        self.command = command
        slots = AsyncSemaphore(permits: max(1, atOnce ?? ProcessInfo.processInfo.activeProcessorCount))
        let trial: SandboxResult
        do {
            trial = try await run("print('ready')")
        } catch SandboxError.failed(let reason) {
            throw SandboxError.refused(reason)
        }
        guard trial.output == "ready\n" else {
            let said = trial.errors.isEmpty ? "Python said nothing" : trial.errors.oneLine
            throw SandboxError.refused(said)
        }
    }

    /// Runs a Python program to its end or to a limit.
    ///
    /// - Parameters:
    ///   - input: what it finds on standard input.
    ///   - files: what it finds in `/input`, by plain names.
    ///   - limits: other limits than the sandbox's.
    /// - Throws: `SandboxError` when the sandbox breaks down, `CancellationError`; never for what the program does.
    public func run(
        _ program: String, input: String = "", files: [String: [UInt8]] = [:], limits: SandboxLimits? = nil
    ) async throws -> SandboxResult {
        let limits = limits ?? self.limits
        try limits.check()
        let (named, inputs) = try Self.inputs(program: program, files: files)
        return try await slots.withPermit {
            let process = try SandboxProcess()
            return try await process.run(
                command.python(
                    script: Self.firstFile, files: named, limits: limits, totalProcessorSeconds: limits.processorSeconds
                ),
                inputs: inputs.merging([0: Array(input.utf8)]) { first, _ in first }, limits: limits)
        }
    }

    /// Starts a Python that keeps its state from block to block. A session takes no slot.
    ///
    /// - Parameters:
    ///   - files: what its code finds in `/input`, by plain names.
    ///   - limits: other limits than the sandbox's; those on time and output hold for each block.
    public func session(files: [String: [UInt8]] = [:], limits: SandboxLimits? = nil) async throws -> SandboxSession {
        let limits = limits ?? self.limits
        try limits.check()
        let (named, inputs) = try Self.inputs(
            program: SessionDriver.program(processorSeconds: limits.processorSeconds),
            files: files)
        // The driver sets the limit of a block; what stays busy between blocks ends here.
        let line = command.python(
            script: Self.firstFile, files: named, limits: limits,
            totalProcessorSeconds: limits.processorSeconds * SessionDriver.blocksOfProcessorTime)
        let process = try SandboxProcess()
        try await process.start(line, inputs: inputs.merging([0: []]) { first, _ in first })
        return SandboxSession(process: process, limits: limits)
    }

    /// The first of the descriptors that bubblewrap reads files from.
    private static let firstFile = SandboxProcess.replies + 1

    /// The descriptors of the program and of its files, and their bytes.
    private static func inputs(
        program: String, files: [String: [UInt8]]
    ) throws(SandboxError) -> (named: [(name: String, descriptor: Int32)], bytes: [Int32: [UInt8]]) {
        guard files.count <= 64 else { throw .failed("\(files.count) files are given; it takes at most 64") }
        var named: [(name: String, descriptor: Int32)] = []
        var bytes = [firstFile: Array(program.utf8)]
        for (offset, file) in files.sorted(by: { $0.key < $1.key }).enumerated() {
            let name = file.key
            guard !name.isEmpty, name != ".", name != "..", !name.contains("/"), !name.contains("\0"),
                name.utf8.count < 256
            else { throw .failed("\(name.debugDescription) is no plain file name") }
            let descriptor = firstFile + 1 + Int32(offset)
            named.append((name, descriptor))
            bytes[descriptor] = file.value
        }
        return (named, bytes)
    }
}

extension String {
    /// The text in one line, for the middle of a sentence.
    var oneLine: String {
        split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "; ")
            .trimmingCharacters(in: CharacterSet(charactersIn: "."))
    }
}
