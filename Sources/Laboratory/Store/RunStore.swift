import Foundation
import GRDB
import Text

/// Every run with its options, its model's fingerprint, its samples, metrics, timings and report, in one SQLite file in WAL
/// mode. Any number of processes may use it at once: a writer waits for another, up to ten seconds.
public final class RunStore: Sendable {
    private let database: DatabasePool
    /// The file.
    public let path: String

    /// Opens the store of a folder, making both where they don't exist.
    public init(folder: URL = Folders.data) throws {
        path = folder.appendingPathComponent("runs.sqlite").path
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            database = try Self.open(path)
            try Self.migrate(database)
        } catch {
            throw RunStoreError.unusable(path: path, reason: "\(error)")
        }
    }

    /// Switching a new file to WAL takes a lock that SQLite's busy handler doesn't wait for, so that two processes that
    /// open it at the same moment need another try.
    private static func open(_ path: String) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.label = "runs"
        for attempt in 1... {
            do {
                return try DatabasePool(path: path, configuration: configuration)
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && attempt < 50 {
                Thread.sleep(forTimeInterval: 0.05)
            }
        }
        throw RunStoreError.unusable(path: path, reason: "is locked by another process.")
    }

    /// The migrator looks at what is done and then does the rest, so another process may come between; a second look sees its work.
    private static func migrate(_ database: DatabasePool) throws {
        do {
            try RunStoreSchema.migrator.migrate(database)
        } catch is DatabaseError {
            try RunStoreSchema.migrator.migrate(database)
        }
    }

    // MARK: Writing

    /// Writes a new run and returns its record.
    public func begin(_ entry: RunEntry, version: String) async throws -> RunRecord {
        let started = Date().timeIntervalSince1970
        return try await database.write { database in
            let taken = try Set(String.fetchAll(database, sql: "SELECT id FROM run"))
            let record = RunRecord(
                id: RunStore.newID(started: started, taken: taken), slug: entry.slug, kind: entry.kind,
                model: entry.model, modelReference: entry.modelReference, fingerprint: entry.fingerprint,
                options: entry.options, data: entry.data, dataHash: entry.dataHash, seed: entry.seed,
                version: version, status: .running, started: started)
            try database.execute(
                sql: """
                    INSERT INTO run (id, slug, kind, model, modelReference, fingerprint, options, data, dataHash, seed,
                        version, status, started, process) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    record.id, record.slug, record.kind, record.model, record.modelReference, record.fingerprint,
                    record.options.text(), record.data, record.dataHash, String(record.seed), version,
                    record.status.rawValue, started, getpid(),
                ])
            return record
        }
    }

    /// A short name for a run, to be typed: the day and four letters, `0312-kfra`.
    private static func newID(started: Double, taken: Set<String>) -> String {
        let parts = Calendar(identifier: .gregorian).dateComponents(
            [.month, .day], from: Date(timeIntervalSince1970: started))
        let day = [parts.month ?? 0, parts.day ?? 0].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined()
        var random = SystemRandomNumberGenerator()
        while true {
            let letters = (0..<4).map { _ in "abcdefghijkmnpqrstuvwxyz".randomElement(using: &random) ?? "a" }
            let id = day + "-" + String(letters)
            if !taken.contains(id) { return id }
        }
    }

    /// What a recorder has that the store hasn't.
    struct Batch: Sendable {
        var firstSample: Int
        var samples: [SampleTrace]
        var metrics: [Metric]
        var timings: [Timing]
        var artifacts: [Artifact]
    }

    func append(_ batch: Batch, to id: String) throws {
        try database.write { database in
            for (offset, sample) in batch.samples.enumerated() {
                try database.execute(
                    sql: "INSERT OR REPLACE INTO sample (runID, position, content) VALUES (?, ?, ?)",
                    arguments: [id, batch.firstSample + offset, try JSONValueEncoder.encode(sample).text()])
            }
            for metric in batch.metrics { try Self.insert(metric, of: id, database) }
            for timing in batch.timings {
                try database.execute(
                    sql: "INSERT INTO timing (runID, phase, seconds) VALUES (?, ?, ?)",
                    arguments: [id, timing.phase, timing.seconds])
            }
            for artifact in batch.artifacts {
                try database.execute(
                    sql: "INSERT INTO artifact (runID, kind, path) VALUES (?, ?, ?)",
                    arguments: [id, artifact.kind, artifact.path])
            }
        }
    }

    private static func insert(_ metric: Metric, of id: String, _ database: Database) throws {
        let estimate = metric.estimate
        try database.execute(
            sql: "INSERT INTO metric (runID, name, value, low, high, count, content) VALUES (?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                id, metric.name, estimate.value, estimate.low, estimate.high, estimate.count,
                try JSONValueEncoder.encode(metric).text(),
            ])
    }

    /// Ends a run, with its report and the metrics in it, or with the error that stopped it.
    public func end(_ id: String, _ status: RunStatus, report: Report? = nil, error: String? = nil) async throws {
        let ended = Date().timeIntervalSince1970
        try await database.write { database in
            for metric in report?.metrics ?? [] { try Self.insert(metric, of: id, database) }
            try database.execute(
                sql: "UPDATE run SET status = ?, ended = ?, report = ?, verdict = ?, error = ? WHERE id = ?",
                arguments: [
                    status.rawValue, ended, try report.map { try JSONValueEncoder.encode($0).text() },
                    report?.verdict?.outcome.rawValue, error, id,
                ])
        }
    }

    /// Deletes a run and all that belongs to it. The files that it left stay.
    public func delete(_ id: String) async throws {
        let deleted = try await database.write { database in
            try database.execute(sql: "DELETE FROM run WHERE id = ?", arguments: [id])
            return database.changesCount
        }
        guard deleted > 0 else { throw RunStoreError.unknownRun(id, recent: try await recentIDs()) }
    }

    /// Marks runs as interrupted whose process is gone without having ended them.
    public func markAbandoned() async throws {
        try await database.write { database in
            let open = try Row.fetchAll(
                database, sql: "SELECT id, process, started FROM run WHERE status = ?",
                arguments: [RunStatus.running.rawValue])
            for row in open {
                let process: Int32 = row["process"]
                guard kill(process, 0) != 0, errno == ESRCH else { continue }
                let id: String = row["id"]
                try database.execute(
                    sql: "UPDATE run SET status = ? WHERE id = ?",
                    arguments: [RunStatus.interrupted.rawValue, id])
            }
        }
    }

    /// Says which process a run belongs to.
    package func setProcess(of id: String, to process: Int32) async throws {
        try await database.write { database in
            try database.execute(sql: "UPDATE run SET process = ? WHERE id = ?", arguments: [process, id])
        }
    }

    // MARK: Reading

    /// The runs, the newest first.
    public func runs(slug: String? = nil, limit: Int = 50) async throws -> [RunRecord] {
        try await database.read { database in
            let condition = slug == nil ? "" : "WHERE slug = ?"
            let arguments: StatementArguments = slug.map { [$0, limit] } ?? [limit]
            return try Row.fetchAll(
                database, sql: "SELECT * FROM run \(condition) ORDER BY started DESC LIMIT ?", arguments: arguments
            ).map(Self.record)
        }
    }

    /// A run by its id, or by enough of its beginning to be the only one; `last` is the newest.
    public func run(_ id: String) async throws -> RunRecord {
        let found = try await database.read { database in
            if id == "last" {
                return try Row.fetchAll(database, sql: "SELECT * FROM run ORDER BY started DESC LIMIT 1").map(
                    Self.record)
            }
            return try Row.fetchAll(
                database, sql: "SELECT * FROM run WHERE substr(id, 1, ?) = ? ORDER BY started DESC",
                arguments: [id.count, id]
            ).map(Self.record)
        }
        if let exact = found.first(where: { $0.id == id }) { return exact }
        guard found.count == 1, let only = found.first else {
            throw RunStoreError.unknownRun(id, recent: try await recentIDs())
        }
        return only
    }

    /// The report of a run; nil when it has none (it failed, or was interrupted).
    public func report(of id: String) async throws -> Report? {
        let text = try await database.read { database in
            try String.fetchOne(database, sql: "SELECT report FROM run WHERE id = ?", arguments: [id])
        }
        guard let text else { return nil }
        return try JSONValueDecoder.decode(Report.self, from: JSONValue(parsing: text))
    }

    /// What an unfinished run left, as a report.
    public func partialReport(of record: RunRecord) async throws -> Report {
        var report = Report("\(record.slug), \(record.status.rawValue)", summary: record.error ?? "")
        report.add(try await metrics(of: record.id))
        report.add(try await samples(of: record.id))
        let timings = try await timings(of: record.id)
        if !timings.isEmpty {
            var table = Table("Timings", columns: [.text("Phase"), .number("Seconds")])
            for timing in timings { table.add(timing.phase, NumberText.fixed(timing.seconds, 2)) }
            report.add(table)
        }
        if report.blocks.isEmpty { report.note("The run kept no samples.") }
        report.run = RunSummary(
            id: record.id, slug: record.slug, model: record.model, modelReference: record.modelReference,
            fingerprint: record.fingerprint, options: record.options, data: record.data, seed: record.seed,
            started: record.started, seconds: record.seconds ?? 0, version: record.version)
        return report
    }

    public func samples(of id: String) async throws -> [SampleTrace] {
        try await contents("SELECT content FROM sample WHERE runID = ? ORDER BY position", of: id)
    }

    public func metrics(of id: String) async throws -> [Metric] {
        try await contents("SELECT content FROM metric WHERE runID = ? ORDER BY id", of: id)
    }

    public func timings(of id: String) async throws -> [Timing] {
        try await database.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM timing WHERE runID = ? ORDER BY id", arguments: [id])
                .map { Timing(phase: $0["phase"], seconds: $0["seconds"]) }
        }
    }

    public func artifacts(of id: String) async throws -> [Artifact] {
        try await database.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM artifact WHERE runID = ? ORDER BY id", arguments: [id])
                .map { Artifact(kind: $0["kind"], path: $0["path"]) }
        }
    }

    private func contents<Content: Decodable & Sendable>(_ query: String, of id: String) async throws -> [Content] {
        try await database.read { database in
            try String.fetchAll(database, sql: query, arguments: [id]).map {
                try JSONValueDecoder.decode(Content.self, from: JSONValue(parsing: $0))
            }
        }
    }

    private func recentIDs() async throws -> [String] {
        try await database.read { database in
            try String.fetchAll(database, sql: "SELECT id FROM run ORDER BY started DESC LIMIT 200")
        }
    }

    private static func record(_ row: Row) throws -> RunRecord {
        let options: String = row["options"]
        let seed: String = row["seed"]
        let status: String = row["status"]
        return RunRecord(
            id: row["id"], slug: row["slug"], kind: row["kind"], model: row["model"],
            modelReference: row["modelReference"], fingerprint: row["fingerprint"],
            options: try JSONValue(parsing: options), data: row["data"], dataHash: row["dataHash"],
            seed: UInt64(seed) ?? 0, version: row["version"], status: RunStatus(rawValue: status) ?? .failed,
            started: row["started"], ended: row["ended"], error: row["error"])
    }
}

/// Why the run store can't answer.
public enum RunStoreError: Error, Hashable, CustomStringConvertible {
    case unusable(path: String, reason: String)
    case unknownRun(String, recent: [String])

    public var description: String {
        switch self {
        case .unusable(let path, let reason):
            return
                "The run store \(path) can't be used: \(reason) Set LYCEUM_HOME to another folder, or move the file away."
        case .unknownRun(let id, let recent):
            let matching = recent.filter { $0.hasPrefix(id) }
            if matching.count > 1 {
                return
                    "\(id.debugDescription) is the beginning of several runs: \(matching.prefix(5).joined(separator: ", "))."
            }
            return "There is no run \(id.debugDescription). "
                + Spelling.suggestion(for: id, among: recent, otherwise: "lyceum runs lists them.")
        }
    }
}
