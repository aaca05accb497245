import Text

/// Rules of numbers and strings.
extension JSONSchemaGrammar {
    mutating func numberRule(_ key: NumberKey, _ conjunction: Conjunction) throws -> RuleID {
        if let known = ruleOfNumber[key] { return known }
        let automaton: ScalarDFA
        do {
            automaton = try NumberAutomaton.make(key.facts, integersOnly: key.integersOnly, limits: limits)
        } catch is TooComplex {
            throw unsupported(
                conjunction, "multipleOf", "its step is too large to be followed digit by digit within these bounds")
        }
        let rule = try builder.rule()
        builder.setFinal(try builder.automaton(automaton, from: rule.start, encoding: .plain))
        ruleOfNumber[key] = rule.id
        return rule.id
    }

    mutating func stringRule(_ facts: SchemaFacts.StringFacts, _ conjunction: Conjunction) throws -> RuleID {
        if let known = ruleOfString[facts] { return known }
        guard facts.minimum <= limits.repetitions else {
            throw unsupported(conjunction, "minLength", "more than \(limits.repetitions) characters are not generated")
        }
        let rule: RuleID
        if let automaton = try stringAutomaton(facts, conjunction) {
            let (id, start) = try builder.rule()
            let open = try builder.literal(start, "\"".utf8)
            let close = try builder.automaton(automaton, from: open, encoding: .jsonString)
            builder.setFinal(try builder.literal(close, "\"".utf8))
            rule = id
        } else {
            rule = try freeStringRule(facts)
        }
        ruleOfString[facts] = rule
        return rule
    }

    /// The automaton of strings under a pattern or format, their length included; nil where any characters will do.
    mutating func stringAutomaton(
        _ facts: SchemaFacts.StringFacts, _ conjunction: Conjunction
    ) throws -> ScalarDFA? {
        guard !facts.patterns.isEmpty || !facts.formats.isEmpty else { return nil }
        do {
            var result: ScalarDFA?
            for pattern in facts.patterns {
                let next = try reader.knownAutomaton(pattern)
                result = try result?.intersection(next, limits: limits) ?? next
            }
            for format in facts.formats {
                let next = try ScalarDFA.compile(StringFormats.pattern(of: format) ?? "", limits: limits)
                result = try result?.intersection(next, limits: limits) ?? next
            }
            return try result?.limited(minimum: facts.minimum, maximum: facts.maximum, limits: limits)
        } catch let excess as TooComplex {
            let keyword = facts.patterns.isEmpty ? "format" : "pattern"
            throw unsupported(conjunction, keyword, "too complex together with the other keywords (\(excess.what))")
        }
    }

    /// Any characters, each escaped in any way that JSON knows, counted where the length is bounded.
    private mutating func freeStringRule(_ facts: SchemaFacts.StringFacts) throws -> RuleID {
        var loop: ByteGrammar.Loop?
        if facts.minimum > 0 || facts.maximum != nil {
            loop = .init(
                minimum: UInt32(facts.minimum), maximum: facts.maximum.map { UInt32(min($0, limits.repetitions)) })
        }
        if let maximum = facts.maximum, maximum < facts.minimum { return try builder.rule().id }
        let (rule, start) = try builder.rule(loop: loop)
        let head = try builder.literal(start, "\"".utf8)
        let end = try builder.position(in: rule)
        builder.setFinal(end)
        let first: ByteGrammar.Edge.Kind = loop == nil ? .byte : .countingByte
        try builder.byte(head, "\"", to: end, kind: loop == nil ? .byte : .closingByte)
        for range: ClosedRange<UInt8> in [0x20...0x21, 0x23...0x5B, 0x5D...0x7F] {
            try builder.byte(head, range, to: head, kind: first)
        }
        let one = try builder.position(in: rule)
        let two = try builder.position(in: rule)
        let three = try builder.position(in: rule)
        let afterE0 = try builder.position(in: rule)
        let afterED = try builder.position(in: rule)
        let afterF0 = try builder.position(in: rule)
        let afterF4 = try builder.position(in: rule)
        let leads: [(ClosedRange<UInt8>, Position)] = [
            (0xC2...0xDF, one), (0xE0...0xE0, afterE0), (0xE1...0xEC, two), (0xED...0xED, afterED), (0xEE...0xEF, two),
            (0xF0...0xF0, afterF0), (0xF1...0xF3, three), (0xF4...0xF4, afterF4),
        ]
        for (range, target) in leads { try builder.byte(head, range, to: target, kind: first) }
        try builder.byte(one, 0x80...0xBF, to: head)
        try builder.byte(two, 0x80...0xBF, to: one)
        try builder.byte(three, 0x80...0xBF, to: two)
        try builder.byte(afterE0, 0xA0...0xBF, to: one)
        try builder.byte(afterED, 0x80...0x9F, to: one)
        try builder.byte(afterF0, 0x90...0xBF, to: two)
        try builder.byte(afterF4, 0x80...0x8F, to: two)
        try addEscapes(from: head, kind: first, rule)
        return rule
    }

    private mutating func addEscapes(from head: Position, kind: ByteGrammar.Edge.Kind, _ rule: RuleID) throws {
        let escape = try builder.position(in: rule)
        try builder.byte(head, "\\", to: escape, kind: kind)
        for letter: Unicode.Scalar in ["\"", "\\", "/", "b", "f", "n", "r", "t"] {
            try builder.byte(escape, letter, to: head)
        }
        let digits = try builder.position(in: rule)
        try builder.byte(escape, "u", to: digits)
        let last = try builder.position(in: rule)
        try addHex(last, to: head)
        let third = try builder.position(in: rule)
        try addHex(third, to: last)
        let second = try builder.position(in: rule)
        try addHex(second, to: third)
        for range: ClosedRange<Unicode.Scalar> in ["0"..."9", "a"..."c", "A"..."C", "e"..."f", "E"..."F"] {
            try builder.byte(digits, UInt8(ascii: range.lowerBound)...UInt8(ascii: range.upperBound), to: second)
        }
        // D000–D7FF are characters; D800–DBFF need a second half, DC00–DFFF.
        let afterD = try builder.position(in: rule)
        for letter: Unicode.Scalar in ["d", "D"] { try builder.byte(digits, letter, to: afterD) }
        try builder.byte(afterD, UInt8(ascii: "0")...UInt8(ascii: "7"), to: third)
        let high = try builder.position(in: rule)
        for range: ClosedRange<Unicode.Scalar> in ["8"..."9", "a"..."b", "A"..."B"] {
            try builder.byte(afterD, UInt8(ascii: range.lowerBound)...UInt8(ascii: range.upperBound), to: high)
        }
        let highLast = try builder.position(in: rule)
        try addHex(high, to: highLast)
        let pair = try builder.position(in: rule)
        try addHex(highLast, to: pair)
        let low = try builder.literal(pair, "\\u".utf8)
        let lowSecond = try builder.position(in: rule)
        for letter: Unicode.Scalar in ["d", "D"] { try builder.byte(low, letter, to: lowSecond) }
        for range: ClosedRange<Unicode.Scalar> in ["c"..."f", "C"..."F"] {
            try builder.byte(lowSecond, UInt8(ascii: range.lowerBound)...UInt8(ascii: range.upperBound), to: third)
        }
    }

    private mutating func addHex(_ from: Position, to target: Position) throws {
        for range: ClosedRange<Unicode.Scalar> in ["0"..."9", "a"..."f", "A"..."F"] {
            try builder.byte(from, UInt8(ascii: range.lowerBound)...UInt8(ascii: range.upperBound), to: target)
        }
    }
}
