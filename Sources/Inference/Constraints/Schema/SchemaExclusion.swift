import Text

/// Proofs that two branches of a `oneOf` have no value in common.
extension JSONSchemaGrammar {
    private static let proofDepth = 6

    /// - Throws: `ConstraintError` where a generated value might match another branch of a `oneOf` as well.
    mutating func requireExclusive(_ conjunction: Conjunction, _ facts: SchemaFacts) throws {
        for choice in conjunction.choices {
            let branches = try reader.resolver.children(choice.node, "oneOf")
            for (index, branch) in branches.enumerated() where index != choice.branch {
                for other in try reader.resolver.alternatives(of: [branch]) {
                    if try excludes(facts, conjunction, other) { continue }
                    throw reader.resolver.error(
                        choice.node, "oneOf",
                        "branches \(min(choice.branch, index)) and \(max(choice.branch, index)) may match the same value; "
                            + "tell them apart by a required property with different \"const\"s, or use \"anyOf\"")
                }
            }
        }
    }

    /// Whether no generated value of `conjunction` satisfies `other`.
    private mutating func excludes(
        _ facts: SchemaFacts, _ conjunction: Conjunction, _ other: Conjunction
    ) throws -> Bool {
        let otherFacts = try reader.facts(of: other)
        let types = facts.generatedTypes.intersection(otherFacts.types)
        if types.isEmpty { return true }
        if types == .object, !facts.object.isOpen {
            // No name beyond the declared ones is generated.
            let declared = Set(facts.object.properties.map(\.name))
            if otherFacts.object.properties.contains(where: { $0.isRequired && !declared.contains($0.name) }) {
                return true
            }
        }
        return try isEmpty(conjunction.and(other), types, depth: 0)
    }

    /// Whether provably no value of `types` satisfies the conjunction.
    private mutating func isEmpty(_ conjunction: Conjunction, _ types: ValueTypes, depth: Int) throws -> Bool {
        let facts = try reader.facts(of: conjunction)
        let remaining = facts.types.intersection(types)
        if remaining.isEmpty { return true }
        if !facts.listing.isEmpty {
            return try listedValues(facts, Conjunction(schemas: conjunction.schemas)).isEmpty
        }
        guard depth < Self.proofDepth else { return false }
        if remaining.contains(.null) || remaining.contains(.boolean) { return false }
        if !remaining.isDisjoint(with: .anyNumber), !facts.number.isEmpty { return false }
        if remaining.contains(.string), try !isEmpty(facts.string, conjunction) { return false }
        if remaining.contains(.array), try !isEmpty(facts.array, depth: depth) { return false }
        if remaining.contains(.object), try !isEmpty(facts.object, depth: depth) { return false }
        return true
    }

    private mutating func isEmpty(_ facts: SchemaFacts.StringFacts, _ conjunction: Conjunction) throws -> Bool {
        if let maximum = facts.maximum, maximum < facts.minimum { return true }
        // A format's generated strings are only a part of those that a checker accepts, so they prove nothing.
        var patternsOnly = facts
        patternsOnly.formats = []
        return try stringAutomaton(patternsOnly, conjunction)?.isEmpty ?? false
    }

    private mutating func isEmpty(_ facts: SchemaFacts.ArrayFacts, depth: Int) throws -> Bool {
        if let maximum = facts.maximum, maximum < facts.minimum { return true }
        for (index, element) in facts.prefix.enumerated() where index < facts.minimum {
            if try areEmpty(element, depth: depth) { return true }
        }
        return try facts.minimum > facts.prefix.count && areEmpty(facts.rest, depth: depth)
    }

    private mutating func isEmpty(_ facts: SchemaFacts.ObjectFacts, depth: Int) throws -> Bool {
        if let maximum = facts.maximum {
            if maximum < max(facts.minimum, facts.properties.filter(\.isRequired).count) { return true }
        }
        for property in facts.properties where property.isRequired {
            if try areEmpty(property.schemas, depth: depth) { return true }
        }
        return false
    }

    private mutating func areEmpty(_ schemas: [NodeID], depth: Int) throws -> Bool {
        for way in try reader.resolver.alternatives(of: schemas) {
            if try !isEmpty(way, .all, depth: depth + 1) { return false }
        }
        return true
    }
}
