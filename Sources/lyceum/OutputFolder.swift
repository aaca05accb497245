import Foundation
import Laboratory

/// The folder that a command writes its result into.
struct OutputFolder {
    let path: String

    init(_ typed: String) { path = Folders.expandingHome(typed) }

    /// What an unfinished run leaves: its checkpoints and the model that it started from.
    private static let unfinished: Set = ["checkpoints", "start"]

    /// Refuses a folder that holds something which isn't an unfinished run to go on with.
    func demandFree(overwrites: Bool) throws {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { !$0.hasPrefix(".") }
        let checkpoints = (try? FileManager.default.contentsOfDirectory(atPath: path + "/checkpoints")) ?? []
        let others = names.filter { !Self.unfinished.contains($0) }.sorted()
        guard !overwrites, checkpoints.isEmpty, let first = others.first else { return }
        throw Leaving.Usage(
            description: "\(path) already holds \(first)\(others.count > 1 ? " and \(others.count - 1) more" : ""). "
                + "Give another --out, or --overwrite.")
    }
}
