/// How characters are written in the output.
enum CharacterEncoding: Hashable, Sendable {
    /// As UTF-8.
    case plain
    /// As the inside of a JSON string: `"`, `\` and control characters escaped in one canonical way, all else as UTF-8.
    case jsonString
}

extension GrammarBuilder {
    /// Adds an automaton over characters behind `from`, byte by byte, and returns the position where an accepted text has
    /// ended (it has no edges yet).
    mutating func automaton(
        _ automaton: ScalarDFA, from: Position, encoding: CharacterEncoding
    ) throws -> Position {
        let end = try position(in: rule(of: from))
        var lowering = CharacterLowering(rule: rule(of: from), encoding: encoding)
        var positions: [Position] = []
        for _ in 0..<automaton.stateCount { positions.append(try position(in: rule(of: from))) }
        try silent(from, to: positions[automaton.start])
        for state in 0..<automaton.stateCount {
            let ranges = automaton.ranges(from: state).map { ($0.range, positions[$0.target]) }
            try lowering.lower(ranges, from: positions[state], into: &self)
            if automaton.accepting[state] { try silent(positions[state], to: end) }
        }
        return end
    }
}

/// Turns steps over ranges of Unicode scalars into steps over bytes, sharing the tails of multi-byte sequences.
struct CharacterLowering {
    typealias Position = GrammarBuilder.Position
    typealias Step = (range: ClosedRange<UInt32>, target: Position)

    private struct Tail: Hashable {
        var target: Position
        var length: Int
    }

    let rule: GrammarBuilder.RuleID
    let encoding: CharacterEncoding
    /// Positions from which `length` continuation bytes lead to the target.
    private var tails: [Tail: Position] = [:]
    private var shared: [[ByteGrammar.Edge]: Position] = [:]

    init(rule: GrammarBuilder.RuleID, encoding: CharacterEncoding) {
        self.rule = rule
        self.encoding = encoding
    }

    /// `steps` are disjoint, ascending and free of surrogates.
    mutating func lower(_ steps: [Step], from: Position, into builder: inout GrammarBuilder) throws {
        try lowerASCII(steps, from: from, into: &builder)
        let leads: [(bytes: ClosedRange<UInt8>, mask: UInt32, tail: Int, valid: ClosedRange<UInt32>)] = [
            (0xC2...0xDF, 0x1F, 1, 0x80...0x7FF), (0xE0...0xEF, 0x0F, 2, 0x800...0xFFFF),
            (0xF0...0xF4, 0x07, 3, 0x10000...0x10FFFF),
        ]
        for lead in leads {
            let width = UInt32(1) << UInt32(6 * lead.tail)
            var edges: [ByteGrammar.Edge] = []
            for byte in lead.bytes {
                let base = (UInt32(byte) & lead.mask) * width
                guard let target = try block(base, lead.tail, steps, into: &builder) else { continue }
                Self.append(byte, target, to: &edges)
            }
            for edge in edges { try builder.add(edge, from: from) }
        }
    }

    private static func append(_ byte: UInt8, _ target: Position, to edges: inout [ByteGrammar.Edge]) {
        if let last = edges.last, last.target == target, last.high == byte - 1 {
            edges[edges.count - 1].high = byte
        } else {
            edges.append(ByteGrammar.Edge(kind: .byte, low: byte, high: byte, target: target))
        }
    }

    /// The position that covers the scalars `base..<base + 64^length` by `length` more bytes; nil where no step goes.
    private mutating func block(
        _ base: UInt32, _ length: Int, _ steps: [Step], into builder: inout GrammarBuilder
    ) throws -> Position? {
        let last = base + (UInt32(1) << UInt32(6 * length)) - 1
        var low = 0
        var high = steps.count
        while low < high {
            let middle = (low + high) / 2
            if steps[middle].range.upperBound < base { low = middle + 1 } else { high = middle }
        }
        guard low < steps.count, steps[low].range.lowerBound <= last else { return nil }
        if steps[low].range.lowerBound <= base, steps[low].range.upperBound >= last, isWhole(base, length) {
            return try tail(steps[low].target, length, into: &builder)
        }
        var edges: [ByteGrammar.Edge] = []
        let width = UInt32(1) << UInt32(6 * (length - 1))
        for continuation in UInt8(0x80)...0xBF {
            let childBase = base + UInt32(continuation & 0x3F) * width
            guard Self.isLongEnough(childBase + width - 1, length, base) else { continue }
            let target: Position?
            if length == 1 {
                var index = low
                while index < steps.count, steps[index].range.upperBound < childBase { index += 1 }
                target =
                    index < steps.count && steps[index].range.contains(childBase) ? steps[index].target : nil
            } else {
                target = try block(childBase, length - 1, steps, into: &builder)
            }
            if let target { Self.append(continuation, target, to: &edges) }
        }
        if edges.isEmpty { return nil }
        if let known = shared[edges] { return known }
        let position = try builder.position(in: rule)
        for edge in edges { try builder.add(edge, from: position) }
        shared[edges] = position
        return position
    }

    /// Whether every scalar of a lead byte's block takes that many bytes (not so behind E0 and F0, F4).
    private func isWhole(_ base: UInt32, _ length: Int) -> Bool {
        !(length == 2 && base == 0) && !(length == 3 && (base == 0 || base == 0x100000))
    }

    /// Leaves out overlong forms: behind E0 scalars from 0x800 on, behind F0 from 0x10000 on.
    private static func isLongEnough(_ last: UInt32, _ length: Int, _ base: UInt32) -> Bool {
        if length == 2, base == 0 { return last >= 0x800 }
        if length == 3, base == 0 { return last >= 0x10000 }
        return true
    }

    private mutating func tail(
        _ target: Position, _ length: Int, into builder: inout GrammarBuilder
    ) throws -> Position {
        if length == 0 { return target }
        let key = Tail(target: target, length: length)
        if let known = tails[key] { return known }
        let next = try tail(target, length - 1, into: &builder)
        let position = try builder.position(in: rule)
        try builder.byte(position, 0x80...0xBF, to: next)
        tails[key] = position
        return position
    }

    // MARK: ASCII

    private static let shortEscapes: [(scalar: UInt32, letter: Unicode.Scalar)] = [
        (0x08, "b"), (0x09, "t"), (0x0A, "n"), (0x0C, "f"), (0x0D, "r"), (0x22, "\""), (0x5C, "\\"),
    ]

    private mutating func lowerASCII(_ steps: [Step], from: Position, into builder: inout GrammarBuilder) throws {
        let isPlain = encoding == .plain
        var escape: Position?
        for (range, target) in steps where range.lowerBound < 0x80 {
            var runStart: UInt32?
            for scalar in range.lowerBound...min(range.upperBound, 0x7F) {
                let isRaw = isPlain || (scalar >= 0x20 && scalar != 0x22 && scalar != 0x5C)
                if isRaw, runStart == nil { runStart = scalar }
                let isLast = scalar == min(range.upperBound, 0x7F)
                if let start = runStart, !isRaw || isLast {
                    try builder.byte(from, UInt8(start)...UInt8(isRaw ? scalar : scalar - 1), to: target)
                    runStart = nil
                }
                guard !isRaw else { continue }
                if escape == nil {
                    let position = try builder.position(in: rule)
                    try builder.byte(from, "\\", to: position)
                    escape = position
                }
                if let escape { try lowerEscape(scalar, from: escape, to: target, into: &builder) }
            }
        }
    }

    private func lowerEscape(
        _ scalar: UInt32, from escape: Position, to target: Position, into builder: inout GrammarBuilder
    ) throws {
        if let short = Self.shortEscapes.first(where: { $0.scalar == scalar }) {
            try builder.byte(escape, short.letter, to: target)
            return
        }
        let hex = Array(String(scalar, radix: 16).utf8)
        let digits = Array("u00".utf8) + (hex.count == 1 ? [UInt8(ascii: "0")] : []) + hex
        let beforeLast = try builder.literal(escape, digits.dropLast())
        try builder.byte(beforeLast, digits[digits.count - 1]...digits[digits.count - 1], to: target)
    }
}
