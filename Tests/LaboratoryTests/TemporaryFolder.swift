import Foundation

/// A folder that is deleted with its value.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("lyceum-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// Writes a file and returns its path.
    func write(_ name: String, _ text: String) throws -> String {
        let file = url.appendingPathComponent(name)
        try Data(text.utf8).write(to: file)
        return file.path
    }

    /// Writes a text of so many lines to train on, and returns its path.
    func writeBook(lines: Int) throws -> String {
        try write(
            "book.txt",
            (0..<lines).map { "The \($0 % 7) cats sat on the \($0 % 5) mats and saw \($0) birds." }.joined(
                separator: "\n"))
    }

    func write(_ name: String, bytes: [UInt8]) throws -> String {
        let file = url.appendingPathComponent(name)
        try Data(bytes).write(to: file)
        return file.path
    }
}
