import Synchronization
import Text

/// Where a value breaks a schema.
public struct SchemaViolation: Hashable, Sendable, CustomStringConvertible {
    /// JSON pointer into the value.
    public var pointer: String
    /// The keyword that is broken.
    public var keyword: String
    public var reason: String

    public var description: String {
        "\(pointer.isEmpty ? "the value" : "\"\(pointer)\"") breaks \"\(keyword)\": \(reason)"
    }
}

/// Judges values by a JSON Schema (draft 2020-12), `format` included.
///
/// It evaluates schemas as the standard describes them, keyword by keyword on whole values, and shares nothing with the
/// grammar that generates values but the regular expressions. Not known: `$dynamicRef`, `unevaluatedProperties`,
/// `unevaluatedItems`, references outside the document; a schema that uses them accepts nothing.
public struct JSONSchemaValidator: Sendable {
    let root: JSONValue
    let patterns: PatternCache
    static let depthLimit = 300

    public init(_ schema: JSONValue) { self.init(schema, limits: ConstraintLimits()) }

    init(_ schema: JSONValue, limits: ConstraintLimits) {
        root = schema
        patterns = PatternCache(limits: limits)
    }

    /// The first place where `value` breaks the schema; nil when it is valid.
    public func violation(in value: JSONValue) -> SchemaViolation? {
        check(value, root, at: "", depth: 0)
    }

    public func isValid(_ value: JSONValue) -> Bool { violation(in: value) == nil }

    /// Judges by a schema within the document.
    func accepts(_ value: JSONValue, schema: JSONValue) -> Bool { check(value, schema, at: "", depth: 0) == nil }

    func check(_ value: JSONValue, _ schema: JSONValue, at pointer: String, depth: Int) -> SchemaViolation? {
        func broken(_ keyword: String, _ reason: String) -> SchemaViolation {
            SchemaViolation(pointer: pointer, keyword: keyword, reason: reason)
        }
        guard depth < Self.depthLimit else { return broken("$ref", "nested deeper than \(Self.depthLimit) schemas") }
        switch schema {
        case .bool(true): return nil
        case .bool(false): return broken("false", "no value is allowed here")
        case .object: break
        default: return broken("schema", "the schema is no object, true or false")
        }
        for keyword in ["$dynamicRef", "unevaluatedProperties", "unevaluatedItems"] where schema[keyword] != nil {
            return broken(keyword, "this validator does not know it")
        }
        return checkGeneral(value, schema, broken)
            ?? checkCombinators(value, schema, at: pointer, depth: depth, broken)
            ?? checkTyped(value, schema, at: pointer, depth: depth, broken)
    }

    // MARK: any type

    private func checkGeneral(
        _ value: JSONValue, _ schema: JSONValue, _ broken: (String, String) -> SchemaViolation
    ) -> SchemaViolation? {
        if let type = schema["type"] {
            let names = (type.arrayValue ?? [type]).compactMap(\.stringValue)
            if !names.contains(where: { Self.isType(value, $0) }) {
                return broken("type", "it is not \(names.joined(separator: " or "))")
            }
        }
        if let options = schema["enum"]?.arrayValue, !options.contains(where: { Self.areEqual($0, value) }) {
            return broken("enum", "it is none of the listed values")
        }
        if let constant = schema["const"], !Self.areEqual(constant, value) {
            return broken("const", "it is another value")
        }
        return nil
    }

    static func isType(_ value: JSONValue, _ name: String) -> Bool {
        switch (value, name) {
        case (.null, "null"), (.bool, "boolean"), (.integer, "integer"), (.integer, "number"), (.number, "number"),
            (.string, "string"), (.array, "array"), (.object, "object"):
            true
        case (.number(let number), "integer"): number.rounded() == number
        default: false
        }
    }

    /// Equality as JSON Schema means it: numbers by their value, strings by their scalars, objects without regard to order.
    static func areEqual(_ a: JSONValue, _ b: JSONValue) -> Bool {
        switch (a, b) {
        case (.null, .null): return true
        case (.bool(let a), .bool(let b)): return a == b
        case (.integer(let a), .integer(let b)): return a == b
        case (.number(let a), .number(let b)): return a == b
        case (.integer(let a), .number(let b)), (.number(let b), .integer(let a)): return Int(exactly: b) == a
        case (.string(let a), .string(let b)): return a.utf8.elementsEqual(b.utf8)
        case (.array(let a), .array(let b)): return a.count == b.count && zip(a, b).allSatisfy(areEqual)
        case (.object(let a), .object(let b)):
            return a.count == b.count
                && a.allSatisfy { member in
                    b.contains { $0.key.utf8.elementsEqual(member.key.utf8) && areEqual($0.value, member.value) }
                }
        default: return false
        }
    }

    // MARK: combinators

    private func checkCombinators(
        _ value: JSONValue, _ schema: JSONValue, at pointer: String, depth: Int,
        _ broken: (String, String) -> SchemaViolation
    ) -> SchemaViolation? {
        func holds(_ part: JSONValue) -> Bool { check(value, part, at: pointer, depth: depth + 1) == nil }
        if let reference = schema["$ref"]?.stringValue {
            guard let target = resolve(reference) else {
                return broken("$ref", "\"\(reference)\" names no schema here")
            }
            if let violation = check(value, target, at: pointer, depth: depth + 1) { return violation }
        }
        for part in schema["allOf"]?.arrayValue ?? [] {
            if let violation = check(value, part, at: pointer, depth: depth + 1) { return violation }
        }
        if let parts = schema["anyOf"]?.arrayValue, !parts.contains(where: holds) {
            return broken("anyOf", "no branch matches")
        }
        if let parts = schema["oneOf"]?.arrayValue {
            let count = parts.filter(holds).count
            if count != 1 { return broken("oneOf", "\(count) branches match instead of one") }
        }
        if let part = schema["not"], holds(part) { return broken("not", "the excluded schema matches") }
        if let condition = schema["if"] {
            let branch = holds(condition) ? "then" : "else"
            if let part = schema[branch] { return check(value, part, at: pointer, depth: depth + 1) }
        }
        return nil
    }

    /// A schema of this document by `#`, `#/path`, `#anchor`, each perhaps behind the root's `$id`.
    private func resolve(_ reference: String) -> JSONValue? {
        var text = reference
        if let id = root["$id"]?.stringValue, text.hasPrefix(id) { text.removeFirst(id.count) }
        if text.isEmpty || text == "#" { return root }
        guard text.removeFirst() == "#" else { return nil }
        guard text.hasPrefix("/") else { return Self.anchored(text, in: root) }
        var current = root
        for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            let key = Self.decodePercent(part).replacing("~1", with: "/").replacing("~0", with: "~")
            guard let next = current.arrayValue == nil ? current[key] : Int(key).flatMap({ current[$0] }) else {
                return nil
            }
            current = next
        }
        return current
    }

    private static func decodePercent(_ text: Substring) -> String {
        guard text.contains("%") else { return String(text) }
        var bytes: [UInt8] = []
        var iterator = Array(text.utf8).makeIterator()
        while let byte = iterator.next() {
            guard byte == UInt8(ascii: "%"), let high = iterator.next(), let low = iterator.next(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
            else {
                bytes.append(byte)
                continue
            }
            bytes.append(value)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func anchored(_ name: String, in value: JSONValue) -> JSONValue? {
        var pending = [value]
        while let next = pending.popLast() {
            if next["$anchor"]?.stringValue == name { return next }
            pending += next.objectValue?.map(\.value) ?? next.arrayValue ?? []
        }
        return nil
    }

    // MARK: by type

    private func checkTyped(
        _ value: JSONValue, _ schema: JSONValue, at pointer: String, depth: Int,
        _ broken: (String, String) -> SchemaViolation
    ) -> SchemaViolation? {
        switch value {
        case .null, .bool: nil
        case .integer, .number: checkNumber(value, schema, broken)
        case .string(let text): checkString(text, schema, broken)
        case .array(let elements): checkArray(elements, schema, at: pointer, depth: depth, broken)
        case .object(let members): checkObject(members, schema, at: pointer, depth: depth, broken)
        }
    }

    private func checkNumber(
        _ value: JSONValue, _ schema: JSONValue, _ broken: (String, String) -> SchemaViolation
    ) -> SchemaViolation? {
        if let bound = schema["minimum"], !(Self.order(value, bound) >= 0) {
            return broken("minimum", "it is less than the minimum")
        }
        if let bound = schema["maximum"], !(Self.order(value, bound) <= 0) {
            return broken("maximum", "it is greater than the maximum")
        }
        if let bound = schema["exclusiveMinimum"], !(Self.order(value, bound) > 0) {
            return broken("exclusiveMinimum", "it is not greater than the bound")
        }
        if let bound = schema["exclusiveMaximum"], !(Self.order(value, bound) < 0) {
            return broken("exclusiveMaximum", "it is not less than the bound")
        }
        if let step = schema["multipleOf"], !Self.isMultiple(value, of: step) {
            return broken("multipleOf", "it is no multiple of the step")
        }
        return nil
    }

    /// -1, 0 or 1, exactly also where an integer has more digits than a float holds.
    private static func order(_ a: JSONValue, _ b: JSONValue) -> Int {
        func compare<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a > b ? 1 : 0 }
        switch (a, b) {
        case (.integer(let a), .integer(let b)): return compare(a, b)
        case (.integer(let a), .number(let b)):
            if b >= 0x1p63 { return -1 }
            if b < -0x1p63 { return 1 }
            let floor = b.rounded(.down)
            let order = compare(a, Int(floor))
            return order == 0 && b > floor ? -1 : order
        case (.number, .integer): return -order(b, a)
        default: return compare(a.doubleValue ?? .nan, b.doubleValue ?? .nan)
        }
    }

    /// In decimal arithmetic: 0.3 is a multiple of 0.1.
    private static func isMultiple(_ value: JSONValue, of step: JSONValue) -> Bool {
        if let a = value.intValue, let b = step.intValue { return b != 0 && a % b == 0 }
        guard let a = DecimalText(value), let b = DecimalText(step), !b.isZero else { return false }
        // Both as integers of the same power of ten.
        let scale = max(a.fraction.count, b.fraction.count)
        func scaled(_ number: DecimalText) -> [UInt8] {
            number.whole + number.fraction + [UInt8](repeating: 0, count: scale - number.fraction.count)
        }
        guard let divisor = UInt128(String(decoding: scaled(b).map { $0 + 0x30 }, as: UTF8.self)),
            divisor < UInt128.max / 16
        else { return false }
        var remainder: UInt128 = 0
        for digit in scaled(a) { remainder = (remainder * 10 + UInt128(digit)) % divisor }
        return remainder == 0
    }

    private func checkString(
        _ text: String, _ schema: JSONValue, _ broken: (String, String) -> SchemaViolation
    ) -> SchemaViolation? {
        let length = text.unicodeScalars.count
        if let least = schema["minLength"]?.intValue, length < least {
            return broken("minLength", "it has \(length) characters, fewer than \(least)")
        }
        if let most = schema["maxLength"]?.intValue, length > most {
            return broken("maxLength", "it has \(length) characters, more than \(most)")
        }
        if let pattern = schema["pattern"]?.stringValue {
            guard let automaton = patterns.automaton(pattern) else {
                return broken("pattern", "the expression \"\(pattern)\" is not understood")
            }
            if !automaton.matches(text) { return broken("pattern", "it does not match \"\(pattern)\"") }
        }
        if let format = schema["format"]?.stringValue, !FormatCheck.isValid(text, format) {
            return broken("format", "it is no \(format)")
        }
        return nil
    }
}

/// Compiled patterns, kept for the life of a validator.
final class PatternCache: Sendable {
    private let limits: ConstraintLimits
    private let known = Mutex<[String: ScalarDFA?]>([:])

    init(limits: ConstraintLimits) { self.limits = limits }

    /// The automaton that finds a pattern anywhere in a string; nil for one that is not understood.
    func automaton(_ pattern: String) -> ScalarDFA? {
        known.withLock { known in
            if let found = known[pattern] { return found }
            let made = try? ScalarDFA.compile(pattern, searched: true, limits: limits)
            known[pattern] = .some(made)
            return made
        }
    }
}
