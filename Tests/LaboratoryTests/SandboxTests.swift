import Foundation
import Inference
import Laboratory
import Testing

/// Whether sandboxes can be made on this machine.
enum SandboxMachine {
    private static let trial = Task { try await Sandbox() }

    static var trait: ConditionTrait {
        .enabled("bubblewrap makes no sandbox on this machine; type: make setup") {
            do {
                _ = try await trial.value
                return true
            } catch {
                print("The sandbox's tests are left out. \(error)")
                return false
            }
        }
    }
}

@Suite(SandboxMachine.trait, .serialized)
struct SandboxTests {
    let sandbox: Sandbox

    init() async throws { sandbox = try await Sandbox() }

    @Test func aProgramReadsAndWrites() async throws {
        let result = try await sandbox.run(
            """
            import sys
            name = input()
            print("Grüße,", name)
            print("Ελλάδα 👋", file=sys.stderr)
            print(open("/input/data.bin", "rb").read()[0])
            sys.exit(3)
            """, input: "Jürgen 🙂\nmore\n", files: ["data.bin": [200, 1]])
        #expect(result.output == "Grüße, Jürgen 🙂\n200\n")
        #expect(result.errors == "Ελλάδα 👋\n")
        #expect(result.status == 3 && result.limit == nil && !result.succeeded)
        #expect(result.seconds > 0 && result.seconds < 10)
    }

    @Test func longInputAndLongProgramsPassThroughPipes() async throws {
        let text = String(repeating: "0123456789abcde\n", count: 40_000)
        let result = try await sandbox.run(
            "import sys\nvalue = '''" + text + "'''\nprint(len(value), len(sys.stdin.read()))", input: text)
        #expect(result.output == "640000 640000\n")
        // A program that never reads its input must not hold anybody up.
        #expect(try await sandbox.run("import os\nos.close(0)\nprint(1)", input: text).output == "1\n")
    }

    @Test func exceptionsAndSyntaxErrorsAreTheProgramsOwn() async throws {
        let result = try await sandbox.run("def f():\n    return 1 / 0\nf()")
        #expect(result.status == 1 && result.limit == nil)
        #expect(result.errors.contains("line 2, in f") && result.errors.hasSuffix("division by zero\n"))
        #expect(try await sandbox.run("def").errors.contains("SyntaxError"))
        #expect(try await sandbox.run("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)").status == 139)
        #expect(try await sandbox.run("").succeeded)
    }

    @Test func theUsersFilesCannotBeSeen() async throws {
        let home = URL(fileURLWithPath: Folders.expandingHome("~"))
        let secret = home.appendingPathComponent("lyceum-test-\(UUID().uuidString)")
        try Data("secret".utf8).write(to: secret)
        defer { try? FileManager.default.removeItem(at: secret) }
        let here = FileManager.default.currentDirectoryPath
        let temporary = try TemporaryFolder()
        let file = try temporary.write("note", "secret")
        // Also not through a descriptor that this process happens to hold open for all its children.
        let leaks = (0..<40).map { _ in open(secret.path, O_RDONLY) }
        defer { for leak in leaks { close(leak) } }
        let result = try await sandbox.run(
            """
            import os
            for path in ["\(secret.path)", "\(home.path)", "\(here)", "\(file)", "/etc/passwd", "/root", "/home", "/var"]:
                try:
                    os.stat(path)
                    print("seen:", path)
                except OSError:
                    pass
            print(sorted(os.listdir("/")), os.listdir("/tmp"))
            for number in os.listdir("/proc/self/fd"):
                try:
                    print(number, os.readlink("/proc/self/fd/" + number).split(":")[0])
                except OSError:
                    pass
            print(sorted(os.environ))
            """)
        #expect(
            result.output == """
                ['bin', 'dev', 'etc', 'lib', 'lib64', 'proc', 'program.py', 'tmp', 'usr'] []
                0 pipe
                1 pipe
                2 pipe
                ['HOME', 'LANG', 'OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'PATH', 'PWD', 'PYTHONHASHSEED']

                """, "\(result)")
    }

    @Test func theSystemCannotBeWritten() async throws {
        let result = try await sandbox.run(
            """
            import os
            for path in ["/usr/x", "/x", "/dev/x", "/etc/x", "/program.py", "/proc/sys/kernel/hostname"]:
                try:
                    open(path, "w").write("x")
                    print("written:", path)
                except OSError:
                    pass
            for call in [lambda: os.setuid(0), lambda: os.chroot("/tmp"), lambda: os.sethostname("x") if hasattr(os, "sethostname") else 1 / 0]:
                try:
                    call()
                    print("allowed")
                except Exception:
                    pass
            import ctypes
            print(ctypes.CDLL(None).unshare(0x10000000))
            open("/tmp/x", "w").write("x")
            print(os.listdir("/tmp"), os.getuid() != 0)
            """)
        #expect(result.output == "-1\n['x'] True\n", "\(result)")
        #expect(try await sandbox.run("import os\nprint(os.listdir('/tmp'))").output == "[]\n")
    }

    @Test func theNetworkIsOutOfReach() async throws {
        let listener = try Listener()
        let program = """
            import socket
            try:
                socket.create_connection(("127.0.0.1", \(listener.port)), timeout=2).close()
                print("connected")
            except OSError as error:
                print("refused")
            try:
                socket.create_connection(("192.0.2.1", 80), timeout=2)
            except OSError as error:
                print(error.errno)
            """
        #expect(listener.accepts())
        #expect(try await sandbox.run(program).output == "refused\n101\n")
    }

    @Test func aProgramThatCannotEndIsEnded() async throws {
        let limits = SandboxLimits(wallSeconds: 3)
        let result = try await sandbox.run(
            "import time\nprint('before')\nwhile True:\n    try:\n        time.sleep(9)\n    except BaseException:\n        pass",
            limits: limits)
        #expect(result.limit == .wallTime && result.status == nil && result.output == "before\n")
        #expect(result.seconds >= 3 && result.seconds < 9)
    }

    @Test func processorTimeIsLimited() async throws {
        let limits = SandboxLimits(wallSeconds: 60, processorSeconds: 1)
        #expect(try await sandbox.run("while True: pass", limits: limits).limit == .processorTime)
        // Ignoring the signal buys a second.
        let result = try await sandbox.run(
            "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass", limits: limits)
        #expect(result.status == 128 + Int(SIGKILL))
    }

    @Test func memoryIsLimited() async throws {
        let result = try await sandbox.run("x = bytearray(1 << 30)")
        #expect(result.limit == .memory && result.status == 1)
        let disk = try await sandbox.run(
            """
            import os
            n = 0
            for folder in ["/tmp", "/dev/shm"]:
                try:
                    for i in range(100):
                        with open(folder + "/%d" % i, "wb") as file:
                            n += file.write(bytes(1 << 20))
                except OSError as error:
                    print(error.errno)
            print(n <= 128 << 20)
            """)
        #expect(disk.output == "28\n28\nTrue\n", "\(disk)")
        let large = try await sandbox.run("open('/tmp/x', 'wb').write(bytes(20 << 20))")
        #expect(large.limit == .fileSize)
    }

    @Test func aForkBombEnds() async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let result = try await sandbox.run(
            """
            import os
            while True:
                try:
                    os.fork()
                except OSError:
                    pass
            """, limits: SandboxLimits(wallSeconds: 1.5))
        #expect(result.limit == .wallTime)
        #expect((clock.now - start).seconds < 20)
        let counted = try await sandbox.run(
            """
            import os, time
            n = 0
            while True:
                try:
                    if os.fork() == 0:
                        time.sleep(60)
                except OSError:
                    break
                n += 1
            print(n)
            os.fork()
            """)
        #expect(counted.output == "15\n" && counted.limit == .processes, "\(counted)")
        #expect(counted.seconds < 9)
    }

    @Test func floodsOfOutputAreCut() async throws {
        let limits = SandboxLimits(outputBytes: 10_000)
        let result = try await sandbox.run("while True: print('x' * 999)", limits: limits)
        #expect(result.limit == .output && result.status == nil)
        #expect(result.output.utf8.count == 10_000)
        let exact = try await sandbox.run("print('x' * 9_999)", limits: limits)
        #expect(exact.succeeded && exact.output.utf8.count == 10_000)
        let both = try await sandbox.run(
            "import sys\nprint('x' * 5_999)\nprint('y' * 5_999, file=sys.stderr)", limits: limits)
        #expect(both.limit == .output && both.output.utf8.count + both.errors.utf8.count == 10_000)
    }

    /// A program with a child that has left its session and closed everything. What it would write can't be seen from here,
    /// so it is looked for among the machine's processes, by an argument of its own.
    private static func programWithChild(_ mark: String) -> String {
        """
        import os, subprocess, sys, time
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", "\(mark)"], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        """
    }

    @Test func childrenDoNotOutliveTheProgram() async throws {
        let mark = "lyceum-\(UUID().uuidString)"
        let program = Self.programWithChild(mark)
        let ended = try await sandbox.run(program + "time.sleep(0.3)\nprint('end')")
        #expect(ended.succeeded && ended.output == "end\n")
        #expect(await Self.isGone(mark))
        let killed = try await sandbox.run(program + "time.sleep(60)", limits: SandboxLimits(wallSeconds: 1))
        #expect(killed.limit == .wallTime)
        #expect(await Self.isGone(mark))
    }

    @Test func cancellationKills() async throws {
        let mark = "lyceum-\(UUID().uuidString)"
        let sandbox = sandbox
        let limits = SandboxLimits(wallSeconds: 60)
        let task = Task { try await sandbox.run(Self.programWithChild(mark) + "time.sleep(60)", limits: limits) }
        while !Self.isThere(mark) { try await Task.sleep(for: .milliseconds(20)) }
        let clock = ContinuousClock()
        let start = clock.now
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect((clock.now - start).seconds < 20)
        #expect(await Self.isGone(mark))
    }

    @Test func manyAtOnceWithALimit() async throws {
        let sandbox = try await Sandbox(atOnce: 3)
        let results = try await withThrowingTaskGroup(of: (Int, SandboxResult).self) { group in
            for index in 0..<24 { group.addTask { (index, try await sandbox.run("print(\(index) ** 2)")) } }
            return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1.output }
        }
        #expect(results == Dictionary(uniqueKeysWithValues: (0..<24).map { ($0, "\($0 * $0)\n") }))
    }

    /// Whether a process other than this one has this among its arguments.
    static func isThere(_ mark: String) -> Bool {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.contains { name in
            guard let number = Int(name), number != Int(getpid()) else { return false }
            let arguments = FileManager.default.contents(atPath: "/proc/\(number)/cmdline") ?? Data()
            return String(decoding: arguments, as: UTF8.self).contains(mark)
        }
    }

    /// Whether no process has this among its arguments, now or within two seconds.
    static func isGone(_ mark: String) async -> Bool {
        for _ in 0..<40 {
            if !isThere(mark) { return true }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return false
    }
}

@Suite struct SandboxRefusalTests {
    @Test func withoutBubblewrapNothingRuns() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: SandboxError.self) { try SandboxCommand(folders: [folder.url.path]) }
        #if os(Linux)
            #expect(error == .missing(program: "bwrap", package: "bubblewrap"))
            #expect(error?.description.contains("apt-get install bubblewrap") == true)
        #else
            #expect(error == .unsupported)
        #endif
    }

    #if os(Linux)
        @Test func aSystemThatRefusesIsNamed() async throws {
            let folder = try TemporaryFolder()
            for name in ["setpriv", "choom", "bwrap", "prlimit", "python3"] {
                let file = try folder.write(
                    name, "#!/bin/sh\necho \"$0: No permissions to create new namespace\" >&2\nexit 1\n")
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
            }
            let command = try SandboxCommand(folders: [folder.url.path])
            let error = await #expect(throws: SandboxError.self) {
                try await Sandbox(limits: SandboxLimits(), command: command)
            }
            #expect(error?.description.contains("No permissions to create new namespace") == true)
            #expect(error?.description.contains("unprivileged_userns_clone") == true)
        }
    #endif

    @Test(arguments: [
        SandboxLimits(wallSeconds: 0), SandboxLimits(wallSeconds: .nan), SandboxLimits(processorSeconds: 0),
        SandboxLimits(memoryBytes: -1), SandboxLimits(processes: 0), SandboxLimits(outputBytes: .max),
    ])
    func impossibleLimitsAreRefused(limits: SandboxLimits) async {
        let error = #expect(throws: SandboxError.self) { try limits.check() }
        #expect(error?.description.contains("must be") == true)
    }
}

@Suite struct SlotsTests {
    @Test func aSlotIsGivenOnAndACancelledWaiterLeavesTheLine() async throws {
        let slots = AsyncSemaphore(permits: 1)
        try await slots.acquire()
        let waiting = Task { try await slots.acquire() }
        let second = Task { try await slots.withPermit { 7 } }
        try await Task.sleep(for: .milliseconds(50))
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        slots.release()
        #expect(try await second.value == 7)
        #expect(try await slots.withPermit { 8 } == 8)
    }
}

/// A listener on this machine's loopback.
private final class Listener: Sendable {
    let descriptor: Int32
    let port: UInt16

    init() throws {
        descriptor = socket(AF_INET, Self.stream, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try #require(bind(descriptor, $0, length) == 0 && listen(descriptor, 4) == 0)
                try #require(getsockname(descriptor, $0, &length) == 0)
            }
        }
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }

    /// Whether this process itself can connect.
    func accepts() -> Bool {
        let client = socket(AF_INET, Self.stream, 0)
        defer { close(client) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    #if os(Linux)
        private static let stream = Int32(SOCK_STREAM.rawValue)
    #else
        private static let stream = SOCK_STREAM
    #endif
}
