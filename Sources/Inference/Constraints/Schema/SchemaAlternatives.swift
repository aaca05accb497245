import Text

/// One way to satisfy a set of schemas: the schemas whose own assertions all hold, their combinators (`$ref`, `allOf`,
/// `anyOf`, `oneOf`) resolved.
struct Conjunction: Hashable, Sendable {
    /// A branch taken of a `oneOf`, which no other branch may match as well.
    struct Choice: Hashable, Sendable {
        var node: SchemaDocument.NodeID
        var branch: Int
    }

    /// In the order in which the document names them.
    var schemas: [SchemaDocument.NodeID] = []
    var choices: [Choice] = []

    func and(_ other: Conjunction) -> Conjunction {
        var result = self
        for schema in other.schemas where !result.schemas.contains(schema) { result.schemas.append(schema) }
        for choice in other.choices where !result.choices.contains(choice) { result.choices.append(choice) }
        return result
    }
}

/// Resolves the combinators of schemas into alternatives.
struct SchemaResolver {
    typealias NodeID = SchemaDocument.NodeID

    private(set) var document: SchemaDocument
    private let limits: ConstraintLimits
    private var known: [NodeID: [Conjunction]] = [:]
    private var open: [NodeID] = []

    init(_ schema: JSONValue, limits: ConstraintLimits) throws {
        document = try SchemaDocument(schema, limits: limits)
        self.limits = limits
    }

    func value(_ id: NodeID) -> JSONValue { document.nodes[id].value }
    func error(_ id: NodeID, _ keyword: String?, _ reason: String) -> ConstraintError {
        document.error(id, keyword, reason)
    }

    mutating func child(_ id: NodeID, _ keyword: String, _ inner: String? = nil) -> NodeID? {
        document.child(id, keyword, inner)
    }

    mutating func children(_ id: NodeID, _ keyword: String) throws -> [NodeID] {
        try document.children(id, keyword)
    }

    /// The ways to satisfy all of `schemas` together; none when no value can.
    mutating func alternatives(of schemas: [NodeID]) throws -> [Conjunction] {
        var result = [Conjunction()]
        for schema in schemas { result = try combine(result, try alternatives(of: schema), at: schema) }
        return result
    }

    private func combine(_ a: [Conjunction], _ b: [Conjunction], at id: NodeID) throws -> [Conjunction] {
        guard a.count * b.count <= limits.schemaAlternatives else {
            throw error(id, nil, "its alternatives multiply to more than \(limits.schemaAlternatives)")
        }
        var seen: Set<Conjunction> = []
        var result: [Conjunction] = []
        for first in a {
            for second in b {
                let both = first.and(second)
                if seen.insert(both).inserted { result.append(both) }
            }
        }
        return result
    }

    private mutating func alternatives(of id: NodeID) throws -> [Conjunction] {
        if let known = known[id] { return known }
        guard !open.contains(id) else {
            throw error(id, nil, "refers to itself without anything in between")
        }
        guard open.count < limits.schemaDepth else {
            throw error(id, nil, "references and combinators nest deeper than \(limits.schemaDepth)")
        }
        open.append(id)
        defer { open.removeLast() }
        let result = try resolve(id)
        known[id] = result
        return result
    }

    private mutating func resolve(_ id: NodeID) throws -> [Conjunction] {
        switch value(id) {
        case .bool(true): return [Conjunction()]
        case .bool(false): return []
        case .object(let members):
            var hasAssertions = false
            for member in members {
                if let reason = SchemaKeywords.refused[member.key] { throw error(id, member.key, reason) }
                hasAssertions =
                    hasAssertions || SchemaKeywords.byType[member.key] != nil
                    || SchemaKeywords.general.contains(member.key) || SchemaKeywords.judgedOnly[member.key] != nil
            }
            var result = [Conjunction(schemas: hasAssertions ? [id] : [])]
            if value(id)["$ref"] != nil {
                let target = try document.target(of: id)
                result = try combine(result, try alternatives(of: target), at: id)
            }
            for part in try children(id, "allOf") {
                result = try combine(result, try alternatives(of: part), at: id)
            }
            for keyword in ["anyOf", "oneOf"] where value(id)[keyword] != nil {
                var union: [Conjunction] = []
                for (index, branch) in try children(id, keyword).enumerated() {
                    for var way in try alternatives(of: branch) {
                        if keyword == "oneOf" { way.choices.append(.init(node: id, branch: index)) }
                        union.append(way)
                    }
                }
                result = try combine(result, union, at: id)
            }
            return result
        default: throw error(id, nil, "a schema is an object, true or false")
        }
    }
}
