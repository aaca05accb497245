/// A token of a Python program.
struct PythonCodeToken: Hashable {
    enum Kind { case name, number, string, symbol, newline, indent, dedent, end }

    var kind: Kind
    var text: String
}

/// What is wrong with a program that can't be read.
struct PythonCodeError: Error, Hashable {
    var reason: String
}

/// Cuts a Python program into tokens, indentation included. Comments are dropped.
struct PythonLexer {
    private let text: [Character]
    private var place = 0
    private var depth = 0
    private var indents = [0]
    private var tokens: [PythonCodeToken] = []

    private static let symbols: [[Character]] = [
        "**=", "//=", ">>=", "<<=", "...", "**", "//", ">>", "<<", "<=", ">=", "==", "!=", "->", ":=", "+=", "-=", "*=",
        "/=", "%=", "&=", "|=", "^=", "@=",
    ].map(Array.init)

    static func tokens(of program: String) throws(PythonCodeError) -> [PythonCodeToken] {
        var lexer = PythonLexer(program)
        try lexer.run()
        return lexer.tokens
    }

    private init(_ program: String) {
        text = Array(program.replacing("\r\n", with: "\n").replacing("\t", with: "    "))
    }

    private mutating func run() throws(PythonCodeError) {
        var startsLine = true
        while place < text.count {
            if startsLine, depth == 0 {
                startsLine = false
                let start = place
                while place < text.count, text[place] == " " { place += 1 }
                guard place < text.count else { break }
                if text[place] == "\n" || text[place] == "#" {
                    skipLine()
                    startsLine = true
                    continue
                }
                try indent(to: place - start)
            }
            let character = text[place]
            if character == "\n" {
                place += 1
                if depth == 0 {
                    tokens.append(.init(kind: .newline, text: "\n"))
                    startsLine = true
                }
            } else if character == "#" {
                while place < text.count, text[place] != "\n" { place += 1 }
            } else if character.isWhitespace {
                place += 1
            } else if character == "\\", place + 1 < text.count, text[place + 1] == "\n" {
                place += 2
            } else if let prefix = stringPrefix() {
                try string(prefix)
            } else if character.isLetter || character == "_" {
                take(.name) { $0.isLetter || $0.isNumber || $0 == "_" }
            } else if character.isNumber || (character == "." && place + 1 < text.count && text[place + 1].isNumber) {
                number()
            } else {
                try symbol()
            }
        }
        if tokens.last.map({ $0.kind != .newline }) ?? false { tokens.append(.init(kind: .newline, text: "\n")) }
        while indents.count > 1 {
            indents.removeLast()
            tokens.append(.init(kind: .dedent, text: ""))
        }
        tokens.append(.init(kind: .end, text: ""))
    }

    private mutating func skipLine() {
        while place < text.count, text[place] != "\n" { place += 1 }
        if place < text.count { place += 1 }
    }

    private mutating func indent(to width: Int) throws(PythonCodeError) {
        if width > indents[indents.count - 1] {
            guard indents.count < 100 else { throw PythonCodeError(reason: "blocks are nested too deep") }
            indents.append(width)
            tokens.append(.init(kind: .indent, text: ""))
        }
        while width < indents[indents.count - 1] {
            indents.removeLast()
            tokens.append(.init(kind: .dedent, text: ""))
        }
    }

    private mutating func take(_ kind: PythonCodeToken.Kind, while condition: (Character) -> Bool) {
        let start = place
        while place < text.count, condition(text[place]) { place += 1 }
        tokens.append(.init(kind: kind, text: String(text[start..<place])))
    }

    private mutating func number() {
        let start = place
        let isBased = text[place] == "0" && place + 1 < text.count && "xXoObB".contains(text[place + 1])
        if isBased { place += 2 }
        while place < text.count {
            let next = text[place]
            let isSign = (next == "+" || next == "-") && "eE".contains(text[place - 1]) && !isBased && place > start
            guard next.isLetter || next.isNumber || next == "_" || next == "." || isSign else { break }
            place += 1
        }
        tokens.append(.init(kind: .number, text: String(text[start..<place])))
    }

    /// The letters before a quote, where a string begins here.
    private func stringPrefix() -> Int? {
        var end = place
        while end < text.count, end - place < 3, "rRbBuUfF".contains(text[end]) { end += 1 }
        guard end < text.count, text[end] == "'" || text[end] == "\"", end - place < 3 else { return nil }
        return end - place
    }

    private mutating func string(_ prefix: Int) throws(PythonCodeError) {
        let start = place
        place += prefix
        let quote = text[place]
        let isLong = place + 2 < text.count && text[place + 1] == quote && text[place + 2] == quote
        place += isLong ? 3 : 1
        while true {
            guard place < text.count, isLong || text[place] != "\n" else {
                throw PythonCodeError(reason: "a string is not closed")
            }
            if text[place] == "\\" {
                place += 2
            } else if text[place] == quote {
                let closes = !isLong || (place + 2 < text.count && text[place + 1] == quote && text[place + 2] == quote)
                place += closes && isLong ? 3 : 1
                if closes { break }
            } else {
                place += 1
            }
        }
        tokens.append(.init(kind: .string, text: String(text[start..<min(place, text.count)])))
    }

    private mutating func symbol() throws(PythonCodeError) {
        let rest = text[place...]
        if let long = Self.symbols.first(where: { rest.starts(with: $0) }) {
            place += long.count
            tokens.append(.init(kind: .symbol, text: String(long)))
            return
        }
        let character = text[place]
        guard "+-*/%@&|^~<>()[]{},:.;=".contains(character) else {
            throw PythonCodeError(reason: "the character \(character) has no meaning")
        }
        if "([{".contains(character) { depth += 1 }
        if ")]}".contains(character) { depth = max(0, depth - 1) }
        place += 1
        tokens.append(.init(kind: .symbol, text: String(character)))
    }
}
