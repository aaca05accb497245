import Foundation

/// Finds what a path names, counting the work.
struct PagePathEvaluation {
    /// A node, or one of its attributes.
    struct Item: Sendable, Hashable, Comparable {
        var node: Int
        var attribute: Int?

        static let document = Item(node: 0)

        static func < (a: Item, b: Item) -> Bool {
            a.node != b.node ? a.node < b.node : (a.attribute ?? -1) < (b.attribute ?? -1)
        }
    }

    struct Context {
        var item: Item
        var position = 1
        var size = 1
    }

    enum Value {
        /// In the document's order, none twice.
        case nodes([Item])
        case number(Double)
        case text(String)
        case truth(Bool)
    }

    private let page: PageDocument
    private var work = 0

    init(_ page: PageDocument) { self.page = page }

    private mutating func count(_ visited: Int) throws(PagePathError) {
        work += visited
        guard work <= PagePath.mostSteps else { throw .tooMuchWork(limit: PagePath.mostSteps) }
    }

    // MARK: Expressions

    mutating func value(of expression: PagePath.Expression, _ context: Context) throws(PagePathError) -> Value {
        try count(1)
        switch expression {
        case .number(let number): return .number(number)
        case .literal(let text): return .text(text)
        case .negative(let inner): return .number(-number(try value(of: inner, context)))
        case .call(let name, let arguments): return try call(name, arguments, context)
        case .binary(let sign, let left, let right): return try binary(sign, left, right, context)
        case .filter(let inner, let predicates):
            guard case .nodes(var items) = try value(of: inner, context) else { throw .noNodes("the filtered value") }
            for predicate in predicates { items = try filtered(items, by: predicate) }
            return .nodes(items)
        case .path(let start, let steps):
            var items: [Item]
            switch start {
            case .context: items = [context.item]
            case .document: items = [.document]
            case .expression(let inner):
                guard case .nodes(let found) = try value(of: inner, context) else { throw .noNodes("the path's start") }
                items = found
            }
            for step in steps { items = try taken(step, from: items) }
            return .nodes(items)
        }
    }

    private mutating func binary(
        _ sign: String, _ left: PagePath.Expression, _ right: PagePath.Expression, _ context: Context
    ) throws(PagePathError) -> Value {
        let a = try value(of: left, context)
        if sign == "or", isTrue(a) { return .truth(true) }
        if sign == "and", !isTrue(a) { return .truth(false) }
        let b = try value(of: right, context)
        for case .nodes(let items) in [a, b] where sign != "|" { try count(items.reduce(0) { $0 + size(of: $1) }) }
        switch sign {
        case "or", "and": return .truth(isTrue(b))
        case "|":
            guard case .nodes(let first) = a, case .nodes(let second) = b else { throw .noNodes("a side of |") }
            return .nodes(Set(first + second).sorted())
        case "+": return .number(number(a) + number(b))
        case "-": return .number(number(a) - number(b))
        case "*": return .number(number(a) * number(b))
        case "div": return .number(number(a) / number(b))
        case "mod": return .number(number(a).truncatingRemainder(dividingBy: number(b)))
        default: return .truth(try compare(sign, a, b))
        }
    }

    /// A set of nodes compares as true where any of its nodes does.
    private mutating func compare(_ sign: String, _ a: Value, _ b: Value) throws(PagePathError) -> Bool {
        switch (a, b) {
        case (.nodes(let first), .nodes(let second)):
            try count(first.count * second.count)
            let texts = second.map { text(of: $0) }
            return first.contains { one in
                let one = text(of: one)
                return texts.contains { simple(sign, .text(one), .text($0)) }
            }
        case (.nodes, .truth), (.truth, .nodes): return simple(sign, .truth(isTrue(a)), .truth(isTrue(b)))
        case (.nodes(let items), _): return items.contains { simple(sign, .text(text(of: $0)), b) }
        case (_, .nodes(let items)): return items.contains { simple(sign, a, .text(text(of: $0))) }
        default: return simple(sign, a, b)
        }
    }

    private func simple(_ sign: String, _ a: Value, _ b: Value) -> Bool {
        switch sign {
        case "=", "!=":
            let isEqual: Bool
            switch (a, b) {
            case (.truth, _), (_, .truth): isEqual = isTrue(a) == isTrue(b)
            case (.number, _), (_, .number): isEqual = number(a) == number(b)
            default: isEqual = text(a) == text(b)
            }
            return isEqual == (sign == "=")
        case "<": return number(a) < number(b)
        case "<=": return number(a) <= number(b)
        case ">": return number(a) > number(b)
        default: return number(a) >= number(b)
        }
    }

    // MARK: Steps

    private mutating func taken(_ step: PagePath.Step, from items: [Item]) throws(PagePathError) -> [Item] {
        var found: Set<Item> = []
        for item in items {
            // In the axis's own order, by which positions count.
            var reached = axis(step.axis, from: item)
            try count(reached.count + 1)
            reached.removeAll { !passes($0, step.test, isAttribute: step.axis == .attribute) }
            for predicate in step.predicates { reached = try filtered(reached, by: predicate) }
            found.formUnion(reached)
        }
        return found.sorted()
    }

    private mutating func filtered(
        _ items: [Item], by predicate: PagePath.Expression
    ) throws(PagePathError) -> [Item] {
        var kept: [Item] = []
        for (index, item) in items.enumerated() {
            let value = try value(of: predicate, Context(item: item, position: index + 1, size: items.count))
            let passes = if case .number(let number) = value { number == Double(index + 1) } else { isTrue(value) }
            if passes { kept.append(item) }
        }
        return kept
    }

    private func passes(_ item: Item, _ test: PagePath.Test, isAttribute: Bool) -> Bool {
        let name = name(of: item)
        switch test {
        case .node: return true
        case .text: return item.attribute == nil && item.node != 0 && name.isEmpty
        case .any: return !name.isEmpty && (item.attribute != nil) == isAttribute
        case .named(let wanted): return name == wanted && (item.attribute != nil) == isAttribute
        }
    }

    private func axis(_ axis: PagePath.Axis, from item: Item) -> [Item] {
        if item.attribute != nil {
            let owner = Item(node: item.node)
            switch axis {
            case .own: return [item]
            case .parent: return [owner]
            case .ancestor: return self.axis(.ancestorOrSelf, from: owner)
            case .ancestorOrSelf: return [item] + self.axis(.ancestorOrSelf, from: owner)
            case .descendantOrSelf: return [item]
            default: return []
            }
        }
        let node = item.node
        func items(_ nodes: some Sequence<Int>) -> [Item] { nodes.map { Item(node: $0) } }
        switch axis {
        case .own: return [item]
        case .child: return items(page.nodes[node].children)
        case .descendant: return items(page.descendants(of: node))
        case .descendantOrSelf: return [item] + items(page.descendants(of: node))
        case .parent: return items(page.nodes[node].parent.map { [$0] } ?? [])
        case .ancestor: return items(page.around(node).dropFirst())
        case .ancestorOrSelf: return items(page.around(node))
        case .attribute: return page.nodes[node].attributes.indices.map { Item(node: node, attribute: $0) }
        case .followingSibling: return items(siblings(of: node).drop { $0 <= node })
        case .precedingSibling: return items(siblings(of: node).prefix { $0 < node }.reversed())
        case .following: return items(page.descendants(of: node).upperBound..<page.nodes.count)
        case .preceding:
            let around = Set(page.around(node))
            return items((0..<node).reversed().lazy.filter { !around.contains($0) })
        }
    }

    private func siblings(of node: Int) -> [Int] { page.nodes[node].parent.map { page.nodes[$0].children } ?? [] }

    // MARK: Conversions

    /// How many nodes a text is put together from.
    private func size(of item: Item) -> Int {
        item.attribute == nil ? 1 + page.descendants(of: item.node).count : 1
    }

    private func name(of item: Item) -> String {
        item.attribute.map { page.nodes[item.node].attributes[$0].name } ?? page.nodes[item.node].name
    }

    private func text(of item: Item) -> String {
        item.attribute.map { page.nodes[item.node].attributes[$0].value } ?? page.text(of: item.node)
    }

    private func text(_ value: Value) -> String {
        switch value {
        case .nodes(let items): return items.first.map { text(of: $0) } ?? ""
        case .text(let text): return text
        case .truth(let truth): return truth ? "true" : "false"
        case .number(let number):
            if number.isNaN { return "NaN" }
            if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
            return number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
        }
    }

    private func number(_ value: Value) -> Double {
        switch value {
        case .number(let number): return number
        case .truth(let truth): return truth ? 1 : 0
        case .nodes, .text:
            let text = text(value).trimmingSpaces
            let isNumber = text.allSatisfy { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "-") }
            return isNumber ? Double(text) ?? .nan : .nan
        }
    }

    func isTrue(_ value: Value) -> Bool {
        switch value {
        case .nodes(let items): !items.isEmpty
        case .text(let text): !text.isEmpty
        case .truth(let truth): truth
        case .number(let number): number != 0 && !number.isNaN
        }
    }

    // MARK: Functions

    private mutating func call(
        _ name: String, _ arguments: [PagePath.Expression], _ context: Context
    ) throws(PagePathError) -> Value {
        var values: [Value] = []
        for argument in arguments { values.append(try value(of: argument, context)) }
        let allowed: ClosedRange<Int> =
            switch name {
            case "last", "position", "true", "false": 0...0
            case "count", "sum", "id", "boolean", "not", "floor", "ceiling", "round": 1...1
            case "starts-with", "contains", "substring-before", "substring-after": 2...2
            case "translate": 3...3
            case "substring": 2...3
            case "concat": 2...PagePath.deepest
            default: 0...1
            }
        guard allowed.contains(values.count) else { throw .wrongArguments(function: name) }
        let own = Value.nodes([context.item])
        let first = values.first ?? own
        for case .nodes(let items) in values + [own] { try count(items.first.map { size(of: $0) } ?? 0) }
        func texts(_ place: Int) -> String { text(values[place]) }
        switch name {
        case "last": return .number(Double(context.size))
        case "position": return .number(Double(context.position))
        case "true", "false": return .truth(name == "true")
        case "boolean": return .truth(isTrue(first))
        case "not": return .truth(!isTrue(first))
        case "count", "sum", "name", "local-name":
            guard case .nodes(let items) = first else { throw .wrongArguments(function: name) }
            if name == "count" { return .number(Double(items.count)) }
            if name == "sum" { return .number(items.reduce(0) { $0 + number(.text(text(of: $1))) }) }
            return .text(items.first.map { self.name(of: $0) } ?? "")
        case "id":
            let wanted = Set(text(first).split(whereSeparator: \.isWhitespace).map(String.init))
            try count(page.nodes.count)
            return .nodes(
                page.elements.filter { page.attribute("id", of: $0).map(wanted.contains) ?? false }.map {
                    Item(node: $0)
                })
        case "string": return .text(text(first))
        case "concat": return .text(values.map { text($0) }.joined())
        case "starts-with": return .truth(texts(1).isEmpty || texts(0).hasPrefix(texts(1)))
        case "contains": return .truth(texts(1).isEmpty || texts(0).contains(texts(1)))
        case "substring-before":
            return .text(texts(0).range(of: texts(1)).map { String(texts(0)[..<$0.lowerBound]) } ?? "")
        case "substring-after":
            return .text(texts(0).range(of: texts(1)).map { String(texts(0)[$0.upperBound...]) } ?? "")
        case "substring":
            let start = number(values[1]).rounded()
            let end = values.count > 2 ? start + number(values[2]).rounded() : .infinity
            return .text(
                String(
                    texts(0).enumerated().filter { Double($0.offset + 1) >= start && Double($0.offset + 1) < end }.map(
                        \.element)))
        case "string-length": return .number(Double(text(first).count))
        case "normalize-space":
            return .text(text(first).split { " \t\n\r\u{0C}".contains($0) }.joined(separator: " "))
        case "translate":
            let (from, to) = (Array(texts(1)), Array(texts(2)))
            return .text(
                String(
                    texts(0).compactMap { character in
                        guard let place = from.firstIndex(of: character) else { return character }
                        return to.indices.contains(place) ? to[place] : nil
                    }))
        case "number": return .number(number(first))
        case "floor": return .number(number(first).rounded(.down))
        case "ceiling": return .number(number(first).rounded(.up))
        default: return .number((number(first) + 0.5).rounded(.down))
        }
    }
}
