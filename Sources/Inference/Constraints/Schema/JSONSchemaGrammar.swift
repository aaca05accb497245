import Text

/// Compiles a JSON Schema (draft 2020-12) to a grammar whose every text is a JSON document that the schema accepts.
///
/// **What is generated.** Compact JSON with at most one space after each ":" and ",". Properties come in the order of
/// the schema; optional ones may be left out. The grammar may be narrower than the schema, never wider:
/// - A schema without `type` whose keywords speak of one type only (`properties`, `minLength`, …) generates that type.
/// - Properties that the schema does not name are generated only where `additionalProperties` or `patternProperties` asks
///   for them, or where the schema names no property at all; likewise elements behind `prefixItems` where `items` asks.
/// - Integers have at most 18 digits; numbers at most 15 digits before and behind the point and, where they are bounded or
///   stepped, no exponent. Strings and arrays are bounded by `ConstraintLimits.repetitions`, nesting by `recursionDepth`.
/// - Strings under `pattern` or `format` escape only what JSON requires.
///
/// **What is understood.** `type`, `enum`, `const`, `properties`, `required`, `additionalProperties`, `patternProperties`,
/// `propertyNames`, `minProperties`, `maxProperties`, `items`, `prefixItems`, `minItems`, `maxItems`, `uniqueItems` (of
/// listed values), `minLength`, `maxLength`, `pattern`, `format`, `minimum`, `maximum`, `exclusiveMinimum`,
/// `exclusiveMaximum`, `multipleOf`, `allOf`, `anyOf`, `oneOf` (of branches that provably exclude one another), `not` (of
/// types), `$ref` within the document, `$defs`, `$anchor`, boolean schemas. Beside `enum` or `const` every assertion is
/// understood, since the listed values are simply judged. Annotations and unknown keywords are ignored, as the standard says. All
/// else is refused with the JSON pointer of the keyword.
public struct JSONSchemaGrammar {
    typealias NodeID = SchemaDocument.NodeID
    typealias RuleID = GrammarBuilder.RuleID
    typealias Position = GrammarBuilder.Position

    let limits: ConstraintLimits
    var reader: SchemaReader
    var builder: GrammarBuilder
    let judge: JSONSchemaValidator
    private var ruleOfSchemas: [[NodeID]: RuleID] = [:]
    private var ruleOfConjunction: [Conjunction: RuleID] = [:]
    private var pending: [(rule: RuleID, start: Position, schemas: [NodeID])] = []
    var ruleOfString: [SchemaFacts.StringFacts: RuleID] = [:]
    var ruleOfNumber: [NumberKey: RuleID] = [:]

    struct NumberKey: Hashable {
        var facts: NumberFacts
        var integersOnly: Bool
    }

    /// - Throws: `ConstraintError` with the JSON pointer of what cannot be guaranteed; `TooComplex` past the limits.
    static func compile(_ schema: JSONValue, limits: ConstraintLimits) throws -> ByteGrammar {
        var compiler = try JSONSchemaGrammar(schema, limits: limits)
        let root = try compiler.rule(for: [0])
        while let next = compiler.pending.popLast() {
            try compiler.fill(next.rule, next.start, next.schemas)
        }
        return compiler.builder.build(root: root)
    }

    private init(_ schema: JSONValue, limits: ConstraintLimits) throws {
        self.limits = limits
        reader = try SchemaReader(schema, limits: limits)
        builder = GrammarBuilder(limits: limits)
        judge = JSONSchemaValidator(schema, limits: limits)
    }

    /// The rule of the values that satisfy all of `schemas`. It is filled later, so that schemas may refer to themselves.
    mutating func rule(for schemas: [NodeID]) throws -> RuleID {
        var unique: [NodeID] = []
        for schema in schemas where !unique.contains(schema) { unique.append(schema) }
        if let known = ruleOfSchemas[unique] { return known }
        let (rule, start) = try builder.rule()
        ruleOfSchemas[unique] = rule
        pending.append((rule, start, unique))
        return rule
    }

    private mutating func fill(_ rule: RuleID, _ start: Position, _ schemas: [NodeID]) throws {
        let end = try builder.position(in: rule)
        builder.setFinal(end)
        for conjunction in try reader.resolver.alternatives(of: schemas) {
            try builder.call(start, try self.rule(of: conjunction), to: end)
        }
    }

    private mutating func rule(of conjunction: Conjunction) throws -> RuleID {
        if let known = ruleOfConjunction[conjunction] { return known }
        let (rule, start) = try builder.rule()
        ruleOfConjunction[conjunction] = rule
        let end = try builder.position(in: rule)
        builder.setFinal(end)
        let facts = try reader.facts(of: conjunction)
        if !facts.listing.isEmpty {
            try addListed(try listedValues(facts, conjunction), from: start, to: end)
            return rule
        }
        if let judged = facts.judged.first {
            let reason = SchemaKeywords.judgedOnly[judged.keyword] ?? "is supported for types only"
            throw reader.resolver.error(judged.schema, judged.keyword, reason)
        }
        try requireExclusive(conjunction, facts)
        let types = facts.generatedTypes
        if types.contains(.null) { try builder.silent(try builder.literal(start, "null".utf8), to: end) }
        if types.contains(.boolean) {
            try builder.silent(try builder.literal(start, "true".utf8), to: end)
            try builder.silent(try builder.literal(start, "false".utf8), to: end)
        }
        if types.contains(.integer) || types.contains(.fraction) {
            if types.contains(.fraction), !types.contains(.integer) {
                throw unsupported(conjunction, nil, "numbers that are no integers cannot be told apart while decoding")
            }
            let key = NumberKey(facts: facts.number, integersOnly: !types.contains(.fraction))
            try builder.call(start, try numberRule(key, conjunction), to: end)
        }
        if types.contains(.string) { try builder.call(start, try stringRule(facts.string, conjunction), to: end) }
        if types.contains(.array) { try builder.call(start, try arrayRule(facts.array, conjunction), to: end) }
        if types.contains(.object) { try builder.call(start, try objectRule(facts.object, conjunction), to: end) }
        return rule
    }

    func unsupported(_ conjunction: Conjunction, _ keyword: String?, _ reason: String) -> ConstraintError {
        let holder = conjunction.schemas.first { id in keyword.map { reader.resolver.value(id)[$0] != nil } ?? true }
        return reader.resolver.error(holder ?? conjunction.schemas.first ?? 0, keyword, reason)
    }

    // MARK: listed values

    /// The values of the first `enum` or `const` that satisfy everything else.
    func listedValues(_ facts: SchemaFacts, _ conjunction: Conjunction) throws -> [JSONValue] {
        guard let first = facts.listing.first else { return [] }
        let schema = reader.resolver.value(first)
        let candidates = schema["const"].map { [$0] } ?? schema["enum"]?.arrayValue ?? []
        let all = conjunction.schemas + conjunction.choices.map(\.node)
        return candidates.filter { candidate in
            all.allSatisfy { judge.accepts(candidate, schema: reader.resolver.value($0)) }
        }
    }

    private mutating func addListed(_ values: [JSONValue], from start: Position, to end: Position) throws {
        var scalars: [[UInt8]] = []
        for value in values {
            if let text = JSONLiteral.bytes(ofScalar: value) {
                scalars.append(text)
            } else {
                try builder.silent(try literal(value, from: start), to: end)
            }
        }
        guard !scalars.isEmpty else { return }
        let tree = try builder.rule()
        try builder.tree(tree.start, of: scalars)
        try builder.call(start, tree.id, to: end)
    }

    /// The position behind a value written out, with its optional spaces.
    func literal(_ value: JSONValue, from start: Position, in builder: inout GrammarBuilder) throws -> Position {
        var at = start
        switch value {
        case .array(let elements):
            at = try builder.literal(at, "[".utf8)
            for (index, element) in elements.enumerated() {
                if index > 0 { at = try builder.optionalSpace(try builder.literal(at, ",".utf8)) }
                at = try literal(element, from: at, in: &builder)
            }
            return try builder.literal(at, "]".utf8)
        case .object(let members):
            at = try builder.literal(at, "{".utf8)
            for (index, member) in members.enumerated() {
                if index > 0 { at = try builder.optionalSpace(try builder.literal(at, ",".utf8)) }
                at = try builder.literal(at, JSONLiteral.bytes(ofString: member.key) + Array(":".utf8))
                at = try literal(member.value, from: try builder.optionalSpace(at), in: &builder)
            }
            return try builder.literal(at, "}".utf8)
        default:
            return try builder.literal(at, JSONLiteral.bytes(ofScalar: value) ?? [])
        }
    }

    private mutating func literal(_ value: JSONValue, from start: Position) throws -> Position {
        try literal(value, from: start, in: &builder)
    }
}

/// JSON text of single values, in the one way in which the grammar writes them.
enum JSONLiteral {
    /// nil for arrays and objects, and for floats that JSON cannot write.
    static func bytes(ofScalar value: JSONValue) -> [UInt8]? {
        switch value {
        case .null: Array("null".utf8)
        case .bool(let value): Array((value ? "true" : "false").utf8)
        case .integer(let value): Array(String(value).utf8)
        case .number(let value): value.isFinite ? Array(value.description.utf8) : nil
        case .string(let value): bytes(ofString: value)
        case .array, .object: nil
        }
    }

    static func bytes(ofString text: String) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): bytes += Array("\\\"".utf8)
            case UInt8(ascii: "\\"): bytes += Array("\\\\".utf8)
            case 0x08: bytes += Array("\\b".utf8)
            case 0x09: bytes += Array("\\t".utf8)
            case 0x0A: bytes += Array("\\n".utf8)
            case 0x0C: bytes += Array("\\f".utf8)
            case 0x0D: bytes += Array("\\r".utf8)
            case 0..<0x20:
                let hex = String(byte, radix: 16)
                bytes += Array(("\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex).utf8)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
        return bytes
    }
}
