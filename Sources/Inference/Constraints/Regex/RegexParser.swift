/// Reads the common core of ECMA-262, PCRE and Python regular expressions: whatever they agree on.
///
/// Supported: literals, `.`, classes with ranges and negation, `\d \w \s` and their negations, `\p{L}`-style general
/// categories, alternation, groups (capturing, named, `(?:…)`), `* + ? {m} {m,} {m,n}` and their lazy forms, the anchors
/// `^ $ \A \z \Z`, the escapes `\t \n \r \f \v \0 \xHH \uHHHH \u{…} \cX`, and the flags `(?i)` and `(?s)` at the start or
/// on a group. Refused: look-around, back-references, `\b`, possessive and atomic forms, multi-line mode.
///
/// - Throws: `ConstraintError` with the offset of what is not understood.
struct RegexParser {
    private let pattern: String
    private let scalars: [Unicode.Scalar]
    private let depthLimit: Int
    private var at = 0
    private var depth = 0
    private var ignoresCase = false
    private var dotMatchesAll = false
    /// Categories read so far: collecting one visits every Unicode scalar.
    private var categories: [String: ScalarSet] = [:]

    static func parse(_ pattern: String, limits: ConstraintLimits = ConstraintLimits()) throws -> RegexNode {
        var parser = RegexParser(pattern, depthLimit: limits.regexDepth)
        guard parser.scalars.count <= limits.regexStates else {
            throw parser.error("longer than \(limits.regexStates) characters", at: limits.regexStates)
        }
        let node = try parser.alternation()
        if parser.at < parser.scalars.count {
            throw parser.error("\")\" without its \"(\"; write \"\\)\" for the character")
        }
        return node
    }

    private init(_ pattern: String, depthLimit: Int) {
        self.pattern = pattern
        scalars = Array(pattern.unicodeScalars)
        self.depthLimit = depthLimit
    }

    private func error(_ reason: String, at offset: Int? = nil) -> ConstraintError {
        ConstraintError(.regex(pattern: pattern, offset: offset ?? at), reason)
    }

    private var next: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

    private func ahead(_ text: String) -> Bool {
        var index = at
        for scalar in text.unicodeScalars {
            guard index < scalars.count, scalars[index] == scalar else { return false }
            index += 1
        }
        return true
    }

    private mutating func take(_ text: String) -> Bool {
        guard ahead(text) else { return false }
        at += text.unicodeScalars.count
        return true
    }

    // MARK: structure

    private mutating func alternation() throws -> RegexNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= depthLimit else { throw error("groups nest deeper than \(depthLimit)") }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .alternation(branches)
    }

    private mutating func sequence() throws -> RegexNode {
        var parts: [RegexNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let start = at
            let atom = try self.atom()
            parts.append(try quantified(atom, from: start))
        }
        return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
    }

    private mutating func quantified(_ atom: RegexNode, from start: Int) throws -> RegexNode {
        var minimum = 0
        var maximum: Int?
        let offset = at
        switch next {
        case "*": at += 1
        case "+":
            at += 1
            minimum = 1
        case "?":
            at += 1
            maximum = 1
        case "{":
            guard let bounds = try braces() else { return atom }
            (minimum, maximum) = bounds
        default: return atom
        }
        switch atom {
        case .start, .end: throw error("an anchor cannot be repeated", at: offset)
        default: break
        }
        _ = take("?")
        if next == "+" { throw error("possessive quantifiers are not supported; leave out the second \"+\"") }
        if let scalar = next, scalar == "*" || scalar == "?" {
            throw error("nothing to repeat before \"\(scalar)\"; write \"\\\(scalar)\" for the character")
        }
        return .repetition(atom, minimum: minimum, maximum: maximum)
    }

    /// The bounds of `{m}`, `{m,}` or `{m,n}`; nil where the brace is a plain character.
    private mutating func braces() throws -> (Int, Int?)? {
        let start = at
        at += 1
        if ahead(",") {
            throw error("\"{,n}\" means different things in different engines; write \"{0,n}\"", at: start)
        }
        guard let minimum = number() else {
            at = start
            return nil
        }
        var maximum: Int? = minimum
        if take(",") { maximum = number() }
        guard take("}") else {
            at = start
            return nil
        }
        if let maximum, maximum < minimum {
            throw error("the bounds {\(minimum),\(maximum)} are in the wrong order", at: start)
        }
        return (minimum, maximum)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let scalar = next, let digit = Self.hexValue(scalar), digit < 10 {
            value = min((value ?? 0) * 10 + Int(digit), 1_000_000_000)
            at += 1
        }
        return value
    }

    private mutating func atom() throws -> RegexNode {
        guard let scalar = next else { return .empty }
        switch scalar {
        case "(": return try group()
        case "[": return .set(try characterClass())
        case ".":
            at += 1
            return .set(dotMatchesAll ? .all : .anyButLineTerminators)
        case "^":
            at += 1
            return .start
        case "$":
            at += 1
            return .end
        case "\\": return try escape()
        case "*", "+", "?":
            throw error("nothing to repeat before \"\(scalar)\"; write \"\\\(scalar)\" for the character")
        case "{":
            if try braces() != nil {
                throw error("nothing to repeat before the braces; write \"\\{\" for the character")
            }
            at += 1
            return literal(scalar)
        default:
            at += 1
            return literal(scalar)
        }
    }

    private func literal(_ scalar: Unicode.Scalar) -> RegexNode { .set(folded(ScalarSet(scalar.value))) }

    private func folded(_ set: ScalarSet) -> ScalarSet { ignoresCase ? set.caseFolded : set }

    private mutating func group() throws -> RegexNode {
        let start = at
        at += 1
        let outerFlags = (ignoresCase, dotMatchesAll)
        if take("?") {
            switch next {
            case ":": at += 1
            case "=", "!": throw error("look-ahead is not supported", at: start)
            case ">": throw error("atomic groups are not supported; write \"(?:\"", at: start)
            case "P" where ahead("P="), "P" where ahead("P>"):
                throw error("back-references are not supported", at: start)
            case "<", "P":
                if ahead("<=") || ahead("<!") { throw error("look-behind is not supported", at: start) }
                try groupName()
            default:
                guard try flags(from: start) else { return .empty }
            }
        }
        let node = try alternation()
        guard take(")") else { throw error("\"(\" without its \")\"", at: start) }
        (ignoresCase, dotMatchesAll) = outerFlags
        return node
    }

    private mutating func groupName() throws {
        let start = at
        _ = take("P")
        guard take("<") else { throw error("unknown kind of group", at: start) }
        while let scalar = next, scalar != ">" {
            guard ScalarSet.wordCharacters.contains(scalar.value) else {
                throw error("a group's name has letters, digits and \"_\" only")
            }
            at += 1
        }
        guard take(">") else { throw error("a group's name ends with \">\"", at: start) }
    }

    /// Reads `i`, `s`, `-` up to `)` (false: the flags hold from here on) or `:` (true: they hold for the group).
    private mutating func flags(from start: Int) throws -> Bool {
        var isOn = true
        while let scalar = next {
            at += 1
            switch scalar {
            case "i": ignoresCase = isOn
            case "s": dotMatchesAll = isOn
            case "-": isOn = false
            case ":": return true
            case ")":
                guard start == 0 else {
                    throw error("flags without \":\" stand at the start of the expression only", at: start)
                }
                return false
            default:
                throw error("unknown kind of group \"(?\(scalar)\"; the flags i and s are supported", at: start)
            }
        }
        throw error("\"(\" without its \")\"", at: start)
    }

    // MARK: escapes and classes

    static func hexValue(_ scalar: Unicode.Scalar) -> UInt32? {
        switch scalar {
        case "0"..."9": scalar.value - 0x30
        case "a"..."f": scalar.value - 0x61 + 10
        case "A"..."F": scalar.value - 0x41 + 10
        default: nil
        }
    }

    private mutating func escape() throws -> RegexNode {
        let start = at
        guard at + 1 < scalars.count else {
            throw error("the expression ends in \"\\\"; write \"\\\\\" for the character")
        }
        switch scalars[at + 1] {
        case "A":
            at += 2
            return .start
        case "z", "Z":
            at += 2
            return .end
        case "b", "B": throw error("word boundaries are not supported", at: start)
        case "1"..."9", "k": throw error("back-references are not supported", at: start)
        default: break
        }
        switch try escaped() {
        case .set(let set): return .set(folded(set))
        case .scalar(let value): return .set(folded(ScalarSet(value)))
        }
    }

    private enum Escaped {
        case scalar(UInt32)
        case set(ScalarSet)
    }

    private mutating func escaped() throws -> Escaped {
        let start = at
        at += 1
        guard let scalar = next else {
            throw error("the expression ends in \"\\\"; write \"\\\\\" for the character", at: start)
        }
        at += 1
        switch scalar {
        case "d": return .set(.digits)
        case "D": return .set(ScalarSet.digits.inverted)
        case "w": return .set(.wordCharacters)
        case "W": return .set(ScalarSet.wordCharacters.inverted)
        case "s": return .set(.whitespace)
        case "S": return .set(ScalarSet.whitespace.inverted)
        case "t": return .scalar(0x09)
        case "n": return .scalar(0x0A)
        case "v": return .scalar(0x0B)
        case "f": return .scalar(0x0C)
        case "r": return .scalar(0x0D)
        case "0":
            if let following = next, Self.hexValue(following).map({ $0 < 10 }) == true {
                throw error("octal escapes are not supported; write \"\\xHH\"", at: start)
            }
            return .scalar(0)
        case "x":
            if next == "{" { return .scalar(try bracedHex(from: start)) }
            return .scalar(try hex(digits: 2, from: start))
        case "u":
            if next == "{" { return .scalar(try bracedHex(from: start)) }
            return .scalar(try utf16Escape(from: start))
        case "c":
            guard let letter = next, letter.isASCII, letter.properties.isAlphabetic else {
                throw error("\"\\c\" is followed by a letter", at: start)
            }
            at += 1
            return .scalar(letter.value & 0x1F)
        case "p", "P":
            let set = try category(from: start)
            return .set(scalar == "P" ? set.inverted : set)
        default:
            if scalar.isASCII, scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) {
                throw error("unknown escape \"\\\(scalar)\"", at: start)
            }
            return .scalar(scalar.value)
        }
    }

    private mutating func hex(digits: Int, from start: Int) throws -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let scalar = next, let digit = Self.hexValue(scalar) else {
                throw error("this escape needs \(digits) hexadecimal digits", at: start)
            }
            value = value << 4 | digit
            at += 1
        }
        return value
    }

    private mutating func bracedHex(from start: Int) throws -> UInt32 {
        at += 1
        var value: UInt32 = 0
        var count = 0
        while let scalar = next, let digit = Self.hexValue(scalar), count < 6 {
            value = value << 4 | digit
            at += 1
            count += 1
        }
        guard take("}"), count > 0, Unicode.Scalar(value) != nil else {
            throw error("this escape needs the hexadecimal number of a Unicode character in its braces", at: start)
        }
        return value
    }

    private mutating func utf16Escape(from start: Int) throws -> UInt32 {
        let unit = try hex(digits: 4, from: start)
        guard ScalarSet.surrogates.contains(unit) else { return unit }
        guard unit < 0xDC00, take("\\u") else { throw error("half of a surrogate pair", at: start) }
        let low = try hex(digits: 4, from: start)
        guard (0xDC00...0xDFFF).contains(low) else { throw error("half of a surrogate pair", at: start) }
        return 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
    }

    private mutating func category(from start: Int) throws -> ScalarSet {
        guard take("{") else { throw error("write the category in braces: \"\\p{L}\"", at: start) }
        var name = ""
        while let scalar = next, scalar != "}", name.utf8.count < 40 {
            name.unicodeScalars.append(scalar)
            at += 1
        }
        guard take("}") else { throw error("a category's name ends with \"}\"", at: start) }
        for prefix in ["gc=", "General_Category="] where name.hasPrefix(prefix) { name.removeFirst(prefix.count) }
        guard let set = categories[name] ?? ScalarSet.category(name) else {
            throw error(
                "unknown category \"\(name)\"; general categories such as L, Lu, N, Nd, P, S, Z are supported",
                at: start)
        }
        categories[name] = set
        return set
    }

    private mutating func characterClass() throws -> ScalarSet {
        let start = at
        at += 1
        let isNegated = take("^")
        if next == "]" { throw error("an empty class; write \"\\]\" for the character", at: start) }
        var ranges: [ClosedRange<UInt32>] = []
        while true {
            guard let scalar = next else { throw error("\"[\" without its \"]\"", at: start) }
            if scalar == "]" { break }
            if ahead("[:") || ahead("&&") || ahead("--") && !ahead("--]") || ahead("~~") || ahead("||") {
                throw error("set operations and named classes inside \"[]\" are not supported; escape the character")
            }
            let itemStart = at
            switch try classItem() {
            case .set(let set):
                ranges += set.ranges
                if next == "-", at + 1 < scalars.count, scalars[at + 1] != "]" {
                    throw error("a range starts and ends with single characters")
                }
            case .scalar(let low):
                guard next == "-", at + 1 < scalars.count, scalars[at + 1] != "]" else {
                    ranges.append(low...low)
                    continue
                }
                at += 1
                guard case .scalar(let high) = try classItem() else {
                    throw error("a range starts and ends with single characters", at: itemStart)
                }
                guard low <= high else { throw error("the range is in the wrong order", at: itemStart) }
                ranges.append(low...high)
            }
        }
        at += 1
        let set = folded(ScalarSet(ranges))
        return isNegated ? set.inverted : set
    }

    private mutating func classItem() throws -> Escaped {
        guard let scalar = next else { throw error("\"[\" without its \"]\"") }
        guard scalar == "\\" else {
            at += 1
            return .scalar(scalar.value)
        }
        if ahead("\\b") {
            at += 2
            return .scalar(0x08)
        }
        return try escaped()
    }
}
