/// The evaluation of expressions. Each kind has a function of its own, which keeps the stack frame of the recursion small.
extension TemplateRenderer {
    func value(of expression: TemplateExpression) throws -> TemplateValue {
        try deeper {
            switch expression.kind {
            case .literal(let literal): return value(of: literal)
            case .name(let name): return variable(name) ?? .undefined(TemplateUndefined(name: Int32(name)))
            case .list(let elements): return try makeList(try elements.map { try value(of: $0) })
            case .tuple(let elements): return try makeList(try elements.map { try value(of: $0) }, isTuple: true)
            case .dictionary(let entries): return try dictionary(entries)
            case .unary(let operation, let operand): return try unary(operation, try value(of: operand))
            case .binary(let operation, let left, let right):
                let left = try value(of: left)
                return try binary(operation, left, try value(of: right))
            case .concatenation(let parts): return try concatenation(parts)
            case .comparison(let first, let rest): return try comparison(first, rest)
            case .and(let left, let right):
                let left = try value(of: left)
                return left.isTrue ? try value(of: right) : left
            case .or(let left, let right):
                let left = try value(of: left)
                return left.isTrue ? left : try value(of: right)
            case .conditional(let test, let then, let otherwise):
                if try value(of: test).isTrue { return try value(of: then) }
                return try otherwise.map { try value(of: $0) } ?? .undefined(TemplateUndefined())
            case .attribute(let object, let name): return try attribute(name, of: try value(of: object))
            case .element(let object, let key): return try element(object, key)
            case .slice(let object, let start, let stop, let step): return try slice(object, start, stop, step)
            case .call(let callee, let arguments): return try call(callee, arguments)
            case .filter(let operand, let name, let filter, let arguments):
                return try self.filter(operand, name, filter, arguments)
            case .test(let operand, let name, let test, let arguments):
                return .bool(try self.test(operand, name, test, arguments))
            }
        }
    }

    private func value(of literal: TemplateExpression.Literal) -> TemplateValue {
        switch literal {
        case .null: .null
        case .bool(let value): .bool(value)
        case .integer(let value): .integer(value)
        case .double(let value): .double(value)
        case .text(let text): .string(text)
        }
    }

    private func dictionary(
        _ entries: [(key: TemplateExpression, value: TemplateExpression)]
    ) throws -> TemplateValue {
        try makeDictionary(
            entries.map { entry in
                let key = try value(of: entry.key)
                return TemplateDictionary.Entry(key: key, value: try value(of: entry.value))
            })
    }

    private func concatenation(_ parts: [TemplateExpression]) throws -> TemplateValue {
        var result = TemplateText()
        for part in parts {
            let text = try text(of: value(of: part))
            try meter.charge(text.count)
            result.append(text)
        }
        return .string(result)
    }

    private func comparison(
        _ first: TemplateExpression, _ rest: [(comparison: TemplateExpression.Comparison, operand: TemplateExpression)]
    ) throws -> TemplateValue {
        var left = try value(of: first)
        for (comparison, operand) in rest {
            let right = try value(of: operand)
            guard try holds(comparison, left, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    private func element(_ object: TemplateExpression, _ key: TemplateExpression) throws -> TemplateValue {
        let object = try value(of: object)
        return try element(try value(of: key), of: object)
    }

    private func slice(
        _ object: TemplateExpression, _ start: TemplateExpression?, _ stop: TemplateExpression?,
        _ step: TemplateExpression?
    ) throws -> TemplateValue {
        let object = try value(of: object)
        let slice = TemplateSlice(start: try bound(start), stop: try bound(stop), step: try bound(step))
        switch object {
        case .string(let text):
            try meter.charge(text.count)
            return .string(try text.sliced(slice))
        case .list(let list):
            let (start, step, count) = try slice.resolved(length: list.elements.count)
            return try makeList((0..<count).map { list.elements[start + $0 * step] }, isTuple: list.isTuple)
        case .undefined(let undefined): throw fail(undefined: undefined)
        default: throw TemplateFault.value("a value of type \(object.typeName) can't be sliced")
        }
    }

    private func bound(_ expression: TemplateExpression?) throws -> Int? {
        guard let expression else { return nil }
        switch try value(of: expression) {
        case .null: return nil
        case .integer(let value): return value
        case .bool(let value): return value ? 1 : 0
        case let value: throw TemplateFault.value("a bound of a slice must be an integer, not \(value.typeName)")
        }
    }

    private func filter(
        _ operand: TemplateExpression?, _ name: String, _ filter: TemplateFilter?, _ arguments: TemplateCallArguments
    ) throws -> TemplateValue {
        guard let operand else { throw TemplateFault.value("the filter '\(name)' has nothing to filter") }
        let value = try value(of: operand)
        return try apply(filter, named: name, to: value, try self.arguments(arguments))
    }

    /// The filters of a filter block or a block assignment, applied to its text.
    func filtered(_ text: TemplateText, by filter: TemplateExpression) throws -> TemplateValue {
        guard case .filter(let inner, let name, let kind, let arguments) = filter.kind else { return .string(text) }
        return try deeper {
            let value = try inner.map { try filtered(text, by: $0) } ?? .string(text)
            return try apply(kind, named: name, to: value, try self.arguments(arguments))
        }
    }

    private func test(
        _ operand: TemplateExpression, _ name: String, _ test: TemplateTest?, _ arguments: TemplateCallArguments
    ) throws -> Bool {
        let value = try value(of: operand)
        return try holds(test, named: name, value, try self.arguments(arguments))
    }

    /// `object.name`: a method or attribute first, then an element.
    func attribute(_ name: Int, of object: TemplateValue) throws -> TemplateValue {
        let known = program.names[name]
        if let attribute = try attribute(known, of: object) { return attribute }
        if case .dictionary(let dictionary) = object, known.dictionaryMethod == nil {
            if let value = dictionary[known.bytes] { return value }
        }
        return .undefined(TemplateUndefined(name: Int32(name), owner: object.staticTypeName))
    }

    /// `object[key]`: an element first, then a method or attribute.
    func element(_ key: TemplateValue, of object: TemplateValue) throws -> TemplateValue {
        switch object {
        case .dictionary(let dictionary):
            if case .string(let text) = key {
                if let value = dictionary[text.bytes] { return value }
            } else if key.isHashable, let value = try dictionary.value(of: key) {
                return value
            }
        case .list(let list):
            if let position = key.position(in: list.elements.count) { return list.elements[position] }
        case .string(let text):
            if let position = key.index, let character = text.character(at: position) { return .string(character) }
        case .undefined(let undefined): throw fail(undefined: undefined)
        default: break
        }
        guard case .string(let text) = key else { return .undefined(TemplateUndefined(owner: object.staticTypeName)) }
        let name = text.string
        if let attribute = try attribute(TemplateName(name), of: object) { return attribute }
        return .undefined(
            TemplateUndefined(name: Int32(program.indices[name] ?? -1), owner: object.staticTypeName))
    }

    /// The method or attribute of a name, or nil when the value's type has none.
    private func attribute(_ name: TemplateName, of object: TemplateValue) throws -> TemplateValue? {
        switch object {
        case .undefined(let undefined): throw fail(undefined: undefined)
        case .dictionary:
            guard let method = name.dictionaryMethod, !method.isForbidden else { return nil }
        case .string:
            if name.textMethod == nil { return nil }
        case .list(let list):
            if list.isGroup, name.text == "grouper" || name.text == "list" {
                return list.elements[name.text == "list" ? 1 : 0]
            }
            if name.listMethod == nil { return nil }
        case .namespace(let namespace): return namespace[name.text]
        case .loop(let loop): return try attribute(name.text, of: loop)
        case .cycler(let cycler):
            switch name.text {
            case "current": return cycler.items.elements[cycler.position]
            case "next", "reset": break
            default: return nil
            }
        case .macro(let macro):
            return name.text == "name" ? .text(program.names[macro.definition.name].text) : nil
        default: return nil
        }
        return .method(TemplateMethod(object, name))
    }

    private func attribute(_ name: String, of loop: TemplateLoop) throws -> TemplateValue? {
        let elements = loop.items.elements
        switch name {
        case "index": return .integer(loop.index + 1)
        case "index0": return .integer(loop.index)
        case "revindex": return .integer(elements.count - loop.index)
        case "revindex0": return .integer(elements.count - loop.index - 1)
        case "first": return .bool(loop.index == 0)
        case "last": return .bool(loop.index == elements.count - 1)
        case "length": return .integer(elements.count)
        case "depth": return .integer(loop.level + 1)
        case "depth0": return .integer(loop.level)
        case "previtem": return loop.index > 0 ? elements[loop.index - 1] : nil
        case "nextitem": return loop.index + 1 < elements.count ? elements[loop.index + 1] : nil
        case "cycle", "changed": return .method(TemplateMethod(.loop(loop), TemplateName(name)))
        default: return nil
        }
    }
}

extension TemplateValue {
    /// The integer that it is as an index.
    var index: Int? {
        switch self {
        case .integer(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }

    /// The place in a sequence that it names; negative ones count from the end.
    func position(in count: Int) -> Int? {
        guard let index else { return nil }
        let position = index < 0 ? index + count : index
        return position >= 0 && position < count ? position : nil
    }

    var isHashable: Bool {
        switch self {
        case .undefined, .null, .bool, .integer, .double, .string: true
        case .list(let list): list.isTuple && list.elements.allSatisfy(\.isHashable)
        default: false
        }
    }

    var staticTypeName: StaticString {
        switch self {
        case .undefined: "undefined value"
        case .null: "None"
        case .bool: "bool"
        case .integer: "int"
        case .double: "float"
        case .string: "str"
        case .list(let list): list.isTuple ? "tuple" : "list"
        case .dictionary: "dict"
        case .generator: "generator"
        case .namespace: "namespace"
        case .loop: "loop"
        case .function, .method: "function"
        case .macro: "macro"
        case .cycler: "cycler"
        case .joiner: "joiner"
        }
    }
}
