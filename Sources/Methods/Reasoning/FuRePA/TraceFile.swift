import Foundation
import Laboratory
import Text

/// Traces kept line by line as questions end, so that a run that was interrupted goes on with the questions that are left.
package actor TraceFile {
    private struct Line: Codable {
        var key: String
        var trace: FurthestTrace
    }

    private let url: URL?
    private var known: [String: FurthestTrace] = [:]

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
            known[read.key] = read.trace
        }
    }

    package subscript(key: String) -> FurthestTrace? { known[key] }

    package func keep(_ trace: FurthestTrace, as key: String) throws {
        known[key] = trace
        guard let url else { return }
        let line = Data((try JSONValueEncoder.encode(Line(key: key, trace: trace)).text() + "\n").utf8)
        guard FileManager.default.fileExists(atPath: url.path) else { return try line.write(to: url) }
        let file = try FileHandle(forWritingTo: url)
        defer { try? file.close() }
        let end = try file.seekToEnd()
        // A line that was cut short ends here, so that it can't spoil the next one.
        if end > 0 { try file.write(contentsOf: Data("\n".utf8)) }
        try file.write(contentsOf: line)
    }
}
