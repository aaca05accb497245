/// A token of a Python expression. Line ends count as white space.
enum PythonToken: Hashable {
    case name(String)
    case number(PythonValue)
    case text
    case symbol(String)

    private static let symbols = [
        "**", "//", "<<", ">>", "<=", ">=", "==", "!=", "->", "<", ">", "+", "-", "*", "/", "%", "&", "|", "^", "~",
        "(", ")",
        "[", "]", "{", "}", ",", ":", ".", "=", ";",
    ].map { ($0, Array($0.utf8)) }

    static func all(of text: String) throws(PythonError) -> [PythonToken] {
        let bytes = Array(text.utf8)
        var tokens: [PythonToken] = []
        var place = 0
        func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
        func isLetter(_ byte: UInt8) -> Bool { (byte | 32) >= 97 && (byte | 32) <= 122 || byte == 95 }
        func word(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        while place < bytes.count {
            let byte = bytes[place]
            let start = place
            if byte == 32 || (byte >= 9 && byte <= 13) {
                place += 1
            } else if byte == 35 {
                while place < bytes.count, bytes[place] != 10 { place += 1 }
            } else if isLetter(byte) {
                while place < bytes.count, isLetter(bytes[place]) || isDigit(bytes[place]) { place += 1 }
                tokens.append(.name(word(start..<place)))
            } else if isDigit(byte) || (byte == 46 && place + 1 < bytes.count && isDigit(bytes[place + 1])) {
                while place < bytes.count, isDigit(bytes[place]) || bytes[place] == 46 { place += 1 }
                if place < bytes.count, bytes[place] | 32 == 101 {
                    place += 1
                    if place < bytes.count, bytes[place] == 43 || bytes[place] == 45 { place += 1 }
                    while place < bytes.count, isDigit(bytes[place]) { place += 1 }
                }
                tokens.append(.number(try number(word(start..<place))))
                if place < bytes.count, isLetter(bytes[place]) {
                    throw .syntax("a name begins right after \(word(start..<place))")
                }
            } else if byte == 34 || byte == 39 {
                // Text has no use but as the description of a def.
                let quotes = bytes[place...].prefix(3).allSatisfy { $0 == byte } && bytes.count - place >= 3 ? 3 : 1
                place += quotes
                while place < bytes.count, !(bytes[place...].prefix(quotes).allSatisfy { $0 == byte }) { place += 1 }
                guard place + quotes <= bytes.count else { throw .syntax("a text without its closing quotes") }
                place += quotes
                tokens.append(.text)
            } else if let (symbol, spelling) = symbols.first(where: { bytes[place...].starts(with: $0.1) }) {
                tokens.append(.symbol(symbol))
                place += spelling.count
            } else {
                throw .syntax("an unknown character, byte \(byte) at \(place)")
            }
        }
        return tokens
    }

    private static func number(_ text: String) throws(PythonError) -> PythonValue {
        if text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) {
            guard let value = Int(text) else { throw .limit("the number \(text.prefix(40)) has more than 64 bits") }
            guard !text.hasPrefix("0") || value == 0 else { throw .syntax("\(text.prefix(40)) begins with a zero") }
            return .int(value)
        }
        let complete = (text.hasSuffix(".") ? text + "0" : text).replacing(".e", with: ".0e")
        guard let value = Double(complete.hasPrefix(".") ? "0" + complete : complete) else {
            throw .syntax("\(text.prefix(40)) is no number")
        }
        return .float(value)
    }
}

/// Reads tokens into a tree by descent, the loosest operator first.
struct PythonParser {
    private let tokens: [PythonToken]
    private var place = 0
    private var names: [[String: Int]] = [[:]]
    private var depth = 0
    private var nodes = 0
    private(set) var slots = 0
    private(set) var operators = 0

    init(tokens: [PythonToken]) { self.tokens = tokens }

    private static let reserved: Set<String> = [
        "and", "or", "not", "in", "is", "if", "else", "for", "lambda", "def", "return", "True", "False", "None",
        "import",
        "while", "yield", "await", "async", "from", "as", "class", "del", "try", "with", "global",
    ]

    mutating func function(implicit: [String]?) throws(PythonError) -> ([String], PythonNode) {
        if takes(name: "import") {
            guard takes(name: "math") else { throw .unsupported("an import other than math") }
            _ = takes(";")
        }
        if case .name(let name)? = peek, !Self.reserved.contains(name), peek(1) == .symbol("="),
            peek(2) == .name("lambda")
        {
            place += 2
        }
        var parameters: [String] = []
        if takes(name: "lambda") {
            while !takes(":") {
                if !parameters.isEmpty { try expect(",") }
                parameters.append(try identifier())
            }
        } else if takes(name: "def") {
            _ = try identifier()
            try expect("(")
            while !takes(")") {
                if !parameters.isEmpty { try expect(",") }
                parameters.append(try identifier())
                if takes(":") { _ = try identifier() }
            }
            if takes("->") { _ = try identifier() }
            try expect(":")
            if peek == .text { place += 1 }
            guard takes(name: "return") else { throw .unsupported("a def that doesn't just return an expression") }
        } else if let implicit {
            parameters = implicit
        } else {
            throw .syntax("a function begins with lambda or def")
        }
        for parameter in parameters {
            guard names[0].updateValue(newSlot(), forKey: parameter) == nil else {
                throw .syntax("the parameter \(parameter) is there twice")
            }
        }
        var root = try expression()
        if takes(",") {
            var elements = [root]
            while peek != nil { elements.append(try expression()); if !takes(",") { break } }
            root = .sequence(.tuple, elements)
        }
        _ = takes(";")
        guard peek == nil else { throw .syntax("something follows the expression: \(described)") }
        return (parameters, root)
    }

    // MARK: Tokens

    private var peek: PythonToken? { peek(0) }
    private func peek(_ ahead: Int) -> PythonToken? {
        tokens.indices.contains(place + ahead) ? tokens[place + ahead] : nil
    }

    private var described: String {
        switch peek {
        case nil: "the end"
        case .name(let name)?: String(name.prefix(40))
        case .number?: "a number"
        case .text?: "a text"
        case .symbol(let symbol)?: symbol
        }
    }

    private mutating func takes(_ symbol: String) -> Bool {
        guard peek == .symbol(symbol) else { return false }
        place += 1
        return true
    }

    private mutating func takes(name: String) -> Bool {
        guard peek == .name(name) else { return false }
        place += 1
        return true
    }

    private mutating func expect(_ symbol: String) throws(PythonError) {
        guard takes(symbol) else { throw .syntax("\(symbol) is expected where \(described) stands") }
    }

    private mutating func identifier() throws(PythonError) -> String {
        guard case .name(let name)? = peek, !Self.reserved.contains(name) else {
            throw .syntax("a name is expected where \(described) stands")
        }
        place += 1
        return name
    }

    private mutating func newSlot() -> Int {
        slots += 1
        return slots - 1
    }

    private mutating func count(_ node: PythonNode, isOperator: Bool = false) throws(PythonError) -> PythonNode {
        nodes += 1
        if isOperator { operators += 1 }
        guard nodes <= PythonExpression.maximumNodes else {
            throw .limit("an expression has at most \(PythonExpression.maximumNodes) parts")
        }
        return node
    }

    private mutating func enter() throws(PythonError) {
        depth += 1
        guard depth <= PythonExpression.maximumDepth else {
            throw .limit("an expression nests at most \(PythonExpression.maximumDepth) deep")
        }
    }

    // MARK: Expressions

    mutating func expression() throws(PythonError) -> PythonNode {
        try enter()
        defer { depth -= 1 }
        let value = try either()
        guard takes(name: "if") else { return value }
        let condition = try either()
        guard takes(name: "else") else { throw .syntax("if without else") }
        return try count(.conditional(condition, then: value, otherwise: try expression()), isOperator: true)
    }

    private mutating func either() throws(PythonError) -> PythonNode {
        var left = try both()
        while takes(name: "or") { left = try count(.either(left, try both()), isOperator: true) }
        return left
    }

    private mutating func both() throws(PythonError) -> PythonNode {
        var left = try negation()
        while takes(name: "and") { left = try count(.both(left, try negation()), isOperator: true) }
        return left
    }

    private mutating func negation() throws(PythonError) -> PythonNode {
        guard takes(name: "not") else { return try comparison() }
        try enter()
        defer { depth -= 1 }
        return try count(.not(try negation()), isOperator: true)
    }

    private mutating func comparison() throws(PythonError) -> PythonNode {
        let first = try binary(0)
        var links: [(PythonComparison, PythonNode)] = []
        while let relation = try relation() {
            links.append((relation, try binary(0)))
            _ = try count(.slot(0), isOperator: true)
        }
        return links.isEmpty ? first : .compare(first, links)
    }

    private mutating func relation() throws(PythonError) -> PythonComparison? {
        switch peek {
        case .symbol(let symbol)?:
            guard let relation = PythonComparison(rawValue: symbol) else { return nil }
            place += 1
            return relation
        case .name("in")?:
            place += 1
            return .isIn
        case .name("not")? where peek(1) == .name("in"):
            place += 2
            return .notIn
        case .name("is")?: throw .unsupported("is")
        default: return nil
        }
    }

    private static let levels: [[PythonOperator]] = [
        [.or], [.exclusiveOr], [.and], [.shiftLeft, .shiftRight], [.add, .subtract],
        [.multiply, .divide, .floorDivide, .modulo],
    ]

    private mutating func binary(_ level: Int) throws(PythonError) -> PythonNode {
        guard level < Self.levels.count else { return try factor() }
        var left = try binary(level + 1)
        while case .symbol(let symbol)? = peek, let found = PythonOperator(rawValue: symbol),
            Self.levels[level].contains(found)
        {
            place += 1
            left = try count(.binary(found, left, try binary(level + 1)), isOperator: true)
        }
        return left
    }

    private mutating func factor() throws(PythonError) -> PythonNode {
        try enter()
        defer { depth -= 1 }
        if takes("-") {
            // A negative number counts as a number, not as an operator.
            if case .number? = peek { return try count(.negative(try factor())) }
            return try count(.negative(try factor()), isOperator: true)
        }
        if takes("+") { return try count(.positive(try factor())) }
        if takes("~") { return try count(.complement(try factor()), isOperator: true) }
        let base = try postfix()
        guard takes("**") else { return base }
        return try count(.binary(.power, base, try factor()), isOperator: true)
    }

    private mutating func postfix() throws(PythonError) -> PythonNode {
        var value = try atom()
        while true {
            if takes("[") {
                value = try count(.item(value, try expression()))
                try expect("]")
            } else if takes(".") {
                guard try identifier() == "is_integer", takes("("), takes(")") else {
                    throw .unsupported("attributes other than is_integer()")
                }
                value = try count(.call(.isInteger, [value]))
            } else {
                return value
            }
        }
    }

    private mutating func atom() throws(PythonError) -> PythonNode {
        switch peek {
        case .number(let value)?:
            place += 1
            return try count(.constant(value))
        case .name("True")?, .name("False")?, .name("None")?:
            let node: PythonNode =
                switch peek {
                case .name("True")?: .constant(.bool(true))
                case .name("False")?: .constant(.bool(false))
                default: .constant(.none)
                }
            place += 1
            return try count(node)
        case .name(let name)? where !Self.reserved.contains(name):
            place += 1
            return try named(name)
        case .symbol("(")?:
            place += 1
            return try display(closing: ")", kind: nil)
        case .symbol("[")?:
            place += 1
            return try display(closing: "]", kind: .list)
        case .symbol("{")?:
            place += 1
            guard peek != .symbol("}") else { throw .unsupported("dictionaries") }
            return try display(closing: "}", kind: .set)
        case .text?: throw .unsupported("texts")
        case .name(let name)? where ["lambda", "yield", "await"].contains(name): throw .unsupported("\(name) inside")
        default: throw .syntax("a value is expected where \(described) stands")
        }
    }

    private mutating func named(_ name: String) throws(PythonError) -> PythonNode {
        if let slot = names.reversed().lazy.compactMap({ $0[name] }).first {
            guard peek != .symbol("(") else { throw .raised("TypeError: \(name.prefix(40)) is no function") }
            return try count(.slot(slot))
        }
        var full = name
        if name == "math", takes(".") { full += "." + (try identifier()) }
        if full == "math.pi" { return try count(.constant(.float(.pi))) }
        // A function's name as written: the method's spelling is none.
        let known = full == "gcd" || full == "sqrt" ? nil : PythonFunction(rawValue: full)
        guard let function = known else { throw .unsupported("the name \(full.prefix(40))") }
        try expect("(")
        var arguments: [PythonNode] = []
        while !takes(")") {
            if !arguments.isEmpty {
                try expect(",")
                if takes(")") { break }
            }
            if peek == .symbol("*") || peek == .symbol("**") || peek(1) == .symbol("=") {
                throw .unsupported("unpacked or named arguments")
            }
            let (argument, isGenerator) = try element(kind: nil)
            arguments.append(argument)
            if isGenerator, arguments.count > 1 || peek != .symbol(")") {
                throw .syntax("a bare generator must be the only argument")
            }
        }
        return try count(.call(function, arguments))
    }

    /// What stands in brackets, after the opening one.
    private mutating func display(closing: String, kind: PythonValue.Kind?) throws(PythonError) -> PythonNode {
        if takes(closing) { return try count(.sequence(kind ?? .tuple, [])) }
        let (first, isComprehension) = try element(kind: kind)
        if isComprehension {
            try expect(closing)
            return first
        }
        if kind == nil, takes(")") { return first }
        var elements = [first]
        while !takes(closing) {
            try expect(",")
            if takes(closing) { break }
            elements.append(try expression())
        }
        return try count(.sequence(kind ?? .tuple, elements))
    }

    /// An expression, or the comprehension that it begins. The names that a comprehension binds are known only after its
    /// element, so the element is read again once they are.
    private mutating func element(kind: PythonValue.Kind?) throws(PythonError) -> (PythonNode, Bool) {
        let start = place
        guard let loop = loopPlace() else { return (try expression(), false) }
        try enter()
        defer { depth -= 1 }
        names.append([:])
        defer { names.removeLast() }
        place = loop
        var clauses: [PythonClause] = []
        while takes(name: "for") { clauses.append(try clause()) }
        let end = place
        place = start
        let element = try expression()
        guard place == loop else { throw .syntax("for is expected where \(described) stands") }
        place = end
        return (try count(.comprehension(kind, element: element, clauses: clauses)), true)
    }

    private mutating func clause() throws(PythonError) -> PythonClause {
        var bound: [String] = []
        let isBracketed = takes("(")
        var unpacks = false
        repeat {
            if peek == .name("in") || peek == .symbol(")") { break }
            bound.append(try identifier())
            if peek == .symbol(",") { unpacks = true }
        } while takes(",")
        if isBracketed { try expect(")") }
        guard takes(name: "in") else { throw .syntax("in is expected where \(described) stands") }
        let source = try either()
        var targets: [Int] = []
        for name in bound {
            targets.append(newSlot())
            names[names.count - 1][name] = targets[targets.count - 1]
        }
        var conditions: [PythonNode] = []
        while takes(name: "if") { conditions.append(try either()) }
        return PythonClause(targets: targets, unpacks: unpacks, source: source, conditions: conditions)
    }

    /// Where the `for` of a comprehension that begins here stands: the first one outside further brackets before the next comma.
    private func loopPlace() -> Int? {
        var level = 0
        for index in place..<tokens.count {
            switch tokens[index] {
            case .symbol("("), .symbol("["), .symbol("{"): level += 1
            case .symbol(")"), .symbol("]"), .symbol("}"):
                level -= 1
                if level < 0 { return nil }
            case .symbol(",") where level == 0: return nil
            case .name("for") where level == 0: return index
            default: break
            }
        }
        return nil
    }
}
