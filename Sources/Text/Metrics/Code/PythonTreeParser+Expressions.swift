extension PythonTreeParser {
    // MARK: Lists

    /// Elements with commas between them, a last comma included.
    /// - Parameter end: what stands behind them; nil: they end where no comma follows, and there is at least one.
    mutating func separated(
        before end: String? = nil, _ element: (inout PythonTreeParser) throws(PythonCodeError) -> PythonTree
    ) throws(PythonCodeError) -> [PythonTree] {
        var all: [PythonTree] = []
        while !(end.map { isNext($0) } ?? false) {
            all.append(try element(&self))
            guard let comma = takes(",") else { break }
            all.append(comma)
            if end == nil, !startsExpression { break }
        }
        return all
    }

    private var startsExpression: Bool {
        switch peek.kind {
        case .name:
            !Self.keywords.contains(peek.text)
                || ["not", "lambda", "await", "None", "True", "False"].contains(peek.text)
        case .number, .string: true
        case .symbol: ["(", "[", "{", "-", "+", "~", "*", "**", "..."].contains(peek.text)
        default: false
        }
    }

    mutating func separatedExpressions() throws(PythonCodeError) -> [PythonTree] {
        if isNext("yield") { return [try expression()] }
        return try separated { (parser) throws(PythonCodeError) in try parser.starred() }
    }

    /// One expression, or a list of them.
    mutating func expressions() throws(PythonCodeError) -> PythonTree {
        let all = try separatedExpressions()
        return all.count == 1 ? all[0] : PythonTree("expression_list", all)
    }

    /// What a loop assigns to.
    mutating func targets() throws(PythonCodeError) -> PythonTree {
        let all = try separated { (parser) throws(PythonCodeError) in
            if let star = parser.takes("*") { return PythonTree("list_splat_pattern", [star, try parser.binary(0)]) }
            return try parser.binary(0).pattern
        }
        return all.count == 1 ? all[0] : PythonTree("pattern_list", all)
    }

    private mutating func starred() throws(PythonCodeError) -> PythonTree {
        if let star = takes("*") { return PythonTree("list_splat", [star, try binary(0)]) }
        return try namedExpression()
    }

    // MARK: From loose to tight

    mutating func namedExpression() throws(PythonCodeError) -> PythonTree {
        let value = try expression()
        guard value.kind == "identifier", let mark = takes(":=") else { return value }
        return PythonTree("named_expression", [value.at("name"), mark, try expression().at("value")])
    }

    mutating func expression() throws(PythonCodeError) -> PythonTree {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting < 100 else { throw PythonCodeError(reason: "expressions are nested too deep") }
        if let mark = takes("lambda") { return try lambda(mark) }
        if let mark = takes("yield") {
            if let from = takes("from") { return PythonTree("yield", [mark, from, try expression()]) }
            return startsExpression ? PythonTree("yield", [mark, try expressions()]) : PythonTree("yield", [mark])
        }
        let value = try disjunction()
        guard let mark = takes("if") else { return value }
        let condition = try disjunction()
        return PythonTree("conditional_expression", [value, mark, condition, try expect("else"), try expression()])
    }

    private mutating func lambda(_ mark: PythonTree) throws(PythonCodeError) -> PythonTree {
        var all = [mark]
        if !isNext(":") {
            let parameters = try separated(before: ":") { (parser) throws(PythonCodeError) in
                try parser.parameter(isTyped: false)
            }
            all.append(PythonTree("lambda_parameters", parameters).at("parameters"))
        }
        return PythonTree("lambda", all + [try expect(":"), try expression().at("body")])
    }

    mutating func parameter(isTyped: Bool) throws(PythonCodeError) -> PythonTree {
        if let mark = takes("/") { return PythonTree("positional_separator", [mark]) }
        var name: PythonTree
        if let star = takes("*") {
            if isNext(",") { return PythonTree("keyword_separator", [star]) }
            name = PythonTree("list_splat_pattern", [star, try identifier()])
        } else if let stars = takes("**") {
            name = PythonTree("dictionary_splat_pattern", [stars, try identifier()])
        } else {
            name = try identifier()
        }
        if isTyped, let colon = takes(":") {
            let type = try type().at("type")
            guard let sign = takes("=") else { return PythonTree("typed_parameter", [name, colon, type]) }
            return PythonTree(
                "typed_default_parameter", [name.at("name"), colon, type, sign, try expression().at("value")])
        }
        guard let sign = takes("=") else { return name }
        return PythonTree("default_parameter", [name.at("name"), sign, try expression().at("value")])
    }

    private mutating func disjunction() throws(PythonCodeError) -> PythonTree {
        var left = try conjunction()
        while let mark = takes("or") {
            left = PythonTree(
                "boolean_operator", [left.at("left"), mark.at("operator"), try conjunction().at("right")])
        }
        return left
    }

    private mutating func conjunction() throws(PythonCodeError) -> PythonTree {
        var left = try negation()
        while let mark = takes("and") {
            left = PythonTree("boolean_operator", [left.at("left"), mark.at("operator"), try negation().at("right")])
        }
        return left
    }

    private mutating func negation() throws(PythonCodeError) -> PythonTree {
        guard isNext("not") else { return try comparison() }
        nesting += 1
        defer { nesting -= 1 }
        guard nesting < 100 else { throw PythonCodeError(reason: "expressions are nested too deep") }
        return PythonTree("not_operator", [try expect("not"), try negation().at("argument")])
    }

    private mutating func comparison() throws(PythonCodeError) -> PythonTree {
        var all = [try binary(0)]
        while true {
            var marks: [PythonTree] = []
            if isNext("not"), peek(1).text == "in" {
                marks = [advance(), advance()].map { PythonTree(leaf: "not in", $0.text, isNamed: false) }
            } else if isNext("is") {
                let isNegated = peek(1).kind == .name && peek(1).text == "not"
                marks =
                    isNegated
                    ? [advance(), advance()].map { PythonTree(leaf: "is not", $0.text, isNamed: false) }
                    : [.mark(advance().text)]
            } else if peek.kind == .symbol, ["<", ">", "==", ">=", "<=", "!="].contains(peek.text) {
                marks = [.mark(advance().text)]
            } else if isNext("in") {
                marks = [.mark(advance().text)]
            }
            guard !marks.isEmpty else { break }
            all += marks + [try binary(0)]
        }
        return all.count == 1 ? all[0] : PythonTree("comparison_operator", all)
    }

    private static let levels: [Set<String>] = [
        ["|"], ["^"], ["&"], ["<<", ">>"], ["+", "-"], ["*", "@", "/", "%", "//"],
    ]

    /// Arithmetic from this level of operators on.
    mutating func binary(_ level: Int) throws(PythonCodeError) -> PythonTree {
        guard level < Self.levels.count else { return try unary() }
        var left = try binary(level + 1)
        while peek.kind == .symbol, Self.levels[level].contains(peek.text) {
            let mark = PythonTree.mark(advance().text).at("operator")
            left = PythonTree("binary_operator", [left.at("left"), mark, try binary(level + 1).at("right")])
        }
        return left
    }

    private mutating func unary() throws(PythonCodeError) -> PythonTree {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting < 100 else { throw PythonCodeError(reason: "expressions are nested too deep") }
        if peek.kind == .symbol, ["+", "-", "~"].contains(peek.text) {
            let mark = PythonTree.mark(advance().text).at("operator")
            return PythonTree("unary_operator", [mark, try unary().at("argument")])
        }
        if let mark = takes("await") { return PythonTree("await", [mark, try primary()]) }
        let base = try primary()
        guard let mark = takes("**") else { return base }
        return PythonTree("binary_operator", [base.at("left"), mark.at("operator"), try unary().at("right")])
    }

    private mutating func primary() throws(PythonCodeError) -> PythonTree {
        var value = try atom()
        while true {
            if let dot = takes(".") {
                value = PythonTree("attribute", [value.at("object"), dot, try identifier().at("attribute")])
            } else if isNext("(") {
                value = PythonTree("call", [value.at("function"), try arguments().at("arguments")])
            } else if let open = takes("[") {
                let parts = try separated(before: "]") { (parser) throws(PythonCodeError) in
                    try parser.subscription().at("subscript")
                }
                value = PythonTree("subscript", [value.at("value"), open] + parts + [try expect("]")])
            } else {
                return value
            }
        }
    }

    private mutating func subscription() throws(PythonCodeError) -> PythonTree {
        var parts: [PythonTree] = []
        if !isNext(":") {
            let first = try starred()
            guard isNext(":") else { return first }
            parts.append(first)
        }
        while let colon = takes(":") {
            parts.append(colon)
            if !isNext(":"), !isNext("]"), !isNext(",") { parts.append(try expression()) }
        }
        return PythonTree("slice", parts)
    }

    /// What stands in the brackets of a call; a generator alone needs none of its own.
    mutating func arguments() throws(PythonCodeError) -> PythonTree {
        let open = try expect("(")
        let parts = try separated(before: ")") { (parser) throws(PythonCodeError) in
            if let star = parser.takes("*") { return PythonTree("list_splat", [star, try parser.expression()]) }
            if let stars = parser.takes("**") {
                return PythonTree("dictionary_splat", [stars, try parser.expression()])
            }
            if parser.peek.kind == .name, parser.peek(1).kind == .symbol, parser.peek(1).text == "=" {
                return PythonTree(
                    "keyword_argument",
                    [try parser.identifier().at("name"), try parser.expect("="), try parser.expression().at("value")])
            }
            return try parser.namedExpression()
        }
        if parts.count == 1, isNext("for") || isNext("async") {
            let clauses = try clauses()
            return PythonTree(
                "generator_expression", [open, parts[0].at("body")] + clauses + [try expect(")")])
        }
        return PythonTree("argument_list", [open] + parts + [try expect(")")])
    }

    /// The `for` and `if` of a comprehension.
    private mutating func clauses() throws(PythonCodeError) -> [PythonTree] {
        var all: [PythonTree] = []
        while true {
            if isNext("for") || isNext("async") {
                let start = takes("async").map { [$0] } ?? []
                let head = start + [try expect("for"), try targets().at("left"), try expect("in")]
                all.append(PythonTree("for_in_clause", head + [try disjunction().at("right")]))
            } else if let mark = takes("if") {
                all.append(PythonTree("if_clause", [mark, try disjunction()]))
            } else {
                return all
            }
        }
    }

    // MARK: Atoms

    private mutating func atom() throws(PythonCodeError) -> PythonTree {
        switch peek.kind {
        case .number:
            let text = advance().text
            let isBased =
                text.count > 1 && text.first == "0" && "xXoObB".contains(text[text.index(after: text.startIndex)])
            let isFloat = !isBased && text.contains { ".eE".contains($0) }
            return PythonTree(leaf: isFloat ? "float" : "integer", text)
        case .string:
            var strings: [PythonTree] = []
            while peek.kind == .string { strings.append(PythonStrings.tree(of: advance().text, nesting: nesting)) }
            return strings.count == 1 ? strings[0] : PythonTree("concatenated_string", strings)
        case .name:
            if let constant = ["True": "true", "False": "false", "None": "none"][peek.text] {
                return PythonTree(leaf: constant, advance().text)
            }
            return try identifier()
        default: break
        }
        if isNext("...") { return PythonTree(leaf: "ellipsis", advance().text) }
        if let open = takes("(") { return try bracketed(open) }
        if let open = takes("[") {
            let parts = try separated(before: "]") { (parser) throws(PythonCodeError) in try parser.starred() }
            if parts.count == 1, isNext("for") || isNext("async") {
                return PythonTree(
                    "list_comprehension", [open, parts[0].at("body")] + (try clauses()) + [try expect("]")])
            }
            return PythonTree("list", [open] + parts + [try expect("]")])
        }
        if let open = takes("{") { return try braced(open) }
        throw PythonCodeError(reason: "\(peek.text) can't begin an expression")
    }

    private mutating func bracketed(_ open: PythonTree) throws(PythonCodeError) -> PythonTree {
        if isNext("yield") {
            return PythonTree("parenthesized_expression", [open, try expression(), try expect(")")])
        }
        let parts = try separated(before: ")") { (parser) throws(PythonCodeError) in try parser.starred() }
        if parts.count == 1 {
            if isNext("for") || isNext("async") {
                return PythonTree(
                    "generator_expression", [open, parts[0].at("body")] + (try clauses()) + [try expect(")")])
            }
            return PythonTree("parenthesized_expression", [open, parts[0], try expect(")")])
        }
        return PythonTree("tuple", [open] + parts + [try expect(")")])
    }

    private mutating func braced(_ open: PythonTree) throws(PythonCodeError) -> PythonTree {
        var isDictionary = isNext("}")
        let parts = try separated(before: "}") { (parser) throws(PythonCodeError) in
            if let stars = parser.takes("**") {
                isDictionary = true
                return PythonTree("dictionary_splat", [stars, try parser.binary(0)])
            }
            let key = try parser.starred()
            guard let colon = parser.takes(":") else { return key }
            isDictionary = true
            return PythonTree("pair", [key.at("key"), colon, try parser.expression().at("value")])
        }
        if parts.count == 1, isNext("for") || isNext("async") {
            return PythonTree(
                isDictionary ? "dictionary_comprehension" : "set_comprehension",
                [open, parts[0].at("body")] + (try clauses()) + [try expect("}")])
        }
        return PythonTree(isDictionary ? "dictionary" : "set", [open] + parts + [try expect("}")])
    }
}
