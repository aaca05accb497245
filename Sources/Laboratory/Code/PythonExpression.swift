/// A function of numbers written as a Python expression, read into a tree and worked out with Python's semantics.
///
/// Nothing is executed as a program: the text of a model or a user is parsed, and what isn't part of the subset is an error. The
/// subset: whole numbers, floats, truth values, tuples, lists, sets, comprehensions and generators, chained comparisons, `in`,
/// `and`, `or`, `not`, conditional expressions, all arithmetic and bitwise operators, subscripts, and the functions of
/// `PythonFunction`. A function is `lambda x, y: …`, `name = lambda …` or `def name(x, y): return …`.
///
/// Limits: 2,000 characters, 400 nodes, 40 nested brackets, 20,000 steps a call, whole numbers of 64 bits (Python's have no
/// bound; what leaves 64 bits is an error and never wraps). Complex results are an error too.
package struct PythonExpression: Sendable {
    package static let maximumLength = 2_000
    package static let maximumNodes = 400
    package static let maximumDepth = 40
    package static let maximumSteps = 20_000

    package let source: String
    package let parameters: [String]
    /// How many operators the expression has: arithmetic, comparisons, logic, conditions.
    package let operators: Int
    let root: PythonNode
    let slots: Int

    /// Reads a function.
    ///
    /// - Parameter parameters: the names that a bare expression may use; nil: only a `lambda` or a `def` is read.
    package init(_ text: String, parameters: [String]? = nil) throws(PythonError) {
        guard text.utf8.count <= Self.maximumLength else {
            throw .limit("an expression has at most \(Self.maximumLength) bytes, not \(text.utf8.count)")
        }
        var parser = PythonParser(tokens: try PythonToken.all(of: text))
        let (names, root) = try parser.function(implicit: parameters)
        source = text
        self.parameters = names
        self.root = root
        operators = parser.operators
        slots = parser.slots
    }

    /// The value for these arguments, by position.
    package func callAsFunction(_ arguments: [PythonValue]) throws(PythonError) -> PythonValue {
        guard arguments.count == parameters.count else {
            throw .raised("TypeError: the function takes \(parameters.count) arguments, not \(arguments.count)")
        }
        var frame = PythonFrame(slots: arguments, steps: Self.maximumSteps)
        while frame.slots.count < slots { frame.slots.append(.none) }
        return try frame.value(of: root)
    }
}

/// Why a Python expression can't be read or has no value.
package enum PythonError: Error, Hashable, CustomStringConvertible {
    /// The text isn't an expression.
    case syntax(String)
    /// Python would take it; the subset doesn't have it.
    case unsupported(String)
    /// A limit of length, depth, steps or size.
    case limit(String)
    /// Python would raise this.
    case raised(String)

    package var description: String {
        switch self {
        case .syntax(let what): "Not a Python expression: \(what)."
        case .unsupported(let what): "Not in the readable part of Python: \(what)."
        case .limit(let what): "Past a limit: \(what)."
        case .raised(let what): "The expression raises \(what)."
        }
    }
}

/// A value of the subset.
package enum PythonValue: Sendable, Hashable {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case sequence(Kind, [PythonValue])

    package enum Kind: Sendable, Hashable { case tuple, list, set }

    package var isTrue: Bool {
        switch self {
        case .none: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .float(let value): value != 0
        case .sequence(_, let elements): !elements.isEmpty
        }
    }

    /// The whole number that a truth value or a whole number is.
    var whole: Int? {
        switch self {
        case .bool(let value): value ? 1 : 0
        case .int(let value): value
        default: nil
        }
    }

    var typeName: String {
        switch self {
        case .none: "NoneType"
        case .bool: "bool"
        case .int: "int"
        case .float: "float"
        case .sequence(.tuple, _): "tuple"
        case .sequence(.list, _): "list"
        case .sequence(.set, _): "set"
        }
    }

    /// Python's `==`: numbers by exact value whatever their type, sequences of one type element by element.
    package static func areEqual(_ first: PythonValue, _ second: PythonValue) -> Bool {
        switch (first, second) {
        case (.none, .none): return true
        case (.sequence(.set, let a), .sequence(.set, let b)):
            return a.count == b.count && a.allSatisfy { element in b.contains { areEqual(element, $0) } }
        case (.sequence(let kind, let a), .sequence(let other, let b)):
            return kind == other && a.count == b.count && zip(a, b).allSatisfy { areEqual($0, $1) }
        default: return order(first, second) == 0
        }
    }

    /// -1, 0 or 1 for two numbers; nil where either is NaN or no number.
    static func order(_ first: PythonValue, _ second: PythonValue) -> Int? {
        switch (first, second) {
        case (.float(let a), .float(let b)): return a < b ? -1 : a == b ? 0 : a > b ? 1 : nil
        case (.float(let a), _): return second.whole.flatMap { order($0, a) }.map { -$0 }
        case (_, .float(let b)): return first.whole.flatMap { order($0, b) }
        default:
            guard let a = first.whole, let b = second.whole else { return nil }
            return a < b ? -1 : a == b ? 0 : 1
        }
    }

    /// A whole number against a float without rounding either.
    private static func order(_ whole: Int, _ float: Double) -> Int? {
        if float.isNaN { return nil }
        if float >= 0x1p63 { return -1 }
        if float < -0x1p63 { return 1 }
        let cut = Int(float)
        if whole != cut { return whole < cut ? -1 : 1 }
        let rest = float - float.rounded(.towardZero)
        return rest > 0 ? -1 : rest < 0 ? 1 : 0
    }
}

/// The functions of the subset.
enum PythonFunction: String, Sendable {
    case abs, min, max, sum, all, any, len, int, float, bool, round, sorted, set, tuple, list, range, pow, zip,
        enumerate
    case gcd = "math.gcd"
    case floor = "math.floor"
    case ceil = "math.ceil"
    case trunc = "math.trunc"
    case squareRoot = "math.sqrt"
    case wholeRoot = "math.isqrt"
    case absolute = "math.fabs"
    case product = "math.prod"
    case logarithm = "math.log"
    case binaryLogarithm = "math.log2"
    case decimalLogarithm = "math.log10"
    case isInteger = ".is_integer"
}

enum PythonComparison: String, Sendable {
    case less = "<"
    case atMost = "<="
    case equal = "=="
    case unequal = "!="
    case greater = ">"
    case atLeast = ">="
    case isIn = "in"
    case notIn = "not in"
}

enum PythonOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case modulo = "%"
    case power = "**"
    case and = "&"
    case or = "|"
    case exclusiveOr = "^"
    case shiftLeft = "<<"
    case shiftRight = ">>"
}

/// The tree of an expression; names are slots of the call's frame.
indirect enum PythonNode: Sendable {
    case constant(PythonValue)
    case slot(Int)
    case sequence(PythonValue.Kind, [PythonNode])
    /// A comprehension; nil kind: a generator, whose elements come one at a time.
    case comprehension(PythonValue.Kind?, element: PythonNode, clauses: [PythonClause])
    case both(PythonNode, PythonNode)
    case either(PythonNode, PythonNode)
    case not(PythonNode)
    case compare(PythonNode, [(PythonComparison, PythonNode)])
    case conditional(PythonNode, then: PythonNode, otherwise: PythonNode)
    case binary(PythonOperator, PythonNode, PythonNode)
    case negative(PythonNode)
    case positive(PythonNode)
    case complement(PythonNode)
    case item(PythonNode, PythonNode)
    case call(PythonFunction, [PythonNode])
}

/// `for target in source if conditions`.
struct PythonClause: Sendable {
    var targets: [Int]
    var unpacks: Bool
    var source: PythonNode
    var conditions: [PythonNode]
}
