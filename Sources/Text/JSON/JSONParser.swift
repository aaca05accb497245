extension JSONValue {
    /// Reads a document as RFC 8259 defines it: UTF-8, one value, no comments, no trailing commas, no lone surrogates.
    ///
    /// An integer that does not fit in 64 bits becomes `.number`; a number beyond the range of `Double` is refused.
    /// Where an object repeats a key, all its members are kept in their order.
    ///
    /// - Complexity: one pass; at most about forty times the document's size is allocated (`[0,0,0,…]`).
    public init(parsing bytes: UnsafeRawBufferPointer, limits: JSONLimits = .standard) throws(JSONError) {
        guard bytes.count <= limits.bytes else {
            throw JSONError(
                line: 1, column: 1,
                message: "the document has \(bytes.count) bytes, more than the \(limits.bytes) that are allowed here")
        }
        var parser = JSONParser(bytes: bytes, maximumDepth: limits.depth)
        self = try parser.document()
    }

    /// Reads a document from bytes in memory; see ``init(parsing:limits:)-(UnsafeRawBufferPointer,_)``.
    public init(parsing bytes: [UInt8], limits: JSONLimits = .standard) throws(JSONError) {
        self = try bytes.withUnsafeBytes { buffer in
            Result { () throws(JSONError) in try JSONValue(parsing: buffer, limits: limits) }
        }.get()
    }

    /// Reads a document from text; see ``init(parsing:limits:)-(UnsafeRawBufferPointer,_)``.
    public init(parsing text: String, limits: JSONLimits = .standard) throws(JSONError) {
        var text = text
        self = try text.withUTF8 { buffer in
            Result { () throws(JSONError) in try JSONValue(parsing: UnsafeRawBufferPointer(buffer), limits: limits) }
        }.get()
    }
}

/// A recursive-descent reader over raw bytes. It lives no longer than the buffer that it is given.
private struct JSONParser {
    let bytes: UnsafeRawBufferPointer
    let maximumDepth: Int
    var position = 0

    init(bytes: UnsafeRawBufferPointer, maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    mutating func document() throws(JSONError) -> JSONValue {
        skipWhitespace()
        let result = try value(depth: 0)
        skipWhitespace()
        guard position == bytes.count else {
            throw error("expected the end of the document, found \(found(at: position))")
        }
        return result
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard let byte = peek() else { throw error("expected a value, found the end of the document") }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "t"):
            try literal("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try literal("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        default: throw error("expected a value, found \(found(at: position))")
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        try enter(depth)
        var elements: [JSONValue] = []
        skipWhitespace()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            skipWhitespace()
            elements.append(try value(depth: depth))
            skipWhitespace()
            if take(UInt8(ascii: ",")) { continue }
            if take(UInt8(ascii: "]")) { return .array(elements) }
            throw error("expected ',' or ']' after an element, found \(found(at: position))")
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        try enter(depth)
        var members: [JSONValue.Member] = []
        skipWhitespace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipWhitespace()
            guard peek() == UInt8(ascii: "\"") else {
                throw error("expected a key in double quotes, found \(found(at: position))")
            }
            let key = try string()
            skipWhitespace()
            guard take(UInt8(ascii: ":")) else {
                throw error("expected ':' after a key, found \(found(at: position))")
            }
            skipWhitespace()
            members.append(JSONValue.Member(key, try value(depth: depth)))
            skipWhitespace()
            if take(UInt8(ascii: ",")) { continue }
            if take(UInt8(ascii: "}")) { return .object(members) }
            throw error("expected ',' or '}' after a member, found \(found(at: position))")
        }
    }

    /// Steps over an opening bracket.
    private mutating func enter(_ depth: Int) throws(JSONError) {
        guard depth <= maximumDepth else {
            throw error("arrays and objects are nested more than \(maximumDepth) deep")
        }
        position += 1
    }

    private mutating func literal(_ word: StaticString) throws(JSONError) {
        let length = word.utf8CodeUnitCount
        for offset in 0..<length {
            guard position + offset < bytes.count, bytes[position + offset] == word.utf8Start[offset] else {
                throw error("expected a value, found something that starts like \(word)")
            }
        }
        position += length
    }
}

// MARK: Strings

extension JSONParser {
    private mutating func string() throws(JSONError) -> String {
        let start = position + 1
        var end = start
        while end < bytes.count {
            let byte = bytes[end]
            if byte == UInt8(ascii: "\"") {
                position = end + 1
                return try text(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), at: start)
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start, firstEscape: end) }
            if byte < 0x20 { throw controlCharacter(at: end) }
            end += 1
        }
        position = start - 1
        throw error("this string has no closing quote")
    }

    /// The slow path of ``string()``: copies the text while it resolves escapes.
    private mutating func escapedString(from start: Int, firstEscape: Int) throws(JSONError) -> String {
        var scratch: [UInt8] = []
        scratch.append(contentsOf: bytes[start..<firstEscape])
        position = firstEscape
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return try scratch.withUnsafeBytes { buffer in
                    Result { () throws(JSONError) in try text(buffer, at: start) }
                }.get()
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &scratch)
            case 0..<0x20:
                throw controlCharacter(at: position)
            default:
                scratch.append(byte)
                position += 1
            }
        }
        position = start - 1
        throw error("this string has no closing quote")
    }

    private mutating func escape(into scratch: inout [UInt8]) throws(JSONError) {
        let byte = peek()
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scratch.append(byte.unsafelyUnwrapped)
        case UInt8(ascii: "b"): scratch.append(0x08)
        case UInt8(ascii: "f"): scratch.append(0x0C)
        case UInt8(ascii: "n"): scratch.append(0x0A)
        case UInt8(ascii: "r"): scratch.append(0x0D)
        case UInt8(ascii: "t"): scratch.append(0x09)
        case UInt8(ascii: "u"): scratch.append(contentsOf: Unicode.UTF8.encode(try escapedScalar()) ?? .init())
        default:
            position -= 1
            throw error("\\ must be followed by one of \" \\ / b f n r t u, found \(found(at: position))")
        }
    }

    /// The scalar of `\uXXXX`, or of two such escapes that make a surrogate pair; the first `\u` is already read.
    private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
        let start = position - 2
        let first = try hexadecimalUnit()
        if let scalar = Unicode.Scalar(UInt32(first)) { return scalar }
        if Unicode.UTF16.isLeadSurrogate(first), peek() == UInt8(ascii: "\\"), position + 1 < bytes.count,
            bytes[position + 1] == UInt8(ascii: "u")
        {
            position += 2
            let second = try hexadecimalUnit()
            let combined = 0x10000 + (UInt32(first & 0x3FF) << 10) + UInt32(second & 0x3FF)
            if Unicode.UTF16.isTrailSurrogate(second), let scalar = Unicode.Scalar(combined) { return scalar }
        }
        position = start
        throw error("this \\u escape is half of a surrogate pair without the other half")
    }

    private mutating func hexadecimalUnit() throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw error("\\u must be followed by four hexadecimal digits, found \(found(at: position))")
            }
            unit = unit << 4 | UInt16(digit)
            position += 1
        }
        return unit
    }

    private func text(_ buffer: UnsafeRawBufferPointer, at start: Int) throws(JSONError) -> String {
        guard let text = String(validating: buffer, as: UTF8.self) else {
            throw error("this string is not valid UTF-8", at: start - 1)
        }
        return text
    }

    private func controlCharacter(at place: Int) -> JSONError {
        error("a string holds the control character \(found(at: place)); it must be escaped", at: place)
    }
}

// MARK: Numbers

extension JSONParser {
    /// The longest number read, in bytes: far above the 24 that a `Double` can need.
    private static var longestNumber: Int { 1024 }

    /// The powers of ten that a `Double` holds exactly.
    private static let exactPowersOfTen: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        var mantissa: UInt64 = 0
        var mantissaIsExact = true
        var fractionDigits = 0
        let negative = take(UInt8(ascii: "-"))

        func accumulate(_ digit: UInt8) {
            let (scaled, overflowed) = mantissa.multipliedReportingOverflow(by: 10)
            let (sum, carried) = scaled.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
            if overflowed || carried { mantissaIsExact = false }
            mantissa = sum
        }

        guard let first = digit() else { throw error("expected a digit, found \(found(at: position))") }
        position += 1
        accumulate(first)
        if first == UInt8(ascii: "0") {
            if digit() != nil { throw error("a number must not start with a superfluous 0", at: start) }
        } else {
            while let next = digit() {
                accumulate(next)
                position += 1
            }
        }
        var isInteger = true
        if take(UInt8(ascii: ".")) {
            isInteger = false
            guard digit() != nil else { throw error("expected a digit after '.', found \(found(at: position))") }
            while let next = digit() {
                accumulate(next)
                fractionDigits += 1
                position += 1
            }
        }
        var exponent = 0
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            let exponentIsNegative = take(UInt8(ascii: "-"))
            if !exponentIsNegative { _ = take(UInt8(ascii: "+")) }
            guard digit() != nil else { throw error("expected an exponent, found \(found(at: position))") }
            while let next = digit() {
                exponent = min(exponent * 10 + Int(next - UInt8(ascii: "0")), 1_000_000)
                position += 1
            }
            if exponentIsNegative { exponent = -exponent }
        }
        guard position - start <= Self.longestNumber else {
            throw error("this number is longer than \(Self.longestNumber) characters", at: start)
        }
        if isInteger, mantissaIsExact {
            if !negative, let value = Int(exactly: mantissa) { return .integer(value) }
            if negative, mantissa <= UInt64(Int.max) + 1 { return .integer(Int(truncatingIfNeeded: 0 &- mantissa)) }
        }
        let power = exponent - fractionDigits
        if mantissaIsExact, mantissa <= 1 << 53, abs(power) <= 22 {
            // Both operands are exact, so the one rounding of the product or quotient is the correct one.
            let scale = Self.exactPowersOfTen[abs(power)]
            let magnitude = power < 0 ? Double(mantissa) / scale : Double(mantissa) * scale
            return .number(negative ? -magnitude : magnitude)
        }
        let digits = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Double(digits), value.isFinite else {
            throw error("this number is beyond the range of a 64-bit float", at: start)
        }
        return .number(value)
    }

    private func digit() -> UInt8? {
        guard let byte = peek(), byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
        return byte
    }
}

// MARK: Bytes and places

extension JSONParser {
    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private func found(at place: Int) -> String {
        guard place < bytes.count else { return "the end of the document" }
        let byte = bytes[place]
        if byte > 0x20, byte < 0x7F { return "'\(Character(Unicode.Scalar(byte)))'" }
        let digits = String(byte, radix: 16, uppercase: true)
        return "the byte 0x\(digits.count < 2 ? "0" : "")\(digits)"
    }

    private func error(_ message: String, at place: Int? = nil) -> JSONError {
        var line = 1
        var column = 1
        for byte in bytes[..<min(place ?? position, bytes.count)] {
            if byte == 0x0A {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return JSONError(line: line, column: column, message: message)
    }
}
