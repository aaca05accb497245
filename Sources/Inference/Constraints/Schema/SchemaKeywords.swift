import Text

/// What the compiler makes of each keyword of JSON Schema.
enum SchemaKeywords {
    /// Assertions that hold for values of one type only, by that type.
    static let byType: [String: ValueTypes] = [
        "properties": .object, "required": .object, "additionalProperties": .object, "patternProperties": .object,
        "minProperties": .object, "maxProperties": .object, "propertyNames": .object,
        "items": .array, "prefixItems": .array, "minItems": .array, "maxItems": .array, "uniqueItems": .array,
        "minLength": .string, "maxLength": .string, "pattern": .string, "format": .string,
        "minimum": .anyNumber, "maximum": .anyNumber, "exclusiveMinimum": .anyNumber,
        "exclusiveMaximum": .anyNumber, "multipleOf": .anyNumber,
    ]

    /// Assertions about the value itself.
    static let general: Set<String> = ["type", "enum", "const", "not"]

    /// Assertions that can only be judged on whole values: they are accepted where `enum` or `const` lists the values.
    static let judgedOnly: [String: String] = [
        "if": "conditions cannot be guaranteed while decoding; write the cases as \"anyOf\"",
        "contains": "cannot be guaranteed while decoding",
        "dependentRequired": "cannot be guaranteed while decoding; write the cases as \"anyOf\"",
        "dependentSchemas": "cannot be guaranteed while decoding; write the cases as \"anyOf\"",
    ]

    /// Keywords that are refused wherever they stand.
    static let refused: [String: String] = [
        "$dynamicRef": "is not supported; use \"$ref\"",
        "$recursiveRef": "is not supported; use \"$ref\"",
        "unevaluatedProperties": "is not supported; use \"additionalProperties\"",
        "unevaluatedItems": "is not supported; use \"items\"",
        "dependencies": "is not supported; write the cases as \"anyOf\"",
        "additionalItems": "is not supported; use \"prefixItems\" and \"items\"",
    ]
}

/// A set of JSON types, with numbers that are integers apart from those that are not.
struct ValueTypes: OptionSet, Hashable, Sendable {
    let rawValue: UInt8

    static let null = ValueTypes(rawValue: 1)
    static let boolean = ValueTypes(rawValue: 2)
    static let integer = ValueTypes(rawValue: 4)
    static let fraction = ValueTypes(rawValue: 8)
    static let string = ValueTypes(rawValue: 16)
    static let array = ValueTypes(rawValue: 32)
    static let object = ValueTypes(rawValue: 64)
    static let anyNumber: ValueTypes = [.integer, .fraction]
    static let all = ValueTypes(rawValue: 127)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init?(name: String) {
        switch name {
        case "null": self = .null
        case "boolean": self = .boolean
        case "integer": self = .integer
        case "number": self = .anyNumber
        case "string": self = .string
        case "array": self = .array
        case "object": self = .object
        default: return nil
        }
    }
}
