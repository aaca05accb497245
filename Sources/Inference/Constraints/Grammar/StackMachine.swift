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
    static let unknown: StateID = -1

    let grammar: ByteGrammar
    let distances: GrammarDistances
    let limits: ConstraintLimits
    /// Turns of a loop further than this from its bounds cannot matter to one token.
    private let horizon: UInt32
    private let recursionLimit: Int

    /// Bytes that no edge tells apart share a class.
    let classOfByte: [UInt8]
    private let byteOfClass: [UInt8]
    let classCount: Int
    private let traits: [PositionTraits]
    /// Stands below a frame whose surroundings do not matter: behind it nothing is known.
    private let exit: Int32

    /// Grows by one whenever all states are forgotten.
    private(set) var epoch = 0
    /// Per state: its stacks, each preceded by its number of frames (0: the whole text may end here), nearest to the end first.
    private(set) var keys: [[UInt64]] = []
    private var numbers: [[UInt64]: StateID] = [:]
    /// [states, classes]
    private(set) var rows: [StateID] = []
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
        /// In a rule that calls no other.
        static let leaf = PositionTraits(rawValue: 32)
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
        exit = Int32(grammar.positionCount)
        var isLeaf = [Bool](repeating: true, count: grammar.rules.count)
        for position in 0..<grammar.positionCount {
            if grammar.edges(of: position).contains(where: { $0.kind == .call }) {
                isLeaf[Int(grammar.ruleOfPosition[position])] = false
            }
        }
        traits = (0..<grammar.positionCount).map { position in
            var traits: PositionTraits = []
            let edges = grammar.edges(of: position)
            if edges.contains(where: \.consumesByte) { traits.insert(.consumes) }
            if edges.contains(where: { !$0.consumesByte }) { traits.insert(.opens) }
            if grammar.isFinal[position] { traits.insert(edges.isEmpty ? [.final, .onlyEnds] : .final) }
            if distances.isRecursive[Int(grammar.ruleOfPosition[position])] { traits.insert(.recursive) }
            if isLeaf[Int(grammar.ruleOfPosition[position])] { traits.insert(.leaf) }
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
        if rows[slot] == Self.unknown { learn(state, Int(classOfByte[Int(byte)])) }
        return rows[slot]
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

    mutating func number(of key: [UInt64]) -> StateID {
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

    func distanceToEnd(_ stack: ArraySlice<Frame>) -> UInt32 {
        var total: UInt32 = 0
        for frame in stack where Self.position(frame) != exit {
            total = GrammarDistances.sum(
                total, distances.distance(from: Self.position(frame), turns: Self.turns(frame)), 0)
        }
        return total
    }

    static func forEachStack(_ key: [UInt64], _ body: (ArraySlice<Frame>) -> Void) {
        var at = 0
        while at < key.count {
            let count = Int(key[at])
            body(key[at + 1..<at + 1 + count])
            at += 1 + count
        }
    }

    // MARK: steps

    /// Where one stack goes with one byte: its new top.
    private struct Move: Hashable {
        var stack: Int
        var top: Frame
    }

    /// Fills in the transition of a class, and of all other classes where that costs little: most lead to few states.
    private mutating func learn(_ state: StateID, _ wanted: Int) {
        let key = keys[Int(state)]
        var stacks: [ArraySlice<Frame>] = []
        Self.forEachStack(key) { stacks.append($0) }
        let classes = stacks.count <= 8 ? 0..<classCount : wanted..<wanted + 1
        var known: [(moves: [Move], target: StateID)] = []
        var moves: [Move] = []
        for index in classes {
            moves.removeAll(keepingCapacity: true)
            for (number, stack) in stacks.enumerated() {
                if let top = stack.last { addMoves(of: number, top, byteOfClass[index], to: &moves) }
            }
            let slot = Int(state) * classCount + index
            if moves.isEmpty {
                rows[slot] = Self.dead
            } else if let same = known.first(where: { $0.moves == moves }) {
                rows[slot] = same.target
            } else {
                let target = follow(moves, stacks)
                rows[slot] = target
                known.append((moves, target))
            }
        }
    }

    private func addMoves(of stack: Int, _ top: Frame, _ byte: UInt8, to moves: inout [Move]) {
        let position = Int(Self.position(top))
        guard position != Int(exit) else { return }
        let turns = Self.turns(top)
        for edge in grammar.edges(of: position) where edge.consumesByte && edge.low <= byte && byte <= edge.high {
            var turnsAfter = turns
            if edge.kind != .byte, let loop = grammar.rules[Int(grammar.ruleOfPosition[position])].loop {
                if edge.kind == .closingByte {
                    guard turns >= loop.minimum else { continue }
                } else if let maximum = loop.maximum {
                    guard turns < maximum else { continue }
                    turnsAfter += 1
                } else if turns < loop.minimum {
                    turnsAfter += 1
                }
            }
            moves.append(Move(stack: stack, top: Self.frame(edge.target, turnsAfter)))
        }
    }

    private mutating func follow(_ moves: [Move], _ stacks: [ArraySlice<Frame>]) -> StateID {
        var closure = StackClosure()
        for move in moves { open(Array(stacks[move.stack].dropLast()) + [move.top], into: &closure) }
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
            guard position != Int(exit) else {
                closure.stacks.append(stack)
                continue
            }
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
        guard position != exit else { return true }
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

    // MARK: states whose masks are shared

    /// A frame that permits the same tokens within its rule and whose loop has turned as little as possible: far from the
    /// bounds of a loop, one mask serves for all its turns. No token leads the frame further from the end than its twin.
    func twin(of frame: Frame) -> Frame {
        let position = Self.position(frame)
        let turns = Self.turns(frame)
        guard position != exit, turns > 0,
            let loop = grammar.rules[Int(grammar.ruleOfPosition[Int(position)])].loop
        else { return frame }
        if let maximum = loop.maximum, maximum - turns <= horizon { return frame }
        if turns >= loop.minimum { return Self.frame(position, loop.minimum) }
        return loop.minimum - turns > horizon ? Self.frame(position, 0) : frame
    }

    /// The state with every frame replaced by its twin.
    mutating func twin(of state: StateID) -> StateID {
        if plainTwin[Int(state)] >= 0 { return plainTwin[Int(state)] }
        var key = keys[Int(state)]
        var at = 0
        while at < key.count {
            let count = Int(key[at])
            for index in at + 1..<at + 1 + count { key[index] = twin(of: key[index]) }
            at += 1 + count
        }
        let twin = number(of: key)
        plainTwin[Int(state)] = twin
        return twin
    }

    /// Whether a stack's top stands in a rule that calls no other, so that what it permits before it ends depends on it alone.
    func isLeaf(_ top: Frame) -> Bool {
        Self.position(top) != exit && traits[Int(Self.position(top))].contains(.leaf)
    }

    /// The state of a frame without its surroundings.
    mutating func isolated(_ top: Frame) -> StateID { number(of: [2, Self.frame(exit, 0), top]) }

    /// Whether an isolated frame's rule may have ended in a state, and whether it must have.
    func hasLeft(_ state: StateID) -> (may: Bool, must: Bool) {
        // The bare exit is nearest to the end, so it stands first.
        let key = keys[Int(state)]
        guard key.count >= 2, key[0] == 1, key[1] == Self.frame(exit, 0) else { return (false, false) }
        return (true, key.count == 2)
    }

    /// The state of a stack whose top frame has ended.
    mutating func surroundings(of stack: ArraySlice<Frame>) -> StateID {
        var closure = StackClosure()
        open(Array(stack.dropLast()), into: &closure)
        return intern(closure)
    }
}

/// The stacks gathered for one state.
private struct StackClosure {
    var stacks: [[UInt64]] = []
    var mayEnd = false
    private var seen: Set<[UInt64]> = []

    mutating func insert(_ stack: [UInt64]) -> Bool { seen.insert(stack).inserted }
}
