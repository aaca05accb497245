import Foundation
import Laboratory
import Testing
import Text

@Suite struct StoreTests {
    private static func begin(_ store: RunStore, _ slug: String = "m") async throws -> RunRecord {
        try await store.begin(
            RunEntry(
                slug: slug, kind: "run", model: "name", modelReference: "embedded", fingerprint: "f",
                options: ["alpha": 0.5], data: "d.jsonl", dataHash: "h", seed: .max), version: "1")
    }

    @Test func runsAreKeptAndListed() async throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(folder: folder.url)
        let first = try await Self.begin(store, "a")
        let second = try await Self.begin(store, "b")
        try await store.end(second.id, .failed, error: "why")
        #expect(try await store.runs().map(\.slug) == ["b", "a"])
        #expect(try await store.runs(slug: "a").map(\.id) == [first.id])
        let again = try await store.run(first.id)
        #expect(again == first)
        #expect(again.seed == .max)
        #expect(try await store.run("last").error == "why")
        #expect(try await store.run(second.id).seconds ?? -1 >= 0)
        #expect(try await store.report(of: second.id) == nil)
        try await store.delete(first.id)
        #expect(try await store.runs().count == 1)
        await #expect(throws: RunStoreError.self) { try await store.delete(first.id) }
        let unknown = await #expect(throws: RunStoreError.self) { try await store.run("zzz") }
        #expect(unknown?.description.contains("zzz") == true)
    }

    @Test func aStoreOpensAgainWithItsRuns() async throws {
        let folder = try TemporaryFolder()
        let id = try await Self.begin(RunStore(folder: folder.url)).id
        #expect(try await RunStore(folder: folder.url).run(id).slug == "m")
    }

    @Test func runsOfVanishedProcessesBecomeInterrupted() async throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(folder: folder.url)
        let mine = try await Self.begin(store)
        try await store.markAbandoned()
        #expect(try await store.run(mine.id).status == .running)
        // A process that has ended and been waited for.
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/bin/sh")
        child.arguments = ["-c", "exit 0"]
        try child.run()
        child.waitUntilExit()
        try await store.setProcess(of: mine.id, to: child.processIdentifier)
        try await store.markAbandoned()
        #expect(try await store.run(mine.id).status == .interrupted)
    }

    @Test func manyWritersAtOnce() async throws {
        let folder = try TemporaryFolder()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<6 {
                group.addTask {
                    // Each its own connection, as separate processes have.
                    let store = try RunStore(folder: folder.url)
                    for _ in 0..<5 {
                        let run = try await Self.begin(store, "writer-\(writer)")
                        try await store.end(run.id, .finished, report: Report("r"))
                    }
                }
            }
            try await group.waitForAll()
        }
        let runs = try await RunStore(folder: folder.url).runs()
        #expect(runs.count == 30)
        #expect(Set(runs.map(\.id)).count == 30)
        #expect(runs.allSatisfy { $0.status == .finished })
    }

    @Test func aFileThatIsNoStoreIsRefused() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("runs.sqlite", String(repeating: "not a database ", count: 100))
        let error = #expect(throws: RunStoreError.self) { try RunStore(folder: folder.url) }
        #expect(error?.description.contains("LYCEUM_HOME") == true)
    }
}

@Suite struct TerminalTests {
    @Test func progressLineSaysHowFarHowFastHowLong() {
        let line = WorkProgress.line(label: "ask", done: 25, total: 100, seconds: 5)
        #expect(line == "ask  25/100  ▕███░░░░░░░░░▏ 25 %  5/s  15 s left")
        #expect(
            WorkProgress.line(label: "ask", done: 95, earlier: 90, total: 100, seconds: 5).contains("1/s  5 s left"))
        #expect(WorkProgress.line(label: "ask", done: 0, total: 10, seconds: 0) == "ask  0/10  ▕░░░░░░░░░░░░▏ 0 %")
        #expect(
            WorkProgress.line(label: "read", done: 30, total: nil, seconds: 2, note: "loss 2.1")
                == "read  30  15/s  loss 2.1")
        #expect(
            WorkProgress.line(label: "ask", done: 10, total: 10, seconds: 5, isLast: true) == "ask  10/10  2/s  5.0 s")
    }

    @Test func plainConsoleGetsWholeLines() async {
        let written = Written()
        let console = Console(terminal: .plain, interval: .seconds(1_000_000)) { written.append($0) }
        let progress = console.progress("work", total: 50)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { progress.advance() } }
        }
        console.tell("a word")
        progress.finish()
        progress.finish()
        let text = written.text
        #expect(!text.contains("\r") && !text.contains("\u{1B}"))
        #expect(text.hasPrefix("a word\nwork  50/50"))
        #expect(text.split(separator: "\n").count == 2)
    }

    @Test func terminalRedrawsOneLine() {
        let written = Written()
        let console = Console(terminal: Terminal(isTerminal: true, width: 60, hasColour: true)) { written.append($0) }
        let outer = console.progress("outer", total: 2)
        outer.advance()
        let inner = console.progress("inner", total: 2)
        inner.advance()
        inner.finish()
        console.tell("between")
        outer.finish()
        #expect(!written.text.contains("inner"))
        #expect(written.text.contains("\r\u{1B}[Kbetween\n"))
        #expect(written.text.hasSuffix("\u{1B}[K\n"))
    }
}

import Synchronization

private final class Written: Sendable {
    private let storage = Mutex("")
    func append(_ text: String) { storage.withLock { $0 += text } }
    var text: String { storage.withLock { $0 } }
}
