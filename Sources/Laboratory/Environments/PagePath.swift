/// An XPath 1.0 expression over a page, without namespaces and variables.
///
/// All axes but `namespace`, all operators, and the functions of `PagePath.functions`. As browsers have it for HTML, names of elements
/// match whatever their case. Paths come from models: their length, their nesting and the work of finding what they name are
/// bounded.
public struct PagePath: Sendable, Hashable {
    public let text: String
    let expression: Expression

    /// How much is read, and done, for a path that nobody has checked.
    static let longest = 2_000
    static let deepest = 40
    static let mostSteps = 2_000_000

    /// The functions that may be called.
    public static let functions: Set<String> = [
        "last", "position", "count", "id", "name", "local-name", "string", "concat", "starts-with", "contains",
        "substring-before", "substring-after", "substring", "string-length", "normalize-space", "translate", "boolean",
        "not", "true", "false", "number", "sum", "floor", "ceiling", "round",
    ]

    public init(_ text: String) throws(PagePathError) {
        self.text = text
        guard text.unicodeScalars.count <= Self.longest else { throw .tooLong(limit: Self.longest) }
        var parser = try PagePathParser(text)
        expression = try parser.parse()
    }

    indirect enum Expression: Sendable, Hashable {
        case number(Double)
        case literal(String)
        case call(String, [Expression])
        case binary(String, Expression, Expression)
        case negative(Expression)
        /// A path from what an expression gives, or, without one, from the context or the document.
        case path(start: Start, steps: [Step])
        case filter(Expression, [Expression])
    }

    indirect enum Start: Sendable, Hashable {
        case context, document
        case expression(Expression)
    }

    struct Step: Sendable, Hashable {
        var axis: Axis
        var test: Test
        var predicates: [Expression] = []

        static let anywhere = Step(axis: .descendantOrSelf, test: .node)
    }

    enum Axis: String, Sendable, Hashable {
        case child, descendant, parent, ancestor, following, preceding, attribute
        case own = "self"
        case descendantOrSelf = "descendant-or-self"
        case ancestorOrSelf = "ancestor-or-self"
        case followingSibling = "following-sibling"
        case precedingSibling = "preceding-sibling"
    }

    enum Test: Sendable, Hashable {
        case named(String)
        case any, node, text
    }

    // MARK: Finding

    /// The first element that the path names, in the document's order; of an attribute or a text the element that has it. Nil where
    /// there is none.
    ///
    /// - Throws: `PagePathError` where the path gives no nodes or asks for too much work.
    public func first(in page: PageDocument) throws(PagePathError) -> Int? {
        try all(in: page).first
    }

    /// The elements that the path names, in the document's order.
    public func all(in page: PageDocument) throws(PagePathError) -> [Int] {
        var evaluation = PagePathEvaluation(page)
        guard case .nodes(let items) = try evaluation.value(of: expression, .init(item: .document)) else {
            throw .noNodes(text)
        }
        var found: [Int] = []
        for item in items {
            let isElement = item.attribute != nil || page.nodes[item.node].isElement
            guard let element = isElement ? item.node : page.parent(of: item.node), element != 0 else { continue }
            if found.last != element { found.append(element) }
        }
        return found
    }

    /// Whether the expression is true of a page: a condition of the page's state.
    public func holds(in page: PageDocument) throws(PagePathError) -> Bool {
        var evaluation = PagePathEvaluation(page)
        return evaluation.isTrue(try evaluation.value(of: expression, .init(item: .document)))
    }
}

/// Why a path can't be used.
public enum PagePathError: Error, Hashable, CustomStringConvertible {
    case tooLong(limit: Int)
    case tooDeep(limit: Int)
    case tooMuchWork(limit: Int)
    /// What was expected at a place of the text, counted in characters from 0.
    case malformed(String, at: Int)
    case unknownFunction(String)
    case wrongArguments(function: String)
    case noNodes(String)

    public var description: String {
        switch self {
        case .tooLong(let limit): "An XPath may have \(limit) characters."
        case .tooDeep(let limit): "An XPath may be nested \(limit) deep."
        case .tooMuchWork(let limit): "The XPath visits more than \(limit) nodes; name the element more directly."
        case .malformed(let expected, let place): "The XPath needs \(expected) at character \(place)."
        case .unknownFunction(let name):
            "XPath has no function \(name.debugDescription) here. Functions: \(PagePath.functions.sorted().joined(separator: ", "))."
        case .wrongArguments(let function): "\(function)() has a wrong number or kind of arguments."
        case .noNodes(let path): "\(path.debugDescription) gives a value and no elements, as //*[@id=\"name\"] would."
        }
    }
}

/// Reads paths by recursive descent.
struct PagePathParser {
    private enum Token: Hashable {
        case name(String), number(Double), literal(String), sign(String), word(String)
    }

    private var tokens: [(token: Token, place: Int)] = []
    private var next = 0
    private var depth = 0
    private let end: Int

    init(_ text: String) throws(PagePathError) {
        let characters = Array(text)
        end = characters.count
        var at = 0
        while at < characters.count {
            let character = characters[at]
            let start = at
            if character.isWhitespace {
                at += 1
            } else if character == "\"" || character == "'" {
                guard let close = characters[(at + 1)...].firstIndex(of: character) else {
                    throw .malformed("a closing \(character)", at: characters.count)
                }
                tokens.append((.literal(String(characters[(at + 1)..<close])), start))
                at = close + 1
            } else if character.isASCII && character.isNumber
                || character == "." && at + 1 < characters.count && characters[at + 1].isASCII
                    && characters[at + 1].isNumber
            {
                var seesPoint = false
                while at < characters.count, characters[at].isASCII,
                    characters[at].isNumber || characters[at] == "." && !seesPoint
                {
                    seesPoint = seesPoint || characters[at] == "."
                    at += 1
                }
                guard let number = Double("0" + String(characters[start..<at])) else {
                    throw .malformed("a number", at: start)
                }
                tokens.append((.number(number), start))
            } else if character.isLetter || character == "_" {
                while at < characters.count,
                    characters[at].isLetter || characters[at].isNumber || "_-.".contains(characters[at])
                {
                    at += 1
                }
                let name = String(characters[start..<at])
                let isOperator = followsOperand && ["and", "or", "div", "mod"].contains(name)
                tokens.append((isOperator ? .word(name) : .name(name), start))
            } else if character == "*" {
                tokens.append((followsOperand ? .word("*") : .sign("*"), start))
                at += 1
            } else {
                let two = at + 1 < characters.count ? String(characters[at...(at + 1)]) : ""
                if ["//", "..", "::", "!=", "<=", ">="].contains(two) {
                    tokens.append((.sign(two), start))
                    at += 2
                } else if "/[]()@,.|+-=<>".contains(character) {
                    tokens.append((.sign(String(character)), start))
                    at += 1
                } else {
                    throw .malformed("a step or an expression", at: start)
                }
            }
        }
    }

    /// XPath 1.0, section 3.7: behind an operand, a star multiplies and a name is an operator.
    private var followsOperand: Bool {
        switch tokens.last?.token {
        case nil, .word: false
        case .sign(let sign): [")", "]", ".", "..", "*"].contains(sign)
        case .name, .number, .literal: true
        }
    }

    private var token: Token? { next < tokens.count ? tokens[next].token : nil }
    private var place: Int { next < tokens.count ? tokens[next].place : end }

    private mutating func take(_ wanted: Token) -> Bool {
        guard token == wanted else { return false }
        next += 1
        return true
    }

    private mutating func expect(_ sign: String) throws(PagePathError) {
        guard take(.sign(sign)) else { throw .malformed("\"\(sign)\"", at: place) }
    }

    mutating func parse() throws(PagePathError) -> PagePath.Expression {
        let expression = try binary(0)
        guard next == tokens.count else { throw .malformed("its end", at: place) }
        return expression
    }

    private static let levels: [[Token]] = [
        [.word("or")], [.word("and")], [.sign("="), .sign("!=")],
        [.sign("<"), .sign("<="), .sign(">"), .sign(">=")], [.sign("+"), .sign("-")],
        [.word("*"), .word("div"), .word("mod")],
    ]

    private mutating func binary(_ level: Int) throws(PagePathError) -> PagePath.Expression {
        guard level < Self.levels.count else { return try unary() }
        depth += 1
        defer { depth -= 1 }
        // Each pair of brackets passes all levels once.
        guard depth <= PagePath.deepest * Self.levels.count else { throw .tooDeep(limit: PagePath.deepest) }
        var left = try binary(level + 1)
        var count = 0
        while let found = token, Self.levels[level].contains(found) {
            next += 1
            count += 1
            // A chain is a tree as deep as it is long.
            guard count <= PagePath.deepest else { throw .tooDeep(limit: PagePath.deepest) }
            let right = try binary(level + 1)
            switch found {
            case .word(let name), .sign(let name): left = .binary(name, left, right)
            default: break
            }
        }
        return left
    }

    private mutating func unary() throws(PagePathError) -> PagePath.Expression {
        var isNegative = false
        while take(.sign("-")) { isNegative.toggle() }
        var left = try path()
        var count = 0
        while take(.sign("|")) {
            count += 1
            guard count <= PagePath.deepest else { throw .tooDeep(limit: PagePath.deepest) }
            left = .binary("|", left, try path())
        }
        return isNegative ? .negative(left) : left
    }

    private mutating func path() throws(PagePathError) -> PagePath.Expression {
        if let primary = try primary() {
            var expression = primary
            let predicates = try predicates()
            if !predicates.isEmpty { expression = .filter(expression, predicates) }
            guard token == .sign("/") || token == .sign("//") else { return expression }
            return .path(start: .expression(expression), steps: try rest())
        }
        if token == .sign("/") || token == .sign("//") {
            if token == .sign("/"), !startsStep(at: next + 1) {
                next += 1
                return .path(start: .document, steps: [])
            }
            return .path(start: .document, steps: try rest())
        }
        let first = try step()
        return .path(start: .context, steps: [first] + (try rest()))
    }

    /// What is no path by itself: a bracket, a text, a number, a call.
    private mutating func primary() throws(PagePathError) -> PagePath.Expression? {
        switch token {
        case .literal(let text):
            next += 1
            return .literal(text)
        case .number(let number):
            next += 1
            return .number(number)
        case .sign("("):
            next += 1
            let inner = try binary(0)
            try expect(")")
            return inner
        case .name(let name) where next + 1 < tokens.count && tokens[next + 1].token == .sign("("):
            guard name != "text", name != "node", name != "comment" else { return nil }
            guard PagePath.functions.contains(name) else { throw .unknownFunction(name) }
            next += 2
            var arguments: [PagePath.Expression] = []
            if !take(.sign(")")) {
                repeat { arguments.append(try binary(0)) } while take(.sign(","))
                try expect(")")
            }
            return .call(name, arguments)
        default: return nil
        }
    }

    private func startsStep(at place: Int) -> Bool {
        guard place < tokens.count else { return false }
        switch tokens[place].token {
        case .name: return true
        case .sign(let sign): return [".", "..", "@", "*"].contains(sign)
        default: return false
        }
    }

    private mutating func rest() throws(PagePathError) -> [PagePath.Step] {
        var steps: [PagePath.Step] = []
        while true {
            if take(.sign("//")) {
                steps.append(.anywhere)
            } else if !take(.sign("/")) {
                return steps
            }
            steps.append(try step())
        }
    }

    private mutating func step() throws(PagePathError) -> PagePath.Step {
        if take(.sign(".")) { return PagePath.Step(axis: .own, test: .node) }
        if take(.sign("..")) { return PagePath.Step(axis: .parent, test: .node) }
        var axis = PagePath.Axis.child
        if take(.sign("@")) {
            axis = .attribute
        } else if case .name(let name) = token, next + 1 < tokens.count, tokens[next + 1].token == .sign("::") {
            guard let named = PagePath.Axis(rawValue: name) else { throw .malformed("the name of an axis", at: place) }
            axis = named
            next += 2
        }
        let test: PagePath.Test
        switch token {
        case .sign("*"):
            next += 1
            test = .any
        case .name(let name):
            next += 1
            if take(.sign("(")) {
                try expect(")")
                guard name == "text" || name == "node" else { throw .malformed("text() or node()", at: place) }
                test = name == "text" ? .text : .node
            } else {
                test = .named(name.lowercased())
            }
        default: throw .malformed("a step", at: place)
        }
        return PagePath.Step(axis: axis, test: test, predicates: try predicates())
    }

    private mutating func predicates() throws(PagePathError) -> [PagePath.Expression] {
        var found: [PagePath.Expression] = []
        while take(.sign("[")) {
            found.append(try binary(0))
            try expect("]")
        }
        return found
    }
}
