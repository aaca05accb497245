/// Reads a stream of server-sent events (WHATWG HTML, 9.2.6) from bytes that arrive in any pieces.
///
/// Lines end with LF, CRLF or CR; comments and fields other than `data` are skipped; several `data` lines of one event are
/// joined by LF. Bytes become text only when their line is whole, so that no piece can split a character.
package struct ServerSentEvents {
    package enum Failure: Error, Hashable {
        /// An event longer than the limit, in bytes.
        case tooLong(limit: Int)
        case invalidUTF8
    }

    private let limit: Int
    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    /// The last byte was CR: an LF right after it belongs to the same line end.
    private var endedWithReturn = false
    /// Bytes of a byte-order mark still to be skipped at the beginning.
    private var isAtBeginning = true

    /// - Parameter limit: the longest event in bytes.
    package init(limit: Int = 8 << 20) {
        self.limit = limit
    }

    /// Takes the next piece and gives the data of every event that it completes.
    package mutating func feed(_ bytes: some Sequence<UInt8>) throws -> [String] {
        var events: [String] = []
        for byte in bytes {
            if endedWithReturn {
                endedWithReturn = false
                if byte == 0x0A { continue }
            }
            switch byte {
            case 0x0A, 0x0D:
                endedWithReturn = byte == 0x0D
                if let event = try endLine() { events.append(event) }
            default:
                line.append(byte)
                guard line.count + data.count <= limit else { throw Failure.tooLong(limit: limit) }
            }
        }
        return events
    }

    /// Ends the stream: gives the event that lacked its blank line, if any. Some servers leave it out after the last event.
    package mutating func finish() throws -> String? {
        if !line.isEmpty, let event = try endLine() { return event }
        return try dispatch()
    }

    private mutating func endLine() throws -> String? {
        defer { line.removeAll(keepingCapacity: true) }
        if isAtBeginning {
            isAtBeginning = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        }
        if line.isEmpty { return try dispatch() }
        let field = line.prefix { $0 != UInt8(ascii: ":") }
        guard field.elementsEqual("data".utf8) else { return nil }
        var value = line.dropFirst(field.count + 1)
        if value.first == UInt8(ascii: " ") { value.removeFirst() }
        if hasData { data.append(0x0A) }
        data.append(contentsOf: value)
        hasData = true
        return nil
    }

    private mutating func dispatch() throws -> String? {
        guard hasData else { return nil }
        defer {
            data.removeAll(keepingCapacity: true)
            hasData = false
        }
        guard let text = String(validating: data, as: UTF8.self) else { throw Failure.invalidUTF8 }
        return text
    }
}
