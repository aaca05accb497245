import Text

/// Reads a decodable value from a JSON document.
public enum JSONValueDecoder {
    public static func decode<T: Decodable>(_ type: T.Type, from value: JSONValue) throws -> T {
        try Node(value: value, codingPath: []).read(type)
    }

    /// A place in the document that is being read.
    struct Node: Decoder {
        let value: JSONValue
        let codingPath: [any CodingKey]
        var userInfo: [CodingUserInfoKey: Any] { [:] }

        func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
            guard case .object(let members) = value else { throw mismatch([String: Any].self, "an object") }
            let byName = Dictionary(members.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
            return KeyedDecodingContainer(Keyed<Key>(names: members.map(\.key), values: byName, node: self))
        }

        func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
            guard case .array(let elements) = value else { throw mismatch([Any].self, "an array") }
            return Unkeyed(elements: elements, codingPath: codingPath)
        }

        func singleValueContainer() throws -> any SingleValueDecodingContainer { Single(node: self) }

        func mismatch(_ type: Any.Type, _ expected: String) -> DecodingError {
            .typeMismatch(
                type, .init(codingPath: codingPath, debugDescription: "must be \(expected), not \(value.kindName)"))
        }

        func read<T: Decodable>(_ type: T.Type) throws -> T {
            switch type {
            case is Bool.Type: if let value = value.boolValue as? T { return value }
            case is String.Type: if let value = value.stringValue as? T { return value }
            case is Double.Type: if let value = number as? T { return value }
            case is Float.Type: if let value = number.map(Float.init) as? T { return value }
            case let integer as any FixedWidthInteger.Type: if let value = whole(integer) as? T { return value }
            default: return try T(from: self)
            }
            throw mismatch(type, Self.name(of: type))
        }

        private var number: Double? {
            switch value.stringValue {
            case "nan": .nan
            case "inf": .infinity
            case "-inf": -.infinity
            default: value.doubleValue
            }
        }

        private func whole<Integer: FixedWidthInteger>(_ type: Integer.Type) -> Integer? {
            value.intValue.flatMap(Integer.init(exactly:)) ?? value.stringValue.flatMap { Integer($0) }
        }

        private static func name(of type: Any.Type) -> String {
            switch type {
            case is Bool.Type: "true or false"
            case is String.Type: "a text"
            case is Double.Type, is Float.Type: "a number"
            default: "a whole number"
            }
        }
    }

    private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let names: [String]
        let values: [String: JSONValue]
        let node: Node
        var codingPath: [any CodingKey] { node.codingPath }
        var allKeys: [Key] { names.compactMap { Key(stringValue: $0) } }

        func contains(_ key: Key) -> Bool { values[key.stringValue] != nil }
        func decodeNil(forKey key: Key) throws -> Bool { values[key.stringValue] ?? .null == .null }

        private func child(_ key: Key) throws -> Node {
            guard let value = values[key.stringValue] else {
                throw DecodingError.keyNotFound(
                    key, .init(codingPath: codingPath, debugDescription: "is missing"))
            }
            return Node(value: value, codingPath: codingPath + [key])
        }

        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try child(key).read(type) }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> { try child(key).container(keyedBy: type) }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            try child(key).unkeyedContainer()
        }

        func superDecoder() throws -> any Decoder { node }
        func superDecoder(forKey key: Key) throws -> any Decoder { try child(key) }
    }

    private struct Unkeyed: UnkeyedDecodingContainer {
        let elements: [JSONValue]
        let codingPath: [any CodingKey]
        var currentIndex = 0
        var count: Int? { elements.count }
        var isAtEnd: Bool { currentIndex >= elements.count }

        init(elements: [JSONValue], codingPath: [any CodingKey]) {
            self.elements = elements
            self.codingPath = codingPath
        }

        private mutating func next() throws -> Node {
            guard !isAtEnd else {
                throw DecodingError.valueNotFound(
                    JSONValue.self, .init(codingPath: codingPath, debugDescription: "has too few elements"))
            }
            defer { currentIndex += 1 }
            return Node(value: elements[currentIndex], codingPath: codingPath)
        }

        mutating func decodeNil() throws -> Bool {
            guard !isAtEnd, elements[currentIndex] == .null else { return false }
            currentIndex += 1
            return true
        }

        mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try next().read(type) }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) throws -> KeyedDecodingContainer<Nested> { try next().container(keyedBy: type) }

        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
        mutating func superDecoder() throws -> any Decoder { try next() }
    }

    private struct Single: SingleValueDecodingContainer {
        let node: Node
        var codingPath: [any CodingKey] { node.codingPath }
        func decodeNil() -> Bool { node.value == .null }
        func decode<T: Decodable>(_ type: T.Type) throws -> T { try node.read(type) }
    }
}

extension JSONValue {
    /// What kind of value this is, as a message names it.
    package var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "true or false"
        case .integer, .number: "a number"
        case .string: "a text"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
