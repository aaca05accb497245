import Foundation
import Text

/// How a data file is written.
public enum DataFormat: String, Sendable, Hashable, CaseIterable {
    /// One JSON object a line.
    case jsonl
    /// An array of objects, or an object that holds one under `data`, `records`, `examples`, `instances` or `rows`.
    case json
    /// A header and comma-separated values (RFC 4180).
    case csv
    /// A header and tab-separated values.
    case tsv
    /// Each line that isn't blank is a record with the field `text`.
    case text

    /// The format that a file's name says.
    public init(path: String) throws(DataError) {
        let name = path.lowercased()
        if name.hasSuffix(".jsonl") || name.hasSuffix(".ndjson") {
            self = .jsonl
        } else if name.hasSuffix(".json") {
            self = .json
        } else if name.hasSuffix(".csv") {
            self = .csv
        } else if name.hasSuffix(".tsv") {
            self = .tsv
        } else if name.hasSuffix(".txt") || name.hasSuffix(".text") || name.hasSuffix(".md") {
            self = .text
        } else {
            throw .unreadable(
                source: path, reason: "the name doesn't say the format; use .jsonl, .json, .csv, .tsv or .txt.")
        }
    }
}

/// Records from a file, in order, with the hash of the file that they came from.
public struct DataSet: Sendable, Hashable {
    /// The path as typed, or the name of data made in the program.
    public let source: String
    /// SHA-256 of the file's bytes, or of the records' JSON for data made in the program.
    public let contentHash: String
    public private(set) var records: [Record]

    /// Reads a file.
    ///
    /// - Parameter limit: the most records to keep. JSONL files are read no further than that for records; the hash is always
    ///   the whole file's.
    public init(path: String, format: DataFormat? = nil, limit: Int? = nil) throws(DataError) {
        let format = if let format { format } else { try DataFormat(path: path) }
        let reader = try RecordReader(path: path, format: format)
        var records: [Record] = []
        while records.count < limit ?? .max, let record = try reader.next() { records.append(record) }
        guard !records.isEmpty else { throw .empty(source: path) }
        source = path
        self.records = records
        contentHash = try reader.finishHash()
    }

    /// Data made in the program.
    public init(name: String, records values: [JSONValue]) {
        source = name
        records = values.enumerated().map { Record($0.element, at: RecordPlace(source: name, record: $0.offset + 1)) }
        contentHash = SHA256.hexadecimal(of: JSONValue.array(values).utf8())
    }

    private init(source: String, contentHash: String, records: [Record]) {
        self.source = source
        self.contentHash = contentHash
        self.records = records
    }

    public var count: Int { records.count }

    /// The first `count` records.
    public func prefix(_ count: Int) -> DataSet {
        DataSet(source: source, contentHash: contentHash, records: Array(records.prefix(max(0, count))))
    }

    /// The records in an order drawn from the seed.
    public func shuffled(seed: UInt64) -> DataSet {
        var generator = SeededGenerator(seed: seed, stream: "shuffle")
        return DataSet(source: source, contentHash: contentHash, records: generator.shuffled(records))
    }

    /// Two parts of the records in an order drawn from the seed: the first with this share, at least one record each where
    /// there are two.
    public func split(share: Double, seed: UInt64) -> (DataSet, DataSet) {
        let all = shuffled(seed: seed).records
        let exact = Int((Double(all.count) * max(0, min(1, share))).rounded())
        let cut = all.count < 2 ? exact : max(1, min(all.count - 1, exact))
        return (
            DataSet(source: source, contentHash: contentHash, records: Array(all[..<cut])),
            DataSet(source: source, contentHash: contentHash, records: Array(all[cut...]))
        )
    }

    /// Every record as a typed one. The first that isn't one is an error that names file, line and field.
    public func records<Typed: DataRecord>(as type: Typed.Type) throws(DataError) -> [Typed] {
        var typed: [Typed] = []
        typed.reserveCapacity(records.count)
        for record in records { typed.append(try Typed(record)) }
        return typed
    }

    /// Every record as a decodable type.
    public func records<T: Decodable>(decoding type: T.Type) throws(DataError) -> [T] {
        var typed: [T] = []
        typed.reserveCapacity(records.count)
        for record in records { typed.append(try record.decode(type)) }
        return typed
    }
}
