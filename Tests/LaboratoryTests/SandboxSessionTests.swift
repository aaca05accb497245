import Foundation
import Testing

import Laboratory

@Suite(SandboxMachine.trait, .serialized)
struct SandboxSessionTests {
    let sandbox: Sandbox

    init() async throws { sandbox = try await Sandbox() }

    @Test func stateIsKeptFromBlockToBlock() async throws {
        let session = try await sandbox.session(files: ["numbers.txt": Array("1 2 3".utf8)])
        let first = try await session.run("import math\nx = 20\ndef double(n):\n    return 2 * n\nprint('größer')")
        #expect(first.succeeded && first.output == "größer\n" && first.value == nil)
        #expect(try await session.run("double(x) + 2").value == "42")
        #expect(try await session.run("math.floor(2.5), 'é'").value == "(2, 'é')")
        #expect(try await session.run("sum(map(int, open('/input/numbers.txt').read().split()))").value == "6")
        #expect(try await session.run("").succeeded)
        #expect(try await session.run("'\\ud800'[0]").succeeded)
        #expect(try await session.run("input()").exception?.hasPrefix("EOFError") == true)
        await session.close()
        let error = await #expect(throws: SandboxError.self) { try await session.run("1") }
        #expect(error?.description.contains("was closed") == true)
    }

    @Test func exceptionsEndTheBlockAlone() async throws {
        let session = try await sandbox.session()
        let failed = try await session.run("x = 1\ndef f(n):\n    return n / 0\nf(x)\nx = 2")
        #expect(failed.exception == "ZeroDivisionError: division by zero" && !failed.succeeded)
        #expect(failed.errors.contains("return n / 0") && !failed.errors.contains("program.py"))
        #expect(try await session.run("x").value == "1")
        #expect(try await session.run("def").exception?.hasPrefix("SyntaxError") == true)
        #expect(try await session.run("import sys; sys.exit(1)").exception == "SystemExit: 1")
        let large = try await session.run("y = bytearray(1 << 30)")
        #expect(large.limit == .memory && large.sessionEnd == nil)
        #expect(try await session.run("x + 1").value == "2")
    }

    @Test func aBlockThatHangsEndsTheSession() async throws {
        let session = try await sandbox.session(limits: SandboxLimits(wallSeconds: 3))
        #expect(try await session.run("1").succeeded)
        let hung = try await session.run("print('here')\nwhile True: pass")
        #expect(hung.limit == .wallTime && hung.output == "here\n")
        #expect(hung.sessionEnd?.contains("wall-clock") == true)
        #expect(await session.sessionEnd == hung.sessionEnd)
        await #expect(throws: SandboxError.self) { try await session.run("1") }
    }

    @Test func limitsHoldForEachBlock() async throws {
        let limits = SandboxLimits(wallSeconds: 30, processorSeconds: 1, outputBytes: 1000)
        let session = try await sandbox.session(limits: limits)
        for _ in 0..<3 {
            // Six tenths of a second each: together more than one block may use.
            let busy =
                "import time\nend = time.process_time() + 0.6\nwhile time.process_time() < end: pass\nprint('x' * 900)"
            let result = try await session.run(busy)
            #expect(result.succeeded && result.output.utf8.count == 901)
        }
        let result = try await session.run("while True: pass")
        #expect(result.limit == .processorTime && result.sessionEnd != nil)
        let flood = try await sandbox.session(limits: limits).run("while True: print('x' * 99)")
        #expect(flood.limit == .output && flood.sessionEnd != nil && flood.output.utf8.count == 1000)
    }

    @Test func aBlockThatEndsTheInterpreterSaysSo() async throws {
        let session = try await sandbox.session()
        let result = try await session.run("import os\nprint('last words', flush=True)\nos._exit(7)")
        #expect(result.output == "last words\n")
        #expect(result.sessionEnd?.contains("ended the interpreter with status 7") == true)
    }

    @Test func repliesCannotBeForgedForLaterBlocks() async throws {
        let session = try await sandbox.session()
        let forged = try await session.run(
            "import os\nos.write(5, b'{\"block\": 2, \"value\": \"lie\", \"exception\": null}\\nnonsense\\n')\n1")
        #expect(forged.value == "1")
        #expect(try await session.run("2").value == "2")
        // A forked process that falls out of the block must not answer the next one.
        #expect(try await session.run("pid = os.fork()\nif pid: os.waitpid(pid, 0)").succeeded)
        #expect(try await session.run("3").value == "3")
    }

    @Test func cancellationEndsTheSession() async throws {
        let session = try await sandbox.session()
        let task = Task { try await session.run("import time\ntime.sleep(60)") }
        try await Task.sleep(for: .milliseconds(300))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(await session.sessionEnd?.contains("cancelled") == true)
    }

    @Test func aSessionGoesWithItsValue() async throws {
        let mark = "lyceum-\(UUID().uuidString)"
        do {
            let session = try await sandbox.session()
            let result = try await session.run(
                "import subprocess\np = subprocess.Popen(['/usr/bin/python3', '-c', 'import time; time.sleep(300)', '\(mark)'])"
            )
            #expect(result.succeeded)
            // The session may otherwise go after its last use, before the look.
            withExtendedLifetime(session) { #expect(SandboxTests.isThere(mark)) }
        }
        #expect(await SandboxTests.isGone(mark))
    }
}
