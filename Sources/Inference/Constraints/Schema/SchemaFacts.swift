import Text

/// What the schemas of a conjunction say together, keyword by keyword.
struct SchemaFacts {
    typealias NodeID = SchemaDocument.NodeID

    struct StringFacts: Hashable {
        var minimum = 0
        var maximum: Int?
        var patterns: [String] = []
        var formats: [String] = []
    }

    struct ArrayFacts {
        var minimum = 0
        var maximum: Int?
        var isUnique = false
        /// For each leading position, the schemas of its element.
        var prefix: [[NodeID]] = []
        /// The schemas of the elements behind the prefix.
        var rest: [NodeID] = []
        var namesRest = false
    }

    struct Property {
        var name: String
        var schemas: [NodeID]
        var isRequired: Bool
    }

    struct ObjectFacts {
        var minimum = 0
        var maximum: Int?
        /// Declared properties in the order of the document, then those that are only required.
        var properties: [Property] = []
        /// Per schema: its patterns with what they ask, and what it asks of all other names.
        var openings: [Opening] = []
        var nameSchemas: [NodeID] = []
        /// Whether names beyond `properties` are generated.
        var isOpen = false
    }

    struct Opening {
        var patterns: [(pattern: String, schema: NodeID)]
        var others: NodeID?
    }

    /// Types the schemas allow.
    var types = ValueTypes.all
    /// Types that a schema without `type` evidently has in mind: those its keywords speak of.
    var hints: ValueTypes = []
    var string = StringFacts()
    var number = NumberFacts()
    var array = ArrayFacts()
    var object = ObjectFacts()
    /// Schemas with an `enum` or `const`.
    var listing: [NodeID] = []
    /// Schemas with a keyword that can only be judged on whole values, and that keyword.
    var judged: [(schema: NodeID, keyword: String)] = []

    /// The types of generated values: those allowed, narrowed to the hints where the schemas leave the type open.
    var generatedTypes: ValueTypes { types == .all && !hints.isEmpty ? hints : types }
}

/// Reads the facts of conjunctions out of a document.
struct SchemaReader {
    typealias NodeID = SchemaDocument.NodeID

    var resolver: SchemaResolver
    private let limits: ConstraintLimits
    private var automata: [String: ScalarDFA] = [:]

    init(_ schema: JSONValue, limits: ConstraintLimits) throws {
        resolver = try SchemaResolver(schema, limits: limits)
        self.limits = limits
    }

    /// - Throws: `ConstraintError` for a keyword with an ill-formed value.
    mutating func facts(of conjunction: Conjunction) throws -> SchemaFacts {
        var facts = SchemaFacts()
        for id in conjunction.schemas {
            guard let members = resolver.value(id).objectValue else { continue }
            for member in members {
                if let type = SchemaKeywords.byType[member.key] { facts.hints.formUnion(type) }
                if SchemaKeywords.judgedOnly[member.key] != nil { facts.judged.append((id, member.key)) }
                try read(member.key, member.value, of: id, into: &facts)
            }
        }
        try readElements(conjunction, into: &facts)
        try readProperties(conjunction, into: &facts)
        return facts
    }

    private mutating func read(
        _ keyword: String, _ value: JSONValue, of id: NodeID, into facts: inout SchemaFacts
    ) throws {
        switch keyword {
        case "type": facts.types.formIntersection(try types(value, of: id, "type"))
        case "enum":
            guard value.arrayValue != nil else { throw resolver.error(id, keyword, "must be an array of values") }
            facts.listing.append(id)
        case "const": facts.listing.append(id)
        case "not":
            if let excluded = try excludedTypes(value, of: id) {
                facts.types.subtract(excluded)
            } else {
                facts.judged.append((id, keyword))
            }
        case "minLength": facts.string.minimum = max(facts.string.minimum, try count(value, of: id, keyword))
        case "maxLength": facts.string.maximum = least(facts.string.maximum, try count(value, of: id, keyword))
        case "pattern":
            guard let pattern = value.stringValue else { throw resolver.error(id, keyword, "must be a string") }
            _ = try automaton(pattern, of: id, keyword)
            if !facts.string.patterns.contains(pattern) { facts.string.patterns.append(pattern) }
        case "format":
            guard let format = value.stringValue else { throw resolver.error(id, keyword, "must be a string") }
            guard StringFormats.pattern(of: format) != nil else {
                let known = StringFormats.names.joined(separator: ", ")
                throw resolver.error(id, keyword, "unknown format \"\(format)\"; known are \(known)")
            }
            if !facts.string.formats.contains(format) { facts.string.formats.append(format) }
        case "minimum", "exclusiveMinimum":
            facts.number.raise(
                .init(value: try number(value, of: id, keyword), isExclusive: keyword == "exclusiveMinimum"))
        case "maximum", "exclusiveMaximum":
            facts.number.reduce(
                .init(value: try number(value, of: id, keyword), isExclusive: keyword == "exclusiveMaximum"))
        case "multipleOf":
            let step = try number(value, of: id, keyword)
            guard !step.isZero, !step.isNegative else { throw resolver.error(id, keyword, "must be greater than 0") }
            guard facts.number.restrict(toMultiplesOf: step) else {
                throw resolver.error(id, keyword, "has too many digits; at most 15 are supported")
            }
        case "minItems": facts.array.minimum = max(facts.array.minimum, try count(value, of: id, keyword))
        case "maxItems": facts.array.maximum = least(facts.array.maximum, try count(value, of: id, keyword))
        case "uniqueItems":
            guard let isUnique = value.boolValue else { throw resolver.error(id, keyword, "must be true or false") }
            facts.array.isUnique = facts.array.isUnique || isUnique
        case "minProperties": facts.object.minimum = max(facts.object.minimum, try count(value, of: id, keyword))
        case "maxProperties": facts.object.maximum = least(facts.object.maximum, try count(value, of: id, keyword))
        default: break
        }
    }

    // MARK: values of keywords

    private func types(_ value: JSONValue, of id: NodeID, _ keyword: String) throws -> ValueTypes {
        let names = value.arrayValue ?? [value]
        var types: ValueTypes = []
        for name in names {
            guard let text = name.stringValue, let type = ValueTypes(name: text) else {
                throw resolver.error(
                    id, keyword, "must be null, boolean, integer, number, string, array, object, or an array of these")
            }
            types.formUnion(type)
        }
        return types
    }

    /// The types that a `not` rules out, when that is all it does.
    private func excludedTypes(_ value: JSONValue, of id: NodeID) throws -> ValueTypes? {
        if case .bool(let isAll) = value { return isAll ? .all : [] }
        guard let members = value.objectValue else {
            throw resolver.error(id, "not", "a schema is an object, true or false")
        }
        guard members.count == 1, members[0].key == "type" else { return nil }
        return try types(members[0].value, of: id, "not")
    }

    private func count(_ value: JSONValue, of id: NodeID, _ keyword: String) throws -> Int {
        guard let count = value.intValue, count >= 0 else {
            throw resolver.error(id, keyword, "must be a whole number of at least 0")
        }
        return count
    }

    private func least(_ a: Int?, _ b: Int) -> Int { a.map { min($0, b) } ?? b }

    private func number(_ value: JSONValue, of id: NodeID, _ keyword: String) throws -> DecimalText {
        guard let number = DecimalText(value) else {
            let hint = value.boolValue == nil ? "" : " (draft 4's boolean form is not supported)"
            throw resolver.error(id, keyword, "must be a number" + hint)
        }
        return number
    }

    /// The automaton of a pattern that is found anywhere in a string.
    mutating func automaton(_ pattern: String, of id: NodeID, _ keyword: String, _ inner: String? = nil) throws
        -> ScalarDFA
    {
        if let known = automata[pattern] { return known }
        do {
            let made = try ScalarDFA.compile(pattern, searched: true, limits: limits)
            automata[pattern] = made
            return made
        } catch let fault as ConstraintError {
            throw resolver.error(id, keyword, fault.description)
        }
    }

    mutating func knownAutomaton(_ pattern: String) throws -> ScalarDFA {
        try automata[pattern] ?? ScalarDFA.compile(pattern, searched: true, limits: limits)
    }

    // MARK: elements and properties

    private mutating func readElements(_ conjunction: Conjunction, into facts: inout SchemaFacts) throws {
        var prefixes: [(id: NodeID, prefix: [NodeID], rest: NodeID?)] = []
        for id in conjunction.schemas {
            if resolver.value(id)["items"]?.arrayValue != nil {
                throw resolver.error(
                    id, "items", "must be a schema; the schemas of leading elements stand in \"prefixItems\"")
            }
            let entry = (id, try resolver.children(id, "prefixItems"), resolver.child(id, "items"))
            if !entry.1.isEmpty || entry.2 != nil { prefixes.append(entry) }
        }
        let length = prefixes.map(\.prefix.count).max() ?? 0
        for index in 0..<length {
            facts.array.prefix.append(
                prefixes.compactMap { index < $0.prefix.count ? $0.prefix[index] : $0.rest })
        }
        facts.array.rest = prefixes.compactMap(\.rest)
        facts.array.namesRest = !facts.array.rest.isEmpty || length == 0
    }

    private mutating func readProperties(_ conjunction: Conjunction, into facts: inout SchemaFacts) throws {
        var declared: [String] = []
        var required: [String] = []
        var seen: Set<String> = []
        var isOpen = false
        var hasNames = false
        for id in conjunction.schemas {
            let schema = resolver.value(id)
            for keyword in ["properties", "patternProperties"] {
                guard let value = schema[keyword] else { continue }
                guard let members = value.objectValue else {
                    throw resolver.error(id, keyword, "must be an object of schemas")
                }
                hasNames = true
                if keyword == "properties" {
                    for member in members where seen.insert(member.key).inserted { declared.append(member.key) }
                }
            }
            if let value = schema["required"] {
                guard let names = value.arrayValue?.map(\.stringValue), !names.contains(nil) else {
                    throw resolver.error(id, "required", "must be an array of names")
                }
                required += names.compactMap { $0 }
            }
            var patterns: [(String, NodeID)] = []
            for member in schema["patternProperties"]?.objectValue ?? [] {
                _ = try automaton(member.key, of: id, "patternProperties")
                if let child = resolver.child(id, "patternProperties", member.key) {
                    patterns.append((member.key, child))
                }
            }
            let others = resolver.child(id, "additionalProperties")
            isOpen = isOpen || others != nil || !patterns.isEmpty
            if others != nil || !patterns.isEmpty {
                facts.object.openings.append(.init(patterns: patterns, others: others))
            }
            if let names = resolver.child(id, "propertyNames") { facts.object.nameSchemas.append(names) }
        }
        let requiredNames = Set(required)
        for name in required where !seen.insert(name).inserted {
            guard declared.contains(where: { $0.utf8.elementsEqual(name.utf8) }) else {
                throw resolver.error(
                    conjunction.schemas[0], "required", "\"\(name)\" is declared in another Unicode normalisation")
            }
        }
        for name in required where !declared.contains(name) { declared.append(name) }
        for name in declared {
            facts.object.properties.append(
                .init(
                    name: name, schemas: try propertySchemas(name, conjunction),
                    isRequired: requiredNames.contains(name)))
        }
        facts.object.isOpen = isOpen || !hasNames && requiredNames.isEmpty
    }

    /// The schemas that the value of a property must satisfy.
    mutating func propertySchemas(_ name: String, _ conjunction: Conjunction) throws -> [NodeID] {
        var result: [NodeID] = []
        for id in conjunction.schemas {
            var isNamed = false
            if let child = resolver.child(id, "properties", name) {
                result.append(child)
                isNamed = true
            }
            for member in resolver.value(id)["patternProperties"]?.objectValue ?? [] {
                guard try automaton(member.key, of: id, "patternProperties").matches(name),
                    let child = resolver.child(id, "patternProperties", member.key)
                else { continue }
                result.append(child)
                isNamed = true
            }
            if !isNamed, let others = resolver.child(id, "additionalProperties") { result.append(others) }
        }
        return result
    }
}
