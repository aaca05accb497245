import Foundation
import Laboratory
import Testing
import Text

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `lyceum pretrain` as it is typed: a model from texts, and a run that is killed and taken up again.
@Suite(.enabled(if: BuiltProgram.path != nil, "the program lyceum is not built beside the tests"))
struct PretrainCommandTests {
    private let folder: TemporaryFolder
    private let text: String

    init() throws {
        folder = try TemporaryFolder()
        text = try folder.writeBook(lines: 400)
    }

    private func start(_ arguments: [String]) throws -> Process {
        let process = try BuiltProgram.process(arguments, home: folder.url)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    private func pretrain(_ out: String, steps: Int) -> [String] {
        [
            "pretrain", "--data", text, "--vocabulary", "300", "--layers", "1", "--hidden", "32", "--heads", "2",
            "--context", "32", "--batch", "4", "--precision", "f32", "--steps", String(steps), "--checkpoint-every",
            "3",
            "--out", folder.url.appendingPathComponent(out).path,
        ]
    }

    private func weights(_ out: String) throws -> Data {
        try Data(contentsOf: folder.url.appendingPathComponent(out).appendingPathComponent("model.safetensors"))
    }

    @Test func theResultIsAModelLikeAnyOther() throws {
        let process = try start(pretrain("model", steps: 6))
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let model = folder.url.appendingPathComponent("model").path
        for command in [
            ["generate", "--model", model, "--raw", "The", "--max-tokens", "4"],
            ["model", "convert", model, model + ".gguf", "--numbers", "Q8_0"],
            ["generate", "--model", model + ".gguf", "--raw", "The", "--max-tokens", "4"],
        ] {
            let next = try start(command)
            next.waitUntilExit()
            #expect(next.terminationStatus == 0, "\(command)")
        }
        for bad in [["--heads", "3"], ["--vocabulary", "7"], ["--hold-out-every", "1"]] {
            let process = try start(["pretrain", "--data", text, "--out", model + "-bad"] + bad)
            process.waitUntilExit()
            #expect(process.terminationStatus == 2, "\(bad)")
        }
    }

    /// Killed at several moments, also while checkpoints are written, a run that is taken up each time ends with the weights of one
    /// that was left alone, to the bit.
    @Test func killedRunsEndTheSame() throws {
        let whole = try start(pretrain("whole", steps: 120))
        whole.waitUntilExit()
        #expect(whole.terminationStatus == 0)
        var kills = 0
        for attempt in 0..<8 {
            let process = try start(pretrain("killed", steps: 120))
            usleep(UInt32(60_000 + attempt * 45_000))
            if process.isRunning, kill(process.processIdentifier, SIGKILL) == 0 { kills += 1 }
            process.waitUntilExit()
        }
        let last = try start(pretrain("killed", steps: 120))
        last.waitUntilExit()
        #expect(last.terminationStatus == 0)
        #expect(kills > 0)
        #expect(try weights("killed") == weights("whole"))
    }
}
