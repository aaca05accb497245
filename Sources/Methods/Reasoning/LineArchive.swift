import Foundation
import Laboratory
import Text

/// Values kept line by line as they come, by key, so that a run that was interrupted goes on with what is left.
package actor LineArchive<Value: Codable & Sendable> {
    private struct Line: Codable {
        var key: String
        var value: Value
    }

    private let url: URL?
    private var known: [String: Value] = [:]

    /// Reads what an earlier run left; a last line that was cut short is passed over.
    ///
    /// - Parameter path: nil: nothing is kept.
    package init(path: String?) throws {
        url = path.map { URL(fileURLWithPath: $0) }
        guard let url, let data = FileManager.default.contents(atPath: url.path) else { return }
        for line in data.split(separator: UInt8(ascii: "\n")) {
            guard let json = try? JSONValue(parsing: Array(line)),
                let read = try? JSONValueDecoder.decode(Line.self, from: json)
            else { continue }
            known[read.key] = read.value
        }
    }

    package subscript(key: String) -> Value? { known[key] }

    package func keep(_ value: Value, as key: String) throws {
        known[key] = value
        guard let url else { return }
        let line = Data((try JSONValueEncoder.encode(Line(key: key, value: value)).text() + "\n").utf8)
        guard FileManager.default.fileExists(atPath: url.path) else { return try line.write(to: url) }
        let file = try FileHandle(forWritingTo: url)
        defer { try? file.close() }
        let end = try file.seekToEnd()
        // A line that was cut short ends here, so that it can't spoil the next one.
        if end > 0 { try file.write(contentsOf: Data("\n".utf8)) }
        try file.write(contentsOf: line)
    }
}
