import Text

/// Makes a JSON document of an encodable value. Keys stand in the order in which the value writes them, so that what is
/// written reads like its type. Numbers that JSON can't spell become the texts "nan", "inf" and "-inf".
public enum JSONValueEncoder {
    public static func encode(_ value: some Encodable) throws -> JSONValue {
        try box(value, codingPath: [])
    }

    fileprivate static func box(_ value: some Encodable, codingPath: [any CodingKey]) throws -> JSONValue {
        if let json = value as? JSONValue { return json }
        let node = Node(codingPath: codingPath)
        try value.encode(to: node)
        return node.result
    }

    fileprivate static func number(_ value: Double) -> JSONValue {
        value.isFinite ? .number(value) : .string(value.isNaN ? "nan" : value > 0 ? "inf" : "-inf")
    }

    fileprivate static func integer(_ value: some BinaryInteger) -> JSONValue {
        Int(exactly: value).map { .integer($0) } ?? .string(String(value))
    }

    /// A place in the document that is being written.
    fileprivate final class Node: Encoder {
        enum Content {
            case value(JSONValue)
            case object([(String, Node)])
            case array([Node])
        }

        let codingPath: [any CodingKey]
        var userInfo: [CodingUserInfoKey: Any] { [:] }
        var content = Content.value(.null)

        init(codingPath: [any CodingKey]) { self.codingPath = codingPath }

        var result: JSONValue {
            switch content {
            case .value(let value): value
            case .object(let members): .object(members.map { .init($0.0, $0.1.result) })
            case .array(let nodes): .array(nodes.map(\.result))
            }
        }

        func member(_ key: any CodingKey) -> Node {
            let node = Node(codingPath: codingPath + [key])
            var members: [(String, Node)] = []
            if case .object(let existing) = content { members = existing }
            content = .value(.null)
            members.append((key.stringValue, node))
            content = .object(members)
            return node
        }

        func element() -> Node {
            let node = Node(codingPath: codingPath)
            var nodes: [Node] = []
            if case .array(let existing) = content { nodes = existing }
            content = .value(.null)
            nodes.append(node)
            content = .array(nodes)
            return node
        }

        func set(_ value: some Encodable) throws {
            content = .value(try JSONValueEncoder.box(value, codingPath: codingPath))
        }

        func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
            if case .object = content {} else { content = .object([]) }
            return KeyedEncodingContainer(Keyed<Key>(node: self))
        }

        func unkeyedContainer() -> any UnkeyedEncodingContainer {
            if case .array = content {} else { content = .array([]) }
            return Unkeyed(node: self)
        }

        func singleValueContainer() -> any SingleValueEncodingContainer { Single(node: self) }
    }

    fileprivate struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let node: Node
        var codingPath: [any CodingKey] { node.codingPath }

        func encodeNil(forKey key: Key) { node.member(key).content = .value(.null) }

        func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
            var single = Single(node: node.member(key))
            try single.encode(value)
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy keyType: Nested.Type, forKey key: Key
        ) -> KeyedEncodingContainer<Nested> { node.member(key).container(keyedBy: keyType) }

        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            node.member(key).unkeyedContainer()
        }

        func superEncoder() -> any Encoder { node }
        func superEncoder(forKey key: Key) -> any Encoder { node.member(key) }
    }

    fileprivate struct Unkeyed: UnkeyedEncodingContainer {
        let node: Node
        var codingPath: [any CodingKey] { node.codingPath }
        var count: Int {
            if case .array(let nodes) = node.content { nodes.count } else { 0 }
        }

        func encodeNil() { node.element().content = .value(.null) }

        func encode<T: Encodable>(_ value: T) throws {
            var single = Single(node: node.element())
            try single.encode(value)
        }

        func nestedContainer<Nested: CodingKey>(keyedBy keyType: Nested.Type) -> KeyedEncodingContainer<Nested> {
            node.element().container(keyedBy: keyType)
        }

        func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { node.element().unkeyedContainer() }
        func superEncoder() -> any Encoder { node.element() }
    }

    fileprivate struct Single: SingleValueEncodingContainer {
        let node: Node
        var codingPath: [any CodingKey] { node.codingPath }

        mutating func encodeNil() { node.content = .value(.null) }

        mutating func encode<T: Encodable>(_ value: T) throws {
            switch value {
            case let value as Bool: node.content = .value(.bool(value))
            case let value as String: node.content = .value(.string(value))
            case let value as Double: node.content = .value(JSONValueEncoder.number(value))
            case let value as Float: node.content = .value(JSONValueEncoder.number(Double(value)))
            case let value as any BinaryInteger: node.content = .value(JSONValueEncoder.integer(value))
            default: try node.set(value)
            }
        }
    }
}
