import Text

/// Rules of objects.
extension JSONSchemaGrammar {
    /// A kind of names that the schema does not declare, and what their values must be.
    private struct Opening {
        var names: RuleID
        var value: RuleID
    }

    mutating func objectRule(_ facts: SchemaFacts.ObjectFacts, _ conjunction: Conjunction) throws -> RuleID {
        let properties = facts.properties.filter { property in
            property.isRequired || facts.nameSchemas.allSatisfy { isName(property.name, allowedBy: $0) }
        }
        let isNamedWell = properties.allSatisfy { property in
            facts.nameSchemas.allSatisfy { isName(property.name, allowedBy: $0) }
        }
        let openings = facts.isOpen ? try self.openings(facts, conjunction) : []
        let (rule, start) = try builder.rule()
        // Two additional names may turn out equal, so only the first is sure to count towards the minimum.
        let certain = properties.count + (openings.isEmpty ? 0 : 1)
        if facts.minimum > certain, !openings.isEmpty {
            throw unsupported(
                conjunction, "minProperties",
                "\(facts.minimum) different names cannot be guaranteed; declare them in \"properties\", or ask for at most \(certain)"
            )
        }
        guard isNamedWell, facts.minimum <= certain else { return rule }
        var layout = ObjectLayout(
            facts, properties: try properties.map { ($0, try self.rule(for: $0.schemas)) },
            openings: openings.map { ($0.names, $0.value) }, rule: rule, countLimit: limits.repetitions)
        try layout.build(from: start, in: &builder)
        return rule
    }

    private func isName(_ name: String, allowedBy schema: NodeID) -> Bool {
        judge.accepts(.string(name), schema: reader.resolver.value(schema))
    }

    /// The undeclared names by the patterns they match, each kind with the rule of its values.
    private mutating func openings(
        _ facts: SchemaFacts.ObjectFacts, _ conjunction: Conjunction
    ) throws -> [Opening] {
        var patterns: [String] = []
        for opening in facts.openings {
            for entry in opening.patterns where !patterns.contains(entry.pattern) { patterns.append(entry.pattern) }
        }
        guard patterns.count <= 6 else {
            throw unsupported(conjunction, "patternProperties", "more than 6 patterns cannot be told apart")
        }
        let asksForOthers = facts.openings.contains { $0.others != nil } || patterns.isEmpty
        if patterns.isEmpty, facts.properties.isEmpty, facts.nameSchemas.isEmpty {
            let schemas = facts.openings.compactMap(\.others)
            return [Opening(names: try stringRule(.init(), conjunction), value: try rule(for: schemas))]
        }
        var result: [Opening] = []
        do {
            var base = try ScalarDFA(.repetition(.set(.all), minimum: 0, maximum: nil), limits: limits)
            for names in facts.nameSchemas { base = try base.intersection(try nameAutomaton(names), limits: limits) }
            base = try base.subtracting(.choice(of: facts.properties.map(\.name), limits: limits), limits: limits)
            for matched in 0..<(1 << patterns.count) {
                if matched == 0, !asksForOthers { continue }
                var names = base
                for (index, pattern) in patterns.enumerated() {
                    let automaton = try reader.knownAutomaton(pattern)
                    names =
                        matched >> index & 1 == 1
                        ? try names.intersection(automaton, limits: limits)
                        : try names.subtracting(automaton, limits: limits)
                }
                guard !names.isEmpty else { continue }
                var schemas: [NodeID] = []
                for opening in facts.openings {
                    let hits = opening.patterns.filter { entry in
                        patterns.firstIndex(of: entry.pattern).map { matched >> $0 & 1 == 1 } ?? false
                    }
                    schemas += hits.map(\.schema)
                    if hits.isEmpty, let others = opening.others { schemas.append(others) }
                }
                result.append(Opening(names: try nameRule(names), value: try rule(for: schemas)))
            }
        } catch let excess as TooComplex {
            throw unsupported(conjunction, nil, "the names of its properties are too complex (\(excess.what))")
        }
        return result
    }

    private mutating func nameRule(_ names: ScalarDFA) throws -> RuleID {
        let (rule, start) = try builder.rule()
        let open = try builder.literal(start, "\"".utf8)
        let close = try builder.automaton(names, from: open, encoding: .jsonString)
        builder.setFinal(try builder.literal(close, "\"".utf8))
        return rule
    }

    /// The names that a `propertyNames` schema permits.
    private mutating func nameAutomaton(_ schema: NodeID) throws -> ScalarDFA {
        var result = ScalarDFA.none
        for way in try reader.resolver.alternatives(of: [schema]) {
            let facts = try reader.facts(of: way)
            let names: ScalarDFA
            if !facts.listing.isEmpty {
                names = try .choice(of: try listedValues(facts, way).compactMap(\.stringValue), limits: limits)
            } else {
                if let judged = facts.judged.first {
                    let reason = SchemaKeywords.judgedOnly[judged.keyword] ?? "is supported for types only"
                    throw reader.resolver.error(judged.schema, judged.keyword, reason)
                }
                try requireExclusive(way, facts)
                guard facts.types.contains(.string) else { continue }
                let any = try ScalarDFA(.repetition(.set(.all), minimum: 0, maximum: nil), limits: limits)
                names =
                    try stringAutomaton(facts.string, way)
                    ?? any.limited(minimum: facts.string.minimum, maximum: facts.string.maximum, limits: limits)
            }
            result = try result.union(names, limits: limits)
        }
        return result
    }
}

/// Lays out the members of an object as grammar positions: which property may come next, and how many have come.
private struct ObjectLayout {
    typealias RuleID = GrammarBuilder.RuleID
    typealias Position = GrammarBuilder.Position

    /// How far the object has come. Members are counted only as far as the bounds ask.
    private struct Progress: Hashable {
        /// The first property that may still come; one past the last once an additional name has come.
        var next: Int
        /// Different names for certain, up to the minimum.
        var certain: Int
        /// Members written, where there is a maximum that could be passed.
        var written: Int
    }

    private let properties: [(property: SchemaFacts.Property, rule: RuleID)]
    private let openings: [(names: RuleID, value: RuleID)]
    private let minimum: Int
    private let maximum: Int?
    private let rule: RuleID
    private var choices: [Progress: Position] = [:]
    private var endings: [Progress: Position] = [:]
    private var pending: [(Progress, Position, isChoice: Bool)] = []
    /// Per property, how many from it on are required.
    private var requiredFrom: [Int]

    init(
        _ facts: SchemaFacts.ObjectFacts, properties: [(SchemaFacts.Property, RuleID)],
        openings: [(RuleID, RuleID)], rule: RuleID, countLimit: Int
    ) {
        self.properties = properties
        self.openings = openings
        self.rule = rule
        let required = properties.filter(\.0.isRequired).count
        minimum = facts.minimum > required ? facts.minimum : 0
        let most = openings.isEmpty ? properties.count : Int.max
        maximum = facts.maximum.flatMap { $0 < most ? min($0, countLimit) : nil }
        var counts = [Int](repeating: 0, count: properties.count + 2)
        for index in properties.indices.reversed() {
            counts[index] = counts[index + 1] + (properties[index].0.isRequired ? 1 : 0)
        }
        requiredFrom = counts
    }

    mutating func build(from start: Position, in builder: inout GrammarBuilder) throws {
        let end = try builder.position(in: rule)
        builder.setFinal(end)
        let open = try builder.literal(start, "{".utf8)
        let first = Progress(next: 0, certain: 0, written: 0)
        if requiredFrom[0] == 0, minimum == 0 { try builder.byte(open, "}", to: end) }
        if mayContinue(first) { try builder.silent(open, to: try choice(first, &builder)) }
        while let (progress, position, isChoice) = pending.popLast() {
            if isChoice {
                try addChoice(progress, position, &builder)
            } else {
                if requiredFrom[progress.next] == 0, progress.certain >= minimum {
                    try builder.byte(position, "}", to: end)
                }
                if mayContinue(progress) {
                    let comma = try builder.literal(position, ",".utf8)
                    try builder.silent(try builder.optionalSpace(comma), to: try choice(progress, &builder))
                }
            }
        }
    }

    private func mayContinue(_ progress: Progress) -> Bool {
        if let maximum, progress.written + max(1, requiredFrom[progress.next]) > maximum { return false }
        return progress.next < properties.count || !openings.isEmpty
    }

    private mutating func choice(_ progress: Progress, _ builder: inout GrammarBuilder) throws -> Position {
        if let known = choices[progress] { return known }
        let position = try builder.position(in: rule)
        choices[progress] = position
        pending.append((progress, position, true))
        return position
    }

    private mutating func ending(_ progress: Progress, _ builder: inout GrammarBuilder) throws -> Position {
        if let known = endings[progress] { return known }
        let position = try builder.position(in: rule)
        endings[progress] = position
        pending.append((progress, position, false))
        return position
    }

    private func counted(_ progress: Progress, next: Int, isCertain: Bool) -> Progress {
        Progress(
            next: next, certain: min(progress.certain + (isCertain ? 1 : 0), minimum),
            written: maximum == nil ? 0 : progress.written + 1)
    }

    private mutating func addChoice(
        _ progress: Progress, _ position: Position, _ builder: inout GrammarBuilder
    ) throws {
        if progress.next < properties.count {
            let (property, value) = properties[progress.next]
            let key = JSONLiteral.bytes(ofString: property.name) + Array(":".utf8)
            let after = try builder.optionalSpace(try builder.literal(position, key))
            let done = counted(progress, next: progress.next + 1, isCertain: true)
            try builder.call(after, value, to: try ending(done, &builder))
            if !property.isRequired {
                var skipped = progress
                skipped.next += 1
                if mayContinue(skipped) { try builder.silent(position, to: try choice(skipped, &builder)) }
            }
            return
        }
        let done = counted(
            progress, next: properties.count + 1, isCertain: progress.next == properties.count)
        for opening in openings {
            let named = try builder.position(in: rule)
            try builder.call(position, opening.names, to: named)
            let after = try builder.optionalSpace(try builder.literal(named, ":".utf8))
            try builder.call(after, opening.value, to: try ending(done, &builder))
        }
    }
}
