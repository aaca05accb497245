/// A template's expression as parsed. Nodes know how deep they nest, so that a hostile template can't exhaust the stack.
final class TemplateExpression: Sendable {
    enum Literal: Sendable {
        case null
        case bool(Bool)
        case integer(Int)
        case double(Double)
        case text(TemplateText)
    }

    enum Unary: Sendable { case negate, plus, not }

    enum Binary: String, Sendable {
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case floorDivide = "//"
        case remainder = "%"
        case power = "**"
    }

    enum Comparison: String, Sendable {
        case equal = "=="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case isIn = "in"
        case notIn = "not in"
    }

    /// Names are indices into `TemplateProgram.names`.
    enum Kind: Sendable {
        case literal(Literal)
        case name(Int)
        case list([TemplateExpression])
        case tuple([TemplateExpression])
        case dictionary([(key: TemplateExpression, value: TemplateExpression)])
        case unary(Unary, TemplateExpression)
        case binary(Binary, TemplateExpression, TemplateExpression)
        case concatenation([TemplateExpression])
        case comparison(TemplateExpression, [(comparison: Comparison, operand: TemplateExpression)])
        case and(TemplateExpression, TemplateExpression)
        case or(TemplateExpression, TemplateExpression)
        case conditional(test: TemplateExpression, then: TemplateExpression, otherwise: TemplateExpression?)
        case attribute(TemplateExpression, name: Int)
        case element(TemplateExpression, TemplateExpression)
        case slice(TemplateExpression, TemplateExpression?, TemplateExpression?, TemplateExpression?)
        case call(TemplateExpression, TemplateCallArguments)
        /// `value | name(arguments)`; without a value in filter blocks, whose body is the value.
        case filter(TemplateExpression?, name: String, TemplateFilter?, TemplateCallArguments)
        case test(TemplateExpression, name: String, TemplateTest?, TemplateCallArguments)
    }

    let kind: Kind
    let depth: Int

    init(_ kind: Kind, depth: Int) {
        self.kind = kind
        self.depth = depth
    }
}

/// The arguments of a call as written.
struct TemplateCallArguments: Sendable {
    var positional: [TemplateExpression] = []
    var keywords: [(name: String, value: TemplateExpression)] = []
    /// `*list` and `**dictionary`.
    var spread: TemplateExpression?
    var keywordSpread: TemplateExpression?

    var isEmpty: Bool { positional.isEmpty && keywords.isEmpty && spread == nil && keywordSpread == nil }

    var depth: Int {
        let values = positional + keywords.map(\.value) + [spread, keywordSpread].compactMap { $0 }
        return values.map(\.depth).max() ?? 0
    }
}

/// What an assignment assigns to.
indirect enum TemplateTarget: Sendable {
    case name(Int)
    case attribute(object: Int, attribute: String)
    case tuple([TemplateTarget])
}

/// A template's statement as parsed, and the line it stands on.
struct TemplateStatement: Sendable {
    indirect enum Kind: Sendable {
        case text(TemplateText)
        case output(TemplateExpression)
        case condition([(test: TemplateExpression, body: [TemplateStatement])], otherwise: [TemplateStatement])
        case loop(TemplateLoopDefinition)
        case set(TemplateTarget, TemplateExpression)
        case setBlock(TemplateTarget, filter: TemplateExpression?, body: [TemplateStatement])
        case macro(TemplateMacroDefinition)
        case call(TemplateExpression, caller: TemplateMacroDefinition)
        case filter(TemplateExpression, body: [TemplateStatement])
        case with([(target: TemplateTarget, value: TemplateExpression)], body: [TemplateStatement])
        /// `generation`: marks what the assistant generates; rendered as it stands.
        case generation([TemplateStatement])
        case breakLoop
        case continueLoop
    }

    var kind: Kind
    var line: Int
}

/// `{% for target in sequence if test %}body{% else %}otherwise{% endfor %}`
final class TemplateLoopDefinition: Sendable {
    let target: TemplateTarget
    let sequence: TemplateExpression
    let test: TemplateExpression?
    let body: [TemplateStatement]
    let otherwise: [TemplateStatement]
    let isRecursive: Bool

    init(
        target: TemplateTarget, sequence: TemplateExpression, test: TemplateExpression?, body: [TemplateStatement],
        otherwise: [TemplateStatement], isRecursive: Bool
    ) {
        self.target = target
        self.sequence = sequence
        self.test = test
        self.body = body
        self.otherwise = otherwise
        self.isRecursive = isRecursive
    }
}

/// `{% macro name(parameters) %}body{% endmacro %}`, or the body of a call block.
final class TemplateMacroDefinition: Sendable {
    let name: Int
    let parameters: [(name: Int, fallback: TemplateExpression?)]
    let body: [TemplateStatement]
    /// Which of `caller`, `varargs` and `kwargs` the body reads; without them, what they would hold is refused.
    let specialNames: Set<Int>

    init(
        name: Int, parameters: [(name: Int, fallback: TemplateExpression?)], body: [TemplateStatement],
        specialNames: Set<Int>
    ) {
        self.name = name
        self.parameters = parameters
        self.body = body
        self.specialNames = specialNames
    }
}

/// A parsed template.
struct TemplateProgram: Sendable {
    /// The names of variables and attributes; the tree refers to them by index.
    let names: [TemplateName]
    let body: [TemplateStatement]
    /// The size of the source, which the rendering's limits allow for.
    let sourceBytes: Int
    /// Where the variables of each name are.
    let indices: [String: Int]

    init(names: [String], body: [TemplateStatement], sourceBytes: Int) {
        self.names = names.map { TemplateName($0) }
        self.body = body
        self.sourceBytes = sourceBytes
        indices = Dictionary(zip(names, names.indices), uniquingKeysWith: { first, _ in first })
    }
}

/// A name and what it means on each type of value, looked up once.
struct TemplateName: Sendable {
    let text: String
    let bytes: [UInt8]
    let textMethod: TemplateTextMethod?
    let dictionaryMethod: TemplateDictionaryMethod?
    let listMethod: TemplateListMethod?

    init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
        textMethod = TemplateTextMethod(rawValue: text)
        dictionaryMethod = TemplateDictionaryMethod(rawValue: text)
        listMethod = TemplateListMethod(rawValue: text)
    }
}
