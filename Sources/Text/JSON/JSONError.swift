/// Why a text is not the JSON document it should be, and where.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The line of the fault, from 1.
    public var line: Int
    /// The column of the fault in Unicode scalars, from 1.
    public var column: Int
    /// What was wrong and what would be right, as a sentence without its place.
    public var message: String

    public init(line: Int, column: Int, message: String) {
        self.line = line
        self.column = column
        self.message = message
    }

    public var description: String { "\(line):\(column): \(message)" }
}

/// How much a JSON document may ask of its reader.
public struct JSONLimits: Sendable, Hashable {
    /// The longest document read, in bytes.
    public var bytes: Int
    /// The deepest nesting of arrays and objects.
    public var depth: Int

    public init(bytes: Int = 1 << 29, depth: Int = 256) {
        self.bytes = bytes
        self.depth = depth
    }

    /// 512 MiB and 256 levels: above any tokenizer or configuration in use.
    public static let standard = JSONLimits()
}
