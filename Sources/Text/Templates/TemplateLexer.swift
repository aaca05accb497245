/// A lexical element of a template and the line it starts on.
struct TemplateToken: Sendable {
    enum Kind: Sendable {
        case data(TemplateText)
        case variableBegin, variableEnd, blockBegin, blockEnd
        case name(String)
        case string(TemplateText)
        case integer(Int)
        case float(Double)
        case symbol(Symbol)
        case end
    }

    enum Symbol: String, Sendable, CaseIterable {
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case floorDivide = "//"
        case remainder = "%"
        case power = "**"
        case concatenate = "~"
        case openBracket = "["
        case closeBracket = "]"
        case openParenthesis = "("
        case closeParenthesis = ")"
        case openBrace = "{"
        case closeBrace = "}"
        case equal = "=="
        case notEqual = "!="
        case greater = ">"
        case greaterOrEqual = ">="
        case less = "<"
        case lessOrEqual = "<="
        case assign = "="
        case dot = "."
        case colon = ":"
        case pipe = "|"
        case comma = ","
        case semicolon = ";"
    }

    var kind: Kind
    var line: Int

    /// How error messages name it.
    var summary: String {
        switch kind {
        case .data: "text"
        case .variableBegin: "'{{'"
        case .variableEnd: "'}}'"
        case .blockBegin: "'{%'"
        case .blockEnd: "'%}'"
        case .name(let name): "'\(name)'"
        case .string: "a string"
        case .integer, .float: "a number"
        case .symbol(let symbol): "'\(symbol.rawValue)'"
        case .end: "the end of the template"
        }
    }
}

/// Splits a template into tokens as Jinja does with `trim_blocks` and `lstrip_blocks` on: the newline after a block is dropped,
/// and so is the white space before a block that begins its line.
struct TemplateLexer {
    private let source: [UInt8]
    private var position = 0
    private var line = 1
    /// Whether the text that comes next begins a line as far as `lstrip_blocks` is concerned.
    private var isLineStart = true
    private var tokens: [TemplateToken] = []

    static func tokens(of source: String) throws -> [TemplateToken] {
        var lexer = TemplateLexer(source)
        do {
            try lexer.run()
        } catch let fault as TemplateFault {
            throw TemplateError(kind: fault.kind, line: lexer.line, message: fault.message)
        }
        return lexer.tokens
    }

    /// Line ends become `\n`, and one at the very end is dropped.
    private init(_ text: String) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var previous: UInt8 = 0
        for byte in text.utf8 {
            if byte == 0x0D {
                bytes.append(0x0A)
            } else if !(byte == 0x0A && previous == 0x0D) {
                bytes.append(byte)
            }
            previous = byte
        }
        if bytes.last == 0x0A { bytes.removeLast() }
        source = bytes
    }

    private mutating func run() throws {
        while position < source.count {
            guard let tag = nextTag() else {
                append(.data(TemplateText(Array(source[position...]), isOwn: true)))
                position = source.count
                break
            }
            try readTag(at: tag)
        }
        append(.end)
    }

    private func nextTag() -> Int? {
        var offset = position
        while offset + 1 < source.count {
            if source[offset] == UInt8(ascii: "{") {
                switch source[offset + 1] {
                case UInt8(ascii: "{"), UInt8(ascii: "%"), UInt8(ascii: "#"): return offset
                default: break
                }
            }
            offset += 1
        }
        return nil
    }

    private mutating func readTag(at start: Int) throws {
        let kind = source[start + 1]
        var next = start + 2
        var sign: UInt8 = 0
        if next < source.count, source[next] == UInt8(ascii: "-") || source[next] == UInt8(ascii: "+") {
            sign = source[next]
            next += 1
        }
        appendText(position..<start, sign: sign, isVariable: kind == UInt8(ascii: "{"))
        moved(to: next)
        switch kind {
        case UInt8(ascii: "#"): try skipComment()
        case UInt8(ascii: "{"):
            append(.variableBegin)
            try readCode(closing: UInt8(ascii: "}"))
        default:
            if try readRaw() { return }
            append(.blockBegin)
            try readCode(closing: UInt8(ascii: "%"))
        }
    }

    /// Adds the text before a tag, stripped as the tag's sign and the kind of tag demand.
    private mutating func appendText(_ range: Range<Int>, sign: UInt8, isVariable: Bool) {
        let text = TemplateText(Array(source[range]), isOwn: true)
        var kept = text
        if sign == UInt8(ascii: "-") {
            kept = text.trimmed(left: false)
        } else if sign != UInt8(ascii: "+"), !isVariable {
            let lineStart = (text.bytes.lastIndex(of: 0x0A) ?? -1) + 1
            if lineStart > 0 || isLineStart, text[lineStart..<text.count].trimmed().isEmpty {
                kept = text[0..<lineStart]
            }
        }
        if !kept.isEmpty { append(.data(kept)) }
    }

    private mutating func append(_ kind: TemplateToken.Kind) {
        tokens.append(TemplateToken(kind: kind, line: line))
    }

    /// Advances, counting lines.
    private mutating func moved(to next: Int) {
        for byte in source[position..<next] where byte == 0x0A { line += 1 }
        isLineStart = next > position ? source[next - 1] == 0x0A : isLineStart
        position = next
    }

    /// After a tag's last character: drops what its sign and `trim_blocks` demand.
    private mutating func moved(pastTagAt end: Int, sign: UInt8, trimsNewline: Bool) {
        var next = end
        if sign == UInt8(ascii: "-") {
            while next < source.count {
                let space = TemplateText.whitespaceLength(source, at: next)
                if space == 0 { break }
                next += space
            }
        } else if sign != UInt8(ascii: "+"), trimsNewline, next < source.count, source[next] == 0x0A {
            next += 1
        }
        moved(to: next)
    }

    private mutating func skipComment() throws {
        var end = position
        while end + 1 < source.count, source[end] != UInt8(ascii: "#") || source[end + 1] != UInt8(ascii: "}") {
            end += 1
        }
        guard end + 1 < source.count else { throw syntax("a comment '{#' is not closed with '#}'") }
        let sign = end > position ? source[end - 1] : 0
        moved(pastTagAt: end + 2, sign: sign, trimsNewline: true)
    }

    /// Reads `raw %}…{% endraw %}` whole, if that is what stands here.
    private mutating func readRaw() throws -> Bool {
        guard let begin = matchTag("raw", at: position) else { return false }
        moved(pastTagAt: begin.end, sign: begin.sign, trimsNewline: false)
        var offset = position
        while offset + 1 < source.count {
            if source[offset] == UInt8(ascii: "{"), source[offset + 1] == UInt8(ascii: "%") {
                var inner = offset + 2
                var sign: UInt8 = 0
                if inner < source.count, source[inner] == UInt8(ascii: "-") || source[inner] == UInt8(ascii: "+") {
                    sign = source[inner]
                    inner += 1
                }
                if let end = matchTag("endraw", at: inner) {
                    appendText(position..<offset, sign: sign, isVariable: false)
                    moved(pastTagAt: end.end, sign: end.sign, trimsNewline: true)
                    return true
                }
            }
            offset += 1
        }
        throw syntax("'{% raw %}' is not closed with '{% endraw %}'")
    }

    /// Matches `word %}` at an offset; gives the offset after it and its sign.
    private func matchTag(_ word: String, at start: Int) -> (end: Int, sign: UInt8)? {
        func skipped(_ offset: Int) -> Int {
            var offset = offset
            while offset < source.count {
                let space = TemplateText.whitespaceLength(source, at: offset)
                if space == 0 { break }
                offset += space
            }
            return offset
        }
        var offset = skipped(start)
        guard source[offset...].starts(with: word.utf8) else { return nil }
        offset = skipped(offset + word.utf8.count)
        var sign: UInt8 = 0
        if offset < source.count, source[offset] == UInt8(ascii: "-") || source[offset] == UInt8(ascii: "+") {
            sign = source[offset]
            offset += 1
        }
        guard source[offset...].starts(with: "%}".utf8) else { return nil }
        return (offset + 2, sign)
    }

    /// Reads the tokens of a `{{…}}` or `{%…%}` up to its end.
    private mutating func readCode(closing: UInt8) throws {
        let isBlock = closing == UInt8(ascii: "%")
        var open: [UInt8] = []
        while true {
            while position < source.count {
                let space = TemplateText.whitespaceLength(source, at: position)
                if space == 0 { break }
                moved(to: position + space)
            }
            guard position < source.count else {
                throw syntax(isBlock ? "'{%' is not closed with '%}'" : "'{{' is not closed with '}}'")
            }
            if open.isEmpty, let end = matchEnd(closing: closing, allowsPlus: isBlock) {
                append(isBlock ? .blockEnd : .variableEnd)
                moved(pastTagAt: end.end, sign: end.sign, trimsNewline: isBlock)
                return
            }
            try readToken(&open)
        }
    }

    private func matchEnd(closing: UInt8, allowsPlus: Bool) -> (end: Int, sign: UInt8)? {
        var offset = position
        var sign: UInt8 = 0
        if source[offset] == UInt8(ascii: "-") || (allowsPlus && source[offset] == UInt8(ascii: "+")) {
            sign = source[offset]
            offset += 1
        }
        guard offset + 1 < source.count, source[offset] == closing, source[offset + 1] == UInt8(ascii: "}") else {
            return nil
        }
        return (offset + 2, sign)
    }

    private mutating func readToken(_ open: inout [UInt8]) throws {
        let byte = source[position]
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): try readNumber()
        case UInt8(ascii: "'"), UInt8(ascii: "\""): try readString(quote: byte)
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), 0x80...:
            var end = position
            while end < source.count, Self.isNameByte(source[end]) { end += 1 }
            append(.name(String(decoding: source[position..<end], as: UTF8.self)))
            moved(to: end)
        default: try readSymbol(&open)
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), 0x80...,
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private mutating func readSymbol(_ open: inout [UInt8]) throws {
        var length = 2
        var symbol: TemplateToken.Symbol?
        while length > 0, symbol == nil {
            if position + length <= source.count {
                let text = String(decoding: source[position..<position + length], as: UTF8.self)
                symbol = TemplateToken.Symbol(rawValue: text)
            }
            if symbol == nil { length -= 1 }
        }
        guard let symbol else {
            throw syntax("unexpected character '\(Character(Unicode.Scalar(source[position])))'")
        }
        switch symbol {
        case .openBrace: open.append(UInt8(ascii: "}"))
        case .openBracket: open.append(UInt8(ascii: "]"))
        case .openParenthesis: open.append(UInt8(ascii: ")"))
        case .closeBrace, .closeBracket, .closeParenthesis:
            guard let expected = open.popLast() else { throw syntax("unexpected '\(symbol.rawValue)'") }
            guard expected == source[position] else {
                let wanted = Character(Unicode.Scalar(expected))
                throw syntax("unexpected '\(symbol.rawValue)', expected '\(wanted)'")
            }
        default: break
        }
        append(.symbol(symbol))
        moved(to: position + length)
    }

    private mutating func readNumber() throws {
        var end = position
        var isFloat = false
        var radix = 10
        if source[position] == UInt8(ascii: "0"), position + 1 < source.count {
            switch source[position + 1] | 0x20 {
            case UInt8(ascii: "x"): radix = 16
            case UInt8(ascii: "o"): radix = 8
            case UInt8(ascii: "b"): radix = 2
            default: break
            }
        }
        if radix != 10 { end += 2 }
        func isDigit(_ offset: Int) -> Bool {
            guard offset < source.count else { return false }
            guard let value = Character(Unicode.Scalar(source[offset])).hexDigitValue else { return false }
            return value < radix
        }
        func skipDigits() {
            while isDigit(end) || (end < source.count && source[end] == UInt8(ascii: "_") && isDigit(end + 1)) {
                end += 1
            }
        }
        skipDigits()
        if radix == 10 {
            if end < source.count, source[end] == UInt8(ascii: "."), isDigit(end + 1) {
                isFloat = true
                end += 1
                skipDigits()
            }
            if end < source.count, source[end] | 0x20 == UInt8(ascii: "e") {
                var exponent = end + 1
                if exponent < source.count,
                    source[exponent] == UInt8(ascii: "+") || source[exponent] == UInt8(ascii: "-")
                {
                    exponent += 1
                }
                if isDigit(exponent) {
                    isFloat = true
                    end = exponent
                    skipDigits()
                }
            }
        }
        let digits = source[position..<end].filter { $0 != UInt8(ascii: "_") }
        let text = String(decoding: digits, as: UTF8.self)
        if isFloat {
            guard let value = Double(text) else { throw syntax("'\(text)' is not a number") }
            append(.float(value))
        } else {
            guard let value = Int(radix == 10 ? text : String(text.dropFirst(2)), radix: radix) else {
                throw syntax("the number \(text) is too large")
            }
            append(.integer(value))
        }
        moved(to: end)
    }

    private mutating func readString(quote: UInt8) throws {
        var end = position + 1
        while end < source.count, source[end] != quote { end += source[end] == UInt8(ascii: "\\") ? 2 : 1 }
        guard end < source.count else { throw syntax("a string is not closed with its quotation mark") }
        let text = try TemplateEscapes.unescaped(Array(source[position + 1..<end]))
        append(.string(TemplateText(text, isOwn: true)))
        moved(to: end + 1)
    }

    private func syntax(_ message: String) -> TemplateFault { TemplateFault(kind: .syntax, message: message) }
}
