#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Arithmetic, comparison and membership, with Python's rules about types.
extension TemplateRenderer {
    func unary(_ operation: TemplateExpression.Unary, _ operand: TemplateValue) throws -> TemplateValue {
        if operation == .not { return .bool(!operand.isTrue) }
        let isNegation = operation == .negate
        switch operand {
        case .double(let value): return .double(isNegation ? -value : value)
        case .undefined(let undefined): throw fail(undefined: undefined)
        default:
            guard let value = operand.index else {
                throw TemplateFault.value("a value of type \(operand.typeName) has no sign")
            }
            return .integer(try checked(isNegation ? 0.subtractingReportingOverflow(value) : (value, false)))
        }
    }

    private func checked(_ result: (partialValue: Int, overflow: Bool)) throws -> Int {
        if result.overflow { throw TemplateFault.limit("a whole number exceeds 64 bits") }
        return result.partialValue
    }

    func binary(
        _ operation: TemplateExpression.Binary, _ left: TemplateValue, _ right: TemplateValue
    ) throws -> TemplateValue {
        switch (operation, left, right) {
        case (.remainder, .string(let format), _): return .string(try percentFormatted(format, right))
        case (_, .undefined(let undefined), _), (_, _, .undefined(let undefined)): throw fail(undefined: undefined)
        case (.add, .string(let left), .string(let right)): return .string(try joined(left, right))
        case (.add, .list(let first), .list(let second)) where first.isTuple == second.isTuple:
            return try makeList(first.elements + second.elements, isTuple: first.isTuple)
        case (.multiply, .string(let text), _) where right.index != nil:
            return .string(try repeated(text, right.index ?? 0))
        case (.multiply, _, .string(let text)) where left.index != nil:
            return .string(try repeated(text, left.index ?? 0))
        case (.multiply, .list(let list), _) where right.index != nil: return try repeated(list, right.index ?? 0)
        case (.multiply, _, .list(let list)) where left.index != nil: return try repeated(list, left.index ?? 0)
        default: break
        }
        if let left = left.index, let right = right.index { return try integerResult(operation, left, right) }
        guard let first = left.number, let second = right.number else {
            throw TemplateFault.value("'\(operation.rawValue)' can't join a \(left.typeName) and a \(right.typeName)")
        }
        return .double(try doubleResult(operation, first, second))
    }

    /// Texts one after the other. Where one is markup, the other is escaped first.
    private func joined(_ left: TemplateText, _ right: TemplateText) throws -> TemplateText {
        try meter.charge(left.count + right.count)
        if left.isMarkup || right.isMarkup {
            var result = try TemplateQuoting.escapedHTML(left, meter: meter)
            result.append(try TemplateQuoting.escapedHTML(right, meter: meter))
            result.isMarkup = true
            return result
        }
        var result = TemplateText()
        result.reserveCapacity(left.count + right.count)
        result.append(left)
        result.append(right)
        return result
    }

    func repeated(_ text: TemplateText, _ count: Int) throws -> TemplateText {
        var result = text.emptied
        if count <= 0 || text.isEmpty { return result }
        try meter.charge(count, times: text.count)
        result.reserveCapacity(count * text.count)
        for _ in 0..<count { result.append(text) }
        return result
    }

    private func repeated(_ list: TemplateList, _ count: Int) throws -> TemplateValue {
        let count = list.elements.isEmpty ? 0 : max(count, 0)
        try meter.charge(count, times: list.elements.count * TemplateMeter.elementBytes)
        var elements: [TemplateValue] = []
        for _ in 0..<count { elements += list.elements }
        return .list(try TemplateList(elements, isTuple: list.isTuple))
    }

    private func integerResult(
        _ operation: TemplateExpression.Binary, _ left: Int, _ right: Int
    ) throws -> TemplateValue {
        switch operation {
        case .add: return .integer(try checked(left.addingReportingOverflow(right)))
        case .subtract: return .integer(try checked(left.subtractingReportingOverflow(right)))
        case .multiply: return .integer(try checked(left.multipliedReportingOverflow(by: right)))
        case .divide: return .double(try doubleResult(.divide, Double(left), Double(right)))
        case .floorDivide, .remainder:
            if right == 0 { throw TemplateFault.value("division by zero") }
            let quotient = try checked(left.dividedReportingOverflow(by: right))
            let remainder = left % right
            let isBelow = remainder != 0 && (remainder < 0) != (right < 0)
            if operation == .floorDivide { return .integer(isBelow ? quotient - 1 : quotient) }
            return .integer(isBelow ? remainder + right : remainder)
        case .power:
            if right < 0 { return .double(try doubleResult(.power, Double(left), Double(right))) }
            return .integer(try power(left, right))
        }
    }

    private func power(_ base: Int, _ exponent: Int) throws -> Int {
        if base == 0 || base == 1 { return exponent == 0 ? 1 : base }
        if base == -1 { return exponent % 2 == 0 ? 1 : -1 }
        guard exponent < 64 else { throw TemplateFault.limit("a whole number exceeds 64 bits") }
        var result = 1
        for _ in 0..<exponent { result = try checked(result.multipliedReportingOverflow(by: base)) }
        return result
    }

    private func doubleResult(_ operation: TemplateExpression.Binary, _ left: Double, _ right: Double) throws -> Double
    {
        switch operation {
        case .add: return left + right
        case .subtract: return left - right
        case .multiply: return left * right
        case .power:
            if left == 0, right < 0 { throw TemplateFault.value("division by zero") }
            let result = pow(left, right)
            guard result.isFinite || !left.isFinite || !right.isFinite else {
                throw TemplateFault.value("the power of two numbers is too large or not a real number")
            }
            return result
        case .divide, .floorDivide, .remainder:
            if right == 0 { throw TemplateFault.value("division by zero") }
            if operation == .divide { return left / right }
            var remainder = fmod(left, right)
            if remainder != 0, (remainder < 0) != (right < 0) { remainder += right }
            return operation == .remainder ? remainder : ((left - remainder) / right).rounded()
        }
    }

    func holds(
        _ comparison: TemplateExpression.Comparison, _ left: TemplateValue, _ right: TemplateValue
    ) throws -> Bool {
        switch comparison {
        case .equal: try areEqual(left, right)
        case .notEqual: try !areEqual(left, right)
        case .isIn: try contains(right, left)
        case .notIn: try !contains(right, left)
        case .less: try precedes(left, right)
        case .greater: try precedes(right, left)
        case .lessOrEqual: try precedes(left, right, orEqual: true)
        case .greaterOrEqual: try precedes(right, left, orEqual: true)
        }
    }

    func areEqual(_ left: TemplateValue, _ right: TemplateValue) throws -> Bool {
        switch (left, right) {
        case (.string(let left), .string(let right)): return left.bytes == right.bytes
        case (.undefined, .undefined), (.null, .null): return true
        case (.list(let left), .list(let right)):
            guard left.isTuple == right.isTuple, left.elements.count == right.elements.count else { return false }
            return try deeper {
                for (left, right) in zip(left.elements, right.elements) where try !areEqual(left, right) {
                    return false
                }
                return true
            }
        case (.dictionary(let left), .dictionary(let right)):
            guard left.entries.count == right.entries.count else { return false }
            return try deeper {
                for entry in left.entries {
                    guard let other = try right.value(of: entry.key), try areEqual(entry.value, other) else {
                        return false
                    }
                }
                return true
            }
        case (.namespace(let left), .namespace(let right)): return left === right
        case (.generator(let left), .generator(let right)): return left === right
        case (.macro(let left), .macro(let right)): return left === right
        case (.loop(let left), .loop(let right)): return left === right
        case (.function(let left), .function(let right)): return left == right
        default:
            if let left = left.index, let right = right.index { return left == right }
            if let left = left.number, let right = right.number { return left == right }
            return false
        }
    }

    /// `left < right`. Throws for types that have no order.
    func precedes(_ left: TemplateValue, _ right: TemplateValue, orEqual: Bool = false) throws -> Bool {
        switch (left, right) {
        case (.undefined(let undefined), _), (_, .undefined(let undefined)): throw fail(undefined: undefined)
        case (.string(let left), .string(let right)):
            return orEqual
                ? !right.bytes.lexicographicallyPrecedes(left.bytes) : left.bytes.lexicographicallyPrecedes(right.bytes)
        case (.list(let first), .list(let second)) where first.isTuple == second.isTuple:
            return try deeper {
                for (left, right) in zip(first.elements, second.elements) where try !areEqual(left, right) {
                    return try precedes(left, right, orEqual: orEqual)
                }
                let (left, right) = (first.elements.count, second.elements.count)
                return orEqual ? left <= right : left < right
            }
        default:
            if let left = left.index, let right = right.index { return orEqual ? left <= right : left < right }
            guard let first = left.number, let second = right.number else {
                throw TemplateFault.value("a \(left.typeName) and a \(right.typeName) have no order")
            }
            return orEqual ? first <= second : first < second
        }
    }

    /// `element in container`
    func contains(_ container: TemplateValue, _ element: TemplateValue) throws -> Bool {
        switch container {
        case .undefined: return false
        case .string(let text):
            guard case .string(let part) = element else {
                if case .undefined(let undefined) = element { throw fail(undefined: undefined) }
                throw TemplateFault.value("'in' a text asks for a text, not a \(element.typeName)")
            }
            return text.contains(part)
        case .list(let list):
            for candidate in list.elements {
                try meter.step()
                if try areEqual(candidate, element) { return true }
            }
            return false
        case .generator(let generator):
            while let candidate = try generator.next(self) {
                if try areEqual(candidate, element) { return true }
            }
            return false
        case .dictionary(let dictionary):
            return try dictionary.value(of: element) != nil
        default: throw TemplateFault.value("'in' asks for a list, a dictionary or a text, not a \(container.typeName)")
        }
    }
}

extension TemplateValue {
    /// The number that it is.
    var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }
}
