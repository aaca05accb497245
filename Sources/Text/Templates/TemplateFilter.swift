/// The filters that templates may use: `value | name(arguments)`.
enum TemplateFilter: String, CaseIterable, Sendable {
    case tojson, trim, length, `default`, join, map, select, selectattr, reject, rejectattr, first, last, list, string
    case int, float, upper, lower, capitalize, title, replace, items, dictsort, sort, unique, reverse, sum, min, max
    case round, abs, indent, safe, escape, forceescape, batch, slice, groupby, wordcount, format, urlencode, truncate
    case center, attr, striptags

    init?(name: String) {
        switch name {
        case "count": self = .length
        case "d": self = .default
        case "e": self = .escape
        default: self.init(rawValue: name)
        }
    }
}

extension TemplateRenderer {
    func apply(
        _ filter: TemplateFilter?, named name: String, to value: TemplateValue, _ arguments: TemplateArguments
    ) throws -> TemplateValue {
        guard let filter else { throw TemplateFault.unsupported("there is no filter '\(name)'") }
        switch filter {
        case .tojson, .string, .upper, .lower, .capitalize, .title, .trim, .replace, .indent, .safe, .escape,
            .forceescape,
            .wordcount, .format, .urlencode, .truncate, .center, .striptags:
            return try applyToText(filter, value, arguments)
        case .map, .select, .selectattr, .reject, .rejectattr, .sort, .unique, .groupby, .min, .max, .sum, .dictsort:
            return try applyToElements(filter, value, arguments)
        case .int, .float, .round, .abs: return try applyToNumber(filter, value, arguments)
        case .default:
            let bound = try arguments.bound(name, "default_value", "boolean")
            let replaces = value.isUndefined || (bound[1]?.isTrue ?? false) && !value.isTrue
            return replaces ? bound[0] ?? .string(TemplateText()) : value
        case .length: return .integer(try length(of: value))
        case .first: return try first(of: value)
        case .last: return try last(of: value)
        case .list:
            if case .list(let list) = value, !list.isTuple { return value }
            return try makeList(try elements(of: value))
        case .reverse:
            if case .string(let text) = value { return .string(try text.sliced(TemplateSlice(step: -1))) }
            return .generator(try TemplateGenerator(try elements(of: value).reversed()))
        case .join:
            let bound = try arguments.bound(name, "d", "attribute")
            var elements = try self.elements(of: value)
            if let path = bound[1] { elements = try elements.map { try attribute(path: path, of: $0) } }
            let separator = try bound[0].map { try text(of: $0) } ?? TemplateText()
            return .string(try joined(elements, separator, strict: false))
        case .items:
            if value.isUndefined { return try makeList([]) }
            guard case .dictionary(let dictionary) = value else {
                throw TemplateFault.value("'items' needs a dictionary, not a \(value.typeName)")
            }
            return try call(.items, of: dictionary, TemplateArguments())
        case .batch: return try batched(value, arguments)
        case .slice: return try sliced(value, arguments)
        case .attr:
            let attribute = try requiredText(try arguments.bound(name, "name")[0], name).string
            if case .dictionary(let dictionary) = value, dictionary[Array(attribute.utf8)] != nil {
                return .undefined(TemplateUndefined(owner: value.staticTypeName))
            }
            return try element(.text(attribute), of: value)
        }
    }

    func length(of value: TemplateValue) throws -> Int {
        switch value {
        case .undefined: return 0
        case .string(let text): return text.length
        case .list(let list): return list.elements.count
        case .dictionary(let dictionary): return dictionary.entries.count
        case .loop(let loop): return loop.items.elements.count
        default: throw TemplateFault.value("a value of type \(value.typeName) has no length")
        }
    }

    private func first(of value: TemplateValue) throws -> TemplateValue {
        if case .generator(let generator) = value { return try generator.next(self) ?? .undefined(TemplateUndefined()) }
        if case .list(let list) = value { return list.elements.first ?? .undefined(TemplateUndefined(owner: "list")) }
        return try elements(of: value).first ?? .undefined(TemplateUndefined(owner: value.staticTypeName))
    }

    private func last(of value: TemplateValue) throws -> TemplateValue {
        if case .list(let list) = value { return list.elements.last ?? .undefined(TemplateUndefined(owner: "list")) }
        if case .generator = value {
            throw TemplateFault.value("'last' needs a list, not a generator; put 'list' before it")
        }
        return try elements(of: value).last ?? .undefined(TemplateUndefined(owner: value.staticTypeName))
    }

    private func batched(_ value: TemplateValue, _ arguments: TemplateArguments) throws -> TemplateValue {
        let bound = try arguments.bound("batch", "linecount", "fill_with")
        let size = try integer(bound[0], default: 0, "batch")
        guard size > 0 else { throw TemplateFault.value("'batch' needs a size above 0") }
        let elements = try self.elements(of: value)
        var batches: [TemplateValue] = []
        var start = 0
        while start < elements.count {
            let end = min(elements.count - start, size) + start
            var batch = Array(elements[start..<end])
            if let fill = bound[1], fill.isDefinedAndNotNull, batch.count < size {
                try meter.charge(elements: size)
                batch += [TemplateValue](repeating: fill, count: size - batch.count)
            }
            batches.append(try makeList(batch))
            start = end
        }
        return .generator(try TemplateGenerator(batches))
    }

    private func sliced(_ value: TemplateValue, _ arguments: TemplateArguments) throws -> TemplateValue {
        let bound = try arguments.bound("slice", "slices", "fill_with")
        let count = try integer(bound[0], default: 0, "slice")
        guard count > 0 else { throw TemplateFault.value("'slice' needs a number of slices above 0") }
        try meter.charge(elements: count)
        let elements = try self.elements(of: value)
        let (size, longer) = elements.count.quotientAndRemainder(dividingBy: count)
        var slices: [TemplateValue] = []
        var start = 0
        for index in 0..<count {
            let end = start + size + (index < longer ? 1 : 0)
            var slice = Array(elements[start..<end])
            if let fill = bound[1], fill.isDefinedAndNotNull, index >= longer { slice.append(fill) }
            slices.append(try makeList(slice))
            start = end
        }
        return .generator(try TemplateGenerator(slices))
    }

    private func applyToNumber(
        _ filter: TemplateFilter, _ value: TemplateValue, _ arguments: TemplateArguments
    ) throws -> TemplateValue {
        if case .undefined(let undefined) = value { throw fail(undefined: undefined) }
        switch filter {
        case .int:
            let bound = try arguments.bound("int", "default", "base")
            return try integerValue(of: value, base: try integer(bound[1], default: 10, "int")) ?? bound[0]
                ?? .integer(0)
        case .float:
            let fallback = try arguments.bound("float", "default")[0] ?? .double(0)
            if case .string(let text) = value { return TemplateNumber.double(text).map { .double($0) } ?? fallback }
            return value.number.map { .double($0) } ?? fallback
        case .round: return try rounded(value, arguments)
        default:
            if case .double(let number) = value { return .double(number.magnitude) }
            guard let number = value.index else {
                throw TemplateFault.value("a \(value.typeName) has no absolute value")
            }
            guard number > .min else { throw TemplateFault.limit("a whole number exceeds 64 bits") }
            return .integer(abs(number))
        }
    }

    private func integerValue(of value: TemplateValue, base: Int) throws -> TemplateValue? {
        var number = value.number
        if case .string(let text) = value {
            if let integer = TemplateNumber.integer(text, base: base) { return .integer(integer) }
            number = TemplateNumber.double(text)
        } else if let index = value.index {
            return .integer(index)
        }
        guard let number, number.isFinite else { return nil }
        guard let integer = Int(exactly: number.rounded(.towardZero)) else {
            throw TemplateFault.limit("a whole number exceeds 64 bits")
        }
        return .integer(integer)
    }

    private func rounded(_ value: TemplateValue, _ arguments: TemplateArguments) throws -> TemplateValue {
        let bound = try arguments.bound("round", "precision", "method")
        let precision = try integer(bound[0], default: 0, "round")
        guard let number = value.number else { throw TemplateFault.value("a \(value.typeName) can't be rounded") }
        guard precision.magnitude < 300 else { throw TemplateFault.value("'round' takes a precision below 300") }
        switch try optionalText(bound[1], "round")?.string ?? "common" {
        case "common":
            if let integer = value.index, precision >= 0 { return .integer(integer) }
            let rounded = TemplateNumber.rounded(number, precision: precision)
            if value.index != nil, let integer = Int(exactly: rounded) { return .integer(integer) }
            return .double(rounded)
        case "ceil": return .double(TemplateNumber.scaled(number, precision) { $0.rounded(.up) })
        case "floor": return .double(TemplateNumber.scaled(number, precision) { $0.rounded(.down) })
        case let method: throw TemplateFault.value("'round' knows 'common', 'ceil' and 'floor', not '\(method)'")
        }
    }
}

extension TemplateValue {
    var isDefinedAndNotNull: Bool {
        switch self {
        case .undefined, .null: false
        default: true
        }
    }
}
