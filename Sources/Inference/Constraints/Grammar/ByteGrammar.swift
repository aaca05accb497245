/// A grammar over bytes: rules are automata whose steps consume a byte or call another rule, so that recursion is a stack of
/// return positions. Built by `GrammarBuilder`, followed by `StackMachine`.
struct ByteGrammar: Sendable {
    struct Edge: Hashable, Sendable {
        enum Kind: UInt8, Sendable {
            /// Consumes a byte of `low...high`.
            case byte
            /// The same, and counts one turn of the rule's loop, which must be below the loop's maximum.
            case countingByte
            /// The same, once the loop's minimum is reached.
            case closingByte
            /// Consumes what the rule `callee` matches.
            case call
            /// Consumes nothing.
            case silent
        }

        var kind: Kind
        var low: UInt8 = 0
        var high: UInt8 = 0
        var callee: Int32 = -1
        var target: Int32

        var consumesByte: Bool {
            switch kind {
            case .byte, .countingByte, .closingByte: true
            case .call, .silent: false
            }
        }
    }

    /// The turns of a rule's counted loop.
    struct Loop: Sendable, Hashable {
        var minimum: UInt32
        /// nil: without bound.
        var maximum: UInt32?
        /// The rule that each turn calls once; nil where a turn consumes one character.
        var item: Int32?
    }

    struct Rule: Sendable {
        var start: Int32
        var loop: Loop?
    }

    var rules: [Rule]
    var root: Int32
    /// [positions + 1] offsets into `edges`.
    var edgeOffsets: [Int32]
    var edges: [Edge]
    /// Positions where their rule may end.
    var isFinal: [Bool]
    var ruleOfPosition: [Int32]

    var positionCount: Int { isFinal.count }

    func edges(of position: Int) -> ArraySlice<Edge> {
        edges[Int(edgeOffsets[position])..<Int(edgeOffsets[position + 1])]
    }
}

/// Collects the rules, positions and edges of a `ByteGrammar`.
struct GrammarBuilder {
    typealias RuleID = Int32
    typealias Position = Int32
    typealias Edge = ByteGrammar.Edge

    private(set) var rules: [ByteGrammar.Rule] = []
    private struct Branch: Hashable {
        var position: Position
        var byte: UInt8
    }

    private var sources: [Position] = []
    private var edges: [Edge] = []
    private var isFinal: [Bool] = []
    private var ruleOfPosition: [RuleID] = []
    let limits: ConstraintLimits

    init(limits: ConstraintLimits) { self.limits = limits }

    /// - Throws: `TooComplex`, as does every function here that adds positions.
    mutating func rule(loop: ByteGrammar.Loop? = nil) throws -> (id: RuleID, start: Position) {
        guard rules.count < limits.rules else { throw TooComplex(what: "more than \(limits.rules) rules") }
        let id = RuleID(rules.count)
        rules.append(ByteGrammar.Rule(start: -1, loop: loop))
        let start = try position(in: id)
        rules[Int(id)].start = start
        return (id, start)
    }

    mutating func setLoop(_ loop: ByteGrammar.Loop, of rule: RuleID) { rules[Int(rule)].loop = loop }

    mutating func position(in rule: RuleID) throws -> Position {
        guard isFinal.count < limits.positions else {
            throw TooComplex(what: "more than \(limits.positions) grammar positions")
        }
        isFinal.append(false)
        ruleOfPosition.append(rule)
        return Position(isFinal.count - 1)
    }

    func rule(of position: Position) -> RuleID { ruleOfPosition[Int(position)] }

    mutating func setFinal(_ position: Position) { isFinal[Int(position)] = true }

    mutating func add(_ edge: Edge, from: Position) throws {
        guard edges.count < limits.positions * 8 else {
            throw TooComplex(what: "more than \(limits.positions * 8) grammar steps")
        }
        sources.append(from)
        edges.append(edge)
    }

    mutating func byte(
        _ from: Position, _ range: ClosedRange<UInt8>, to: Position, kind: Edge.Kind = .byte
    ) throws {
        try add(Edge(kind: kind, low: range.lowerBound, high: range.upperBound, target: to), from: from)
    }

    mutating func byte(_ from: Position, _ character: Unicode.Scalar, to: Position, kind: Edge.Kind = .byte) throws {
        let value = UInt8(ascii: character)
        try byte(from, value...value, to: to, kind: kind)
    }

    mutating func call(_ from: Position, _ callee: RuleID, to: Position) throws {
        try add(Edge(kind: .call, callee: callee, target: to), from: from)
    }

    mutating func silent(_ from: Position, to: Position) throws {
        try add(Edge(kind: .silent, target: to), from: from)
    }

    /// The position behind the bytes of `text`, in the rule of `from`.
    mutating func literal(_ from: Position, _ text: some Sequence<UInt8>) throws -> Position {
        var current = from
        for value in text {
            let next = try position(in: rule(of: from))
            try byte(current, value...value, to: next)
            current = next
        }
        return current
    }

    /// The position behind one optional space: what models write after ":" and ",".
    mutating func optionalSpace(_ from: Position) throws -> Position {
        let after = try position(in: rule(of: from))
        try byte(from, " ", to: after)
        try silent(from, to: after)
        return after
    }

    /// A tree of byte strings behind `from`; the ends are final.
    mutating func tree(_ from: Position, of texts: some Sequence<[UInt8]>) throws {
        var children: [Branch: Position] = [:]
        for text in texts {
            var current = from
            for value in text {
                let branch = Branch(position: current, byte: value)
                if let known = children[branch] {
                    current = known
                    continue
                }
                let next = try position(in: rule(of: from))
                try byte(current, value...value, to: next)
                children[branch] = next
                current = next
            }
            setFinal(current)
        }
    }

    func build(root: RuleID) -> ByteGrammar {
        var offsets = [Int32](repeating: 0, count: isFinal.count + 1)
        for source in sources { offsets[Int(source) + 1] += 1 }
        for index in 1..<offsets.count { offsets[index] += offsets[index - 1] }
        var cursor = offsets
        var sorted = [Edge](repeating: Edge(kind: .silent, target: -1), count: edges.count)
        for (source, edge) in zip(sources, edges) {
            sorted[Int(cursor[Int(source)])] = edge
            cursor[Int(source)] += 1
        }
        return ByteGrammar(
            rules: rules, root: root, edgeOffsets: offsets, edges: sorted, isFinal: isFinal,
            ruleOfPosition: ruleOfPosition)
    }
}
