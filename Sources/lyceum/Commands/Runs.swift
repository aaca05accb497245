import ArgumentParser
import Foundation
import Laboratory
import Text

struct Runs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, show and delete what ran before.",
        discussion: """
              lyceum runs
              lyceum runs list --method autopasta --json
              lyceum runs show last
              lyceum runs delete 0312-kfra
            """,
        subcommands: [List.self, Show.self, Delete.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List runs, the newest first.")

        @Option(help: "Only runs of this method.", completion: .custom(Completions.methods))
        var method: String?

        @Option(help: "The most runs to list.")
        var limit = 20

        @Flag(help: "Print as JSON.")
        var json = false

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit can't be \(limit): it expects at least 1.") }
        }

        func run() async throws {
            let store = try RunStore()
            try await store.markAbandoned()
            let runs = try await store.runs(slug: method, limit: limit)
            if json { return Output.json(.array(try runs.map { try JSONValueEncoder.encode($0) })) }
            guard !runs.isEmpty else { return Output.line("No runs yet. Try: lyceum demo") }
            var table = Table(
                "",
                columns: [
                    .text("Run"), .text("Method"), .text("Kind"), .text("Model"), .text("Status"), .number("Time"),
                    .text("Started"),
                ])
            for run in runs {
                table.add(
                    run.id, run.slug, run.kind, run.model, run.status.rawValue,
                    run.seconds.map { NumberStyle.seconds.text($0) } ?? "", Self.day(run.started))
            }
            Output.table(table)
        }

        private static func day(_ seconds: Double) -> String {
            Date(timeIntervalSince1970: seconds).formatted(
                .iso8601.year().month().day().dateSeparator(.dash).time(includingFractionalSeconds: false)
                    .timeSeparator(.colon).dateTimeSeparator(.space))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a run: its settings, metrics, timings and files.")

        @Argument(help: "The run's id, its beginning, or last.")
        var run: String

        @Flag(help: "Print as JSON.")
        var json = false

        func run() async throws {
            let store = try RunStore()
            try await store.markAbandoned()
            let record = try await store.run(run)
            let metrics = try await store.metrics(of: record.id)
            let timings = try await store.timings(of: record.id)
            let artifacts = try await store.artifacts(of: record.id)
            if json {
                return Output.json([
                    "run": try JSONValueEncoder.encode(record), "metrics": try JSONValueEncoder.encode(metrics),
                    "timings": try JSONValueEncoder.encode(timings),
                    "artifacts": try JSONValueEncoder.encode(artifacts),
                ])
            }
            var table = Table("", columns: [.text(""), .text("")])
            table.add("run", record.id)
            table.add("method", "\(record.slug) (\(record.kind))")
            table.add("model", "\(record.model) (\(record.modelReference))")
            table.add("options", record.options.text())
            if let data = record.data { table.add("data", data) }
            table.add("seed", String(record.seed))
            table.add("status", record.status.rawValue + (record.error.map { ": \($0)" } ?? ""))
            if let seconds = record.seconds { table.add("time", NumberStyle.seconds.text(seconds)) }
            for metric in metrics { table.add(metric.name, metric.text) }
            for timing in timings { table.add("time of \(timing.phase)", NumberStyle.seconds.text(timing.seconds)) }
            for artifact in artifacts { table.add(artifact.kind, artifact.path) }
            Output.table(table)
            Output.line("\nThe whole report: lyceum report \(record.id)")
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete runs from the store. The files that they left stay.")

        @Argument(help: "The runs' ids.")
        var runs: [String]

        func run() async throws {
            let store = try RunStore()
            for run in runs { try await store.delete(run) }
        }
    }
}

struct ShowReport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Render a run's report again, in any form.",
        discussion: """
              lyceum report last
              lyceum report 0312-kfra --format html --out report.html
              lyceum report last --format md > report.md
            """)

    @Argument(help: "The run's id, its beginning, or last.")
    var run: String

    @Option(help: "terminal, html, md or json.")
    var format = ReportFormat.terminal

    @Option(
        help: ArgumentHelp("Write to a file instead of the standard output.", valueName: "path"), completion: .file())
    var out: String?

    func run() async throws {
        let store = try RunStore()
        try await store.markAbandoned()
        let record = try await store.run(run)
        let report =
            if let whole = try await store.report(of: record.id) { whole } else {
                try await store.partialReport(of: record)
            }
        let text =
            format == .terminal && out == nil
            ? TerminalRenderer(.standardOutput).render(report) : try report.rendered(format)
        if let out { try Output.write(text, to: out) } else { Output.write(text) }
    }
}

extension ReportFormat: ExpressibleByArgument {}
