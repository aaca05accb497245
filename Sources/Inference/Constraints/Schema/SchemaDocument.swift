import Text

/// A JSON Schema with a number for every schema in it, found by its JSON pointer.
struct SchemaDocument {
    typealias NodeID = Int

    struct Node {
        var value: JSONValue
        var pointer: String
    }

    private(set) var nodes: [Node] = []
    private var numbers: [String: NodeID] = [:]
    private var anchors: [String: [String]] = [:]
    private let root: JSONValue
    private let rootID: String?

    private static let depthLimit = 128

    /// - Throws: `ConstraintError` for a document that is too large or nested too deep.
    init(_ schema: JSONValue, limits: ConstraintLimits) throws {
        root = schema
        rootID = schema["$id"]?.stringValue
        var pending: [(value: JSONValue, path: [String])] = [(schema, [])]
        var count = 0
        while let (value, path) = pending.popLast() {
            count += 1
            guard count <= limits.schemaNodes else {
                throw ConstraintError(.schema(pointer: ""), "more than \(limits.schemaNodes) values")
            }
            guard path.count <= Self.depthLimit else {
                throw ConstraintError(
                    .schema(pointer: Self.pointer(path)), "nested deeper than \(Self.depthLimit) levels")
            }
            switch value {
            case .object(let members):
                // Keys that differ in their encoding only would be taken for one another.
                if Set(members.map(\.key)).count < members.count {
                    throw ConstraintError(.schema(pointer: Self.pointer(path)), "names a key twice")
                }
                for member in members { pending.append((member.value, path + [member.key])) }
                if let name = value["$anchor"]?.stringValue { anchors[name] = path }
            case .array(let elements):
                for (index, element) in elements.enumerated() { pending.append((element, path + [String(index)])) }
            default: break
            }
        }
        _ = intern(schema, "")
    }

    static func escape(_ token: String) -> String {
        var escaped = ""
        for character in token.unicodeScalars {
            switch character {
            case "~": escaped += "~0"
            case "/": escaped += "~1"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }

    private static func pointer(_ path: [String]) -> String { path.map { "/" + escape($0) }.joined() }

    private mutating func intern(_ value: JSONValue, _ pointer: String) -> NodeID {
        if let known = numbers[pointer] { return known }
        numbers[pointer] = nodes.count
        nodes.append(Node(value: value, pointer: pointer))
        return nodes.count - 1
    }

    /// The schema at a keyword of a node (and at a key or index within it); nil when it is absent.
    mutating func child(_ id: NodeID, _ keyword: String, _ inner: String? = nil) -> NodeID? {
        guard let value = nodes[id].value[keyword] else { return nil }
        var pointer = nodes[id].pointer + "/" + Self.escape(keyword)
        guard let inner else { return intern(value, pointer) }
        pointer += "/" + Self.escape(inner)
        if case .array = value {
            guard let index = Int(inner), let element = value[index] else { return nil }
            return intern(element, pointer)
        }
        guard let member = value[inner] else { return nil }
        return intern(member, pointer)
    }

    /// The schemas of a keyword that holds an array of them.
    mutating func children(_ id: NodeID, _ keyword: String) throws -> [NodeID] {
        guard let value = nodes[id].value[keyword] else { return [] }
        guard let elements = value.arrayValue else {
            throw error(id, keyword, "must be an array of schemas")
        }
        return elements.indices.compactMap { child(id, keyword, String($0)) }
    }

    func error(_ id: NodeID, _ keyword: String?, _ reason: String) -> ConstraintError {
        let suffix = keyword.map { "/" + Self.escape($0) } ?? ""
        return ConstraintError(.schema(pointer: nodes[id].pointer + suffix), reason)
    }

    /// The schema that the `$ref` of a node names. - Throws: `ConstraintError` for a target outside the document.
    mutating func target(of id: NodeID) throws -> NodeID {
        guard let reference = nodes[id].value["$ref"]?.stringValue else {
            throw error(id, "$ref", "must be a string such as \"#/$defs/name\"")
        }
        var fragment = reference[...]
        if let rootID, fragment.hasPrefix(rootID) { fragment.removeFirst(rootID.count) }
        if fragment.isEmpty { return 0 }
        guard fragment.first == "#" else {
            throw error(
                id, "$ref",
                "\"\(reference)\" lies outside this document; only references such as \"#/$defs/name\" are followed")
        }
        fragment.removeFirst()
        if fragment.isEmpty { return 0 }
        let path: [String]
        if fragment.first == "/" {
            path = fragment.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(Self.unescape)
        } else if let anchored = anchors[String(fragment)] {
            path = anchored
        } else {
            throw error(id, "$ref", "no \"$anchor\" of this document is named \"\(fragment)\"")
        }
        var value = root
        for token in path {
            let next: JSONValue?
            if case .array = value { next = Int(token).flatMap { value[$0] } } else { next = value[token] }
            guard let next else { throw error(id, "$ref", "\"\(reference)\" names nothing in this document") }
            value = next
        }
        return intern(value, Self.pointer(path))
    }

    private static func unescape(_ token: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(token.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        var text = ""
        var isEscaped = false
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if isEscaped {
                text.unicodeScalars.append(scalar == "1" ? "/" : scalar == "0" ? "~" : scalar)
                isEscaped = false
            } else if scalar == "~" {
                isEscaped = true
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
