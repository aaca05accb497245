import Text

/// Comma- or tab-separated values with a header row (RFC 4180): fields may be quoted, quotes are doubled, quoted fields may
/// hold separators and line breaks.
enum DelimitedText {
    static func records(_ bytes: [UInt8], separator: UInt8, source: String) throws(DataError) -> [Record] {
        var parser = Parser(bytes: bytes, separator: separator, source: source)
        guard let header = try parser.row() else { return [] }
        let names = header.cells.map(\.trimmingSpaces)
        if let empty = names.firstIndex(of: "") {
            throw .malformed(
                RecordPlace(source: source, line: 1), "column \(empty + 1) of the header has no name.")
        }
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw .malformed(
                RecordPlace(source: source, line: 1), "the header names the column \(twice.debugDescription) twice.")
        }
        var records: [Record] = []
        while let row = try parser.row() {
            if row.cells == [""] { continue }
            let place = RecordPlace(source: source, line: row.line)
            guard row.cells.count == names.count else {
                throw .malformed(
                    place,
                    "has \(row.cells.count) fields; the header names \(names.count). Quote fields that hold the separator."
                )
            }
            let members = zip(names, row.cells).map { JSONValue.Member($0, .string($1)) }
            records.append(Record(.object(members), at: place))
        }
        return records
    }

    private struct Parser {
        let bytes: [UInt8]
        let separator: UInt8
        let source: String
        var position = 0
        var line = 1

        init(bytes: [UInt8], separator: UInt8, source: String) {
            self.bytes = bytes
            self.separator = separator
            self.source = source
        }

        /// The next row with the line that it begins on, or nil at the end.
        mutating func row() throws(DataError) -> (cells: [String], line: Int)? {
            guard position < bytes.count else { return nil }
            let first = line
            var cells: [String] = []
            while true {
                cells.append(try cell())
                guard position < bytes.count else { return (cells, first) }
                let byte = bytes[position]
                position += 1
                if byte == separator {
                    if position == bytes.count {
                        cells.append("")
                        return (cells, first)
                    }
                    continue
                }
                if byte == UInt8(ascii: "\r"), position < bytes.count, bytes[position] == UInt8(ascii: "\n") {
                    position += 1
                }
                line += 1
                return (cells, first)
            }
        }

        /// One cell; stops before the separator or the line's end.
        private mutating func cell() throws(DataError) -> String {
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                let start = position
                while position < bytes.count, bytes[position] != separator, !isLineEnd(bytes[position]) {
                    position += 1
                }
                return try text(bytes[start..<position])
            }
            let opened = line
            position += 1
            var content: [UInt8] = []
            while position < bytes.count {
                let byte = bytes[position]
                position += 1
                if byte == UInt8(ascii: "\"") {
                    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                        guard position == bytes.count || bytes[position] == separator || isLineEnd(bytes[position])
                        else {
                            throw .malformed(
                                RecordPlace(source: source, line: line),
                                "has text behind a closing quote; double the quotes inside a quoted field.")
                        }
                        return try text(content[...])
                    }
                    position += 1
                } else if byte == UInt8(ascii: "\n") {
                    line += 1
                }
                content.append(byte)
            }
            throw .malformed(RecordPlace(source: source, line: opened), "opens a quoted field that never ends.")
        }

        private func isLineEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }

        private func text(_ bytes: ArraySlice<UInt8>) throws(DataError) -> String {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw .malformed(RecordPlace(source: source, line: line), "is not UTF-8.")
            }
            return text
        }
    }
}
