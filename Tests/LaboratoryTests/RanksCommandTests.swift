import Foundation
import Synchronization
import Testing
import Text
import Training

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Open MPI's `mpirun`.
private enum Launcher {
    static let mpirun = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/mpirun" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }
}

/// `mpirun -n N lyceum …` as it is typed: what one process does, in several.
@Suite(
    .enabled(if: BuiltProgram.path != nil, "the program lyceum is not built beside the tests"),
    .enabled(if: Launcher.mpirun != nil, "Open MPI's mpirun is not installed; type: make setup"))
struct RanksCommandTests {
    /// On this machine alone, as any user, on as few cores as there are.
    private static let environment = [
        "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_btl": "^tcp,openib",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
    ]

    private let folder: TemporaryFolder
    private let text: String

    init() throws {
        folder = try TemporaryFolder()
        text = try folder.writeBook(lines: 150)
    }

    private func path(_ name: String) -> String { folder.url.appendingPathComponent(name).path }

    /// - Parameter ranks: what each group of ranks is asked; one group without mpirun where there is one rank.
    private func start(_ ranks: [(count: Int, arguments: [String])]) throws -> (process: Process, errors: Pipe) {
        let process: Process
        if ranks.count == 1, ranks[0].count == 1 {
            process = try BuiltProgram.process(ranks[0].arguments, home: folder.url)
        } else {
            let program = try #require(BuiltProgram.path)
            let words = ranks.map { ["-n", String($0.count), program] + $0.arguments }
            process = try BuiltProgram.process(
                Array(words.joined(separator: [":"])), home: folder.url,
                environment: Self.environment)
            process.executableURL = URL(fileURLWithPath: try #require(Launcher.mpirun))
        }
        let errors = Pipe()
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        return (process, errors)
    }

    @discardableResult
    private func run(
        _ ranks: Int, _ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> TrainingHistory {
        let (process, errors) = try start([(ranks, arguments)])
        let said = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(said)", sourceLocation: sourceLocation)
        return try history(arguments)
    }

    private func history(_ arguments: [String]) throws -> TrainingHistory {
        let place = try #require(arguments.firstIndex(of: "--out"))
        let file = URL(fileURLWithPath: arguments[place + 1]).appendingPathComponent("run.json")
        return try JSONDecoder().decode(TrainingSummary.self, from: Data(contentsOf: file)).history
    }

    private func pretrain(_ out: String, steps: Int, _ more: String...) -> [String] {
        [
            "pretrain", "--data", text, "--vocabulary", "300", "--layers", "1", "--hidden", "32", "--heads", "2",
            "--context", "32", "--batch", "6", "--tokens-per-pass", "64", "--precision", "f32", "--steps",
            String(steps),
            "--checkpoint-every", "5", "--out", path(out),
        ] + more
    }

    private func expectSame(_ found: TrainingHistory, _ expected: TrainingHistory) {
        #expect(found.steps.count == expected.steps.count)
        for (a, b) in zip(found.steps, expected.steps) {
            #expect(abs(a.loss - b.loss) <= 1e-4 * abs(b.loss), "step \(a.step): \(a.loss), not \(b.loss)")
        }
        for (a, b) in zip(found.evaluations, expected.evaluations) {
            #expect(abs(a.loss - b.loss) <= 1e-4 * abs(b.loss))
        }
    }

    @Test func theSameLosses() throws {
        let alone = try run(1, pretrain("one", steps: 20))
        for ranks in 2...3 { expectSame(try run(ranks, pretrain("ranks\(ranks)", steps: 20)), alone) }
        for (index, form) in [["--form", "full", "--optimiser", "galore"], ["--form", "lora", "--rank", "4"]]
            .enumerated()
        {
            func tune(_ out: String) -> [String] {
                [
                    "tune", "--objective", "text", "--data", text, "--model", path("one"), "--precision", "f32",
                    "--longest", "32", "--steps", "20", "--batch", "3", "--rate", "1e-3", "--out", path(out),
                ] + form
            }
            expectSame(try run(2, tune("two \(index)")), try run(1, tune("one \(index)")))
        }
    }

    /// One rank is killed: all end. Two ranks go on to the same weights to the bit, one to the same losses.
    @Test func aKilledRankEndsAllAndTheRunGoesOn() throws {
        let whole = try run(2, pretrain("whole", steps: 60))
        let arguments = pretrain("killed", steps: 60)
        let (process, errors) = try start([(2, arguments)])
        let checkpoint = path("killed/checkpoints/checkpoint-00000010.safetensors")
        while process.isRunning, !FileManager.default.fileExists(atPath: checkpoint) { usleep(5_000) }
        #expect(tell(rank: 1, SIGKILL))
        _ = try errors.fileHandleForReading.readToEnd()
        process.waitUntilExit()
        #expect(process.terminationStatus != 0)
        #expect(!FileManager.default.fileExists(atPath: path("killed/model.safetensors")))
        try FileManager.default.copyItem(atPath: path("killed"), toPath: path("one"))
        let resumed = try run(2, arguments)
        #expect(resumed.steps.map(\.loss) == whole.steps.map(\.loss))
        #expect(try weights("killed") == weights("whole"))
        expectSame(try run(1, pretrain("one", steps: 60)), whole)
    }

    private func weights(_ out: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: path(out + "/model.safetensors")))
    }

    /// Sends a signal to a rank of this test's run, found by its environment.
    private func tell(rank: Int, _ signal: Int32) -> Bool {
        let home = "LYCEUM_HOME=\(folder.url.path)"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let id = pid_t(name),
                let environment = FileManager.default.contents(atPath: "/proc/\(name)/environ")
            else { continue }
            let words = environment.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            if words.contains(home), words.contains("OMPI_COMM_WORLD_RANK=\(rank)") { return kill(id, signal) == 0 }
        }
        return false
    }

    /// A rank that can't go on says why and ends the others.
    @Test func aFailingRankEndsAll() throws {
        let good = pretrain("failing", steps: 2000)
        for bad in [pretrain("failing", steps: 2000, "--batch", "0"), ["pretrain", "--data", "nothing", "--out", "x"]] {
            let (process, errors) = try start([(1, good), (1, bad)])
            let said = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationStatus != 0)
            #expect(said.contains("Error"), "\(said)")
        }
    }

    /// Asked to stop, every rank ends after the same step, with a checkpoint.
    @Test func interruptedTogether() throws {
        let arguments = pretrain("stopped", steps: 100_000)
        let (process, errors) = try start([(2, arguments)])
        let first = path("stopped/checkpoints/checkpoint-00000005.safetensors")
        while process.isRunning, !FileManager.default.fileExists(atPath: first) { usleep(5_000) }
        // mpirun hands it on to all; one is enough.
        #expect(tell(rank: 1, SIGUSR1))
        let said = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus != 0)
        #expect(said.contains("goes on from the checkpoint"), "\(said)")
        let steps = try history(arguments).steps.count
        let last = path(
            "stopped/checkpoints/checkpoint-\(String(repeating: "0", count: 8 - String(steps).count))\(steps)")
        #expect(FileManager.default.fileExists(atPath: last + ".safetensors"))
    }

    /// Texts are written by all ranks and judged by the first; what is sampled in f32 is what one process samples.
    @Test func rewardsAreLearntTogether() throws {
        try run(1, pretrain("words", steps: 5))
        let asks = try folder.write("asks.jsonl", (0..<6).map { #"{"prompt": "ask \#($0)"}"# }.joined(separator: "\n"))
        func learn(_ out: String) -> [String] {
            [
                "tune", "--objective", "rloo", "--reward", "regex:[aeiou]", "--data", asks, "--model", path("words"),
                "--precision", "f32", "--steps", "4", "--batch", "3", "--samples", "4", "--answer-tokens", "6",
                "--rate",
                "1e-3", "--out", path(out),
            ]
        }
        let (one, two) = (try run(1, learn("alone")), try run(2, learn("both")))
        #expect(
            one.steps.count == 4 && one.steps.map { $0.figures["reward"] } == two.steps.map { $0.figures["reward"] })
        #expect(one.steps.contains { ($0.figures["reward"] ?? 0) > 0 })
        for (a, b) in zip(one.steps, two.steps) { #expect(abs(a.loss - b.loss) < 1e-4 * max(1, abs(a.loss))) }
    }
}
