/// Turns the tree of a regular expression into a program.
struct RegexCompiler {
    private let pattern: String
    private(set) var program: [RegexInstruction] = []
    private(set) var sets: [ScalarSet] = []

    /// Longer programs are refused.
    private static let maxProgram = 1 << 14

    init(pattern: String) { self.pattern = pattern }

    mutating func emit(_ instruction: RegexInstruction) { program.append(instruction) }

    private mutating func index(of set: ScalarSet) -> Int {
        sets.append(set)
        return sets.count - 1
    }

    mutating func compile(_ node: RegexNode) throws(TokenizerError) {
        guard program.count <= Self.maxProgram else {
            throw TokenizerError("pattern", "'\(pattern.prefix(200))' is too large")
        }
        switch node {
        case .empty: break
        case .set(let set): emit(.scalar(set: index(of: set)))
        case .sequence(let nodes): for node in nodes { try compile(node) }
        case .choice(let alternatives): try compile(alternatives: alternatives)
        case .repetition(let node, let min, let max, let mode): try compile(node, min, max, mode)
        case .look(let node, let negative):
            try compileInner(node) { .look(negative: negative, next: $0) }
        case .atomic(let node): try compileInner(node) { .atomic(next: $0) }
        case .start: emit(.start)
        case .end: emit(.end)
        case .wordBoundary(let negative): emit(.wordBoundary(negative: negative))
        }
    }

    /// A program of its own that ends in `match`, before which stands an instruction that knows where it ends.
    private mutating func compileInner(
        _ node: RegexNode, _ outer: (Int) -> RegexInstruction
    ) throws(TokenizerError) {
        let place = program.count
        emit(.match)
        try compile(node)
        emit(.match)
        program[place] = outer(program.count)
    }

    private mutating func compile(alternatives: [RegexNode]) throws(TokenizerError) {
        var exits: [Int] = []
        for (index, alternative) in alternatives.enumerated() {
            let isLast = index == alternatives.count - 1
            let place = program.count
            if !isLast { emit(.jump(0)) }
            try compile(alternative)
            if !isLast {
                exits.append(program.count)
                emit(.jump(0))
                program[place] = .split(place + 1, program.count)
            }
        }
        for exit in exits { program[exit] = .jump(program.count) }
    }

    private mutating func compile(
        _ node: RegexNode, _ min: Int, _ max: Int, _ mode: RepetitionMode
    ) throws(TokenizerError) {
        if case .set(let set) = node, mode != .lazy || max == .max {
            emit(.repeatScalar(set: index(of: set), min: min, max: max, mode))
            return
        }
        if mode == .possessive {
            return try compileInner(.repetition(node, min: min, max: max, .greedy)) { .atomic(next: $0) }
        }
        guard max != .max || !Self.matchesEmpty(node) else {
            throw TokenizerError("pattern", "'\(pattern.prefix(200))' repeats without end what may be empty")
        }
        for _ in 0..<min {
            let before = program.count
            try compile(node)
            if program.count == before { return }
        }
        if max == .max {
            let place = program.count
            emit(.jump(0))
            try compile(node)
            emit(.jump(place))
            program[place] = split(enters: place + 1, leaves: program.count, mode)
            return
        }
        var places: [Int] = []
        for _ in min..<max {
            places.append(program.count)
            emit(.jump(0))
            try compile(node)
        }
        for place in places { program[place] = split(enters: place + 1, leaves: program.count, mode) }
    }

    private func split(enters: Int, leaves: Int, _ mode: RepetitionMode) -> RegexInstruction {
        mode == .lazy ? .split(leaves, enters) : .split(enters, leaves)
    }

    private static func matchesEmpty(_ node: RegexNode) -> Bool {
        switch node {
        case .set: false
        case .sequence(let nodes): nodes.allSatisfy(matchesEmpty)
        case .choice(let nodes): nodes.contains(where: matchesEmpty)
        case .repetition(let node, let min, _, _): min == 0 || matchesEmpty(node)
        case .atomic(let node): matchesEmpty(node)
        case .empty, .look, .start, .end, .wordBoundary: true
        }
    }
}
