/// Where the values of a Python program's variables come from: the graph that CodeBLEU compares (Guo et al., "GraphCodeBERT", 2021,
/// section 3).
struct PythonDataFlow {
    enum Relation: String, Hashable { case comesFrom, computedFrom }

    /// A variable at one place of the program, and what its value comes from.
    struct Item: Hashable {
        var name: String
        var place: Int
        var relation: Relation
        var parents: [String]
        var parentPlaces: [Int]
    }

    /// An item with its names replaced by their order of appearance.
    struct Pattern: Hashable {
        var variable: Int
        var relation: Relation
        var parents: [Int]
    }

    private typealias States = [String: [Int]]

    /// A node with the place of its first token among all.
    private struct Node {
        var tree: PythonTree
        var start: Int
        var children: [Node]

        init(_ tree: PythonTree, next: inout Int) {
            self.tree = tree
            start = next
            children = []
            if tree.isToken {
                next += 1
            } else {
                for child in tree.children { children.append(Node(child, next: &next)) }
            }
        }

        func child(_ field: String) -> Node? { children.first { $0.tree.field == field } }

        /// The tokens that are no keyword and no punctuation.
        var variables: [(name: String, place: Int)] {
            if tree.isToken { return tree.kind == tree.text ? [] : [(tree.text, start)] }
            return children.flatMap(\.variables)
        }
    }

    private(set) var items: [Item] = []

    init(_ tree: PythonTree) {
        var next = 0
        let root = Node(tree, next: &next)
        var states: States = [:]
        let all = Self.flow(root, &states).stableSorted
        // Places that nothing comes from and that nothing uses say nothing.
        var used: Set<Int> = []
        for item in all where !item.parentPlaces.isEmpty {
            used.insert(item.place)
            used.formUnion(item.parentPlaces)
        }
        var order: [Int: Int] = [:]
        for item in all where used.contains(item.place) {
            if let known = order[item.place] {
                items[known].add(item)
            } else {
                order[item.place] = items.count
                items.append(item)
            }
        }
    }

    /// The items with the variables numbered.
    var patterns: [Pattern] {
        var numbers: [String: Int] = [:]
        func number(_ name: String) -> Int {
            let known = numbers[name] ?? numbers.count
            numbers[name] = known
            return known
        }
        return items.map { item in
            let parents = item.parents.map(number)
            return Pattern(variable: number(item.name), relation: item.relation, parents: parents)
        }
    }

    // MARK: Walking

    private static func flow(_ node: Node, _ states: inout States) -> [Item] {
        if node.tree.isToken { return token(node, &states) }
        switch node.tree.kind {
        case "default_parameter": return parameter(node, &states)
        case "assignment", "augmented_assignment", "for_in_clause": return assignment(node, &states)
        case "if_statement": return branch(node, &states)
        case "for_statement", "while_statement":
            var items: [Item] = []
            // Twice, so that a value of one turn reaches the next.
            for _ in 0..<2 {
                if node.tree.kind == "while_statement" {
                    for child in node.children { items += flow(child, &states) }
                } else {
                    items += pairs(node.child("left"), node.child("right"), walksRight: true, &states)
                    if let last = node.children.last, last.tree.kind == "block" { items += flow(last, &states) }
                }
            }
            return merged(items)
        default:
            // The variables of a comprehension are assigned behind what uses them.
            let first = node.children.filter { $0.tree.kind == "for_in_clause" }
            let rest = node.children.filter { $0.tree.kind != "for_in_clause" }
            var items: [Item] = []
            for child in first + rest { items += flow(child, &states) }
            return items.stableSorted
        }
    }

    private static func token(_ node: Node, _ states: inout States) -> [Item] {
        let (kind, name) = (node.tree.kind, node.tree.text)
        if kind == name { return [] }
        if let places = states[name] {
            return [Item(name: name, place: node.start, relation: .comesFrom, parents: [name], parentPlaces: places)]
        }
        if kind == "identifier" { states[name] = [node.start] }
        return [Item(name: name, place: node.start, relation: .comesFrom, parents: [], parentPlaces: [])]
    }

    private static func parameter(_ node: Node, _ states: inout States) -> [Item] {
        guard let name = node.child("name"), let value = node.child("value") else { return [] }
        let values = value.variables
        var items = flow(value, &states)
        for target in name.variables {
            items += values.map {
                Item(
                    name: target.name, place: target.place, relation: .comesFrom, parents: [$0.name],
                    parentPlaces: [$0.place])
            }
            states[target.name] = [target.place]
        }
        return items.stableSorted
    }

    private static func assignment(_ node: Node, _ states: inout States) -> [Item] {
        if node.tree.kind == "for_in_clause" {
            guard let left = node.child("left"), let right = node.children.last else { return [] }
            let items = flow(right, &states)
            return (items + computed([(left, right)], &states)).stableSorted
        }
        return pairs(node.child("left"), node.child("right"), walksRight: true, &states).stableSorted
    }

    /// Assigns part by part where both sides have as many, else whole to whole.
    private static func pairs(
        _ left: Node?, _ right: Node?, walksRight: Bool, _ states: inout States
    ) -> [Item] {
        guard let left, let right else { return [] }
        func parts(_ node: Node) -> [Node] {
            node.tree.isToken ? [] : node.children.filter { $0.tree.kind != "," }
        }
        var (lefts, rights) = (parts(left), parts(right))
        if lefts.count != rights.count || lefts.isEmpty { (lefts, rights) = ([left], [right]) }
        var items: [Item] = []
        for part in rights { items += flow(part, &states) }
        return items + computed(Array(zip(lefts, rights)), &states)
    }

    private static func computed(_ pairs: [(Node, Node)], _ states: inout States) -> [Item] {
        var items: [Item] = []
        for (left, right) in pairs {
            let values = right.variables
            for target in left.variables {
                items.append(
                    Item(
                        name: target.name, place: target.place, relation: .computedFrom, parents: values.map(\.name),
                        parentPlaces: values.map(\.place)))
                states[target.name] = [target.place]
            }
        }
        return items
    }

    private static func branch(_ node: Node, _ states: inout States) -> [Item] {
        var items: [Item] = []
        var current = states
        var others: [States] = []
        var hasElse = false
        for child in node.children {
            if child.tree.kind == "elif_clause" || child.tree.kind == "else_clause" {
                hasElse = hasElse || child.tree.kind == "else_clause"
                var own = states
                items += flow(child, &own)
                others.append(own)
            } else {
                items += flow(child, &current)
            }
        }
        others.append(current)
        if !hasElse { others.append(states) }
        states = others.reduce(into: States()) { $0.merge($1) { $0 + $1 } }.mapValues { Array(Set($0)).sorted() }
        return items.stableSorted
    }

    /// Items of both turns of a loop, those of the same variable and place together.
    private static func merged(_ items: [Item]) -> [Item] {
        var order: [Item: Int] = [:]
        var result: [Item] = []
        for item in items {
            var key = item
            key.parents = []
            key.parentPlaces = []
            if let known = order[key] {
                result[known].add(item)
            } else {
                order[key] = result.count
                result.append(item)
            }
        }
        return result.stableSorted
    }
}

extension PythonDataFlow.Item {
    /// Adds what else the variable at this place comes from, each once.
    fileprivate mutating func add(_ other: PythonDataFlow.Item) {
        parents = (parents + other.parents).eachOnce
        parentPlaces = Array(Set(parentPlaces + other.parentPlaces)).sorted()
    }
}

extension [PythonDataFlow.Item] {
    fileprivate var stableSorted: [Element] {
        enumerated().sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }.map(\.element)
    }
}

extension Array where Element: Hashable {
    fileprivate var eachOnce: [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
