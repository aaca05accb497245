/// Follows a `ByteGrammar` byte by byte, as an automaton whose states are made when they are first reached.
///
/// A state is the set of all stacks of return positions that the text so far can have led to. Stacks from which the end
/// cannot be reached are never kept, so every state can be completed. States are numbered and their transitions remembered:
/// a known step is one table look-up.
struct StackMachine {
    typealias StateID = Int32
    /// A stack as it stands in a state's description: its position in the upper half, the turns of its loop in the lower.
    typealias Frame = UInt64

    static let dead: StateID = -2
    private static let unknown: StateID = -1

    let grammar: ByteGrammar
    let distances: GrammarDistances
    let limits: ConstraintLimits
    /// Turns of a loop further than this from its bounds cannot matter to one token.
    private let horizon: UInt32
    private let recursionLimit: Int

    /// Bytes that no edge tells apart share a class.
    private let classOfByte: [UInt8]
    private let byteOfClass: [UInt8]
    let classCount: Int
    private let traits: [PositionTraits]

    /// Grows by one whenever all states are forgotten.
    private(set) var epoch = 0
    /// Per state: its stacks, each preceded by its number of frames (0: the whole text may end here), nearest to the end first.
    private(set) var keys: [[UInt64]] = []
    private var numbers: [[UInt64]: StateID] = [:]
    /// [states, classes]
    private var rows: [StateID] = []
    /// Per state: tokens to the end by its nearest stack.
    private(set) var distance: [UInt32] = []
    private var plainTwin: [StateID] = []
    private(set) var words = 0
    var masks = MaskStore()

    private struct PositionTraits: OptionSet {
        let rawValue: UInt8
        static let consumes = PositionTraits(rawValue: 1)
        static let final = PositionTraits(rawValue: 2)
        static let opens = PositionTraits(rawValue: 4)
        static let recursive = PositionTraits(rawValue: 8)
        static let onlyEnds = PositionTraits(rawValue: 16)
    }

    init(_ grammar: ByteGrammar, distances: GrammarDistances, longestToken: Int, limits: ConstraintLimits) {
        self.grammar = grammar
        self.distances = distances
        self.limits = limits
        horizon = UInt32(longestToken)
        recursionLimit = max(limits.recursionDepth, Int(distances.frames(of: Int(grammar.root))))
        var isBoundary = [Bool](repeating: false, count: 257)
        isBoundary[0] = true
        for edge in grammar.edges where edge.consumesByte {
            isBoundary[Int(edge.low)] = true
            isBoundary[Int(edge.high) + 1] = true
        }
        var classes: [UInt8] = []
        var representatives: [UInt8] = []
        for byte in 0..<256 {
            if isBoundary[byte] { representatives.append(UInt8(byte)) }
            classes.append(UInt8(representatives.count - 1))
        }
        classOfByte = classes
        byteOfClass = representatives
        classCount = representatives.count
        traits = (0..<grammar.positionCount).map { position in
            var traits: PositionTraits = []
            let edges = grammar.edges(of: position)
            if edges.contains(where: \.consumesByte) { traits.insert(.consumes) }
            if edges.contains(where: { !$0.consumesByte }) { traits.insert(.opens) }
            if grammar.isFinal[position] { traits.insert(edges.isEmpty ? [.final, .onlyEnds] : .final) }
            if distances.isRecursive[Int(grammar.ruleOfPosition[position])] { traits.insert(.recursive) }
            return traits
        }
    }

    // MARK: states

    mutating func startState() -> StateID {
        var closure = StackClosure()
        open([Self.frame(grammar.rules[Int(grammar.root)].start, 0)], into: &closure)
        return intern(closure)
    }

    /// The number of a state that may have been forgotten since it was numbered.
    mutating func resolve(_ key: [UInt64], _ id: StateID, epoch known: Int) -> StateID {
        known == epoch ? id : number(of: key)
    }

    /// Forgets everything where the memory limit is passed. Never call it while numbers are in use.
    mutating func trim() {
        guard words > limits.rememberedWords else { return }
        epoch += 1
        keys = []
        numbers = [:]
        rows = []
        distance = []
        plainTwin = []
        words = 0
        masks = MaskStore()
    }

    func isAccepting(_ state: StateID) -> Bool { keys[Int(state)].first == 0 }

    /// Whether nothing but the end can follow.
    func isFinished(_ state: StateID) -> Bool { keys[Int(state)] == [0] }

    /// Past twice the memory limit, states beyond the first byte of a token are no longer made.
    var isOverfull: Bool { words > 2 * limits.rememberedWords }

    /// The state behind a byte, or `dead`.
    mutating func next(_ state: StateID, _ byte: UInt8) -> StateID {
        let slot = Int(state) * classCount + Int(classOfByte[Int(byte)])
        let known = rows[slot]
        if known != Self.unknown { return known }
        let target = step(state, byteOfClass[Int(classOfByte[Int(byte)])])
        rows[slot] = target
        return target
    }

    /// The remembered state behind a byte: `dead`, or nil when it has not been visited.
    func known(_ state: StateID, _ byte: UInt8) -> StateID? {
        let value = rows[Int(state) * classCount + Int(classOfByte[Int(byte)])]
        return value == Self.unknown ? nil : value
    }

    /// The bytes that can follow, at most `limit` of them.
    mutating func followers(_ state: StateID, limit: Int) -> [UInt8] {
        var found: [UInt8] = []
        for byte in UInt8.min...UInt8.max where next(state, byte) != Self.dead {
            found.append(byte)
            if found.count == limit { break }
        }
        return found
    }

    private mutating func number(of key: [UInt64]) -> StateID {
        if let known = numbers[key] { return known }
        let id = StateID(keys.count)
        keys.append(key)
        numbers[key] = id
        rows.append(contentsOf: repeatElement(Self.unknown, count: classCount))
        distance.append(measure(key))
        plainTwin.append(-1)
        words += key.count + classCount / 2 + 8
        return id
    }

    private func measure(_ key: [UInt64]) -> UInt32 {
        var least = GrammarDistances.unreachable
        Self.forEachStack(key) { least = min(least, distanceToEnd($0)) }
        return least
    }

    private func distanceToEnd(_ stack: ArraySlice<Frame>) -> UInt32 {
        var total: UInt32 = 0
        for frame in stack {
            total = GrammarDistances.sum(
                total, distances.distance(from: Self.position(frame), turns: Self.turns(frame)), 0)
        }
        return total
    }

    private static func forEachStack(_ key: [UInt64], _ body: (ArraySlice<Frame>) -> Void) {
        var at = 0
        while at < key.count {
            let count = Int(key[at])
            body(key[at + 1..<at + 1 + count])
            at += 1 + count
        }
    }

    // MARK: steps

    private mutating func step(_ state: StateID, _ byte: UInt8) -> StateID {
        let key = keys[Int(state)]
        var closure = StackClosure()
        Self.forEachStack(key) { stack in
            guard let top = stack.last else { return }
            let position = Int(Self.position(top))
            let turns = Self.turns(top)
            let loop = grammar.rules[Int(grammar.ruleOfPosition[position])].loop
            for edge in grammar.edges(of: position)
            where edge.consumesByte && edge.low <= byte && byte <= edge.high {
                var turnsAfter = turns
                switch edge.kind {
                case .countingByte:
                    if let maximum = loop?.maximum {
                        guard turns < maximum else { continue }
                        turnsAfter += 1
                    } else if turns < loop?.minimum ?? 0 {
                        turnsAfter += 1
                    }
                case .closingByte: guard turns >= loop?.minimum ?? 0 else { continue }
                default: break
                }
                open(Array(stack.dropLast()) + [Self.frame(edge.target, turnsAfter)], into: &closure)
            }
        }
        return closure.stacks.isEmpty && !closure.mayEnd ? Self.dead : intern(closure)
    }

    private mutating func intern(_ closure: StackClosure) -> StateID {
        var ranked = closure.stacks.map { (distance: distanceToEnd($0[...]), stack: $0) }
        ranked.sort {
            $0.distance != $1.distance
                ? $0.distance < $1.distance : $0.stack.lexicographicallyPrecedes($1.stack)
        }
        var key: [UInt64] = closure.mayEnd ? [0] : []
        for entry in ranked.prefix(limits.parallelStacks) {
            key.append(UInt64(entry.stack.count))
            key += entry.stack
        }
        return number(of: key)
    }

    /// Adds all stacks that a stack stands for once calls are entered and ended rules left.
    private func open(_ stack: [Frame], into closure: inout StackClosure) {
        guard isAllowed(stack) else { return }
        var pending = [stack]
        while let stack = pending.popLast() {
            guard closure.stacks.count < 20_000, closure.insert(stack) else { continue }
            guard let top = stack.last else {
                closure.mayEnd = true
                continue
            }
            let position = Int(Self.position(top))
            let traits = traits[position]
            if traits.contains(.consumes) { closure.stacks.append(stack) }
            if traits.contains(.final) { pending.append(Array(stack.dropLast())) }
            guard traits.contains(.opens) else { continue }
            for edge in grammar.edges(of: position) where !edge.consumesByte {
                var next = Array(stack.dropLast())
                let after = Self.frame(edge.target, Self.turns(top))
                if edge.kind == .call {
                    // A call at the very end of a rule needs no return.
                    if !self.traits[Int(edge.target)].contains(.onlyEnds) {
                        next.append(after)
                        guard isAllowed(next) else { continue }
                    }
                    next.append(Self.frame(grammar.rules[Int(edge.callee)].start, 0))
                } else {
                    next.append(after)
                }
                if isAllowed(next) { pending.append(next) }
            }
        }
    }

    /// Whether the top frame can reach its rule's end, within the recursion limit.
    private func isAllowed(_ stack: [Frame]) -> Bool {
        guard let top = stack.last else { return true }
        let position = Self.position(top)
        guard distances.distance(from: position, turns: Self.turns(top)) != GrammarDistances.unreachable else {
            return false
        }
        let height = Int(distances.height[Int(position)])
        if stack.count + height <= recursionLimit { return true }
        var depth = 0
        for frame in stack where traits[Int(Self.position(frame))].contains(.recursive) { depth += 1 }
        return depth + height <= recursionLimit
    }

    private static func frame(_ position: Int32, _ turns: UInt32) -> Frame {
        UInt64(UInt32(bitPattern: position)) << 32 | UInt64(turns)
    }

    private static func position(_ frame: Frame) -> Int32 { Int32(bitPattern: UInt32(frame >> 32)) }

    private static func turns(_ frame: Frame) -> UInt32 { UInt32(truncatingIfNeeded: frame) }

    // MARK: twins

    /// A state that permits the same tokens and whose loops have turned as little as possible: far from the bounds of a loop,
    /// one mask serves for all its turns. No token leads the state further from the end than it leads the twin.
    mutating func twin(of state: StateID) -> StateID {
        if plainTwin[Int(state)] >= 0 { return plainTwin[Int(state)] }
        var key = keys[Int(state)]
        var at = 0
        var hasChanged = false
        while at < key.count {
            let count = Int(key[at])
            for index in at + 1..<at + 1 + count {
                let position = Self.position(key[index])
                let turns = Self.turns(key[index])
                guard turns > 0, let loop = grammar.rules[Int(grammar.ruleOfPosition[Int(position)])].loop else {
                    continue
                }
                let plain = representative(turns, loop)
                if plain != turns {
                    key[index] = Self.frame(position, plain)
                    hasChanged = true
                }
            }
            at += 1 + count
        }
        let twin = hasChanged ? number(of: key) : state
        plainTwin[Int(state)] = twin
        return twin
    }

    private func representative(_ turns: UInt32, _ loop: ByteGrammar.Loop) -> UInt32 {
        if let maximum = loop.maximum, maximum - turns <= horizon { return turns }
        if turns >= loop.minimum { return loop.minimum }
        return loop.minimum - turns > horizon ? 0 : turns
    }
}

/// The stacks gathered for one state.
private struct StackClosure {
    var stacks: [[UInt64]] = []
    var mayEnd = false
    private var seen: Set<[UInt64]> = []

    mutating func insert(_ stack: [UInt64]) -> Bool { seen.insert(stack).inserted }
}
