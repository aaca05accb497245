/// Parses a template's statements. Expressions are in `TemplateParser+Expressions.swift`.
struct TemplateParser {
    let tokens: [TemplateToken]
    let limits: TemplateLimits
    var position = 0
    private(set) var names: [String] = []
    private var nameIndices: [String: Int] = [:]
    private var nesting = 0
    private var loopNesting = 0
    /// Which of the names that only macros know were read since the innermost macro began.
    private var specialNames: Set<Int> = []

    /// Reads a template. Throws `TemplateError`.
    static func parse(_ source: String, limits: TemplateLimits) throws -> TemplateProgram {
        guard source.utf8.count <= limits.sourceBytes else {
            throw TemplateError(
                kind: .limit, line: 0,
                message: "the source has \(source.utf8.count) bytes; at most \(limits.sourceBytes) are allowed")
        }
        var parser = TemplateParser(tokens: try TemplateLexer.tokens(of: source), limits: limits)
        do {
            for name in TemplateNames.allCases { _ = parser.intern(name.rawValue) }
            let body = try parser.statements(until: [])
            return TemplateProgram(names: parser.names, body: body, sourceBytes: source.utf8.count)
        } catch let fault as TemplateFault {
            let line = parser.tokens[min(parser.position, parser.tokens.count - 1)].line
            throw TemplateError(kind: fault.kind, line: line, message: fault.message)
        }
    }

    private init(tokens: [TemplateToken], limits: TemplateLimits) {
        self.tokens = tokens
        self.limits = limits
    }

    var current: TemplateToken { tokens[position] }

    func syntax(_ message: String) -> TemplateFault { TemplateFault(kind: .syntax, message: message) }

    mutating func advance() {
        if position < tokens.count - 1 { position += 1 }
    }

    func isSymbol(_ symbol: TemplateToken.Symbol) -> Bool {
        if case .symbol(symbol) = current.kind { true } else { false }
    }

    func isName(_ name: String) -> Bool {
        if case .name(name) = current.kind { true } else { false }
    }

    mutating func skip(_ symbol: TemplateToken.Symbol) -> Bool {
        guard isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func skip(name: String) -> Bool {
        guard isName(name) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: TemplateToken.Symbol) throws {
        guard skip(symbol) else { throw syntax("expected '\(symbol.rawValue)', found \(current.summary)") }
    }

    mutating func expectName() throws -> String {
        guard case .name(let name) = current.kind else { throw syntax("expected a name, found \(current.summary)") }
        advance()
        return name
    }

    mutating func intern(_ name: String) -> Int {
        if let index = nameIndices[name] { return index }
        names.append(name)
        nameIndices[name] = names.count - 1
        return names.count - 1
    }

    /// Runs a parse one level deeper.
    mutating func nested<Result>(_ parse: (inout TemplateParser) throws -> Result) throws -> Result {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= limits.nesting else {
            throw TemplateFault.limit("the template nests more than \(limits.nesting) levels deep")
        }
        return try parse(&self)
    }

    private mutating func endBlock() throws {
        guard case .blockEnd = current.kind else { throw syntax("expected '%}', found \(current.summary)") }
        advance()
    }

    /// Reads statements up to a block that begins with one of the given words, and stops at that word; without words, up to
    /// the end of the template.
    private mutating func statements(until ends: [String]) throws -> [TemplateStatement] {
        try nested { parser in
            var body: [TemplateStatement] = []
            while true {
                let token = parser.current
                switch token.kind {
                case .data(let text):
                    body.append(TemplateStatement(kind: .text(text), line: token.line))
                    parser.advance()
                case .variableBegin:
                    parser.advance()
                    let value = try parser.tupleOrExpression()
                    guard case .variableEnd = parser.current.kind else {
                        throw parser.syntax("expected '}}', found \(parser.current.summary)")
                    }
                    parser.advance()
                    body.append(TemplateStatement(kind: .output(value), line: token.line))
                case .blockBegin:
                    parser.advance()
                    if case .name(let word) = parser.current.kind, ends.contains(word) { return body }
                    body.append(TemplateStatement(kind: try parser.statement(ends), line: token.line))
                case .end:
                    if ends.isEmpty { return body }
                    throw parser.syntax(
                        "the template ends where '{% \(ends.joined(separator: " %}' or '{% ")) %}' is missing")
                default:
                    throw parser.syntax("unexpected \(token.summary)")
                }
            }
        }
    }

    /// Reads a body up to its end word, that word and the end of its block.
    private mutating func body(until end: String) throws -> [TemplateStatement] {
        try endBlock()
        let body = try statements(until: [end])
        advance()
        try endBlock()
        return body
    }

    private mutating func statement(_ ends: [String]) throws -> TemplateStatement.Kind {
        let word = try expectName()
        switch word {
        case "if": return try condition()
        case "for": return try loop()
        case "set": return try set()
        case "macro": return try macro()
        case "call": return try call()
        case "filter":
            let filter = try filters(of: nil, isInline: true)
            return .filter(filter, body: try body(until: "endfilter"))
        case "with": return try with()
        case "generation": return .generation(try body(until: "endgeneration"))
        case "print":
            let value = try tupleOrExpression()
            try endBlock()
            return .output(value)
        case "break", "continue":
            guard loopNesting > 0 else { throw syntax("'\(word)' stands outside a loop") }
            try endBlock()
            return word == "break" ? .breakLoop : .continueLoop
        case "include", "import", "from", "extends", "block", "autoescape", "do", "trans", "debug":
            throw TemplateFault.unsupported("'{% \(word) %}' is not supported in chat templates")
        default:
            let expected = ends.isEmpty ? "" : "; expected '{% \(ends.joined(separator: " %}' or '{% ")) %}'"
            throw syntax("unknown tag '\(word)'\(expected)")
        }
    }

    private mutating func condition() throws -> TemplateStatement.Kind {
        var branches: [(test: TemplateExpression, body: [TemplateStatement])] = []
        while true {
            let test = try tupleOrExpression(allowsConditional: false)
            try endBlock()
            branches.append((test, try statements(until: ["elif", "else", "endif"])))
            let word = try expectName()
            if word == "elif" { continue }
            var otherwise: [TemplateStatement] = []
            if word == "else" {
                try endBlock()
                otherwise = try statements(until: ["endif"])
                advance()
            }
            try endBlock()
            return .condition(branches, otherwise: otherwise)
        }
    }

    private mutating func loop() throws -> TemplateStatement.Kind {
        let target = try target(allowsAttribute: false)
        guard skip(name: "in") else { throw syntax("expected 'in', found \(current.summary)") }
        let sequence = try tupleOrExpression(allowsConditional: false, endsBefore: "recursive")
        let test = skip(name: "if") ? try expression() : nil
        let isRecursive = skip(name: "recursive")
        try endBlock()
        loopNesting += 1
        let body = try statements(until: ["endfor", "else"])
        loopNesting -= 1
        var otherwise: [TemplateStatement] = []
        if try expectName() == "else" {
            try endBlock()
            otherwise = try statements(until: ["endfor"])
            advance()
        }
        try endBlock()
        return .loop(
            TemplateLoopDefinition(
                target: target, sequence: sequence, test: test, body: body, otherwise: otherwise,
                isRecursive: isRecursive))
    }

    private mutating func set() throws -> TemplateStatement.Kind {
        let target = try target(allowsAttribute: true)
        if skip(.assign) {
            let value = try tupleOrExpression()
            try endBlock()
            return .set(target, value)
        }
        let filter = isSymbol(.pipe) ? try filters(of: nil, isInline: false) : nil
        return .setBlock(target, filter: filter, body: try body(until: "endset"))
    }

    private mutating func target(allowsAttribute: Bool) throws -> TemplateTarget {
        var targets: [TemplateTarget] = []
        var isTuple = false
        repeat {
            if isName("in") || isSymbol(.assign) { break }
            if skip(.openParenthesis) {
                targets.append(try nested { try $0.target(allowsAttribute: allowsAttribute) })
                try expect(.closeParenthesis)
            } else {
                let name = try expectName()
                if ["true", "false", "none", "True", "False", "None", "not", "and", "or", "if", "else"].contains(name) {
                    throw syntax("can't assign to '\(name)'")
                }
                if allowsAttribute, skip(.dot) {
                    targets.append(.attribute(object: intern(name), attribute: try expectName()))
                } else {
                    targets.append(.name(intern(name)))
                }
            }
            if isSymbol(.comma) { isTuple = true }
        } while skip(.comma)
        guard let first = targets.first else { throw syntax("expected a name to assign to, found \(current.summary)") }
        return isTuple ? .tuple(targets) : first
    }

    private mutating func macro() throws -> TemplateStatement.Kind {
        let name = intern(try expectName())
        return .macro(try macro(name, parameters: try parameters(), end: "endmacro"))
    }

    private mutating func macro(
        _ name: Int, parameters: [(name: Int, fallback: TemplateExpression?)], end: String
    ) throws -> TemplateMacroDefinition {
        // A macro's body runs outside the loop it stands in.
        let outer = (loopNesting, specialNames)
        (loopNesting, specialNames) = (0, [])
        defer { (loopNesting, specialNames) = outer }
        let body = try body(until: end)
        return TemplateMacroDefinition(name: name, parameters: parameters, body: body, specialNames: specialNames)
    }

    /// Interns the name of a variable that is read.
    mutating func internVariable(_ name: String) -> Int {
        let index = intern(name)
        if index < TemplateNames.allCases.count { specialNames.insert(index) }
        return index
    }

    private mutating func parameters() throws -> [(name: Int, fallback: TemplateExpression?)] {
        var parameters: [(name: Int, fallback: TemplateExpression?)] = []
        try expect(.openParenthesis)
        while !isSymbol(.closeParenthesis) {
            if !parameters.isEmpty {
                try expect(.comma)
                if isSymbol(.closeParenthesis) { break }
            }
            let name = intern(try expectName())
            let fallback = skip(.assign) ? try expression() : nil
            if fallback == nil, parameters.last?.fallback != nil {
                throw syntax("a parameter without a default follows one with a default")
            }
            parameters.append((name, fallback))
        }
        advance()
        return parameters
    }

    private mutating func call() throws -> TemplateStatement.Kind {
        let parameters = isSymbol(.openParenthesis) ? try parameters() : []
        let call = try expression()
        guard case .call = call.kind else { throw syntax("expected a call after 'call'") }
        return .call(call, caller: try macro(TemplateNames.caller.index, parameters: parameters, end: "endcall"))
    }

    private mutating func with() throws -> TemplateStatement.Kind {
        var assignments: [(target: TemplateTarget, value: TemplateExpression)] = []
        while true {
            if case .blockEnd = current.kind { break }
            if !assignments.isEmpty { try expect(.comma) }
            let target = try withTarget()
            try expect(.assign)
            assignments.append((target, try expression()))
        }
        return .with(assignments, body: try body(until: "endwith"))
    }

    private mutating func withTarget() throws -> TemplateTarget {
        if isSymbol(.openParenthesis) { return try target(allowsAttribute: false) }
        return .name(intern(try expectName()))
    }
}

/// Names that the renderer knows by fixed index, because they are interned first and in this order.
enum TemplateNames: String, CaseIterable {
    case loop, caller, varargs, kwargs

    var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
