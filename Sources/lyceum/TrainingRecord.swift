import Foundation
import Laboratory
import Models
import Training

/// Training with what a user finds of it later: a record in the run store, and a report with the curves beside the result.
struct TrainingRecord {
    /// The command: `tune`.
    var command: String
    /// `dpo`.
    var objective: String
    /// The file or folder that the run starts from; nil: a model of its own.
    var model: String?
    var data: [String]
    var seed: UInt64
    /// The folder of the result.
    var out: String
    /// Of samples, by name.
    var counts: [(name: String, value: Int)]

    /// Trains, on the first rank only with a record.
    func kept(_ train: () async throws -> TrainingSummary) async throws -> TrainingSummary {
        guard Ranks.own.isFirst else { return try await train() }
        let runner = try Session.runner(settings: ModelSettings())
        let entry = RunEntry(
            slug: command, kind: "train", model: model.map { ($0 as NSString).lastPathComponent } ?? "new",
            modelReference: model ?? out, fingerprint: try model.map { try openWeights(at: $0).fingerprint() } ?? "",
            options: ["arguments": .array(CommandLine.arguments.dropFirst(2).map { .string($0) })],
            data: data.joined(separator: ", "), seed: seed)
        var summary: TrainingSummary?
        let report = try await runner.recorded(entry) { recorder, _ in
            let found = try await train()
            summary = found
            await recorder.record(Artifact(kind: "result", path: out))
            return (
                Report(of: objective, found, counts: counts),
                found.outcome == .interrupted ? .interrupted : .finished
            )
        }
        guard let summary else { preconditionFailure("work that ended gave no summary") }
        try Session.keep(report, at: out + "/report.html")
        return summary
    }
}
