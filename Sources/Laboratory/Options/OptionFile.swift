import Foundation
import Text
import Yams

/// A configuration file: options by name, in YAML or JSON.
public enum OptionFile {
    /// The largest file read, in bytes.
    public static let maximumSize = 1 << 20
    /// The most values in a file, aliases resolved.
    static let maximumValues = 100_000

    /// Reads a file's values. YAML and JSON are told apart by the extension (`.json` or anything else).
    public static func values(at path: String) throws(OptionError) -> JSONValue {
        let expanded = Folders.expandingHome(path)
        let data: Data
        do {
            let attributes = try FileManager.default.attributesOfItem(atPath: expanded)
            if let size = attributes[.size] as? Int, size > maximumSize {
                throw OptionError.file(
                    path: path, line: nil, message: "is \(size) bytes; a configuration file has at most \(maximumSize)."
                )
            }
            data = try Data(contentsOf: URL(fileURLWithPath: expanded))
        } catch let error as OptionError {
            throw error
        } catch {
            throw .file(path: path, line: nil, message: "can't be read. Give a YAML or JSON file with --config.")
        }
        let text = String(decoding: data, as: UTF8.self)
        let value = path.lowercased().hasSuffix(".json") ? try json(text, path: path) : try yaml(text, path: path)
        guard value.objectValue != nil else {
            throw .file(path: path, line: 1, message: "must hold options by name (name: value), one a line.")
        }
        return value
    }

    private static func json(_ text: String, path: String) throws(OptionError) -> JSONValue {
        do {
            return try JSONValue(parsing: text)
        } catch {
            throw .file(path: path, line: error.line, message: "\(error.message) (column \(error.column))")
        }
    }

    private static func yaml(_ text: String, path: String) throws(OptionError) -> JSONValue {
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw .file(path: path, line: line(of: error), message: "is not YAML: \(problem(of: error)).")
        } catch {
            throw .file(path: path, line: nil, message: "is not YAML: \(error).")
        }
        guard let node else { return .object([]) }
        var room = maximumValues
        return try value(of: node, path: path, depth: 0, room: &room)
    }

    /// `room` counts down over all values, because aliases let a small file stand for a huge one.
    private static func value(
        of node: Node, path: String, depth: Int, room: inout Int
    ) throws(OptionError) -> JSONValue {
        room -= 1
        guard depth < 16, room >= 0 else {
            throw .file(
                path: path, line: node.mark?.line,
                message: "holds more than \(maximumValues) values or 16 levels; options are flatter than that.")
        }
        switch node {
        case .scalar(let scalar):
            return self.value(of: node, scalar: scalar)
        case .sequence(let sequence):
            var elements: [JSONValue] = []
            for element in sequence {
                elements.append(try value(of: element, path: path, depth: depth + 1, room: &room))
            }
            return .array(elements)
        case .mapping(let mapping):
            var members: [JSONValue.Member] = []
            for (key, element) in mapping {
                guard let name = key.string else {
                    throw .file(path: path, line: key.mark?.line, message: "has a key that is not a name.")
                }
                members.append(.init(name, try value(of: element, path: path, depth: depth + 1, room: &room)))
            }
            return .object(members)
        case .alias:
            throw .file(path: path, line: node.mark?.line, message: "has an alias (*name) without its anchor (&name).")
        }
    }

    private static func value(of node: Node, scalar: Node.Scalar) -> JSONValue {
        if scalar.style != .plain && scalar.style != .any { return .string(scalar.string) }
        if node.null != nil { return .null }
        if let value = node.bool { return .bool(value) }
        if let value = node.int { return .integer(value) }
        if let value = node.float { return .number(value) }
        return .string(scalar.string)
    }

    private static func line(of error: YamlError) -> Int? {
        switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        case .reader, .writer, .emitter, .no, .memory, .representer, .dataCouldNotBeDecoded,
            .duplicatedKeysInMapping:
            nil
        }
    }

    private static func problem(of error: YamlError) -> String {
        switch error {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _): problem
        case .duplicatedKeysInMapping: "a name occurs twice"
        default: "the text can't be read"
        }
    }
}
