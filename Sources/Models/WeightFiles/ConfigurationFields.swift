import Text

/// Reads validated fields of a configuration, from JSON or GGUF metadata alike; every error names file and field.
struct ConfigurationFields {
    let file: String
    /// The value of a field, or nil when it is absent or null.
    let lookup: (String) -> JSONValue?

    /// The fields of a JSON object.
    init(file: String, json: JSONValue) {
        self.file = file
        lookup = { json[$0] == .null ? nil : json[$0] }
    }

    /// The metadata of a GGUF file. Only arrays of up to 4,096 entries are looked at.
    init(_ gguf: GGUFFile) {
        file = gguf.path
        lookup = { gguf[$0].flatMap(Self.json) }
    }

    private static func json(_ value: GGUFValue) -> JSONValue? {
        switch value {
        case .bool(let value): return .bool(value)
        case .string(let value): return .string(value)
        case .float32, .float64: return value.doubleValue.map { .number($0) }
        case .array(let array):
            guard array.count <= 4096 else { return nil }
            if let integers = array.integers { return .array(integers.map { .integer($0) }) }
            if let floats = array.floats { return .array(floats.map { .number(Double($0)) }) }
            if let booleans = array.booleans { return .array(booleans.map { .bool($0) }) }
            return array.strings.map { .array($0.map { .string($0) }) }
        default: return value.intValue.map { .integer($0) }
        }
    }

    /// The object under a key as fields of its own.
    func object(_ key: String) -> ConfigurationFields? {
        guard let value = lookup(key), value.objectValue != nil else { return nil }
        return ConfigurationFields(file: file, json: value)
    }

    /// The inner fields when they hold the key, else these.
    func holder(of key: String, before inner: ConfigurationFields?) -> ConfigurationFields {
        if let inner, inner.lookup(key) != nil { inner } else { self }
    }

    func fault(_ problem: WeightFileError.Problem, _ field: String, _ message: String) -> WeightFileError {
        WeightFileError(problem, file: file, field: field, message)
    }

    func fault(_ field: String, _ message: String) -> WeightFileError { fault(.invalidValue, field, message) }

    /// The first of the keys that is present.
    func firstKey(_ keys: [String]) -> String? { keys.first { lookup($0) != nil } }

    /// An integer within a range; an array counts when all its entries are the same.
    func optionalInteger(_ keys: String..., in range: ClosedRange<Int>) throws(WeightFileError) -> Int? {
        guard let key = firstKey(keys), var value = lookup(key) else { return nil }
        if let entries = value.arrayValue, let first = entries.first {
            guard entries.allSatisfy({ $0 == first }) else {
                throw fault(.unsupported, key, "differs from layer to layer; one value for all layers is read")
            }
            value = first
        }
        guard let integer = value.intValue else { throw fault(key, "must be an integer") }
        guard range.contains(integer) else {
            throw fault(key, "is \(integer); it must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    func integer(
        _ key: String, or alternative: String? = nil, in range: ClosedRange<Int>, default standard: Int? = nil
    ) throws(WeightFileError) -> Int {
        if let value = try optionalInteger(key, alternative ?? key, in: range) ?? standard { return value }
        throw fault(.missing, key, "is missing; it must be an integer from \(range.lowerBound) to \(range.upperBound)")
    }

    func optionalNumber(_ keys: String..., in range: ClosedRange<Double>) throws(WeightFileError) -> Double? {
        guard let key = firstKey(keys), let value = lookup(key) else { return nil }
        guard let number = value.doubleValue, number.isFinite else { throw fault(key, "must be a finite number") }
        guard range.contains(number) else {
            throw fault(key, "is \(number); it must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func number(
        _ key: String, in range: ClosedRange<Double>, default standard: Double? = nil
    ) throws(WeightFileError) -> Double {
        if let value = try optionalNumber(key, in: range) ?? standard { return value }
        throw fault(.missing, key, "is missing; it must be a number from \(range.lowerBound) to \(range.upperBound)")
    }

    func flag(_ key: String, default standard: Bool) throws(WeightFileError) -> Bool {
        guard let value = lookup(key) else { return standard }
        guard let flag = value.boolValue else { throw fault(key, "must be true or false") }
        return flag
    }

    func optionalText(_ key: String) throws(WeightFileError) -> String? {
        guard let value = lookup(key) else { return nil }
        guard let text = value.stringValue else { throw fault(key, "must be a text") }
        return text
    }

    func text(_ key: String) throws(WeightFileError) -> String {
        guard let text = try optionalText(key) else { throw fault(.missing, key, "is missing; it must be a text") }
        return text
    }
}

/// What sizes can be: far above any model, far below what overflows when multiplied.
enum ConfigurationRange {
    static let layers = 1...4096
    static let width = 1...1 << 20
    static let heads = 1...1 << 14
    static let headSize = 1...1 << 14
    static let vocabulary = 1...1 << 26
    static let context = 1...1 << 30
    static let experts = 1...1 << 14
    static let theta = 1.0...1e15
    static let epsilon = 1e-20...0.1
    static let factor = 1e-6...1e9
}
