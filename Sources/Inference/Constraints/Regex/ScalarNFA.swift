/// A nondeterministic automaton over Unicode scalars (Thompson's construction), with anchors as guarded silent steps.
struct ScalarNFA {
    enum Step {
        /// Consumes one scalar of set `index`.
        case consume(set: Int, to: Int)
        case silent(to: Int)
        /// Silent, at the start of the text only.
        case atStart(to: Int)
        /// Silent, at the end of the text only: nothing may be consumed after it.
        case atEnd(to: Int)
    }

    private(set) var steps: [[Step]] = []
    private(set) var sets: [ScalarSet] = []
    private(set) var start = 0
    private(set) var accept = 0
    private var setIndex: [ScalarSet: Int] = [:]
    private let stateLimit: Int

    /// - Throws: `TooComplex` past `stateLimit` states.
    init(_ node: RegexNode, stateLimit: Int) throws {
        self.stateLimit = stateLimit
        start = try newState()
        accept = try build(node, from: start)
    }

    private mutating func newState() throws -> Int {
        guard steps.count < stateLimit else { throw TooComplex(what: "more than \(stateLimit) states") }
        steps.append([])
        return steps.count - 1
    }

    /// Adds the automaton of `node` behind the state `from` and returns its last state.
    private mutating func build(_ node: RegexNode, from: Int) throws -> Int {
        switch node {
        case .empty: return from
        case .set(let set):
            let to = try newState()
            steps[from].append(.consume(set: index(of: set), to: to))
            return to
        case .sequence(let parts):
            var state = from
            for part in parts { state = try build(part, from: state) }
            return state
        case .alternation(let branches):
            let join = try newState()
            for branch in branches {
                let entry = try newState()
                steps[from].append(.silent(to: entry))
                steps[try build(branch, from: entry)].append(.silent(to: join))
            }
            return join
        case .repetition(let body, let minimum, let maximum):
            return try buildRepetition(body, minimum, maximum, from: from)
        case .start:
            let to = try newState()
            steps[from].append(.atStart(to: to))
            return to
        case .end:
            let to = try newState()
            steps[from].append(.atEnd(to: to))
            return to
        }
    }

    private mutating func buildRepetition(
        _ body: RegexNode, _ minimum: Int, _ maximum: Int?, from: Int
    ) throws -> Int {
        if case .empty = body { return from }
        var state = from
        for _ in 0..<minimum {
            // A body without states (an empty group) would let a huge count spin here.
            let before = steps.count
            state = try build(body, from: state)
            if steps.count == before { return state }
        }
        guard let maximum else {
            let head = try newState()
            steps[state].append(.silent(to: head))
            let entry = try newState()
            steps[head].append(.silent(to: entry))
            steps[try build(body, from: entry)].append(.silent(to: head))
            let exit = try newState()
            steps[head].append(.silent(to: exit))
            return exit
        }
        let exit = try newState()
        steps[state].append(.silent(to: exit))
        for _ in minimum..<max(minimum, maximum) {
            let entry = try newState()
            steps[state].append(.silent(to: entry))
            state = try build(body, from: entry)
            steps[state].append(.silent(to: exit))
        }
        return exit
    }

    private mutating func index(of set: ScalarSet) -> Int {
        if let known = setIndex[set] { return known }
        sets.append(set)
        setIndex[set] = sets.count - 1
        return sets.count - 1
    }
}

/// An automaton outgrew its limits. Callers turn it into a `ConstraintError` that says where.
struct TooComplex: Error {
    var what: String
}
