import Text

/// Rules of arrays.
extension JSONSchemaGrammar {
    mutating func arrayRule(_ facts: SchemaFacts.ArrayFacts, _ conjunction: Conjunction) throws -> RuleID {
        let maximum = min(facts.maximum ?? Int.max, Int.max)
        guard facts.minimum <= limits.repetitions else {
            throw unsupported(conjunction, "minItems", "more than \(limits.repetitions) elements are not generated")
        }
        guard facts.minimum <= maximum else { return try builder.rule().id }
        if facts.isUnique, maximum > 1 { return try uniqueArrayRule(facts, conjunction) }
        let prefix = try facts.prefix.prefix(maximum).map { try self.rule(for: $0) }
        let continues = maximum > prefix.count && (facts.namesRest || facts.minimum > prefix.count)
        var loop: ByteGrammar.Loop?
        var rest: RuleID?
        if continues {
            // The counted turns are the elements behind the prefix, or behind the first where there is none.
            let before = max(prefix.count, 1)
            let item = try self.rule(for: facts.rest)
            rest = item
            loop = .init(
                minimum: UInt32(max(0, facts.minimum - before)),
                maximum: facts.maximum.map { UInt32(min($0 - before, limits.repetitions)) }, item: item)
        }
        let (rule, start) = try builder.rule(loop: loop)
        let end = try builder.position(in: rule)
        builder.setFinal(end)
        let open = try builder.literal(start, "[".utf8)
        if facts.minimum == 0 { try builder.byte(open, "]", to: end) }
        var entry = open
        var last: Position?
        for (index, element) in prefix.enumerated() {
            let after = try builder.position(in: rule)
            try builder.call(entry, element, to: after)
            let isLoopHead = continues && index + 1 == prefix.count
            if !isLoopHead, index + 1 >= facts.minimum { try builder.byte(after, "]", to: end) }
            if index + 1 < prefix.count { entry = try builder.optionalSpace(try builder.literal(after, ",".utf8)) }
            last = after
        }
        guard let rest else { return rule }
        let head: Position
        if let last {
            head = last
        } else {
            head = try builder.position(in: rule)
            try builder.call(open, rest, to: head)
        }
        try builder.byte(head, "]", to: end, kind: .closingByte)
        let comma = try builder.position(in: rule)
        try builder.byte(head, ",", to: comma, kind: .countingByte)
        try builder.call(try builder.optionalSpace(comma), rest, to: head)
        return rule
    }

    /// Arrays of different values, where each element is one of a short list: a position for every set of values used.
    private mutating func uniqueArrayRule(
        _ facts: SchemaFacts.ArrayFacts, _ conjunction: Conjunction
    ) throws -> RuleID {
        guard facts.prefix.isEmpty, let values = try listedElements(facts.rest), values.count <= 10 else {
            throw unsupported(
                conjunction, "uniqueItems",
                "is supported where \"items\" lists at most 10 values (\"enum\") or \"maxItems\" is 1")
        }
        let maximum = min(facts.maximum ?? values.count, values.count)
        let (rule, start) = try builder.rule()
        let end = try builder.position(in: rule)
        builder.setFinal(end)
        let open = try builder.literal(start, "[".utf8)
        if facts.minimum == 0 { try builder.byte(open, "]", to: end) }
        // Positions behind an element, by the set of values used so far.
        var positions = [Position?](repeating: nil, count: 1 << values.count)
        for used in 0..<(1 << values.count) {
            let count = used.nonzeroBitCount
            let entry: Position
            if used == 0 {
                entry = open
            } else {
                guard let after = positions[used] else { continue }
                if count >= facts.minimum { try builder.byte(after, "]", to: end) }
                guard count < maximum else { continue }
                entry = try builder.optionalSpace(try builder.literal(after, ",".utf8))
            }
            guard count < maximum else { continue }
            for (index, value) in values.enumerated() where used >> index & 1 == 0 {
                let set = used | 1 << index
                let after = try positions[set] ?? builder.position(in: rule)
                positions[set] = after
                try builder.silent(try literal(value, from: entry, in: &builder), to: after)
            }
        }
        return rule
    }

    /// The values that an element can take, when they are listed.
    private mutating func listedElements(_ schemas: [NodeID]) throws -> [JSONValue]? {
        var values: [JSONValue] = []
        for way in try reader.resolver.alternatives(of: schemas) {
            let facts = try reader.facts(of: way)
            guard !facts.listing.isEmpty else { return nil }
            for value in try listedValues(facts, way)
            where !values.contains(where: { JSONSchemaValidator.areEqual($0, value) }) {
                values.append(value)
            }
        }
        return values
    }
}
