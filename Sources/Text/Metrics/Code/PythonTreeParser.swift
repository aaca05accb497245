/// Reads a Python program into the tree that tree-sitter's grammar gives it, for measures that compare trees: Python 3 without
/// `match` and `type` statements. A statement that can't be read becomes a node `ERROR`, and reading goes on behind its line.
struct PythonTreeParser {
    private let tokens: [PythonCodeToken]
    private var place = 0
    var nesting = 0

    /// The most bytes of a program; longer ones are one `ERROR`.
    static let mostBytes = 1 << 18

    static func tree(of program: String) -> PythonTree {
        guard program.utf8.count <= mostBytes, let tokens = try? PythonLexer.tokens(of: program) else {
            return PythonTree("module", [PythonTree(leaf: "ERROR", program)])
        }
        var parser = PythonTreeParser(tokens: tokens)
        return PythonTree("module", parser.statements())
    }

    /// The expression of an f-string's braces.
    static func expression(of text: String) -> PythonTree? {
        guard let tokens = try? PythonLexer.tokens(of: "(" + text + ")") else { return nil }
        var parser = PythonTreeParser(tokens: tokens)
        guard let tree = try? parser.expression(), parser.peek.kind == .newline, tree.children.count == 3 else {
            return nil
        }
        return tree.children[1]
    }

    private init(tokens: [PythonCodeToken]) { self.tokens = tokens }

    // MARK: Tokens

    var peek: PythonCodeToken { tokens[min(place, tokens.count - 1)] }
    func peek(_ ahead: Int) -> PythonCodeToken { tokens[min(place + ahead, tokens.count - 1)] }

    /// Whether the next token is this keyword or symbol.
    func isNext(_ text: String) -> Bool { (peek.kind == .name || peek.kind == .symbol) && peek.text == text }

    mutating func advance() -> PythonCodeToken {
        let token = peek
        place += 1
        return token
    }

    mutating func takes(_ text: String) -> PythonTree? {
        guard isNext(text) else { return nil }
        place += 1
        return .mark(text)
    }

    mutating func expect(_ text: String) throws(PythonCodeError) -> PythonTree {
        guard let mark = takes(text) else { throw PythonCodeError(reason: "\(text) is missing before \(peek.text)") }
        return mark
    }

    static let keywords: Set<String> = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
        "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
        "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ]

    mutating func identifier() throws(PythonCodeError) -> PythonTree {
        guard peek.kind == .name, !Self.keywords.contains(peek.text) else {
            throw PythonCodeError(reason: "a name is missing before \(peek.text)")
        }
        return PythonTree(leaf: "identifier", advance().text)
    }

    // MARK: Statements

    /// Statements to the end of the block or of the program.
    private mutating func statements() -> [PythonTree] {
        var all: [PythonTree] = []
        while peek.kind != .end, peek.kind != .dedent {
            let start = place
            do throws(PythonCodeError) {
                all += try statement()
            } catch {
                place = start
                all.append(PythonTree(leaf: "ERROR", peek.text))
                skipStatement()
            }
        }
        return all
    }

    /// Goes behind the line and, where one follows, the block below it.
    private mutating func skipStatement() {
        while ![.newline, .end].contains(peek.kind) { place += 1 }
        if peek.kind == .newline { place += 1 }
        var depth = 0
        while peek.kind != .end, peek.kind == .indent || depth > 0 {
            if peek.kind == .indent { depth += 1 }
            if peek.kind == .dedent { depth -= 1 }
            place += 1
        }
    }

    private mutating func statement() throws(PythonCodeError) -> [PythonTree] {
        if peek.kind == .indent { throw PythonCodeError(reason: "a line is indented without need") }
        // A string that is a statement of its own is a description: it goes as comments do.
        if peek.kind == .string, peek(1).kind == .newline {
            place += 2
            return []
        }
        if let compound = try compound() { return [compound] }
        var all = [try simple()]
        while takes(";") != nil {
            if peek.kind == .newline { break }
            all.append(try simple())
        }
        guard peek.kind == .newline || peek.kind == .end else {
            throw PythonCodeError(reason: "\(peek.text) can't follow a statement")
        }
        if peek.kind == .newline { place += 1 }
        return all
    }

    private mutating func simple() throws(PythonCodeError) -> PythonTree {
        switch peek.kind == .name ? peek.text : "" {
        case "pass", "break", "continue":
            let word = advance().text
            return PythonTree("\(word)_statement", [.mark(word)])
        case "return":
            var parts = [try expect("return")]
            if !endsSimple { parts.append(try expressions()) }
            return PythonTree("return_statement", parts)
        case "del": return PythonTree("delete_statement", [try expect("del"), try expressions()])
        case "raise":
            var parts = [try expect("raise")]
            if !endsSimple { parts.append(try expressions()) }
            if let from = takes("from") { parts += [from, try expression().at("cause")] }
            return PythonTree("raise_statement", parts)
        case "assert":
            return PythonTree(
                "assert_statement",
                [try expect("assert")] + (try separated { (parser) throws(PythonCodeError) in try parser.expression() })
            )
        case "global", "nonlocal":
            let word = advance().text
            return PythonTree(
                "\(word)_statement",
                [.mark(word)] + (try separated { (parser) throws(PythonCodeError) in try parser.identifier() }))
        case "import":
            return PythonTree(
                "import_statement",
                [try expect("import")] + (try separated { (parser) throws(PythonCodeError) in try parser.imported() }))
        case "from": return try importFrom()
        default: return PythonTree("expression_statement", try assignment())
        }
    }

    private var endsSimple: Bool { [.newline, .end].contains(peek.kind) || isNext(";") || isNext("from") }

    private static let augmented: Set<String> = [
        "+=", "-=", "*=", "/=", "//=", "%=", "**=", ">>=", "<<=", "&=", "|=", "^=", "@=",
    ]

    /// What an expression statement holds: expressions, or one assignment.
    private mutating func assignment() throws(PythonCodeError) -> [PythonTree] {
        let parts = try separatedExpressions()
        guard isNext("=") || isNext(":") || (peek.kind == .symbol && Self.augmented.contains(peek.text)) else {
            return parts
        }
        return [try assignment(to: parts)]
    }

    private mutating func assignment(to parts: [PythonTree]) throws(PythonCodeError) -> PythonTree {
        let left = (parts.count == 1 ? parts[0] : PythonTree("pattern_list", parts)).pattern.patternsInside.at("left")
        if peek.kind == .symbol, Self.augmented.contains(peek.text) {
            return PythonTree(
                "augmented_assignment", [left, PythonTree.mark(advance().text).at("operator"), try value().at("right")])
        }
        var all = [left]
        if let colon = takes(":") { all += [colon, try type().at("type")] }
        if let sign = takes("=") {
            let next = try isNext("yield") ? [expression()] : separatedExpressions()
            if isNext("=") {
                all += [sign, try assignment(to: next).at("right")]
            } else {
                all += [sign, (next.count == 1 ? next[0] : PythonTree("expression_list", next)).at("right")]
            }
        }
        return PythonTree("assignment", all)
    }

    private mutating func value() throws(PythonCodeError) -> PythonTree {
        isNext("yield") ? try expression() : try expressions()
    }

    mutating func type() throws(PythonCodeError) -> PythonTree {
        let written = try expression()
        guard written.kind == "subscript", let first = written.children.first, first.kind == "identifier" else {
            return PythonTree("type", [written])
        }
        var name = first
        name.field = nil
        let parameters = written.children.dropFirst().map { node in
            guard node.isNamed else { return node }
            var inner = node
            inner.field = nil
            return PythonTree("type", [inner])
        }
        return PythonTree("type", [PythonTree("generic_type", [name, PythonTree("type_parameter", parameters)])])
    }

    private mutating func dottedName() throws(PythonCodeError) -> PythonTree {
        var parts = [try identifier()]
        while let dot = takes(".") { parts += [dot, try identifier()] }
        return PythonTree("dotted_name", parts)
    }

    private mutating func imported() throws(PythonCodeError) -> PythonTree {
        let name = try dottedName()
        guard let mark = takes("as") else { return name.at("name") }
        return PythonTree("aliased_import", [name.at("name"), mark, try identifier().at("alias")]).at("name")
    }

    private mutating func importFrom() throws(PythonCodeError) -> PythonTree {
        var all = [try expect("from")]
        var dots: [PythonTree] = []
        while isNext(".") || isNext("...") {
            dots += advance().text.map { .mark(String($0)) }
        }
        if dots.isEmpty {
            all.append(try dottedName().at("module_name"))
        } else {
            var parts = [PythonTree("import_prefix", dots)]
            if !isNext("import") { parts.append(try dottedName()) }
            all.append(PythonTree("relative_import", parts).at("module_name"))
        }
        all.append(try expect("import"))
        if let star = takes("*") {
            all.append(PythonTree("wildcard_import", [star]))
        } else if let open = takes("(") {
            all +=
                [open] + (try separated(before: ")") { (parser) throws(PythonCodeError) in try parser.imported() }) + [
                    try expect(")")
                ]
        } else {
            all += try separated { (parser) throws(PythonCodeError) in try parser.imported() }
        }
        return PythonTree("import_from_statement", all)
    }

    // MARK: Compound statements

    private mutating func compound() throws(PythonCodeError) -> PythonTree? {
        guard peek.kind == .name else {
            return isNext("@") ? try decorated() : nil
        }
        switch peek.text {
        case "if":
            var all = [
                try expect("if"), try namedExpression().at("condition"), try expect(":"), try block().at("consequence"),
            ]
            while let mark = takes("elif") {
                all.append(
                    PythonTree(
                        "elif_clause",
                        [
                            mark, try namedExpression().at("condition"), try expect(":"),
                            try block().at("consequence"),
                        ]
                    ).at("alternative"))
            }
            return PythonTree("if_statement", all + (try alternative()))
        case "while":
            return PythonTree(
                "while_statement",
                [
                    try expect("while"), try namedExpression().at("condition"), try expect(":"), try block().at("body"),
                ]
                    + (try alternative()))
        case "for": return try loop([])
        case "try": return try attempt()
        case "with": return try with([])
        case "def": return try function([])
        case "class":
            var all = [try expect("class"), try identifier().at("name")]
            if isNext("(") { all.append(try arguments().at("superclasses")) }
            return PythonTree("class_definition", all + [try expect(":"), try block().at("body")])
        case "async":
            let mark = try expect("async")
            if isNext("for") { return try loop([mark]) }
            if isNext("with") { return try with([mark]) }
            return try function([mark])
        default: return nil
        }
    }

    private mutating func alternative() throws(PythonCodeError) -> [PythonTree] {
        guard let mark = takes("else") else { return [] }
        return [
            PythonTree("else_clause", [mark, try expect(":"), try block().at("body")]).at("alternative")
        ]
    }

    private mutating func loop(_ start: [PythonTree]) throws(PythonCodeError) -> PythonTree {
        let all =
            start + [try expect("for"), try targets().at("left"), try expect("in"), try expressions().at("right")]
        return PythonTree("for_statement", all + [try expect(":"), try block().at("body")] + (try alternative()))
    }

    private mutating func with(_ start: [PythonTree]) throws(PythonCodeError) -> PythonTree {
        let mark = try expect("with")
        let items = try separated { (parser) throws(PythonCodeError) in
            PythonTree("with_item", [try parser.aliased().at("value")])
        }
        return PythonTree(
            "with_statement",
            start + [mark, PythonTree("with_clause", items), try expect(":"), try block().at("body")])
    }

    private mutating func aliased() throws(PythonCodeError) -> PythonTree {
        let value = try expression()
        guard let mark = takes("as") else { return value }
        return PythonTree(
            "as_pattern", [value, mark, PythonTree("as_pattern_target", [try expression()]).at("alias")])
    }

    private mutating func attempt() throws(PythonCodeError) -> PythonTree {
        var all = [try expect("try"), try expect(":"), try block().at("body")]
        while let mark = takes("except") {
            var clause = [mark]
            if !isNext(":") { clause.append(try aliased()) }
            all.append(PythonTree("except_clause", clause + [try expect(":"), try block()]))
        }
        all += try alternative().map { (node) in
            var clause = node
            clause.field = nil
            return clause
        }
        if let mark = takes("finally") {
            all.append(PythonTree("finally_clause", [mark, try expect(":"), try block()]))
        }
        guard all.count > 3 else { throw PythonCodeError(reason: "a try has neither except nor finally") }
        return PythonTree("try_statement", all)
    }

    private mutating func function(_ start: [PythonTree]) throws(PythonCodeError) -> PythonTree {
        var all = start + [try expect("def"), try identifier().at("name"), try expect("(")]
        let open = all.removeLast()
        let parameters = try separated(before: ")") { (parser) throws(PythonCodeError) in
            try parser.parameter(isTyped: true)
        }
        all.append(PythonTree("parameters", [open] + parameters + [try expect(")")]).at("parameters"))
        if let arrow = takes("->") { all += [arrow, try type().at("return_type")] }
        return PythonTree("function_definition", all + [try expect(":"), try block().at("body")])
    }

    private mutating func decorated() throws(PythonCodeError) -> PythonTree {
        var all: [PythonTree] = []
        while let mark = takes("@") {
            all.append(PythonTree("decorator", [mark, try expression()]))
            guard peek.kind == .newline else { throw PythonCodeError(reason: "a decorator needs a line of its own") }
            place += 1
        }
        guard let definition = try compound(), definition.kind.hasSuffix("definition") else {
            throw PythonCodeError(reason: "a decorator needs a definition below it")
        }
        return PythonTree("decorated_definition", all + [definition.at("definition")])
    }

    /// A block below a line, or statements behind the colon.
    private mutating func block() throws(PythonCodeError) -> PythonTree {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting < 100 else { throw PythonCodeError(reason: "blocks are nested too deep") }
        guard peek.kind == .newline else { return PythonTree("block", try statement()) }
        place += 1
        guard peek.kind == .indent else { throw PythonCodeError(reason: "a block is missing") }
        place += 1
        let all = statements()
        if peek.kind == .dedent { place += 1 }
        return PythonTree("block", all)
    }
}

extension PythonTree {
    /// The patterns of a list of them.
    fileprivate var patternsInside: PythonTree {
        guard kind == "pattern_list" else { return self }
        var node = self
        node.children = children.map(\.pattern)
        return node
    }
}
