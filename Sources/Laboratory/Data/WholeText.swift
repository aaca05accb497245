/// A text file as one text, in UTF-8; a byte-order mark is left out.
public enum WholeText {
    /// - Throws: for what is no UTF-8, with the line and the place of the first byte that isn't.
    public static func read(_ path: String) throws(DataError) -> String {
        let bytes = try LineReader(path: path).readAll()
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let valid = validPrefix(bytes)
            let line = bytes[..<valid].count { $0 == UInt8(ascii: "\n") } + 1
            throw .malformed(
                RecordPlace(source: path, line: line),
                "is not UTF-8: byte \(valid + 1) of the text is 0x\(String(bytes[valid], radix: 16, uppercase: true)).")
        }
        return text
    }

    /// How many bytes stand before the first that is no part of a character.
    private static func validPrefix(_ bytes: [UInt8]) -> Int {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var count = 0
        while case .scalarValue(let scalar) = decoder.decode(&iterator) { count += UTF8.width(scalar) }
        return min(count, bytes.count - 1)
    }
}
