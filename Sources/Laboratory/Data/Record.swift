import Text

/// One record of a data set: its fields by name, and where it stands.
public struct Record: Sendable, Hashable {
    /// An object.
    public var value: JSONValue
    public var place: RecordPlace

    public init(_ value: JSONValue, at place: RecordPlace) {
        self.value = value
        self.place = place
    }

    /// The names of the fields in their order.
    public var fieldNames: [String] { value.objectValue?.map(\.key) ?? [] }

    /// A field's value; nil where it is missing or null.
    public subscript(field: String) -> JSONValue? {
        guard let value = value[field], value != .null else { return nil }
        return value
    }

    /// The first of these fields that the record has, with its value.
    public func first(of fields: [String]) -> (name: String, value: JSONValue)? {
        for field in fields { if let value = self[field] { return (field, value) } }
        return nil
    }

    /// A field's text. Numbers and truth values are spelt out, as CSV files and JSON files differ in them.
    public func string(_ field: String) throws(DataError) -> String {
        guard let value = self[field] else { throw missing(field) }
        return try text(value, field)
    }

    /// A field's text, or nil where the field is missing or null.
    public func stringIfPresent(_ field: String) throws(DataError) -> String? {
        guard let value = self[field] else { return nil }
        return try text(value, field)
    }

    public func double(_ field: String) throws(DataError) -> Double {
        guard let value = self[field] else { throw missing(field) }
        if let number = value.doubleValue ?? value.stringValue.flatMap({ Double($0) }) { return number }
        throw wrong(field, "a number", value)
    }

    public func int(_ field: String) throws(DataError) -> Int {
        guard let value = self[field] else { throw missing(field) }
        if let number = value.intValue ?? value.stringValue.flatMap({ Int($0) }) { return number }
        throw wrong(field, "a whole number", value)
    }

    /// A truth value, also as 0 or 1, or as a word such as "true" or "no".
    public func bool(_ field: String) throws(DataError) -> Bool {
        guard let value = self[field] else { throw missing(field) }
        if let number = value.intValue, number == 0 || number == 1 { return number == 1 }
        if let bool = value.boolValue ?? value.stringValue.flatMap({ Bool(flag: $0) }) { return bool }
        throw wrong(field, "true or false", value)
    }

    /// A field's texts: an array, or one text alone.
    public func strings(_ field: String) throws(DataError) -> [String] {
        guard let value = self[field] else { throw missing(field) }
        guard let elements = value.arrayValue else { return [try text(value, field)] }
        var texts: [String] = []
        for element in elements { texts.append(try text(element, field)) }
        return texts
    }

    /// The whole record as a decodable type.
    public func decode<T: Decodable>(_ type: T.Type) throws(DataError) -> T {
        do {
            return try JSONValueDecoder.decode(type, from: value)
        } catch let DecodingError.keyNotFound(key, context) {
            throw missing((context.codingPath + [key]).map(\.stringValue).joined(separator: "."))
        } catch let DecodingError.typeMismatch(_, context) {
            throw .malformed(
                place, "the field \(Self.path(context).debugDescription) \(context.debugDescription).")
        } catch let DecodingError.valueNotFound(_, context) {
            throw .malformed(place, "the field \(Self.path(context).debugDescription) \(context.debugDescription).")
        } catch let DecodingError.dataCorrupted(context) {
            throw .malformed(place, "the field \(Self.path(context).debugDescription): \(context.debugDescription).")
        } catch {
            throw .malformed(place, "\(error)")
        }
    }

    private static func path(_ context: DecodingError.Context) -> String {
        context.codingPath.map(\.stringValue).joined(separator: ".")
    }

    func text(_ value: JSONValue, _ field: String) throws(DataError) -> String {
        switch value {
        case .string(let text): return text
        case .integer, .number, .bool: return value.text()
        default: throw wrong(field, "a text", value)
        }
    }

    /// None of the fields that would do is there.
    func missing(anyOf fields: [String]) -> DataError {
        let others = fields.dropFirst().joined(separator: ", ")
        return missing(fields[0] + (others.isEmpty ? "" : " (or \(others))"))
    }

    func missing(_ field: String) -> DataError {
        .missingField(place, field: field.contains(" ") ? field : field.debugDescription, present: fieldNames)
    }

    /// The error of a sample that can't be made of this record.
    public func unusable(_ reason: String) -> DataError {
        .unusableField(place, field: leadingField, reason: reason)
    }

    func wrong(_ field: String, _ expected: String, _ value: JSONValue) -> DataError {
        .wrongField(place, field: field, expected: expected, found: value.kindName)
    }
}

/// A typed reading of a record.
public protocol DataRecord: Sendable {
    /// Throws an error that names file, line and field where the record is no such thing.
    init(_ record: Record) throws(DataError)
}
