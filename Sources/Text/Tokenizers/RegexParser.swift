/// A regular expression as a tree.
indirect enum RegexNode {
    case empty
    case set(ScalarSet)
    case sequence([RegexNode])
    case choice([RegexNode])
    case repetition(RegexNode, min: Int, max: Int, RepetitionMode)
    case look(RegexNode, negative: Bool)
    case atomic(RegexNode)
    case start
    case end
    case wordBoundary(negative: Bool)
}

/// Reads a regular expression.
struct RegexParser {
    private let pattern: String
    private let scalars: [UInt32]
    private var position = 0
    private var depth = 0
    private var ignoresCase = false

    /// Deeper groups are refused.
    private static let maxDepth = 64
    static let maxLength = 1 << 16

    init(_ pattern: String) {
        self.pattern = pattern
        scalars = pattern.unicodeScalars.map(\.value)
    }

    mutating func parse() throws(TokenizerError) -> RegexNode {
        guard scalars.count <= Self.maxLength else { throw error("is longer than \(Self.maxLength) characters") }
        let node = try choice()
        guard position == scalars.count else { throw error("has a ')' without its '('") }
        return node
    }

    private func error(_ problem: String) -> TokenizerError {
        TokenizerError("pattern", "'\(pattern.prefix(200))' \(problem)")
    }

    private func unsupported(_ what: String) -> TokenizerError {
        error("uses \(what), which is not supported")
    }

    private func peek(_ ahead: Int = 0) -> UInt32? {
        position + ahead < scalars.count ? scalars[position + ahead] : nil
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek() == character.value else { return false }
        position += 1
        return true
    }

    private mutating func take(_ text: String) -> Bool {
        let wanted = text.unicodeScalars.map(\.value)
        guard scalars[position...].starts(with: wanted) else { return false }
        position += wanted.count
        return true
    }

    private mutating func choice() throws(TokenizerError) -> RegexNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else { throw error("nests groups deeper than \(Self.maxDepth)") }
        var alternatives = [try sequence()]
        while take("|" as Unicode.Scalar) { alternatives.append(try sequence()) }
        return alternatives.count == 1 ? alternatives[0] : .choice(alternatives)
    }

    private mutating func sequence() throws(TokenizerError) -> RegexNode {
        var nodes: [RegexNode] = []
        while let next = peek(), next != 0x7C, next != 0x29 {
            let atom = try atom()
            nodes.append(try quantified(atom))
        }
        return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
    }

    private mutating func quantified(_ atom: RegexNode) throws(TokenizerError) -> RegexNode {
        var node = atom
        while let (min, max) = try quantifier() {
            var mode = RepetitionMode.greedy
            if take("+" as Unicode.Scalar) {
                mode = .possessive
            } else if take("?" as Unicode.Scalar) {
                mode = .lazy
            }
            node = .repetition(node, min: min, max: max, mode)
        }
        return node
    }

    private mutating func quantifier() throws(TokenizerError) -> (Int, Int)? {
        if take("*" as Unicode.Scalar) { return (0, .max) }
        if take("+" as Unicode.Scalar) { return (1, .max) }
        if take("?" as Unicode.Scalar) { return (0, 1) }
        guard peek() == 0x7B, let first = peek(1), (0x30...0x39).contains(first) || first == 0x2C else { return nil }
        position += 1
        let min = number() ?? 0
        var max = min
        if take("," as Unicode.Scalar) { max = number() ?? .max }
        guard take("}" as Unicode.Scalar), min <= 1000, max == .max || max <= 1000, min <= max else {
            throw error("has a repetition that isn't like {2,5} with counts up to 1000")
        }
        return (min, max)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let digit = peek(), (0x30...0x39).contains(digit), (value ?? 0) < 1_000_000 {
            value = (value ?? 0) * 10 + Int(digit - 0x30)
            position += 1
        }
        return value
    }

    private mutating func atom() throws(TokenizerError) -> RegexNode {
        let character = scalars[position]
        position += 1
        switch character {
        case 0x28: return try group()
        case 0x5B: return .set(try bracket())
        case 0x2E: return .set(ScalarSet([.range(0x0A...0x0A)], isNegated: true))
        case 0x5E: return .start
        case 0x24: return .end
        case 0x5C: return try escape()
        case 0x2A, 0x2B, 0x3F: throw error("repeats nothing")
        default: return literal(character)
        }
    }

    private func literal(_ scalar: UInt32) -> RegexNode {
        .set(ScalarSet(cases(scalar).map { .range($0...$0) }, isNegated: false))
    }

    /// The character and, where case is ignored, its other forms.
    private func cases(_ scalar: UInt32) -> [UInt32] {
        guard ignoresCase, let character = Unicode.Scalar(scalar) else { return [scalar] }
        var forms: Set<UInt32> = [scalar]
        for mapping in [character.properties.lowercaseMapping, character.properties.uppercaseMapping] {
            let mapped = mapping.unicodeScalars
            if mapped.count == 1, let first = mapped.first { forms.insert(first.value) }
        }
        if forms.contains(0x73) { forms.insert(0x17F) }
        if forms.contains(0x6B) { forms.insert(0x212A) }
        return forms.sorted()
    }

    private mutating func group() throws(TokenizerError) -> RegexNode {
        let outerCase = ignoresCase
        defer { ignoresCase = outerCase }
        let node: RegexNode
        if take("?:") {
            node = try choice()
        } else if take("?i:") {
            ignoresCase = true
            node = try choice()
        } else if take("?>") {
            node = .atomic(try choice())
        } else if take("?=") {
            node = .look(try choice(), negative: false)
        } else if take("?!") {
            node = .look(try choice(), negative: true)
        } else if take("?i)") {
            // Applies to the rest of the enclosing group.
            ignoresCase = true
            return try choice()
        } else if peek() == 0x3F {
            throw unsupported("a group '(?\(peek(1).flatMap(Unicode.Scalar.init).map(String.init) ?? "")'")
        } else {
            node = try choice()
        }
        guard take(")" as Unicode.Scalar) else { throw error("has a '(' without its ')'") }
        return node
    }

    private mutating func escape() throws(TokenizerError) -> RegexNode {
        switch peek() {
        case 0x62:
            position += 1
            return .wordBoundary(negative: false)
        case 0x42:
            position += 1
            return .wordBoundary(negative: true)
        case 0x41:
            position += 1
            return .start
        case 0x7A:
            position += 1
            return .end
        default: break
        }
        switch try escapedItem(bracketed: false) {
        case .range(let range) where range.lowerBound == range.upperBound: return literal(range.lowerBound)
        case let item: return .set(ScalarSet([item], isNegated: false))
        }
    }

    /// What stands after a backslash, inside brackets or outside.
    private mutating func escapedItem(bracketed: Bool) throws(TokenizerError) -> ScalarSet.Item {
        guard let character = peek() else { throw error("ends after a backslash") }
        position += 1
        switch character {
        case 0x73: return .classes(.whitespace)
        case 0x53: return .nested(ScalarSet([.classes(.whitespace)], isNegated: true))
        case 0x64: return .categories([.decimalNumber], .number)
        case 0x44: return .nested(ScalarSet([.categories([.decimalNumber], .number)], isNegated: true))
        case 0x77: return .words(bracketed: bracketed)
        case 0x57: return .nested(ScalarSet([.words(bracketed: bracketed)], isNegated: true))
        case 0x70, 0x50: return try property(isNegated: character == 0x50)
        case 0x6E: return .range(0x0A...0x0A)
        case 0x72: return .range(0x0D...0x0D)
        case 0x74: return .range(0x09...0x09)
        case 0x66: return .range(0x0C...0x0C)
        case 0x76: return .range(0x0B...0x0B)
        case 0x75: return try hexadecimal(digits: 4)
        case 0x78:
            guard take("{" as Unicode.Scalar) else { return try hexadecimal(digits: 2) }
            let item = try hexadecimal(digits: 8)
            guard take("}" as Unicode.Scalar) else { throw error("has a '\\x{' without its '}'") }
            return item
        default:
            let isWord =
                (0x30...0x39).contains(character) || (0x41...0x5A).contains(character)
                || (0x61...0x7A).contains(character)
            guard !isWord else {
                throw unsupported("'\\\(Unicode.Scalar(character).map(String.init) ?? "")'")
            }
            return .range(character...character)
        }
    }

    private mutating func hexadecimal(digits: Int) throws(TokenizerError) -> ScalarSet.Item {
        var value: UInt32 = 0
        var count = 0
        while count < digits, let scalar = peek().flatMap(Unicode.Scalar.init),
            let digit = Character(scalar).hexDigitValue, scalar.isASCII
        {
            value = value << 4 | UInt32(digit)
            position += 1
            count += 1
        }
        guard count > 0, Unicode.Scalar(value) != nil else { throw error("has an escape that is no character") }
        return .range(value...value)
    }

    private mutating func property(isNegated: Bool) throws(TokenizerError) -> ScalarSet.Item {
        var name = ""
        if take("{" as Unicode.Scalar) {
            while let next = peek().flatMap(Unicode.Scalar.init), next != "}", name.count < 40 {
                name.unicodeScalars.append(next)
                position += 1
            }
            guard take("}" as Unicode.Scalar) else { throw error("has a '\\p{' without its '}'") }
        } else if let next = peek().flatMap(Unicode.Scalar.init) {
            name.unicodeScalars.append(next)
            position += 1
        }
        var negated = isNegated
        if name.hasPrefix("^") {
            name.removeFirst()
            negated.toggle()
        }
        guard let item = ScalarSet.Item(property: name) else { throw unsupported("the property '\(name)'") }
        return negated ? .nested(ScalarSet([item], isNegated: true)) : item
    }

    private mutating func bracket() throws(TokenizerError) -> ScalarSet {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else { throw error("nests brackets deeper than \(Self.maxDepth)") }
        let isNegated = take("^" as Unicode.Scalar)
        var items: [ScalarSet.Item] = []
        var isFirst = true
        while true {
            guard let character = peek() else { throw error("has a '[' without its ']'") }
            position += 1
            if character == 0x5D, !isFirst { break }
            isFirst = false
            if character == 0x26, peek() == 0x26 { throw unsupported("an intersection '&&'") }
            if character == 0x5B {
                if peek() == 0x3A { throw unsupported("a POSIX class '[:'") }
                items.append(.nested(try bracket()))
                continue
            }
            var item = ScalarSet.Item.range(character...character)
            if character == 0x5C { item = try escapedItem(bracketed: true) }
            if case .range(let low) = item, peek() == 0x2D, let after = peek(1), after != 0x5D {
                position += 2
                var end = ScalarSet.Item.range(after...after)
                if after == 0x5C { end = try escapedItem(bracketed: true) }
                guard case .range(let high) = end, low.lowerBound <= high.lowerBound else {
                    throw error("has a range that ends before it starts")
                }
                item = .range(low.lowerBound...high.lowerBound)
            }
            items.append(item)
            if case .range(let range) = item, ignoresCase, range.count <= 128 {
                for scalar in range { items += cases(scalar).map { .range($0...$0) } }
            }
        }
        return ScalarSet(items, isNegated: isNegated)
    }
}
