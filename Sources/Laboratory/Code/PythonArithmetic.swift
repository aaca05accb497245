import Foundation

/// Python's arithmetic on numbers: floored division and remainder, exact whole numbers, two's complement bits.
enum PythonArithmetic {
    static func apply(
        _ operation: PythonOperator, _ left: PythonValue, _ right: PythonValue
    ) throws(PythonError) -> PythonValue {
        if let a = left.whole, let b = right.whole {
            if case .bool(let first) = left, case .bool(let second) = right {
                switch operation {
                case .and: return .bool(first && second)
                case .or: return .bool(first || second)
                case .exclusiveOr: return .bool(first != second)
                default: break
                }
            }
            return try wholes(operation, a, b)
        }
        switch operation {
        case .and, .or, .exclusiveOr, .shiftLeft, .shiftRight: throw mismatch(operation, left, right)
        default: break
        }
        guard isNumber(left), isNumber(right) else { throw mismatch(operation, left, right) }
        return .float(try floats(operation, try float(left), try float(right)))
    }

    private static func mismatch(_ operation: PythonOperator, _ a: PythonValue, _ b: PythonValue) -> PythonError {
        .raised("TypeError: \(a.typeName) \(operation.rawValue) \(b.typeName)")
    }

    private static func isNumber(_ value: PythonValue) -> Bool {
        if case .float = value { return true }
        return value.whole != nil
    }

    private static func checked(_ result: (partialValue: Int, overflow: Bool)) throws(PythonError) -> PythonValue {
        guard !result.overflow else { throw .limit("a whole number has at most 64 bits") }
        return .int(result.partialValue)
    }

    private static func wholes(_ operation: PythonOperator, _ a: Int, _ b: Int) throws(PythonError) -> PythonValue {
        switch operation {
        case .add: return try checked(a.addingReportingOverflow(b))
        case .subtract: return try checked(a.subtractingReportingOverflow(b))
        case .multiply: return try checked(a.multipliedReportingOverflow(by: b))
        case .divide:
            guard b != 0 else { throw .raised("ZeroDivisionError") }
            guard a.magnitude <= 1 << 53, b.magnitude <= 1 << 53 else {
                throw .limit("a quotient is of whole numbers of at most 53 bits")
            }
            return .float(Double(a) / Double(b))
        case .floorDivide, .modulo:
            guard b != 0 else { throw .raised("ZeroDivisionError") }
            if b == -1 { return operation == .modulo ? .int(0) : try checked(0.subtractingReportingOverflow(a)) }
            let (quotient, rest) = a.quotientAndRemainder(dividingBy: b)
            let isBelow = rest != 0 && (rest < 0) != (b < 0)
            return .int(operation == .modulo ? (isBelow ? rest + b : rest) : (isBelow ? quotient - 1 : quotient))
        case .power:
            if b < 0 { return .float(try power(Double(a), Double(b))) }
            if a == 0 || a == 1 { return .int(b == 0 ? 1 : a) }
            if a == -1 { return .int(b % 2 == 0 ? 1 : -1) }
            var result = 1
            for _ in 0..<min(b, 64) {
                let (product, overflows) = result.multipliedReportingOverflow(by: a)
                guard !overflows else { throw .limit("a whole number has at most 64 bits") }
                result = product
            }
            return .int(result)
        case .and: return .int(a & b)
        case .or: return .int(a | b)
        case .exclusiveOr: return .int(a ^ b)
        case .shiftLeft, .shiftRight:
            guard b >= 0 else { throw .raised("ValueError: a shift by a negative number") }
            if operation == .shiftRight { return .int(a >> b) }
            let result = a << b
            guard result >> b == a, b < 64 || a == 0 else { throw .limit("a whole number has at most 64 bits") }
            return .int(result)
        }
    }

    private static func floats(_ operation: PythonOperator, _ a: Double, _ b: Double) throws(PythonError) -> Double {
        switch operation {
        case .add: return a + b
        case .subtract: return a - b
        case .multiply: return a * b
        case .power: return try power(a, b)
        default:
            guard b != 0 else { throw .raised("ZeroDivisionError") }
            if operation == .divide { return a / b }
            var rest = fmod(a, b)
            var quotient = (a - rest) / b
            if rest != 0 {
                if (b < 0) != (rest < 0) {
                    rest += b
                    quotient -= 1
                }
            } else {
                rest = Double(signOf: b, magnitudeOf: 0)
            }
            if operation == .modulo { return rest }
            guard quotient != 0 else { return Double(signOf: a / b, magnitudeOf: 0) }
            let floor = quotient.rounded(.down)
            return quotient - floor > 0.5 ? floor + 1 : floor
        }
    }

    private static func power(_ a: Double, _ b: Double) throws(PythonError) -> Double {
        if a == 0, b < 0 { throw .raised("ZeroDivisionError") }
        if a < 0, a.isFinite, b.isFinite, b != b.rounded() { throw .unsupported("complex numbers") }
        let result = Foundation.pow(a, b)
        if result.isInfinite, a.isFinite, b.isFinite { throw .raised("OverflowError") }
        return result
    }

    static func negative(_ value: PythonValue) throws(PythonError) -> PythonValue {
        if case .float(let number) = value { return .float(-number) }
        guard let whole = value.whole else { throw .raised("TypeError: - of \(value.typeName)") }
        return try checked(0.subtractingReportingOverflow(whole))
    }

    static func float(_ value: PythonValue) throws(PythonError) -> Double {
        if case .float(let number) = value { return number }
        guard let whole = value.whole else { throw .raised("TypeError: float of \(value.typeName)") }
        return Double(whole)
    }

    /// A whole number by rounding.
    static func whole(_ value: PythonValue, _ rule: FloatingPointRoundingRule) throws(PythonError) -> PythonValue {
        if let whole = value.whole { return .int(whole) }
        let number = try float(value)
        guard number.isFinite else { throw .raised("OverflowError: a whole number of \(number)") }
        guard let whole = Int(exactly: number.rounded(rule)) else { throw .limit("a whole number has at most 64 bits") }
        return .int(whole)
    }

    /// The functions of one number.
    static func call(_ function: PythonFunction, _ values: [PythonValue]) throws(PythonError) -> PythonValue {
        let value = values[0]
        switch function {
        case .abs:
            if case .float(let number) = value { return .float(Swift.abs(number)) }
            guard let whole = value.whole else { throw .raised("TypeError: abs of \(value.typeName)") }
            return whole < 0 ? try negative(value) : .int(whole)
        case .absolute: return .float(Swift.abs(try float(value)))
        case .floor: return try whole(value, .down)
        case .ceil: return try whole(value, .up)
        case .trunc: return try whole(value, .towardZero)
        case .squareRoot:
            let number = try float(value)
            guard number >= 0 else { throw .raised("ValueError: the root of \(number)") }
            return .float(number.squareRoot())
        case .wholeRoot:
            guard let number = value.whole else { throw .raised("TypeError: math.isqrt of \(value.typeName)") }
            guard number >= 0 else { throw .raised("ValueError: the root of \(number)") }
            var root = Int(Double(number).squareRoot())
            while root.multipliedReportingOverflow(by: root).overflow || root * root > number { root -= 1 }
            while (root + 1).multipliedReportingOverflow(by: root + 1).overflow == false,
                (root + 1) * (root + 1) <= number
            { root += 1 }
            return .int(root)
        case .logarithm, .binaryLogarithm, .decimalLogarithm:
            let logarithm = try logarithm(function, value)
            // With a base, as Python does it: one logarithm over the other.
            guard values.count == 2 else { return .float(logarithm) }
            return try apply(.divide, .float(logarithm), .float(try self.logarithm(function, values[1])))
        case .isInteger:
            if case .float(let number) = value { return .bool(number.isFinite && number == number.rounded()) }
            guard value.whole != nil else { throw .raised("AttributeError: is_integer of \(value.typeName)") }
            return .bool(true)
        case .round:
            guard values.count == 2, values[1] != .none else { return try whole(value, .toNearestOrEven) }
            guard let digits = values[1].whole else { throw .raised("TypeError: round to \(values[1].typeName)") }
            guard (0...300).contains(digits) else { throw .unsupported("round to \(digits) digits") }
            if let whole = value.whole { return .int(whole) }
            // The C library rounds the exact binary value, as Python does.
            let number = try float(value)
            return .float(number.isFinite ? Double(String(format: "%.\(digits)f", number)) ?? number : number)
        default: throw .unsupported(function.rawValue)
        }
    }

    private static func logarithm(_ function: PythonFunction, _ value: PythonValue) throws(PythonError) -> Double {
        let number = try float(value)
        guard number > 0 || number.isNaN else { throw .raised("ValueError: the logarithm of \(number)") }
        return switch function {
        case .binaryLogarithm: Foundation.log2(number)
        case .decimalLogarithm: Foundation.log10(number)
        default: Foundation.log(number)
        }
    }
}
