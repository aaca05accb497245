/// A value while a template is rendered, with the types and rules of Python, which templates are written for.
enum TemplateValue {
    case undefined(TemplateUndefined)
    case null
    case bool(Bool)
    case integer(Int)
    case double(Double)
    case string(TemplateText)
    case list(TemplateList)
    case dictionary(TemplateDictionary)
    case generator(TemplateGenerator)
    case namespace(TemplateNamespace)
    case loop(TemplateLoop)
    case function(TemplateFunction)
    case method(TemplateMethod)
    case macro(TemplateMacro)
    case cycler(TemplateCycler)
    case joiner(TemplateJoiner)

    /// How deep containers nest in it. Bounded, because releasing and printing values takes stack.
    var depth: Int {
        switch self {
        case .list(let list): list.depth
        case .dictionary(let dictionary): dictionary.depth
        case .generator(let generator): generator.depth
        case .loop(let loop): loop.items.depth + 1
        case .method(let method): method.receiver.depth + 1
        case .cycler(let cycler): cycler.items.depth + 1
        default: 0
        }
    }

    /// How Python names the type.
    var typeName: String { "\(staticTypeName)" }

    var isUndefined: Bool { if case .undefined = self { true } else { false } }

    /// Whether an `if` takes it for true.
    var isTrue: Bool {
        switch self {
        case .undefined, .null: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .double(let value): value != 0
        case .string(let text): !text.isEmpty
        case .list(let list): !list.elements.isEmpty
        case .dictionary(let dictionary): !dictionary.entries.isEmpty
        case .loop(let loop): !loop.items.elements.isEmpty
        default: true
        }
    }

    static func text(_ text: String) -> TemplateValue { .string(TemplateText(text, isOwn: false)) }
}

/// A value that is not there: the name it was looked up by, and the type of value it was looked up in.
struct TemplateUndefined {
    /// An index into the program's names, or -1.
    var name: Int32 = -1
    var owner: StaticString?
}

/// A list or a tuple. Immutable, as templates run in a sandbox that forbids changing lists.
final class TemplateList {
    static let maximumDepth = 100

    let elements: [TemplateValue]
    let isTuple: Bool
    let depth: Int
    /// For the groups of `groupby`, whose two elements have names.
    let isGroup: Bool

    init(_ elements: [TemplateValue], isTuple: Bool = false, isGroup: Bool = false) throws {
        self.elements = elements
        self.isTuple = isTuple
        self.isGroup = isGroup
        depth = try Self.depth(above: elements.lazy.map(\.depth).max() ?? 0)
    }

    static func depth(above inner: Int) throws -> Int {
        guard inner < maximumDepth else {
            throw TemplateFault.limit("values nest more than \(maximumDepth) levels deep")
        }
        return inner + 1
    }
}

/// A dictionary that keeps the order of its keys. Immutable, as lists are.
final class TemplateDictionary {
    struct Entry {
        var key: TemplateValue
        var value: TemplateValue
    }

    let entries: [Entry]
    let depth: Int
    /// Built for larger dictionaries only; small ones are searched.
    private let index: [TemplateKey: Int]?

    private static let searchedCount = 8

    /// - Throws: when a key can't be a key. A repeated key keeps its first place and takes its last value.
    init(_ pairs: [Entry]) throws {
        var entries: [Entry] = []
        entries.reserveCapacity(pairs.count)
        if pairs.count <= Self.searchedCount {
            for pair in pairs {
                let key = try TemplateKey(pair.key)
                if let place = try entries.firstIndex(where: { try TemplateKey($0.key) == key }) {
                    entries[place].value = pair.value
                } else {
                    entries.append(pair)
                }
            }
            index = nil
        } else {
            var index: [TemplateKey: Int] = [:]
            for pair in pairs {
                let key = try TemplateKey(pair.key)
                if let place = index[key] {
                    entries[place].value = pair.value
                } else {
                    index[key] = entries.count
                    entries.append(pair)
                }
            }
            self.index = index
        }
        self.entries = entries
        depth = try TemplateList.depth(above: entries.lazy.map { max($0.key.depth, $0.value.depth) }.max() ?? 0)
    }

    /// The value of a text key.
    subscript(key: [UInt8]) -> TemplateValue? {
        if let index { return index[.text(key)].map { entries[$0].value } }
        for entry in entries {
            if case .string(let text) = entry.key, text.bytes == key { return entry.value }
        }
        return nil
    }

    /// The value of any key. Throws when the value can't be a key.
    func value(of key: TemplateValue) throws -> TemplateValue? {
        if case .string(let text) = key { return self[text.bytes] }
        let key = try TemplateKey(key)
        if let index { return index[key].map { entries[$0].value } }
        return try entries.first { try TemplateKey($0.key) == key }?.value
    }
}

/// A dictionary key, equal where Python's keys are: 1, 1.0 and True are one key.
enum TemplateKey: Hashable {
    case undefined
    case null
    case integer(Int)
    case double(Double)
    case text([UInt8])
    indirect case tuple([TemplateKey])

    init(_ value: TemplateValue) throws {
        switch value {
        case .undefined: self = .undefined
        case .null: self = .null
        case .bool(let value): self = .integer(value ? 1 : 0)
        case .integer(let value): self = .integer(value)
        case .double(let value):
            if let integer = Int(exactly: value) { self = .integer(integer) } else { self = .double(value) }
        case .string(let text): self = .text(text.bytes)
        case .list(let list) where list.isTuple: self = .tuple(try list.elements.map { try TemplateKey($0) })
        default: throw TemplateFault.value("a \(value.typeName) can't be the key of a dictionary")
        }
    }
}

/// What `map`, `select` and their like give: elements made while they are gone through, once. Always true as a condition.
final class TemplateGenerator {
    private let source: TemplateValue
    private var elements: ArraySlice<TemplateValue>?
    private let transform: (TemplateValue) throws -> TemplateValue?
    let depth: Int

    /// - Parameter transform: makes an element of one of the source's; nil leaves it out.
    init(over source: TemplateValue, _ transform: @escaping (TemplateValue) throws -> TemplateValue?) throws {
        self.source = source
        self.transform = transform
        depth = try TemplateList.depth(above: source.depth)
    }

    convenience init(_ elements: [TemplateValue]) throws {
        try self.init(over: .list(TemplateList(elements))) { $0 }
    }

    func next(_ renderer: TemplateRenderer) throws -> TemplateValue? {
        if case .generator(let source) = source {
            while let element = try renderer.deeper({ try source.next(renderer) }) {
                if let value = try transform(element) { return value }
            }
            return nil
        }
        if elements == nil { elements = try renderer.elements(of: source)[...] }
        while let element = elements?.popFirst() {
            if let value = try transform(element) { return value }
        }
        return nil
    }

    func takeAll(_ renderer: TemplateRenderer) throws -> [TemplateValue] {
        var all: [TemplateValue] = []
        while let element = try next(renderer) { all.append(element) }
        return all
    }
}

/// The one kind of value that templates may change: `set ns.name = value`.
final class TemplateNamespace {
    var attributes: [(name: String, value: TemplateValue)]

    init(_ attributes: [(name: String, value: TemplateValue)]) { self.attributes = attributes }

    subscript(name: String) -> TemplateValue? {
        get { attributes.first { $0.name == name }?.value }
        set {
            guard let newValue else { return }
            if let place = attributes.firstIndex(where: { $0.name == name }) {
                attributes[place].value = newValue
            } else {
                attributes.append((name, newValue))
            }
        }
    }
}

/// The `loop` variable of a `for`.
final class TemplateLoop {
    let items: TemplateList
    let definition: TemplateLoopDefinition
    let scope: TemplateScope?
    let level: Int
    var index = 0
    var lastChange: [TemplateValue]?

    init(_ items: TemplateList, definition: TemplateLoopDefinition, scope: TemplateScope?, level: Int) {
        self.items = items
        self.definition = definition
        self.scope = scope
        self.level = level
    }
}

/// A function that every template may call.
enum TemplateFunction: String, CaseIterable {
    case range
    case dictionary = "dict"
    case namespace
    case raiseException = "raise_exception"
    case formatNow = "strftime_now"
    case cycler
    case joiner
}

/// A method of a value, not yet called: `text.strip`.
final class TemplateMethod {
    let receiver: TemplateValue
    let name: TemplateName

    init(_ receiver: TemplateValue, _ name: TemplateName) {
        self.receiver = receiver
        self.name = name
    }
}

/// A macro and the variables it can see.
final class TemplateMacro {
    let definition: TemplateMacroDefinition
    let scope: TemplateScope?

    init(_ definition: TemplateMacroDefinition, scope: TemplateScope?) {
        self.definition = definition
        self.scope = scope
    }
}

final class TemplateCycler {
    let items: TemplateList
    var position = 0

    init(_ items: TemplateList) { self.items = items }
}

final class TemplateJoiner {
    let separator: TemplateText
    var isUsed = false

    init(_ separator: TemplateText) { self.separator = separator }
}

/// The variables of a block, and the block around it. The template's own variables are in the renderer.
final class TemplateScope {
    let parent: TemplateScope?
    private var names: [Int] = []
    private var values: [TemplateValue] = []

    init(parent: TemplateScope?) { self.parent = parent }

    func set(_ name: Int, to value: TemplateValue) {
        if let place = names.firstIndex(of: name) {
            values[place] = value
        } else {
            names.append(name)
            values.append(value)
        }
    }

    func value(of name: Int) -> TemplateValue? {
        var scope: TemplateScope? = self
        while let current = scope {
            if let place = current.names.firstIndex(of: name) { return current.values[place] }
            scope = current.parent
        }
        return nil
    }

    func clear() {
        names = []
        values = []
    }
}
