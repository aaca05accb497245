import Text

/// Draws JSON Schemas that use every keyword the grammar understands, most of them satisfiable.
struct RandomSchema {
    var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func next() -> JSONValue {
        let body = schema(depth: 3)
        guard case .object(var members) = body else { return body }
        members.append(.init("$defs", Self.definitions))
        return .object(members)
    }

    private static let definitions: JSONValue = [
        "tree": [
            "type": "object",
            "properties": [
                "value": ["type": "integer", "minimum": -9, "maximum": 99], "left": ["$ref": "#/$defs/tree"],
                "right": ["anyOf": [["$ref": "#/$defs/tree"], ["type": "null"]]],
            ],
            "required": ["value"],
        ],
        "list": [
            "anyOf": [
                ["type": "null"],
                [
                    "type": "array", "prefixItems": [["type": "boolean"], ["$ref": "#/$defs/list"]], "minItems": 2,
                    "items": false,
                ],
            ]
        ],
        "any": true,
        "short": ["type": "string", "maxLength": 4],
    ]

    private mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    private mutating func pick<T>(_ options: [T]) -> T { options[int(0...options.count - 1)] }
    private mutating func chance(_ probability: Double) -> Bool { generator.chance(probability) }

    private mutating func schema(depth: Int) -> JSONValue {
        let leaf = depth == 0
        switch int(0...(leaf ? 7 : 16)) {
        case 0: return ["type": .string(pick(["null", "boolean"]))]
        case 1: return integer()
        case 2: return number()
        case 3: return string()
        case 4: return patterned()
        case 5: return listed()
        case 6: return ["$ref": .string("#/$defs/" + pick(["tree", "list", "any", "short"]))]
        case 7:
            return [
                "type": .array(
                    Array(
                        ["null", "boolean", "integer", "number", "string"].shuffled(using: &generator).prefix(
                            int(1...3))
                    ).map { .string($0) })
            ]
        case 8, 9: return array(depth: depth - 1)
        case 10, 11, 12, 13: return object(depth: depth - 1)
        case 14: return ["anyOf": .array((0..<int(1...3)).map { _ in schema(depth: depth - 1) })]
        case 15: return exclusive(depth: depth - 1)
        default: return conjunction(depth: depth - 1)
        }
    }

    private mutating func integer() -> JSONValue {
        var members: [JSONValue.Member] = [.init("type", "integer")]
        let low = int(-1_200...1_200)
        if chance(0.5) { members.append(.init(pick(["minimum", "exclusiveMinimum"]), .integer(low))) }
        if chance(0.5) { members.append(.init(pick(["maximum", "exclusiveMaximum"]), .integer(low + int(2...5_000)))) }
        if chance(0.3) { members.append(.init("multipleOf", .integer(int(1...30)))) }
        return .object(members)
    }

    private mutating func number() -> JSONValue {
        var members: [JSONValue.Member] = [.init("type", "number")]
        let low = Double(int(-9_999...9_999)) / pick([1, 10, 1_000, 1e6])
        if chance(0.6) { members.append(.init(pick(["minimum", "exclusiveMinimum"]), .number(low))) }
        if chance(0.6) {
            members.append(
                .init(pick(["maximum", "exclusiveMaximum"]), .number(low + Double(int(1...999)) / pick([1, 100]))))
        }
        if chance(0.15) { members.append(.init("multipleOf", .number(pick([0.5, 0.25, 2])))) }
        return .object(members)
    }

    private mutating func string() -> JSONValue {
        var members: [JSONValue.Member] = [.init("type", "string")]
        let low = int(0...5)
        if chance(0.5) { members.append(.init("minLength", .integer(low))) }
        if chance(0.5) { members.append(.init("maxLength", .integer(low + int(0...20)))) }
        return .object(members)
    }

    private mutating func patterned() -> JSONValue {
        if chance(0.4) {
            let formats = ["date", "date-time", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"]
            return ["type": "string", "format": .string(pick(formats))]
        }
        let pattern = pick([
            "^[a-z]{2,5}$", "^\\d+(,\\d{3})*$", "foo|bar", "^(a|b)*$", "\\.txt$", "^[A-Z][a-z]+( [A-Z][a-z]+){0,2}$",
            "^\"q\"\\\\?$",
            "^[^\\n\"]{1,4}$", "^é+[日本]?$", "x.y", "^$", "^\\s*\\w+\\s*$",
        ])
        var members: [JSONValue.Member] = [.init("type", "string"), .init("pattern", .string(pattern))]
        if chance(0.3) { members.append(.init("maxLength", .integer(int(6...12)))) }
        return .object(members)
    }

    private mutating func listed() -> JSONValue {
        let values: [JSONValue] = [
            "red", "gr\"een\n", "日本", 1, -2.5, nil, true, [1, ["a": nil]], ["k": "v", "n": [1, 2]], "", "red hot", 100,
            10,
        ]
        if chance(0.3) { return ["const": pick(values)] }
        return ["enum": .array(Array(values.shuffled(using: &generator).prefix(int(1...5))))]
    }

    private mutating func array(depth: Int) -> JSONValue {
        var members: [JSONValue.Member] = [.init("type", "array")]
        if chance(0.15) {
            return [
                "type": "array", "items": ["enum": [1, 2, "a", nil]], "uniqueItems": true,
                "minItems": .integer(int(0...3)),
            ]
        }
        let low = int(0...2)
        if chance(0.3) {
            members.append(.init("prefixItems", .array((0..<int(1...3)).map { _ in schema(depth: depth) })))
        }
        if chance(0.7) { members.append(.init("items", schema(depth: depth))) }
        if chance(0.5) { members.append(.init("minItems", .integer(low))) }
        if chance(0.5) { members.append(.init("maxItems", .integer(low + int(0...3)))) }
        return .object(members)
    }

    private static let names = ["a", "name", "kind", "it's \"q\"", "日本", "count", "id", "value", "x_y", "n_1"]

    private mutating func object(depth: Int) -> JSONValue {
        var members: [JSONValue.Member] = chance(0.9) ? [.init("type", "object")] : []
        let names = Array(Self.names.shuffled(using: &generator).prefix(int(0...4)))
        members.append(.init("properties", .object(names.map { .init($0, schema(depth: depth)) })))
        let required = names.filter { _ in chance(0.5) }
        if !required.isEmpty || chance(0.3) { members.append(.init("required", .array(required.map { .string($0) }))) }
        if chance(0.4) {
            let others: JSONValue = chance(0.5) ? .bool(chance(0.5)) : schema(depth: depth)
            members.append(.init("additionalProperties", others))
        }
        if chance(0.15) {
            members.append(
                .init("patternProperties", ["^n_": ["type": "integer"], "_y$": ["type": ["integer", "string"]]]))
        }
        if chance(0.1) { members.append(.init("propertyNames", ["pattern": "^[a-z_0-9]+$"])) }
        if chance(0.2) { members.append(.init("minProperties", .integer(int(0...2)))) }
        if chance(0.2) { members.append(.init("maxProperties", .integer(max(required.count, int(1...3))))) }
        return .object(members)
    }

    private mutating func exclusive(depth: Int) -> JSONValue {
        let tag = pick(["kind", "type"])
        return [
            "oneOf": .array(
                (0..<int(2...3)).map { index in
                    [
                        "type": "object",
                        "properties": .object([
                            .init(tag, ["const": .integer(index)]), .init("body", schema(depth: depth)),
                        ]),
                        "required": .array([.string(tag)]),
                    ]
                })
        ]
    }

    private mutating func conjunction(depth: Int) -> JSONValue {
        if chance(0.4) { return ["allOf": [integer(), ["type": "number", "minimum": -100]]] }
        if chance(0.3) { return ["allOf": [patterned(), string()]] }
        return ["allOf": [object(depth: depth), object(depth: depth)], "type": "object"]
    }
}
