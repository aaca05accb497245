/// The arguments of a call, evaluated.
struct TemplateArguments {
    var positional: [TemplateValue] = []
    var keywords: [(name: String, value: TemplateValue)] = []

    /// The arguments in the order of the parameters; nil where one is not given. Throws when there are more or other ones.
    func bound(_ function: String, _ parameters: String...) throws -> [TemplateValue?] {
        guard positional.count <= parameters.count else {
            throw TemplateFault.value(
                "'\(function)' takes at most \(parameters.count) arguments, \(positional.count) are given")
        }
        var values =
            positional.map(Optional.some) + [TemplateValue?](repeating: nil, count: parameters.count - positional.count)
        for (name, value) in keywords {
            guard let place = parameters.firstIndex(of: name) else {
                throw TemplateFault.value("'\(function)' has no argument '\(name)'")
            }
            guard case nil = values[place] else {
                throw TemplateFault.value("'\(function)' is given the argument '\(name)' twice")
            }
            values[place] = value
        }
        return values
    }
}

/// Calls of functions, macros and methods.
extension TemplateRenderer {
    func arguments(_ arguments: TemplateCallArguments) throws -> TemplateArguments {
        var evaluated = TemplateArguments()
        if arguments.isEmpty { return evaluated }
        evaluated.positional = try arguments.positional.map { try value(of: $0) }
        evaluated.keywords = try arguments.keywords.map { ($0.name, try value(of: $0.value)) }
        if let spread = arguments.spread { evaluated.positional += try elements(of: value(of: spread)) }
        if let spread = arguments.keywordSpread {
            guard case .dictionary(let dictionary) = try value(of: spread) else {
                throw TemplateFault.value("'**' needs a dictionary")
            }
            for entry in dictionary.entries {
                guard case .string(let name) = entry.key else {
                    throw TemplateFault.value("'**' needs a dictionary whose keys are texts")
                }
                evaluated.keywords.append((name.string, entry.value))
            }
        }
        return evaluated
    }

    func call(_ callee: TemplateExpression, _ arguments: TemplateCallArguments) throws -> TemplateValue {
        if case .attribute(let object, let index) = callee.kind {
            let receiver = try value(of: object)
            let name = program.names[index]
            // Methods of texts and dictionaries, the usual case, without making a value of the method.
            switch receiver {
            case .string(let text):
                if let method = name.textMethod { return try call(method, of: text, try self.arguments(arguments)) }
            case .dictionary(let dictionary):
                if let method = name.dictionaryMethod, !method.isForbidden {
                    return try call(method, of: dictionary, try self.arguments(arguments))
                }
            default: break
            }
            return try call(try attribute(index, of: receiver), try self.arguments(arguments))
        }
        let function = try value(of: callee)
        return try call(function, try self.arguments(arguments))
    }

    func call(_ callee: TemplateValue, _ arguments: TemplateArguments) throws -> TemplateValue {
        switch callee {
        case .function(let function): return try call(function, arguments)
        case .macro(let macro): return try call(macro, arguments)
        case .method(let method): return try call(method, arguments)
        case .joiner(let joiner):
            defer { joiner.isUsed = true }
            return .string(joiner.isUsed ? joiner.separator : TemplateText())
        case .loop(let loop):
            guard loop.definition.isRecursive else {
                throw TemplateFault.value("'loop' can only be called in a loop marked 'recursive'")
            }
            let sequence = try arguments.bound("loop", "sequence")[0] ?? .undefined(TemplateUndefined())
            return .string(
                try deeper {
                    try captured {
                        scope = loop.scope
                        try runLoop(loop.definition, over: sequence, level: loop.level + 1)
                    }
                })
        case .undefined(let undefined): throw fail(undefined: undefined)
        default: throw TemplateFault.value("a value of type \(callee.typeName) can't be called")
        }
    }

    private func call(_ macro: TemplateMacro, _ arguments: TemplateArguments) throws -> TemplateValue {
        let definition = macro.definition
        let name = program.names[definition.name].text
        let parameters = definition.parameters
        let inner = TemplateScope(parent: macro.scope)
        var keywords = arguments.keywords
        if definition.specialNames.contains(TemplateNames.caller.index),
            let place = keywords.firstIndex(where: { $0.name == TemplateNames.caller.rawValue })
        {
            inner.set(TemplateNames.caller.index, to: keywords.remove(at: place).value)
        }
        let text = try deeper {
            try captured {
                scope = inner
                for (position, parameter) in parameters.enumerated() {
                    let parameterName = program.names[parameter.name].text
                    let place = keywords.firstIndex { $0.name == parameterName }
                    let given = place.map { keywords.remove(at: $0).value }
                    if position < arguments.positional.count {
                        guard case nil = given else {
                            throw TemplateFault.value(
                                "the macro '\(name)' is given the argument '\(parameterName)' twice")
                        }
                        inner.set(parameter.name, to: arguments.positional[position])
                    } else if let given {
                        inner.set(parameter.name, to: given)
                    } else if let fallback = parameter.fallback {
                        inner.set(parameter.name, to: try value(of: fallback))
                    } else {
                        inner.set(parameter.name, to: .undefined(TemplateUndefined(name: Int32(parameter.name))))
                    }
                }
                let extra = Array(arguments.positional.dropFirst(parameters.count))
                if definition.specialNames.contains(TemplateNames.varargs.index) {
                    inner.set(TemplateNames.varargs.index, to: try makeList(extra, isTuple: true))
                } else if !extra.isEmpty {
                    throw TemplateFault.value(
                        "the macro '\(name)' takes at most \(parameters.count) arguments, "
                            + "\(arguments.positional.count) are given")
                }
                if definition.specialNames.contains(TemplateNames.kwargs.index) {
                    let entries = keywords.map { TemplateDictionary.Entry(key: .text($0.name), value: $0.value) }
                    inner.set(TemplateNames.kwargs.index, to: try makeDictionary(entries))
                } else if let unknown = keywords.first?.name {
                    throw TemplateFault.value("the macro '\(name)' has no argument '\(unknown)'")
                }
                _ = try run(definition.body)
            }
        }
        return .string(text)
    }

    private func call(_ method: TemplateMethod, _ arguments: TemplateArguments) throws -> TemplateValue {
        let name = method.name.text
        switch method.receiver {
        case .string(let text):
            if let known = method.name.textMethod { return try call(known, of: text, arguments) }
        case .dictionary(let dictionary):
            if let known = method.name.dictionaryMethod { return try call(known, of: dictionary, arguments) }
        case .list(let list):
            if let known = method.name.listMethod { return try call(known, of: list, arguments) }
        case .loop(let loop):
            if name == "cycle" {
                guard !arguments.positional.isEmpty else { throw TemplateFault.value("'loop.cycle' needs values") }
                return arguments.positional[loop.index % arguments.positional.count]
            }
            let last = loop.lastChange
            loop.lastChange = arguments.positional
            guard let last, last.count == arguments.positional.count else { return .bool(true) }
            for (old, new) in zip(last, arguments.positional) where try !areEqual(old, new) { return .bool(true) }
            return .bool(false)
        case .cycler(let cycler):
            if name == "reset" {
                cycler.position = 0
                return .null
            }
            defer { cycler.position = (cycler.position + 1) % cycler.items.elements.count }
            return cycler.items.elements[cycler.position]
        default: break
        }
        throw TemplateFault.value("a \(method.receiver.typeName) has no method '\(name)'")
    }

    private func call(_ function: TemplateFunction, _ arguments: TemplateArguments) throws -> TemplateValue {
        switch function {
        case .range: return try range(arguments)
        case .dictionary: return try makeDictionary(try entries(arguments))
        case .namespace:
            let attributes = try entries(arguments).map { (name: try text(of: $0.key).string, value: $0.value) }
            if let name = attributes.first(where: { $0.name.hasPrefix("_") })?.name {
                throw TemplateFault.value(
                    "a namespace can't have the attribute '\(name)'; names must not begin with '_'")
            }
            try meter.charge(elements: attributes.count + 1)
            return makeNamespace(attributes)
        case .raiseException:
            let message = try arguments.bound(function.rawValue, "message")[0]
            throw TemplateFault(kind: .raised, message: try message.map { try text(of: $0).string } ?? "")
        case .formatNow:
            guard case .string(let format)? = try arguments.bound(function.rawValue, "format")[0] else {
                throw TemplateFault.value("'strftime_now' needs a format, such as \"%d %b %Y\"")
            }
            try meter.charge(format.count, times: 16)
            return .string(format.replacing(with: Array(now.formatted(format.string).utf8)))
        case .cycler:
            guard !arguments.positional.isEmpty else { throw TemplateFault.value("'cycler' needs values") }
            try meter.charge(elements: arguments.positional.count)
            return .cycler(TemplateCycler(try TemplateList(arguments.positional)))
        case .joiner:
            let separator = try arguments.bound(function.rawValue, "sep")[0]
            return .joiner(TemplateJoiner(try separator.map { try text(of: $0) } ?? ", "))
        }
    }

    private func range(_ arguments: TemplateArguments) throws -> TemplateValue {
        let bounds = try arguments.positional.map { value in
            guard let bound = value.index else {
                throw TemplateFault.value("'range' needs whole numbers, not \(value.typeName)")
            }
            return bound
        }
        guard (1...3).contains(bounds.count), arguments.keywords.isEmpty else {
            throw TemplateFault.value("'range' takes one to three numbers")
        }
        let (start, end) = bounds.count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1])
        let step = bounds.count == 3 ? bounds[2] : 1
        if step == 0 { throw TemplateFault.value("the step of 'range' can't be 0") }
        let (distance, overflow) =
            step > 0 ? end.subtractingReportingOverflow(start) : start.subtractingReportingOverflow(end)
        let count = distance <= 0 && !overflow ? 0 : (UInt(bitPattern: distance) - 1) / step.magnitude + 1
        let isEmpty = step > 0 ? end <= start : end >= start
        guard isEmpty || count <= UInt(meter.limits.range) else {
            throw TemplateFault.limit("'range' has more than \(meter.limits.range) elements")
        }
        return try makeList(isEmpty ? [] : (0..<Int(count)).map { .integer(start + $0 * step) })
    }

    /// What `dict(…)` makes entries of: a dictionary or pairs, then keyword arguments.
    private func entries(_ arguments: TemplateArguments) throws -> [TemplateDictionary.Entry] {
        guard arguments.positional.count <= 1 else {
            throw TemplateFault.value("'dict' takes one value and named ones")
        }
        var entries: [TemplateDictionary.Entry] = []
        switch arguments.positional.first {
        case nil: break
        case .dictionary(let dictionary): entries = dictionary.entries
        case let pairs?:
            entries = try elements(of: pairs).map { pair in
                let pair = try elements(of: pair)
                guard pair.count == 2 else { throw TemplateFault.value("'dict' needs pairs of a key and a value") }
                return .init(key: pair[0], value: pair[1])
            }
        }
        return entries + arguments.keywords.map { .init(key: .text($0.name), value: $0.value) }
    }
}
