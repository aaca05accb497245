/// Expressions, with the precedence of Jinja: conditional, `or`, `and`, `not`, comparisons, `+ -`, `~`, `* / // %`, `**`, unary
/// minus, then calls, attributes, filters and tests.
extension TemplateParser {
    private func node(
        _ kind: TemplateExpression.Kind, _ children: TemplateExpression?..., arguments: TemplateCallArguments? = nil
    ) throws -> TemplateExpression {
        let deepest = max(children.map { $0?.depth ?? 0 }.max() ?? 0, arguments?.depth ?? 0)
        guard deepest < limits.chain else {
            throw TemplateFault.limit("an expression joins more than \(limits.chain) operations")
        }
        return TemplateExpression(kind, depth: deepest + 1)
    }

    private func list(_ kind: TemplateExpression.Kind, _ children: [TemplateExpression]) throws -> TemplateExpression {
        try node(kind, arguments: TemplateCallArguments(positional: children))
    }

    mutating func expression() throws -> TemplateExpression {
        try nested { try $0.conditional() }
    }

    /// One expression, or several with commas as a tuple.
    mutating func tupleOrExpression(
        allowsConditional: Bool = true, endsBefore word: String? = nil, isParenthesised: Bool = false
    ) throws -> TemplateExpression {
        var elements: [TemplateExpression] = []
        var isTuple = false
        while true {
            if !elements.isEmpty {
                guard skip(.comma) else { break }
                isTuple = true
            }
            if isTupleEnd || word.map(isName) ?? false { break }
            elements.append(allowsConditional ? try expression() : try nested { try $0.or() })
        }
        if !isTuple, let only = elements.first { return only }
        if elements.isEmpty, !isParenthesised { throw syntax("expected an expression, found \(current.summary)") }
        return try list(.tuple(elements), elements)
    }

    private var isTupleEnd: Bool {
        switch current.kind {
        case .variableEnd, .blockEnd, .symbol(.closeParenthesis), .end: true
        default: false
        }
    }

    private mutating func conditional() throws -> TemplateExpression {
        var value = try or()
        while skip(name: "if") {
            let test = try or()
            let otherwise = skip(name: "else") ? try expression() : nil
            value = try node(.conditional(test: test, then: value, otherwise: otherwise), value, test, otherwise)
        }
        return value
    }

    private mutating func or() throws -> TemplateExpression {
        var left = try and()
        while skip(name: "or") {
            let right = try and()
            left = try node(.or(left, right), left, right)
        }
        return left
    }

    private mutating func and() throws -> TemplateExpression {
        var left = try not()
        while skip(name: "and") {
            let right = try not()
            left = try node(.and(left, right), left, right)
        }
        return left
    }

    private mutating func not() throws -> TemplateExpression {
        guard skip(name: "not") else { return try comparison() }
        let operand = try nested { try $0.not() }
        return try node(.unary(.not, operand), operand)
    }

    private mutating func comparison() throws -> TemplateExpression {
        let first = try sum()
        var rest: [(comparison: TemplateExpression.Comparison, operand: TemplateExpression)] = []
        while let comparison = skipComparison() { rest.append((comparison, try sum())) }
        return rest.isEmpty ? first : try list(.comparison(first, rest), [first] + rest.map(\.operand))
    }

    private mutating func skipComparison() -> TemplateExpression.Comparison? {
        var comparison: TemplateExpression.Comparison?
        switch current.kind {
        case .symbol(let symbol): comparison = TemplateExpression.Comparison(rawValue: symbol.rawValue)
        case .name("in"): comparison = .isIn
        case .name("not"):
            guard position + 1 < tokens.count, case .name("in") = tokens[position + 1].kind else { return nil }
            advance()
            comparison = .notIn
        default: break
        }
        if comparison != nil { advance() }
        return comparison
    }

    private mutating func sum() throws -> TemplateExpression {
        var left = try concatenation()
        while case .symbol(let symbol) = current.kind, symbol == .add || symbol == .subtract {
            advance()
            let right = try concatenation()
            left = try node(.binary(symbol == .add ? .add : .subtract, left, right), left, right)
        }
        return left
    }

    private mutating func concatenation() throws -> TemplateExpression {
        var parts = [try product()]
        while skip(.concatenate) { parts.append(try product()) }
        return parts.count == 1 ? parts[0] : try list(.concatenation(parts), parts)
    }

    private mutating func product() throws -> TemplateExpression {
        var left = try power()
        while case .symbol(let symbol) = current.kind {
            let operation: TemplateExpression.Binary
            switch symbol {
            case .multiply: operation = .multiply
            case .divide: operation = .divide
            case .floorDivide: operation = .floorDivide
            case .remainder: operation = .remainder
            default: return left
            }
            advance()
            let right = try power()
            left = try node(.binary(operation, left, right), left, right)
        }
        return left
    }

    private mutating func power() throws -> TemplateExpression {
        var left = try unary(allowsFilter: true)
        while skip(.power) {
            let right = try unary(allowsFilter: true)
            left = try node(.binary(.power, left, right), left, right)
        }
        return left
    }

    private mutating func unary(allowsFilter: Bool) throws -> TemplateExpression {
        var value: TemplateExpression
        if isSymbol(.subtract) || isSymbol(.add) {
            let operation: TemplateExpression.Unary = isSymbol(.subtract) ? .negate : .plus
            advance()
            let operand = try nested { try $0.unary(allowsFilter: false) }
            value = try node(.unary(operation, operand), operand)
        } else {
            value = try primary()
        }
        value = try postfix(of: value)
        return allowsFilter ? try filtersAndTests(of: value) : value
    }

    private mutating func primary() throws -> TemplateExpression {
        let token = current
        switch token.kind {
        case .name(let name):
            advance()
            switch name {
            case "true", "True": return try node(.literal(.bool(true)))
            case "false", "False": return try node(.literal(.bool(false)))
            case "none", "None": return try node(.literal(.null))
            default: return try node(.name(internVariable(name)))
            }
        case .string(var text):
            advance()
            while case .string(let next) = current.kind {
                text.append(next)
                advance()
            }
            return try node(.literal(.text(text)))
        case .integer(let value):
            advance()
            return try node(.literal(.integer(value)))
        case .float(let value):
            advance()
            return try node(.literal(.double(value)))
        case .symbol(.openParenthesis): return try parenthesised()
        case .symbol(.openBracket): return try listLiteral()
        case .symbol(.openBrace): return try dictionaryLiteral()
        default: throw syntax("expected an expression, found \(token.summary)")
        }
    }

    // The stack frame of `primary` counts for every level of nesting, so what it seldom needs is kept out of it.
    @inline(never)
    private mutating func parenthesised() throws -> TemplateExpression {
        advance()
        let value = try tupleOrExpression(isParenthesised: true)
        try expect(.closeParenthesis)
        return value
    }

    @inline(never)
    private mutating func listLiteral() throws -> TemplateExpression {
        advance()
        var elements: [TemplateExpression] = []
        while !isSymbol(.closeBracket) {
            if !elements.isEmpty { try expect(.comma) }
            if isSymbol(.closeBracket) { break }
            elements.append(try expression())
        }
        advance()
        return try list(.list(elements), elements)
    }

    @inline(never)
    private mutating func dictionaryLiteral() throws -> TemplateExpression {
        advance()
        var entries: [(key: TemplateExpression, value: TemplateExpression)] = []
        while !isSymbol(.closeBrace) {
            if !entries.isEmpty { try expect(.comma) }
            if isSymbol(.closeBrace) { break }
            let key = try expression()
            try expect(.colon)
            entries.append((key, try expression()))
        }
        advance()
        return try list(.dictionary(entries), entries.flatMap { [$0.key, $0.value] })
    }

    @inline(never)
    private mutating func postfix(of value: TemplateExpression) throws -> TemplateExpression {
        var value = value
        while true {
            if skip(.dot) {
                switch current.kind {
                case .name(let name):
                    value = try node(.attribute(value, name: intern(name)), value)
                case .integer(let index):
                    value = try node(.element(value, try node(.literal(.integer(index)))), value)
                default: throw syntax("expected a name after '.', found \(current.summary)")
                }
                advance()
            } else if skip(.openBracket) {
                value = try subscripted(value)
            } else if isSymbol(.openParenthesis) {
                let arguments = try callArguments()
                value = try node(.call(value, arguments), value, arguments: arguments)
            } else {
                return value
            }
        }
    }

    @inline(never)
    private mutating func subscripted(_ value: TemplateExpression) throws -> TemplateExpression {
        func ends(_ parser: TemplateParser) -> Bool {
            parser.isSymbol(.colon) || parser.isSymbol(.closeBracket) || parser.isSymbol(.comma)
        }
        let first = isSymbol(.colon) ? nil : try expression()
        if isSymbol(.colon) {
            advance()
            let stop = ends(self) ? nil : try expression()
            var step: TemplateExpression?
            if skip(.colon), !ends(self) { step = try expression() }
            try expect(.closeBracket)
            return try node(.slice(value, first, stop, step), value, first, stop, step)
        }
        guard var index = first else { throw syntax("expected an index, found \(current.summary)") }
        if isSymbol(.comma) {
            var elements = [index]
            while skip(.comma), !isSymbol(.closeBracket) { elements.append(try expression()) }
            index = try list(.tuple(elements), elements)
        }
        try expect(.closeBracket)
        if case .literal(.text(let name)) = index.kind { _ = intern(name.string) }
        return try node(.element(value, index), value, index)
    }

    @inline(never)
    private mutating func callArguments() throws -> TemplateCallArguments {
        try expect(.openParenthesis)
        var arguments = TemplateCallArguments()
        var isFirst = true
        while !isSymbol(.closeParenthesis) {
            if !isFirst {
                try expect(.comma)
                if isSymbol(.closeParenthesis) { break }
            }
            isFirst = false
            if skip(.multiply) {
                guard arguments.spread == nil, arguments.keywordSpread == nil else {
                    throw syntax("a second '*' argument")
                }
                arguments.spread = try expression()
            } else if skip(.power) {
                guard arguments.keywordSpread == nil else { throw syntax("a second '**' argument") }
                arguments.keywordSpread = try expression()
            } else if case .name(let name) = current.kind, position + 1 < tokens.count,
                case .symbol(.assign) = tokens[position + 1].kind
            {
                advance()
                advance()
                arguments.keywords.append((name, try expression()))
            } else {
                guard arguments.keywords.isEmpty, arguments.spread == nil, arguments.keywordSpread == nil else {
                    throw syntax("an argument without a name follows one with a name")
                }
                arguments.positional.append(try expression())
            }
        }
        advance()
        return arguments
    }

    private mutating func filtersAndTests(of value: TemplateExpression) throws -> TemplateExpression {
        var value = value
        while true {
            if isSymbol(.pipe) {
                value = try filters(of: value, isInline: false)
            } else if isName("is") {
                value = try test(of: value)
            } else if isSymbol(.openParenthesis) {
                let arguments = try callArguments()
                value = try node(.call(value, arguments), value, arguments: arguments)
            } else {
                return value
            }
        }
    }

    /// Reads `| name(arguments)` as often as it stands here. The first bar is absent when `isInline`.
    mutating func filters(of value: TemplateExpression?, isInline: Bool) throws -> TemplateExpression {
        var value = value
        var isFirst = isInline
        while isFirst || isSymbol(.pipe) {
            if !isFirst { advance() }
            isFirst = false
            let name = try dottedName()
            let arguments = isSymbol(.openParenthesis) ? try callArguments() : TemplateCallArguments()
            value = try node(
                .filter(value, name: name, TemplateFilter(name: name), arguments), value, arguments: arguments)
        }
        guard let value else { throw syntax("expected a filter, found \(current.summary)") }
        return value
    }

    private mutating func dottedName() throws -> String {
        var name = try expectName()
        while skip(.dot) { name += "." + (try expectName()) }
        return name
    }

    @inline(never)
    private mutating func test(of value: TemplateExpression) throws -> TemplateExpression {
        advance()
        let isNegated = skip(name: "not")
        let name = try dottedName()
        var arguments = TemplateCallArguments()
        switch current.kind {
        case .symbol(.openParenthesis): arguments = try callArguments()
        case .name("else"), .name("or"), .name("and"): break
        case .name("is"): throw syntax("tests can't be chained with 'is'")
        case .name, .string, .integer, .float, .symbol(.openBracket), .symbol(.openBrace):
            arguments.positional = [try postfix(of: try primary())]
        default: break
        }
        let test = try node(.test(value, name: name, TemplateTest(name: name), arguments), value, arguments: arguments)
        return isNegated ? try node(.unary(.not, test), test) : test
    }
}
