import Foundation

/// The names and the steps left of one call.
struct PythonFrame {
    var slots: [PythonValue]
    var steps: Int

    mutating func value(of node: PythonNode) throws(PythonError) -> PythonValue {
        try step()
        switch node {
        case .constant(let value): return value
        case .slot(let index): return slots[index]
        case .binary(let operation, let a, let b):
            return try PythonArithmetic.apply(operation, try value(of: a), try value(of: b))
        case .compare(let first, let links): return try compared(first, links)
        case .both(let a, let b):
            let first = try value(of: a)
            return first.isTrue ? try value(of: b) : first
        case .either(let a, let b):
            let first = try value(of: a)
            return first.isTrue ? first : try value(of: b)
        case .not(let inner): return .bool(!(try value(of: inner).isTrue))
        case .conditional(let condition, let then, let otherwise):
            return try value(of: condition).isTrue ? try value(of: then) : try value(of: otherwise)
        case .negative(let inner): return try PythonArithmetic.negative(try value(of: inner))
        case .positive(let inner):
            let operand = try value(of: inner)
            if case .float = operand { return operand }
            guard let whole = operand.whole else { throw .raised("TypeError: + of \(operand.typeName)") }
            return .int(whole)
        case .complement(let inner):
            let operand = try value(of: inner)
            guard let whole = operand.whole else { throw .raised("TypeError: ~ of \(operand.typeName)") }
            return .int(~whole)
        case .sequence(let kind, let nodes):
            var elements: [PythonValue] = []
            for node in nodes { elements.append(try value(of: node)) }
            return kind == .set ? .sequence(.set, try distinct(elements)) : .sequence(kind, elements)
        case .comprehension(let kind, _, _):
            let elements = try elements(of: node)
            return kind == .set ? .sequence(.set, try distinct(elements)) : .sequence(kind ?? .list, elements)
        case .item(let sequence, let index): return try item(try value(of: sequence), try value(of: index))
        case .call(let function, let arguments): return try call(function, arguments)
        }
    }

    private mutating func step(_ count: Int = 1) throws(PythonError) {
        steps -= count
        if steps < 0 { throw .limit("a call takes at most \(PythonExpression.maximumSteps) steps") }
    }

    private mutating func compared(
        _ first: PythonNode, _ links: [(PythonComparison, PythonNode)]
    ) throws(PythonError) -> PythonValue {
        var left = try value(of: first)
        for (relation, node) in links {
            let right = try value(of: node)
            guard try holds(relation, left, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    private mutating func holds(
        _ relation: PythonComparison, _ left: PythonValue, _ right: PythonValue
    ) throws(PythonError) -> Bool {
        switch relation {
        case .equal: return PythonValue.areEqual(left, right)
        case .unequal: return !PythonValue.areEqual(left, right)
        case .isIn, .notIn:
            guard case .sequence(_, let elements) = right else {
                throw .raised("TypeError: in of \(right.typeName)")
            }
            try step(elements.count)
            return elements.contains { PythonValue.areEqual($0, left) } == (relation == .isIn)
        case .less, .atMost, .greater, .atLeast:
            guard let order = try order(left, right) else { return false }
            return switch relation {
            case .less: order < 0
            case .atMost: order <= 0
            case .greater: order > 0
            default: order >= 0
            }
        }
    }

    /// -1, 0 or 1; nil where NaN is involved.
    private mutating func order(_ left: PythonValue, _ right: PythonValue) throws(PythonError) -> Int? {
        switch (left, right) {
        case (.sequence(let kind, let a), .sequence(let other, let b)) where kind == other && kind != .set:
            for (first, second) in zip(a, b) {
                try step()
                if !PythonValue.areEqual(first, second) { return try order(first, second) }
            }
            return a.count == b.count ? 0 : a.count < b.count ? -1 : 1
        case (.sequence, _), (_, .sequence), (.none, _), (_, .none):
            throw .raised("TypeError: \(left.typeName) and \(right.typeName) have no order")
        default: return PythonValue.order(left, right)
        }
    }

    private func item(_ sequence: PythonValue, _ index: PythonValue) throws(PythonError) -> PythonValue {
        guard case .sequence(let kind, let elements) = sequence, kind != .set, let index = index.whole else {
            throw .raised("TypeError: \(sequence.typeName)[\(index.typeName)]")
        }
        let place = index < 0 ? index &+ elements.count : index
        guard elements.indices.contains(place) else {
            throw .raised("IndexError: \(index) of \(elements.count) elements")
        }
        return elements[place]
    }

    // MARK: Sequences

    /// Hands over the elements of a sequence or a generator until `body` says no; a generator makes no further ones.
    private mutating func iterate(
        _ node: PythonNode, _ body: (PythonValue) throws(PythonError) -> Bool
    ) throws(PythonError) {
        if case .comprehension(nil, let element, let clauses) = node {
            _ = try loop(element, clauses[...], body)
            return
        }
        for element in try elements(of: node) where !(try body(element)) { return }
    }

    private mutating func elements(of node: PythonNode) throws(PythonError) -> [PythonValue] {
        if case .comprehension(_, let element, let clauses) = node {
            var elements: [PythonValue] = []
            _ = try loop(element, clauses[...]) { (value) throws(PythonError) in
                elements.append(value)
                return true
            }
            return elements
        }
        let whole = try value(of: node)
        guard case .sequence(_, let elements) = whole else {
            throw .raised("TypeError: \(whole.typeName) is no sequence")
        }
        try step(elements.count)
        return elements
    }

    private mutating func loop(
        _ element: PythonNode, _ clauses: ArraySlice<PythonClause>, _ body: (PythonValue) throws(PythonError) -> Bool
    ) throws(PythonError) -> Bool {
        guard let clause = clauses.first else { return try body(try value(of: element)) }
        next: for item in try elements(of: clause.source) {
            if clause.unpacks {
                guard case .sequence(_, let parts) = item, parts.count == clause.targets.count else {
                    throw .raised("ValueError: \(clause.targets.count) names for another number of values")
                }
                for (slot, part) in zip(clause.targets, parts) { slots[slot] = part }
            } else if let slot = clause.targets.first {
                slots[slot] = item
            }
            for condition in clause.conditions where !(try value(of: condition).isTrue) { continue next }
            guard try loop(element, clauses.dropFirst(), body) else { return false }
        }
        return true
    }

    private mutating func distinct(_ elements: [PythonValue]) throws(PythonError) -> [PythonValue] {
        var kept: [PythonValue] = []
        for element in elements {
            try step(kept.count)
            if case .sequence(let kind, _) = element, kind != .tuple {
                throw .raised("TypeError: \(element.typeName) can't be in a set")
            }
            if !kept.contains(where: { PythonValue.areEqual($0, element) }) { kept.append(element) }
        }
        return kept
    }

    // MARK: Functions

    private mutating func call(_ function: PythonFunction, _ arguments: [PythonNode]) throws(PythonError) -> PythonValue
    {
        let most: Int =
            switch function {
            case .min, .max, .gcd, .zip: .max
            case .range: 3
            case .round, .sum, .pow, .enumerate, .logarithm: 2
            default: 1
            }
        let optional: [PythonFunction] = [.gcd, .zip, .set, .tuple, .list, .int, .float, .bool]
        guard arguments.count <= most, !arguments.isEmpty || optional.contains(function) else {
            throw .raised("TypeError: \(function.rawValue) with \(arguments.count) arguments")
        }
        switch function {
        case .all, .any:
            let stopsAt = function == .any
            var found = !stopsAt
            try iterate(arguments[0]) { (element) throws(PythonError) in
                if element.isTrue == stopsAt { found = stopsAt }
                return found != stopsAt
            }
            return .bool(found)
        case .min, .max:
            var values: [PythonValue] = []
            if arguments.count == 1 {
                values = try elements(of: arguments[0])
            } else {
                for argument in arguments { values.append(try value(of: argument)) }
            }
            guard var best = values.first else { throw .raised("ValueError: \(function.rawValue) of nothing") }
            for other in values.dropFirst() {
                if try holds(function == .min ? .less : .greater, other, best) { best = other }
            }
            return best
        case .sum, .product:
            var total: PythonValue = function == .product ? .int(1) : .int(0)
            if arguments.count == 2 { total = try value(of: arguments[1]) }
            for element in try elements(of: arguments[0]) {
                total = try PythonArithmetic.apply(function == .product ? .multiply : .add, total, element)
            }
            return total
        case .tuple, .list, .set, .sorted:
            var values = arguments.isEmpty ? [] : try elements(of: arguments[0])
            if function == .set { values = try distinct(values) }
            if function == .sorted { values = try sorted(values) }
            return .sequence(function == .tuple ? .tuple : function == .set ? .set : .list, values)
        case .zip:
            var columns: [[PythonValue]] = []
            for argument in arguments { columns.append(try elements(of: argument)) }
            let count = columns.map(\.count).min() ?? 0
            return .sequence(.list, (0..<count).map { row in .sequence(.tuple, columns.map { $0[row] }) })
        default:
            var values: [PythonValue] = []
            for argument in arguments { values.append(try value(of: argument)) }
            return try apply(function, values)
        }
    }

    private mutating func apply(_ function: PythonFunction, _ values: [PythonValue]) throws(PythonError) -> PythonValue
    {
        switch function {
        case .len:
            guard case .sequence(_, let elements) = values[0] else {
                throw .raised("TypeError: \(values[0].typeName) has no len")
            }
            return .int(elements.count)
        case .range:
            var bounds: [Int] = []
            for value in values {
                guard let whole = value.whole else { throw .raised("TypeError: range of \(value.typeName)") }
                bounds.append(whole)
            }
            let (start, end) = bounds.count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1])
            let stride = bounds.count == 3 ? bounds[2] : 1
            guard stride != 0 else { throw .raised("ValueError: range with step 0") }
            var elements: [PythonValue] = []
            var next = start
            while stride > 0 ? next < end : next > end {
                try step()
                elements.append(.int(next))
                let (sum, overflows) = next.addingReportingOverflow(stride)
                if overflows { break }
                next = sum
            }
            return .sequence(.list, elements)
        case .enumerate:
            guard case .sequence(_, let elements) = values[0], let start = values.count == 2 ? values[1].whole : 0
            else {
                throw .raised("TypeError: enumerate of \(values[0].typeName)")
            }
            return .sequence(
                .list, elements.enumerated().map { .sequence(.tuple, [.int(start &+ $0.offset), $0.element]) })
        case .pow:
            guard values.count == 2 else { throw .raised("TypeError: pow with one argument") }
            return try PythonArithmetic.apply(.power, values[0], values[1])
        case .gcd:
            var result: UInt = 0
            for value in values {
                guard var whole = value.whole?.magnitude else {
                    throw .raised("TypeError: math.gcd of \(value.typeName)")
                }
                while whole != 0 { (result, whole) = (whole, result % whole) }
            }
            guard let whole = Int(exactly: result) else { throw .limit("a whole number has at most 64 bits") }
            return .int(whole)
        case .int, .float, .bool:
            guard let value = values.first else {
                return function == .int ? .int(0) : function == .float ? .float(0) : .bool(false)
            }
            if function == .bool { return .bool(value.isTrue) }
            return function == .int
                ? try PythonArithmetic.whole(value, .towardZero) : .float(try PythonArithmetic.float(value))
        default: return try PythonArithmetic.call(function, values)
        }
    }

    private mutating func sorted(_ values: [PythonValue]) throws(PythonError) -> [PythonValue] {
        var result: [PythonValue] = []
        for value in values {
            var place = result.count
            while place > 0, try holds(.less, value, result[place - 1]) {
                try step()
                place -= 1
            }
            result.insert(value, at: place)
        }
        return result
    }
}
