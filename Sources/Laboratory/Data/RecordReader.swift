import Foundation
import Text

/// Reads records one by one. JSONL and text files are streamed: memory stays at one line plus a buffer.
public final class RecordReader {
    /// The longest line, in bytes.
    public static let maximumLine = 64 << 20

    private enum Source {
        case lines(asText: Bool)
        case parsed([Record], position: Int)
    }

    private let path: String
    private let lines: LineReader
    private var source: Source

    /// - Parameters:
    ///   - path: as typed; a leading `~` stands for the home folder.
    public init(path: String, format: DataFormat) throws(DataError) {
        self.path = path
        lines = try LineReader(path: path)
        switch format {
        case .jsonl: source = .lines(asText: false)
        case .text: source = .lines(asText: true)
        case .json:
            let bytes = try lines.readAll()
            source = .parsed(try Self.array(bytes, path), position: 0)
        case .csv, .tsv:
            let bytes = try lines.readAll()
            let separator = format == .csv ? UInt8(ascii: ",") : UInt8(ascii: "\t")
            source = .parsed(try DelimitedText.records(bytes, separator: separator, source: path), position: 0)
        }
    }

    /// The next record, or nil at the end.
    public func next() throws(DataError) -> Record? {
        switch source {
        case .parsed(let records, let position):
            guard position < records.count else { return nil }
            source = .parsed(records, position: position + 1)
            return records[position]
        case .lines(let asText):
            while let line = try lines.next() {
                let place = RecordPlace(source: path, line: lines.number)
                if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
                if asText {
                    guard let text = String(validating: line, as: UTF8.self) else {
                        throw .malformed(place, "is not UTF-8.")
                    }
                    return Record(["text": .string(text)], at: place)
                }
                do {
                    let value = try JSONValue(parsing: line)
                    guard value.objectValue != nil else {
                        throw DataError.malformed(
                            place, "holds \(value.kindName); each line must be a JSON object.")
                    }
                    return Record(value, at: place)
                } catch let error as JSONError {
                    throw .malformed(place, "is not JSON: \(error.message) (column \(error.column))")
                } catch let error as DataError {
                    throw error
                } catch {
                    throw .malformed(place, "\(error)")
                }
            }
            return nil
        }
    }

    /// Reads what is left and returns the hash of the whole file.
    func finishHash() throws(DataError) -> String {
        try lines.finishHash()
    }

    private static func array(_ bytes: [UInt8], _ path: String) throws(DataError) -> [Record] {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw .malformed(
                RecordPlace(source: path, line: error.line), "is not JSON: \(error.message) (column \(error.column))")
        }
        let wrappers = ["data", "records", "examples", "instances", "rows"]
        guard let elements = value.arrayValue ?? wrappers.lazy.compactMap({ value[$0]?.arrayValue }).first else {
            throw .unreadable(
                source: path,
                reason:
                    "must hold an array of records, or an object with one under \(wrappers.joined(separator: ", ")).")
        }
        var records: [Record] = []
        for (index, element) in elements.enumerated() {
            let place = RecordPlace(source: path, record: index + 1)
            guard element.objectValue != nil else {
                throw .malformed(place, "is \(element.kindName); each record must be an object.")
            }
            records.append(Record(element, at: place))
        }
        return records
    }
}

/// Reads a file line by line through a buffer, hashing as it goes.
final class LineReader {
    private let path: String
    private let file: FileHandle
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false
    private var hash = SHA256()
    /// The number of the line last returned, from 1.
    private(set) var number = 0

    init(path: String) throws(DataError) {
        self.path = path
        let expanded = Folders.expandingHome(path)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: expanded, isDirectory: &isFolder) else {
            throw .unreadable(source: path, reason: "there is no such file.")
        }
        guard !isFolder.boolValue else { throw .unreadable(source: path, reason: "is a folder; give a file.") }
        guard let file = FileHandle(forReadingAtPath: expanded) else {
            throw .unreadable(source: path, reason: "can't be opened; check its permissions.")
        }
        self.file = file
    }

    deinit { try? file.close() }

    /// The next line without its end, or nil at the end of the file. A byte-order mark is left out.
    func next() throws(DataError) -> [UInt8]? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(buffer[start..<end])
                start = end + 1
                return finish(line)
            }
            if isAtEnd {
                guard start < buffer.count else { return nil }
                let line = Array(buffer[start...])
                start = buffer.count
                return finish(line)
            }
            if buffer.count - start > RecordReader.maximumLine {
                throw .malformed(
                    RecordPlace(source: path, line: number + 1),
                    "is longer than \(RecordReader.maximumLine >> 20) MiB; a record stands on one line.")
            }
            searched = buffer.count - start
            buffer.removeFirst(start)
            start = 0
            try fill()
        }
    }

    private func finish(_ line: [UInt8]) -> [UInt8] {
        number += 1
        var line = line
        if number == 1, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return line
    }

    private func fill() throws(DataError) {
        do {
            guard let data = try file.read(upToCount: 1 << 20), !data.isEmpty else {
                isAtEnd = true
                return
            }
            hash.update(data)
            buffer.append(contentsOf: data)
        } catch {
            throw .unreadable(source: path, reason: "can't be read: \(error.localizedDescription)")
        }
    }

    /// The rest of the file at once.
    func readAll() throws(DataError) -> [UInt8] {
        while !isAtEnd { try fill() }
        defer { start = buffer.count }
        let bytes = buffer[start...]
        return Array(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes)
    }

    func finishHash() throws(DataError) -> String {
        while !isAtEnd {
            buffer.removeAll(keepingCapacity: true)
            start = 0
            try fill()
        }
        return hash.hexadecimal()
    }
}
