/// Renders a parsed template once. Not reused: it holds the variables and the cost of one rendering.
final class TemplateRenderer {
    /// How deep evaluation may nest: blocks, expressions and macro calls together.
    static let maximumDepth = 400

    let program: TemplateProgram
    let meter: TemplateMeter
    let now: TemplateDate
    var output = TemplateText()
    private(set) var line = 0
    private var depth = 0
    /// The template's own variables by name index; blocks keep theirs in scopes.
    private var variables: [TemplateValue?]
    var scope: TemplateScope?
    /// Values that can hold themselves. They are emptied at the end: a cycle would leak and a long chain would exhaust the stack.
    private var namespaces: [TemplateNamespace] = []
    private var capturedScopes: [TemplateScope] = []

    /// - Parameter inputBytes: the size of the conversation, which the limits allow for.
    init(_ program: TemplateProgram, limits: TemplateLimits, inputBytes: Int, now: TemplateDate) {
        self.program = program
        self.now = now
        meter = TemplateMeter(limits: limits, inputBytes: inputBytes + program.sourceBytes)
        variables = [TemplateValue?](repeating: nil, count: program.names.count)
        for function in TemplateFunction.allCases { define(function.rawValue, as: .function(function)) }
    }

    func define(_ name: String, as value: TemplateValue) {
        if let index = program.indices[name] { variables[index] = value }
    }

    /// Renders the whole template. Throws `TemplateError`.
    func render() throws -> TemplateText {
        defer { releaseCycles() }
        do {
            output.reserveCapacity(4096)
            _ = try run(program.body)
            return output
        } catch let fault as TemplateFault {
            throw TemplateError(kind: fault.kind, line: line, message: fault.message)
        }
    }

    private func releaseCycles() {
        for namespace in namespaces { namespace.attributes = [] }
        for scope in capturedScopes { scope.clear() }
        variables = []
    }

    func makeNamespace(_ attributes: [(name: String, value: TemplateValue)]) -> TemplateValue {
        let namespace = TemplateNamespace(attributes)
        namespaces.append(namespace)
        return .namespace(namespace)
    }

    func makeMacro(_ definition: TemplateMacroDefinition) -> TemplateMacro {
        if let scope { capturedScopes.append(scope) }
        return TemplateMacro(definition, scope: scope)
    }

    func variable(_ name: Int) -> TemplateValue? { scope?.value(of: name) ?? variables[name] }

    func setVariable(_ name: Int, to value: TemplateValue) {
        if let scope { scope.set(name, to: value) } else { variables[name] = value }
    }

    /// Runs something one level deeper, so that recursion ends before the stack does.
    @inline(__always)
    func deeper<Result>(_ body: () throws -> Result) throws -> Result {
        try meter.step()
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else {
            throw TemplateFault.limit(
                "rendering nests more than \(Self.maximumDepth) levels deep; a macro may call itself without end")
        }
        return try body()
    }

    enum Flow { case onward, breakLoop, continueLoop }

    func run(_ body: [TemplateStatement]) throws -> Flow {
        for statement in body {
            line = statement.line
            let flow = try deeper { try run(statement) }
            if flow != .onward { return flow }
        }
        return .onward
    }

    private func run(_ statement: TemplateStatement) throws -> Flow {
        switch statement.kind {
        case .text(let text): try write(text)
        case .output(let expression): try write(try text(of: value(of: expression)))
        case .condition(let branches, let otherwise): return try runCondition(branches, otherwise)
        case .loop(let loop): try runLoop(loop, over: try value(of: loop.sequence), level: 0)
        case .set(let target, let expression): try assign(try value(of: expression), to: target)
        case .setBlock(let target, let filter, let body): try runSetBlock(target, filter, body)
        case .macro(let definition): setVariable(definition.name, to: .macro(makeMacro(definition)))
        case .call(let call, let caller): try runCall(call, caller)
        case .filter(let filter, let body):
            try write(try text(of: filtered(try captured { _ = try run(body) }, by: filter)))
        case .with(let assignments, let body): return try runWith(assignments, body)
        case .generation(let body): try write(try captured { _ = try run(body) })
        case .breakLoop: return .breakLoop
        case .continueLoop: return .continueLoop
        }
        return .onward
    }

    func write(_ text: TemplateText) throws {
        try meter.charge(text.count)
        output.append(text)
    }

    /// What the body writes, in a block of its own, instead of writing it.
    func captured(_ body: () throws -> Void) throws -> TemplateText {
        let outer = output
        output = TemplateText()
        let outerScope = scope
        scope = TemplateScope(parent: outerScope)
        defer {
            output = outer
            scope = outerScope
        }
        try body()
        return output
    }

    private func runCondition(
        _ branches: [(test: TemplateExpression, body: [TemplateStatement])], _ otherwise: [TemplateStatement]
    ) throws -> Flow {
        for branch in branches where try value(of: branch.test).isTrue { return try run(branch.body) }
        return try run(otherwise)
    }

    private func runSetBlock(
        _ target: TemplateTarget, _ filter: TemplateExpression?, _ body: [TemplateStatement]
    ) throws {
        let text = try captured { _ = try run(body) }
        try assign(try filter.map { try filtered(text, by: $0) } ?? .string(text), to: target)
    }

    private func runWith(
        _ assignments: [(target: TemplateTarget, value: TemplateExpression)], _ body: [TemplateStatement]
    ) throws -> Flow {
        let outer = scope
        let values = try assignments.map { try value(of: $0.value) }
        scope = TemplateScope(parent: outer)
        defer { scope = outer }
        for (assignment, value) in zip(assignments, values) { try assign(value, to: assignment.target) }
        return try run(body)
    }

    private func runCall(_ call: TemplateExpression, _ caller: TemplateMacroDefinition) throws {
        guard case .call(let callee, let arguments) = call.kind else { return }
        let macro = makeMacro(caller)
        var evaluated = try self.arguments(arguments)
        evaluated.keywords.append(("caller", .macro(macro)))
        try write(try text(of: self.call(try value(of: callee), evaluated)))
    }

    func runLoop(_ definition: TemplateLoopDefinition, over sequence: TemplateValue, level: Int) throws {
        let outer = scope
        defer { scope = outer }
        var elements = try self.elements(of: sequence)
        if let test = definition.test {
            elements = try elements.filter { element in
                scope = TemplateScope(parent: outer)
                try assign(element, to: definition.target)
                return try value(of: test).isTrue
            }
            scope = outer
        }
        if elements.isEmpty {
            scope = TemplateScope(parent: outer)
            _ = try run(definition.otherwise)
            return
        }
        let loop = TemplateLoop(try TemplateList(elements), definition: definition, scope: outer, level: level)
        for (index, element) in elements.enumerated() {
            try meter.step()
            loop.index = index
            let inner = TemplateScope(parent: outer)
            inner.set(TemplateNames.loop.index, to: .loop(loop))
            scope = inner
            try assign(element, to: definition.target)
            if try run(definition.body) == .breakLoop { break }
        }
    }

    func assign(_ value: TemplateValue, to target: TemplateTarget) throws {
        switch target {
        case .name(let name): setVariable(name, to: value)
        case .attribute(let object, let attribute):
            guard case .namespace(let namespace)? = variable(object) else {
                throw TemplateFault.value(
                    "'\(program.names[object].text).\(attribute)' can't be set: '\(program.names[object].text)' is not a namespace"
                )
            }
            if attribute.hasPrefix("_") {
                throw TemplateFault.value(
                    "a namespace can't have the attribute '\(attribute)'; names must not begin with '_'")
            }
            try meter.charge(elements: 1)
            namespace[attribute] = value
        case .tuple(let targets):
            let elements = try self.elements(of: value)
            guard elements.count == targets.count else {
                throw TemplateFault.value("\(elements.count) values can't be assigned to \(targets.count) names")
            }
            for (element, target) in zip(elements, targets) { try assign(element, to: target) }
        }
    }

    /// The elements that a `for` goes through: of a list, the keys of a dictionary, the characters of a text.
    func elements(of value: TemplateValue) throws -> [TemplateValue] {
        switch value {
        case .undefined: return []
        case .list(let list): return list.elements
        case .generator(let generator): return try generator.takeAll(self)
        case .dictionary(let dictionary):
            try meter.charge(elements: dictionary.entries.count)
            return dictionary.entries.map(\.key)
        case .string(let text):
            try meter.charge(elements: text.count)
            var plain = text
            plain.isMarkup = false
            return plain.characters.map { .string($0) }
        default: throw TemplateFault.value("a value of type \(value.typeName) can't be iterated over")
        }
    }

    func makeList(_ elements: [TemplateValue], isTuple: Bool = false) throws -> TemplateValue {
        try meter.charge(elements: elements.count + 1)
        return .list(try TemplateList(elements, isTuple: isTuple))
    }

    func makeDictionary(_ entries: [TemplateDictionary.Entry]) throws -> TemplateValue {
        try meter.charge(elements: 2 * entries.count + 1)
        return .dictionary(try TemplateDictionary(entries))
    }

    func fail(undefined: TemplateUndefined) -> TemplateFault {
        let name = undefined.name >= 0 ? program.names[Int(undefined.name)].text : nil
        switch (name, undefined.owner) {
        case (let name?, let owner?): return .undefined("a \(owner) has no '\(name)'")
        case (let name?, nil): return .undefined("'\(name)' is undefined")
        case (nil, let owner?): return .undefined("a \(owner) has no such element")
        case (nil, nil): return .undefined("a value is undefined")
        }
    }
}
