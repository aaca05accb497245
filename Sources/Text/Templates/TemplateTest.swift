/// The tests that templates may use: `value is name`.
enum TemplateTest: String, CaseIterable, Sendable {
    case defined, undefined, none, string, number, integer, float, boolean, mapping, iterable, sequence, sameas
    case eq, ne, gt, ge, lt, le, `in`, `true`, `false`, odd, even, divisibleby, callable, lower, upper, escaped, filter,
        test

    init?(name: String) {
        switch name {
        case "equalto", "==": self = .eq
        case "!=": self = .ne
        case "greaterthan", ">": self = .gt
        case ">=": self = .ge
        case "lessthan", "<": self = .lt
        case "<=": self = .le
        default: self.init(rawValue: name)
        }
    }
}

extension TemplateRenderer {
    func holds(
        _ test: TemplateTest?, named name: String, _ value: TemplateValue, _ arguments: TemplateArguments
    ) throws -> Bool {
        guard let test else { throw TemplateFault.unsupported("there is no test '\(name)'") }
        func operand() throws -> TemplateValue {
            guard let operand = try arguments.bound(name, "other")[0] else {
                throw TemplateFault.value("the test '\(name)' needs something to compare with")
            }
            return operand
        }
        switch test {
        case .eq: return try areEqual(value, try operand())
        case .ne: return try !areEqual(value, try operand())
        case .gt: return try holds(.greater, value, try operand())
        case .ge: return try holds(.greaterOrEqual, value, try operand())
        case .lt: return try holds(.less, value, try operand())
        case .le: return try holds(.lessOrEqual, value, try operand())
        case .in: return try contains(try operand(), value)
        case .sameas: return try isSame(value, try operand())
        case .divisibleby: return try areEqual(try binary(.remainder, value, try operand()), .integer(0))
        case .odd: return try areEqual(try binary(.remainder, value, .integer(2)), .integer(1))
        case .even: return try areEqual(try binary(.remainder, value, .integer(2)), .integer(0))
        case .lower: return satisfies(try text(of: value), .islower)
        case .upper: return satisfies(try text(of: value), .isupper)
        case .filter: return TemplateFilter(name: try text(of: value).string) != nil
        case .test: return TemplateTest(name: try text(of: value).string) != nil
        default: return isOfKind(test, value)
        }
    }

    private func isOfKind(_ test: TemplateTest, _ value: TemplateValue) -> Bool {
        switch (test, value) {
        case (.defined, _): !value.isUndefined
        case (.undefined, .undefined), (.none, .null), (.string, .string), (.integer, .integer), (.float, .double),
            (.boolean, .bool), (.mapping, .dictionary):
            true
        case (.number, .integer), (.number, .double), (.number, .bool): true
        case (.true, .bool(let value)): value
        case (.false, .bool(let value)): !value
        case (.sequence, .string), (.sequence, .list), (.sequence, .dictionary), (.sequence, .undefined): true
        case (.iterable, .string), (.iterable, .list), (.iterable, .dictionary), (.iterable, .undefined),
            (.iterable, .generator), (.iterable, .loop):
            true
        case (.callable, .function), (.callable, .method), (.callable, .macro), (.callable, .joiner),
            (.callable, .undefined),
            (.callable, .loop):
            true
        case (.escaped, .string(let text)): text.isMarkup
        default: false
        }
    }

    /// Whether both are the same object; for values without identity, whether they are equal and of one type.
    private func isSame(_ left: TemplateValue, _ right: TemplateValue) throws -> Bool {
        switch (left, right) {
        case (.list(let left), .list(let right)): left === right
        case (.dictionary(let left), .dictionary(let right)): left === right
        case (.bool(let left), .bool(let right)): left == right
        case (.bool, _), (_, .bool): false
        case (.integer, .double), (.double, .integer): false
        default: try areEqual(left, right)
        }
    }
}
