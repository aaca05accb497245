/// The methods of texts that templates may call.
enum TemplateTextMethod: String, CaseIterable, Sendable {
    case split, rsplit, splitlines, strip, lstrip, rstrip, startswith, endswith, upper, lower, title, capitalize,
        swapcase
    case casefold, replace, find, rfind, index, rindex, count, join, format, isdigit, isnumeric, isdecimal, isalpha,
        isalnum
    case isspace, isupper, islower, istitle, isascii, isidentifier, removeprefix, removesuffix, zfill, ljust, rjust,
        center
    case partition, rpartition, expandtabs
}

/// The methods of dictionaries. Those that change one are forbidden, as in every sandboxed template.
enum TemplateDictionaryMethod: String, CaseIterable, Sendable {
    case items, keys, values, get, copy
    case clear, pop, popitem, setdefault, update

    var isForbidden: Bool {
        switch self {
        case .items, .keys, .values, .get, .copy: false
        case .clear, .pop, .popitem, .setdefault, .update: true
        }
    }
}

/// The methods of lists and tuples; those that change a list are forbidden and so not here.
enum TemplateListMethod: String, CaseIterable, Sendable {
    case count, index, copy
}

extension TemplateRenderer {
    func call(
        _ method: TemplateDictionaryMethod, of dictionary: TemplateDictionary, _ arguments: TemplateArguments
    ) throws -> TemplateValue {
        let entries = dictionary.entries
        switch method {
        case .items:
            return try makeList(entries.map { try makeList([$0.key, $0.value], isTuple: true) })
        case .keys: return try makeList(entries.map(\.key))
        case .values: return try makeList(entries.map(\.value))
        case .copy: return .dictionary(dictionary)
        case .get:
            let bound = try arguments.bound("get", "key", "default")
            guard let key = bound[0] else { throw TemplateFault.value("'get' needs a key") }
            return try dictionary.value(of: key) ?? bound[1] ?? .null
        case .clear, .pop, .popitem, .setdefault, .update:
            throw TemplateFault.value("'\(method.rawValue)' would change a dictionary, which templates may not")
        }
    }

    func call(
        _ method: TemplateListMethod, of list: TemplateList, _ arguments: TemplateArguments
    ) throws -> TemplateValue {
        if method == .copy { return .list(list) }
        guard let element = arguments.positional.first else {
            throw TemplateFault.value("'\(method.rawValue)' needs an element")
        }
        if method == .count {
            return .integer(try list.elements.reduce(0) { try $0 + (areEqual($1, element) ? 1 : 0) })
        }
        guard let place = try list.elements.firstIndex(where: { try areEqual($0, element) }) else {
            throw TemplateFault.value("the element is not in the list")
        }
        return .integer(place)
    }

    func call(
        _ method: TemplateTextMethod, of text: TemplateText, _ arguments: TemplateArguments
    ) throws -> TemplateValue {
        try meter.charge(text.count)
        let name = method.rawValue
        switch method {
        case .strip, .lstrip, .rstrip:
            let set = try optionalText(try arguments.bound(name, "chars")[0], name)
            return .string(text.trimmed(set, left: method != .rstrip, right: method != .lstrip))
        case .split, .rsplit: return try split(text, arguments, fromRight: method == .rsplit)
        case .splitlines:
            let keepsEnds = try arguments.bound(name, "keepends")[0]?.isTrue ?? false
            return try makeList(text.lines(keepingEnds: keepsEnds).map { .string($0) })
        case .startswith, .endswith: return .bool(try hasAffix(text, arguments, method))
        case .upper, .lower, .title, .capitalize, .swapcase, .casefold: return .string(changedCase(text, method))
        case .replace:
            let bound = try arguments.bound(name, "old", "new", "count")
            let (old, new) = (try requiredText(bound[0], name), try requiredText(bound[1], name))
            let limit = try integer(bound[2], default: -1, name)
            return .string(try text.replacing(old, with: new, limit: limit < 0 ? .max : limit, meter: meter))
        case .find, .rfind, .index, .rindex, .count: return .integer(try located(text, arguments, method))
        case .join:
            return .string(
                try joined(elements(of: try arguments.bound(name, "iterable")[0] ?? .null), text, strict: true))
        case .format: return .string(try braceFormatted(text, arguments))
        case .removeprefix:
            let prefix = try requiredText(try arguments.bound(name, "prefix")[0], name)
            return .string(text.hasPrefix(prefix) ? text[prefix.count..<text.count] : text)
        case .removesuffix:
            let suffix = try requiredText(try arguments.bound(name, "suffix")[0], name)
            return .string(!suffix.isEmpty && text.hasSuffix(suffix) ? text[0..<text.count - suffix.count] : text)
        case .zfill, .ljust, .rjust, .center: return .string(try padded(text, arguments, method))
        case .partition, .rpartition:
            let separator = try requiredText(try arguments.bound(name, "sep")[0], name)
            if separator.isEmpty { throw TemplateFault.value("'\(name)' needs a separator that is not empty") }
            let place = method == .partition ? text.find(separator, from: 0) : text.findLast(separator)
            let parts: [TemplateText]
            if let place {
                parts = [text[0..<place], separator, text[place + separator.count..<text.count]]
            } else {
                parts =
                    method == .partition
                    ? [text, TemplateText(), TemplateText()] : [TemplateText(), TemplateText(), text]
            }
            return try makeList(parts.map { .string($0) }, isTuple: true)
        case .expandtabs:
            return .string(try expandedTabs(text, try integer(arguments.bound(name, "tabsize")[0], default: 8, name)))
        case .isdigit, .isnumeric, .isdecimal, .isalpha, .isalnum, .isspace, .isupper, .islower, .istitle, .isascii,
            .isidentifier:
            return .bool(satisfies(text, method))
        }
    }

    func requiredText(_ value: TemplateValue?, _ function: String) throws -> TemplateText {
        guard case .string(let text)? = value else {
            if case .undefined(let undefined)? = value { throw fail(undefined: undefined) }
            throw TemplateFault.value("'\(function)' needs a text\(value.map { ", not a \($0.typeName)" } ?? "")")
        }
        return text
    }

    func optionalText(_ value: TemplateValue?, _ function: String) throws -> TemplateText? {
        switch value {
        case nil, TemplateValue.null?: nil
        default: try requiredText(value, function)
        }
    }

    func integer(_ value: TemplateValue?, default fallback: Int, _ function: String) throws -> Int {
        guard let value else { return fallback }
        if case .undefined(let undefined) = value { throw fail(undefined: undefined) }
        guard let index = value.index else {
            throw TemplateFault.value("'\(function)' needs a whole number, not a \(value.typeName)")
        }
        return index
    }

    private func split(_ text: TemplateText, _ arguments: TemplateArguments, fromRight: Bool) throws -> TemplateValue {
        let bound = try arguments.bound("split", "sep", "maxsplit")
        let limit = try integer(bound[1], default: -1, "split")
        let most = limit < 0 ? Int.max : limit
        try meter.charge(text.count)
        guard let separator = try optionalText(bound[0], "split") else {
            return try makeList(text.splitOnWhitespace(limit: most, fromRight: fromRight).map { .string($0) })
        }
        if separator.isEmpty { throw TemplateFault.value("'split' needs a separator that is not empty") }
        return try makeList(text.split(on: separator, limit: most, fromRight: fromRight).map { .string($0) })
    }

    private func hasAffix(
        _ text: TemplateText, _ arguments: TemplateArguments, _ method: TemplateTextMethod
    ) throws -> Bool {
        let bound = try arguments.bound(method.rawValue, "affix", "start", "end")
        var text = text
        if bound.dropFirst().contains(where: { $0 != nil }) {
            let start = try integer(bound[1], default: 0, method.rawValue)
            text = try text.sliced(
                TemplateSlice(start: start, stop: try bound[2].map { try integer($0, default: 0, method.rawValue) }))
        }
        let affixes: [TemplateValue]
        if case .list(let list)? = bound[0], list.isTuple {
            affixes = list.elements
        } else {
            affixes = [bound[0] ?? .null]
        }
        for affix in affixes {
            let affix = try requiredText(affix, method.rawValue)
            if method == .startswith ? text.hasPrefix(affix) : text.hasSuffix(affix) { return true }
        }
        return false
    }

    private func located(
        _ text: TemplateText, _ arguments: TemplateArguments, _ method: TemplateTextMethod
    ) throws -> Int {
        let bound = try arguments.bound(method.rawValue, "sub", "start", "end")
        let needle = try requiredText(bound[0], method.rawValue)
        let start = try integer(bound[1], default: 0, method.rawValue)
        let length = text.length
        let first = min(start < 0 ? max(0, start + length) : start, length)
        let part = try text.sliced(
            TemplateSlice(start: start, stop: try bound[2].map { try integer($0, default: 0, method.rawValue) }))
        if method == .count { return part.occurrences(of: needle) }
        let isLast = method == .rfind || method == .rindex
        let place = isLast ? part.findLast(needle) : part.find(needle, from: 0)
        if let place { return first + part[0..<place].length }
        if method == .find || method == .rfind { return -1 }
        throw TemplateFault.value("the text to find is not in the text")
    }

    private func padded(
        _ text: TemplateText, _ arguments: TemplateArguments, _ method: TemplateTextMethod
    ) throws -> TemplateText {
        let bound = try arguments.bound(method.rawValue, "width", "fillchar")
        let width = try integer(bound[0], default: 0, method.rawValue)
        let missing = width - text.length
        if missing <= 0 { return text }
        if method == .zfill {
            let hasSign = text.bytes.first == UInt8(ascii: "-") || text.bytes.first == UInt8(ascii: "+")
            var result = hasSign ? text[0..<1] : text.emptied
            result.append(try repeated("0", missing))
            result.append(text[(hasSign ? 1 : 0)..<text.count])
            return result
        }
        let fill = try optionalText(bound[1], method.rawValue) ?? " "
        guard fill.length == 1 else {
            throw TemplateFault.value("'\(method.rawValue)' fills with exactly one character")
        }
        let left: Int
        switch method {
        case .ljust: left = 0
        case .rjust: left = missing
        default: left = missing / 2 + (missing & width & 1)
        }
        var result = text.emptied
        result.append(try repeated(fill, left))
        result.append(text)
        result.append(try repeated(fill, missing - left))
        return result
    }

    private func expandedTabs(_ text: TemplateText, _ size: Int) throws -> TemplateText {
        var result = text.emptied
        var column = 0
        for character in text.characters {
            switch character.bytes {
            case [0x09]:
                let spaces = size > 0 ? size - column % size : 0
                result.append(try repeated(" ", spaces))
                column += spaces
            case [0x0A], [0x0D]:
                result.append(character)
                column = 0
            default:
                result.append(character)
                column += 1
            }
        }
        return result
    }

    /// `separator.join(texts)`; what isn't text is an error if `strict`, else printed.
    func joined(_ values: [TemplateValue], _ separator: TemplateText, strict: Bool) throws -> TemplateText {
        var result = strict ? separator.emptied : TemplateText()
        for (position, value) in values.enumerated() {
            if position > 0 {
                try meter.charge(separator.count)
                result.append(separator)
            }
            let text = strict ? try requiredText(value, "join") : try text(of: value)
            try meter.charge(text.count)
            result.append(text)
        }
        return result
    }
}
