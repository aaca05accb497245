import Foundation
import Laboratory
import Text

/// What commands print and read.
enum Output {
    /// Prints a text with its line break.
    static func line(_ text: String) { write(text + "\n") }

    /// Prints a text as it stands, at once.
    static func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

    static func json(_ value: JSONValue) { line(value.text()) }

    static func table(_ table: Table) {
        for text in TerminalRenderer(.standardOutput).table(table) { line(text) }
    }

    /// Writes a file beside its place and renames it, so that it is never half-written.
    static func write(_ text: String, to path: String) throws {
        let url = URL(fileURLWithPath: Folders.expandingHome(path))
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url, options: .atomic)
        } catch {
            throw Leaving.Usage(description: "\(path) can't be written: \(error.localizedDescription)")
        }
    }

    /// Makes a folder for results where there is none yet.
    static func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: Folders.expandingHome(path), withIntermediateDirectories: true)
        } catch {
            throw Leaving.Usage(description: "\(path) can't be made: \(error.localizedDescription)")
        }
    }

    /// A file's exact bytes; `-` is the standard input.
    static func bytes(of path: String) throws -> [UInt8] {
        if path == "-" { return Array(FileHandle.standardInput.readDataToEndOfFile()) }
        // Read through a handle, so that pipes of the shell (<(…)) are files too.
        guard let file = FileHandle(forReadingAtPath: Folders.expandingHome(path)),
            let data = try? file.readToEnd() ?? Data()
        else { throw Leaving.Usage(description: "\(path): there is no such file, or it can't be read.") }
        return Array(data)
    }

    /// A file's text; bytes that are not UTF-8 become the replacement character.
    static func text(of path: String) throws -> String { String(decoding: try bytes(of: path), as: UTF8.self) }
}
