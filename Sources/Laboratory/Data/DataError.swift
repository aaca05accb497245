/// Where a record stands in its file.
public struct RecordPlace: Sendable, Hashable, CustomStringConvertible {
    public var source: String
    /// From 1: the line of a JSONL, CSV or text file, or the number of the record in a JSON array.
    public var number: Int
    public var isLine: Bool

    public init(source: String, line: Int) {
        self.source = source
        number = line
        isLine = true
    }

    public init(source: String, record: Int) {
        self.source = source
        number = record
        isLine = false
    }

    public var description: String { isLine ? "\(source):\(number)" : "\(source), record \(number)" }
}

/// Why data can't be used: names the file, the line and the field.
public enum DataError: Error, Hashable, CustomStringConvertible {
    case unreadable(source: String, reason: String)
    case malformed(RecordPlace, String)
    case missingField(RecordPlace, field: String, present: [String])
    case wrongField(RecordPlace, field: String, expected: String, found: String)
    /// The field is as it should be, but not for what is done with it.
    case unusableField(RecordPlace, field: String, reason: String)
    case empty(source: String)

    public var description: String {
        switch self {
        case .unreadable(let source, let reason):
            "\(source): \(reason)"
        case .malformed(let place, let message):
            "\(place): \(message)"
        case .missingField(let place, let field, let present):
            "\(place): the field \(field) is missing. The record has: "
                + (present.isEmpty ? "no fields." : present.prefix(12).joined(separator: ", ") + ".")
        case .wrongField(let place, let field, let expected, let found):
            "\(place): the field \(field.debugDescription) must be \(expected), not \(found)."
        case .unusableField(let place, let field, let reason):
            "\(place): the field \(field.debugDescription) can't be used: \(reason)."
        case .empty(let source):
            "\(source): holds no records."
        }
    }
}
