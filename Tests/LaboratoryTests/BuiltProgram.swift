import Foundation
import Testing

/// The program lyceum as it lies beside the tests.
enum BuiltProgram {
    static let path: String? = {
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let path = folder.appendingPathComponent("lyceum").path
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }()

    /// A call of the program with a run store of its own, not yet started.
    static func process(_ arguments: [String], home: URL, environment: [String: String] = [:]) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(path))
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["LYCEUM_HOME": home.path, "COLUMNS": "100"], uniquingKeysWith: { $1 }
        ).merging(environment, uniquingKeysWith: { $1 })
        return process
    }
}
