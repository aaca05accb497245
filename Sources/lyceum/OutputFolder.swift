import Foundation
import Laboratory
import Training

/// The folder that a command writes its result into.
struct OutputFolder {
    let path: String

    init(_ typed: String) { path = Folders.expandingHome(typed) }

    /// What a run leaves that hasn't come to its first record: the model that it started from, and a place for checkpoints.
    private static let beginnings: Set = ["checkpoints", "start"]

    /// Refuses a folder that holds something.
    /// - Parameter overwrites: whatever it holds.
    func demandFree(overwrites: Bool) throws {
        let names = contents(of: path).filter { !$0.hasPrefix(".") }
        guard !overwrites, let first = names.first else { return }
        throw Leaving.Usage(
            description: "\(path) already holds \(first)\(names.count > 1 ? " and \(names.count - 1) more" : ""). "
                + "Give another --out, or --overwrite.")
    }

    /// The same for a run, which goes on where an earlier one was stopped.
    /// - Parameter overwrites: begins anew, whatever the folder holds.
    func prepareRun(overwrites: Bool) throws {
        guard !overwrites else {
            try? FileManager.default.removeItem(atPath: path + "/checkpoints")
            return
        }
        if !goesOn { try demandFree(overwrites: false) }
    }

    /// Whether a run left checkpoints here, which it compares with what it is to do, or was stopped before its first.
    private var goesOn: Bool {
        if contents(of: path + "/checkpoints").contains(where: { $0.hasPrefix("checkpoint-") }) { return true }
        if let summary = try? Data(contentsOf: URL(fileURLWithPath: path + "/run.json")) {
            return (try? JSONDecoder().decode(TrainingSummary.self, from: summary))?.outcome == .interrupted
        }
        return contents(of: path).allSatisfy { Self.beginnings.contains($0) || $0.hasPrefix(".") }
    }

    private func contents(of folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }
}
