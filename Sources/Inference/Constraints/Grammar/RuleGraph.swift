/// Which rules call which.
struct RuleGraph {
    private var calls: [[Int]]
    /// Calls that a rule can make before it consumes anything.
    private var firstCalls: [[Int]]

    init(_ grammar: ByteGrammar) {
        var calls = [Set<Int>](repeating: [], count: grammar.rules.count)
        for position in 0..<grammar.positionCount {
            for edge in grammar.edges(of: position) where edge.kind == .call {
                calls[Int(grammar.ruleOfPosition[position])].insert(Int(edge.callee))
            }
        }
        self.calls = calls.map { $0.sorted() }
        let nullable = Self.nullableRules(grammar)
        firstCalls = grammar.rules.indices.map { index in
            var found: Set<Int> = []
            var seen: Set<Int32> = [grammar.rules[index].start]
            var stack = [grammar.rules[index].start]
            while let position = stack.popLast() {
                for edge in grammar.edges(of: Int(position)) {
                    switch edge.kind {
                    case .silent: if seen.insert(edge.target).inserted { stack.append(edge.target) }
                    case .call:
                        found.insert(Int(edge.callee))
                        if nullable[Int(edge.callee)], seen.insert(edge.target).inserted { stack.append(edge.target) }
                    default: break
                    }
                }
            }
            return found.sorted()
        }
    }

    /// Rules that match the empty text.
    private static func nullableRules(_ grammar: ByteGrammar) -> [Bool] {
        var nullable = [Bool](repeating: false, count: grammar.rules.count)
        var hasChanged = true
        while hasChanged {
            hasChanged = false
            for (index, rule) in grammar.rules.enumerated() where !nullable[index] {
                var seen: Set<Int32> = [rule.start]
                var stack = [rule.start]
                while let position = stack.popLast() {
                    if grammar.isFinal[Int(position)] {
                        nullable[index] = true
                        hasChanged = true
                        break
                    }
                    for edge in grammar.edges(of: Int(position)) {
                        let isOpen = edge.kind == .silent || edge.kind == .call && nullable[Int(edge.callee)]
                        if isOpen, seen.insert(edge.target).inserted { stack.append(edge.target) }
                    }
                }
            }
        }
        return nullable
    }

    /// Rules on a cycle of calls (Tarjan's strongly connected components, without recursion).
    func recursiveRules() -> [Bool] {
        var result = [Bool](repeating: false, count: calls.count)
        for component in Self.components(calls) {
            if component.count > 1 || calls[component[0]].contains(component[0]) {
                for rule in component { result[rule] = true }
            }
        }
        return result
    }

    /// A rule that can call itself before anything is consumed, if there is one.
    func leftRecursiveRule() -> Int? {
        for component in Self.components(firstCalls)
        where component.count > 1 || firstCalls[component[0]].contains(component[0]) {
            return component.min()
        }
        return nil
    }

    private static func components(_ edges: [[Int]]) -> [[Int]] {
        var components: [[Int]] = []
        var index = [Int](repeating: -1, count: edges.count)
        var low = [Int](repeating: 0, count: edges.count)
        var onStack = [Bool](repeating: false, count: edges.count)
        var stack: [Int] = []
        var counter = 0
        for root in edges.indices where index[root] < 0 {
            var work: [(node: Int, next: Int)] = [(root, 0)]
            while let (node, next) = work.last {
                if next == 0 {
                    index[node] = counter
                    low[node] = counter
                    counter += 1
                    stack.append(node)
                    onStack[node] = true
                }
                if next < edges[node].count {
                    work[work.count - 1].next += 1
                    let target = edges[node][next]
                    if index[target] < 0 {
                        work.append((target, 0))
                    } else if onStack[target] {
                        low[node] = min(low[node], index[target])
                    }
                    continue
                }
                if low[node] == index[node] {
                    var component: [Int] = []
                    while let member = stack.popLast() {
                        onStack[member] = false
                        component.append(member)
                        if member == node { break }
                    }
                    components.append(component)
                }
                work.removeLast()
                if let parent = work.last?.node { low[parent] = min(low[parent], low[node]) }
            }
        }
        return components
    }
}
