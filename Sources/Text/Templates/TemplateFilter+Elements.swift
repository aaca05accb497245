/// Filters that choose, order and combine the elements of a sequence.
extension TemplateRenderer {
    func applyToElements(
        _ filter: TemplateFilter, _ value: TemplateValue, _ arguments: TemplateArguments
    ) throws -> TemplateValue {
        switch filter {
        case .map: return try mapped(value, arguments)
        case .select, .reject, .selectattr, .rejectattr: return try selected(filter, value, arguments)
        case .sort:
            let bound = try arguments.bound("sort", "reverse", "case_sensitive", "attribute")
            let keyed = try keyed(value, attribute: bound[2], isCaseSensitive: bound[1]?.isTrue ?? false)
            return try makeList(try sorted(keyed, descending: bound[0]?.isTrue ?? false).map(\.element))
        case .unique:
            let bound = try arguments.bound("unique", "case_sensitive", "attribute")
            var seen: Set<TemplateKey> = []
            let keyed = try keyed(value, attribute: bound[1], isCaseSensitive: bound[0]?.isTrue ?? false)
            return .generator(
                try TemplateGenerator(keyed.filter { seen.insert(try TemplateKey($0.key)).inserted }.map(\.element)))
        case .groupby: return try grouped(value, arguments)
        case .min, .max:
            let bound = try arguments.bound(filter.rawValue, "case_sensitive", "attribute")
            let keyed = try keyed(value, attribute: bound[1], isCaseSensitive: bound[0]?.isTrue ?? false)
            guard var best = keyed.first else { return .undefined(TemplateUndefined()) }
            for candidate in keyed.dropFirst() {
                let isBetter =
                    filter == .min ? try precedes(candidate.key, best.key) : try precedes(best.key, candidate.key)
                if isBetter { best = candidate }
            }
            return best.element
        case .sum:
            let bound = try arguments.bound("sum", "attribute", "start")
            var total = bound[1] ?? .integer(0)
            for element in try elements(of: value) {
                let summand = try bound[0].flatMap { path in
                    path.isDefinedAndNotNull ? try attribute(path: path, of: element) : nil
                }
                total = try binary(.add, total, summand ?? element)
            }
            return total
        default: return try sortedEntries(value, arguments)
        }
    }

    private func mapped(_ value: TemplateValue, _ arguments: TemplateArguments) throws -> TemplateValue {
        if !value.isTrue { return .generator(try TemplateGenerator([])) }
        var arguments = arguments
        if arguments.positional.isEmpty {
            let bound = try arguments.bound("map", "attribute", "default")
            guard let path = bound[0] else { throw TemplateFault.value("'map' needs a filter or an attribute") }
            return .generator(
                try TemplateGenerator(over: value) { [unowned self] element in
                    let value = try attribute(path: path, of: element)
                    return value.isUndefined ? bound[1] ?? value : value
                })
        }
        let name = try requiredText(arguments.positional.removeFirst(), "map").string
        let filter = TemplateFilter(name: name)
        return .generator(
            try TemplateGenerator(over: value) { [unowned self] element in
                try deeper { try apply(filter, named: name, to: element, arguments) }
            })
    }

    private func selected(
        _ filter: TemplateFilter, _ value: TemplateValue, _ arguments: TemplateArguments
    ) throws -> TemplateValue {
        if !value.isTrue { return .generator(try TemplateGenerator([])) }
        var arguments = arguments
        var path: TemplateValue?
        if filter == .selectattr || filter == .rejectattr {
            guard !arguments.positional.isEmpty else {
                throw TemplateFault.value("'\(filter.rawValue)' needs the name of an attribute")
            }
            path = arguments.positional.removeFirst()
        }
        let keeps = filter == .select || filter == .selectattr
        let name =
            try arguments.positional.isEmpty ? nil : requiredText(arguments.positional.removeFirst(), filter.rawValue)
        let test = name.flatMap { TemplateTest(name: $0.string) }
        return .generator(
            try TemplateGenerator(over: value) { [unowned self, arguments, path] element in
                try meter.step()
                let examined = try path.map { try attribute(path: $0, of: element) } ?? element
                guard let name else { return examined.isTrue == keeps ? element : nil }
                return try holds(test, named: name.string, examined, arguments) == keeps ? element : nil
            })
    }

    /// The value at `a.b.0` inside an element.
    func attribute(path: TemplateValue, of element: TemplateValue) throws -> TemplateValue {
        guard case .string(let text) = path else { return try self.element(path, of: element) }
        var value = element
        for part in text.split(on: ".", limit: .max) {
            try meter.step()
            let index = part.allScalars { ("0"..."9").contains($0) } ? Int(part.string) : nil
            value = try self.element(index.map { .integer($0) } ?? .string(part), of: value)
        }
        return value
    }

    private typealias Keyed = (key: TemplateValue, element: TemplateValue)

    /// Each element with what it is ordered by: one or several of its attributes, in lower case unless case matters.
    private func keyed(
        _ value: TemplateValue, attribute: TemplateValue?, isCaseSensitive: Bool
    ) throws -> [Keyed] {
        try elements(of: value).map { element in
            guard let attribute, attribute.isDefinedAndNotNull else {
                return (folded(element, isCaseSensitive), element)
            }
            guard case .string(let paths) = attribute, paths.contains(",") else {
                return (folded(try self.attribute(path: attribute, of: element), isCaseSensitive), element)
            }
            let keys = try paths.split(on: ",", limit: .max).map {
                folded(try self.attribute(path: .string($0), of: element), isCaseSensitive)
            }
            return (try makeList(keys), element)
        }
    }

    private func folded(_ value: TemplateValue, _ isCaseSensitive: Bool) -> TemplateValue {
        guard !isCaseSensitive, case .string(let text) = value else { return value }
        return .string(changedCase(text, .lower))
    }

    /// Sorted by key; elements with equal keys keep their order, also when descending.
    private func sorted(_ keyed: [Keyed], descending: Bool = false) throws -> [Keyed] {
        let order = try keyed.indices.sorted { left, right in
            try meter.step()
            let (first, second) = descending ? (right, left) : (left, right)
            if try precedes(keyed[first].key, keyed[second].key) { return true }
            if try precedes(keyed[second].key, keyed[first].key) { return false }
            return left < right
        }
        return order.map { keyed[$0] }
    }

    private func grouped(_ value: TemplateValue, _ arguments: TemplateArguments) throws -> TemplateValue {
        let bound = try arguments.bound("groupby", "attribute", "default", "case_sensitive")
        guard let path = bound[0] else { throw TemplateFault.value("'groupby' needs the name of an attribute") }
        let isCaseSensitive = bound[2]?.isTrue ?? false
        func group(of element: TemplateValue) throws -> TemplateValue {
            let value = try attribute(path: path, of: element)
            return value.isUndefined ? bound[1] ?? value : value
        }
        let keyed = try elements(of: value).map { (key: folded(try group(of: $0), isCaseSensitive), element: $0) }
        var groups: [(key: TemplateValue, elements: [TemplateValue])] = []
        for (key, element) in try sorted(keyed) {
            if let last = groups.last, try areEqual(last.key, key) {
                groups[groups.count - 1].elements.append(element)
            } else {
                groups.append((key, [element]))
            }
        }
        return try makeList(
            groups.map { key, elements in
                let name = try elements.first.map { try group(of: $0) } ?? key
                return .list(try TemplateList([name, try makeList(elements)], isTuple: true, isGroup: true))
            })
    }

    private func sortedEntries(_ value: TemplateValue, _ arguments: TemplateArguments) throws -> TemplateValue {
        let bound = try arguments.bound("dictsort", "case_sensitive", "by", "reverse")
        guard case .dictionary(let dictionary) = value else {
            if case .undefined(let undefined) = value { throw fail(undefined: undefined) }
            throw TemplateFault.value("'dictsort' needs a dictionary, not a \(value.typeName)")
        }
        let by = try bound[1].map { try requiredText($0, "dictsort").string } ?? "key"
        guard by == "key" || by == "value" else {
            throw TemplateFault.value("'dictsort' sorts by 'key' or 'value', not by '\(by)'")
        }
        let isCaseSensitive = bound[0]?.isTrue ?? false
        let keyed = try dictionary.entries.map { entry in
            (
                key: folded(by == "key" ? entry.key : entry.value, isCaseSensitive),
                element: try makeList([entry.key, entry.value], isTuple: true)
            )
        }
        return try makeList(try sorted(keyed, descending: bound[2]?.isTrue ?? false).map(\.element))
    }
}
