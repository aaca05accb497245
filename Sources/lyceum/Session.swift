import Foundation
import Inference
import Laboratory

/// What the commands that run methods share.
enum Session {
    /// A runner that keeps runs in the user's store and shows progress on the standard error stream.
    static func runner(settings: ModelSettings, isQuiet: Bool = false, keeps: Bool = true) throws -> MethodRunner {
        MethodRunner(
            store: keeps ? try RunStore() : nil, console: isQuiet ? .silent : .standardError(),
            version: Lyceum.version
        ) { reference in
            try await loadModel(reference, settings: settings)
        }
    }

    /// Writes a report's page, to the place asked for or into the run's own folder, and says where it is.
    static func keep(_ report: Report, at path: String?) throws {
        let place: String
        if let path {
            place = path
        } else if let run = report.run, !run.id.isEmpty {
            place = Folders.data.appendingPathComponent("runs/\(run.id)/report.html").path
        } else {
            return
        }
        try Output.write(try report.rendered(.html), to: place)
        FileHandle.standardError.write(Data("Report: \(place)\n".utf8))
    }
}
