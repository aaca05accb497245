import Laboratory

/// The numbers that a state of a puzzle consists of.
package typealias PuzzleState = [Double]

/// An operation and the state that it leads to.
package struct PuzzleMove: Sendable, Hashable {
    /// As transcripts show it in brackets: `fill the first`, `1 + 3 = 4`.
    package var operation: String
    package var state: PuzzleState

    package init(_ operation: String, _ state: PuzzleState) {
        self.operation = operation
        self.state = state
    }
}

/// A puzzle that is solved by a few operations one after another, each of which can be checked.
package protocol Puzzle: AnswerRule {
    /// Its kind and numbers: `drop-water 5 7 2 2`.
    var id: String { get }
    var start: PuzzleState { get }
    /// The most operations; `isSolved` says whether fewer will do.
    var steps: Int { get }
    /// False: all ends have to be compared, as the least one is sought.
    var stopsAtFirst: Bool { get }
    /// Whether a state that was there before can't be on a shortest way.
    var returnsAreWaste: Bool { get }

    /// What can be done in a state, in a fixed order.
    ///
    /// - Parameter count: the operations so far.
    func moves(from state: PuzzleState, after count: Int) -> [PuzzleMove]
    func isSolved(_ state: PuzzleState, after count: Int) -> Bool

    /// A state as transcripts show it: `[0 / 5, 7 / 7]`.
    func text(_ state: PuzzleState) -> String
    /// A state read back; nil where it is none.
    func state(_ text: String, after count: Int) -> PuzzleState?
    /// The last line of a solution, without its heading.
    func summary(_ path: [PuzzleMove]) -> String
    /// What an unfinished end lacks, as a clause: `16 is not 13`.
    func failure(_ state: PuzzleState) -> String

    /// What may be done, in sentences.
    var rules: String { get }
    /// The whole task, with the form of the summary line.
    var task: String { get }

    /// The state with all that a stranger must know to go on.
    func situation(_ state: PuzzleState, after count: Int) -> String
    /// Asks for the worth of a state in one number.
    func valueQuestion(_ state: PuzzleState, after count: Int) -> String
    /// The number that a perfect valuer answers.
    func value(_ state: PuzzleState, after count: Int) -> Double
    /// Whether smaller numbers are better.
    var valuesAreCosts: Bool { get }
}

extension Puzzle {
    package var stopsAtFirst: Bool { true }
    package var returnsAreWaste: Bool { false }
    package var valuesAreCosts: Bool { false }

    package func summary(_ path: [PuzzleMove]) -> String {
        ([text(start)] + path.map { text($0.state) }).joined(separator: " -> ")
    }

    package func situation(_ state: PuzzleState, after count: Int) -> String { text(state) }

    /// 100 where the goal can be reached in the operations left, else 0.
    package func value(_ state: PuzzleState, after count: Int) -> Double {
        canFinish(state, after: count) ? 100 : 0
    }

    /// The state that a path has come to.
    package func state(after path: [PuzzleMove]) -> PuzzleState { path.last?.state ?? start }

    /// The fewest further operations that solve the puzzle; nil where those left don't suffice.
    package func distance(from state: PuzzleState, after count: Int) -> Int? {
        if isSolved(state, after: count) { return 0 }
        guard count < steps else { return nil }
        return moves(from: state, after: count).compactMap { distance(from: $0.state, after: count + 1) }.min()
            .map { $0 + 1 }
    }

    package func canFinish(_ state: PuzzleState, after count: Int) -> Bool {
        if isSolved(state, after: count) { return true }
        return count < steps
            && moves(from: state, after: count).contains { canFinish($0.state, after: count + 1) }
    }

    /// The first solution in the order of moves; nil where there is none.
    package var solution: [PuzzleMove]? {
        func search(_ path: [PuzzleMove]) -> [PuzzleMove]? {
            let state = state(after: path)
            if isSolved(state, after: path.count) { return path }
            guard path.count < steps else { return nil }
            for move in moves(from: state, after: path.count) {
                if let found = search(path + [move]) { return found }
            }
            return nil
        }
        return search([])
    }

    /// Every sequence of operations: what the checkers are compared with.
    package var paths: [[PuzzleMove]] {
        var found: [[PuzzleMove]] = []
        func search(_ path: [PuzzleMove]) {
            if !path.isEmpty { found.append(path) }
            guard path.count < steps else { return }
            for move in moves(from: state(after: path), after: path.count) { search(path + [move]) }
        }
        search([])
        return found
    }

    /// The puzzle as a question, judged by its checker.
    package var question: Question {
        Question(
            id: id, task, kind: .text, golds: solution.map { ["Summary: " + summary($0)] } ?? [],
            subject: id.prefix { $0 != " " }.description, check: AnswerCheck(self))
    }
}

/// The kinds of puzzles, by the names that users type.
public enum PuzzleKind: String, OptionChoice {
    case dropWater = "drop-water"
    case numberPath = "number-path"
    case arithmetic
    case numberSplit = "number-split"

    /// Reads an instance: its numbers in the order of the generator, `5 7 2 2`.
    package func puzzle(_ instance: String) throws(PuzzleError) -> any Puzzle {
        let fields = instance.split(whereSeparator: \.isWhitespace)
        let numbers = fields.compactMap { Int($0) }
        guard numbers.count == fields.count, fields.count <= 8 else {
            throw .malformed(kind: self, instance: String(instance.prefix(80)), expectation: form)
        }
        return try puzzle(numbers)
    }

    package func puzzle(_ numbers: [Int]) throws(PuzzleError) -> any Puzzle {
        switch self {
        case .dropWater: try DropWater(numbers)
        case .numberPath: try NumberPath(numbers)
        case .arithmetic: try ArithmeticPuzzle(numbers)
        case .numberSplit: try NumberSplit(numbers)
        }
    }

    /// What an instance consists of.
    package var form: String {
        switch self {
        case .dropWater: "four whole numbers: the smaller jug, the larger jug, the target and the most steps (1 to 6)"
        case .numberPath: "three whole numbers: the operations (1 to 6), the start and the goal"
        case .arithmetic: "four whole numbers: three to combine and the goal"
        case .numberSplit: "three whole numbers from 1 to 100"
        }
    }
}

/// Why there is no such puzzle.
public enum PuzzleError: Error, Hashable, CustomStringConvertible {
    case malformed(kind: PuzzleKind, instance: String, expectation: String)
    case unsolvable(kind: PuzzleKind, instance: String)

    public var description: String {
        switch self {
        case .malformed(let kind, let instance, let expectation):
            "The \(kind.rawValue) puzzle \(instance.debugDescription) is none: expected \(expectation)."
        case .unsolvable(let kind, let instance):
            "The \(kind.rawValue) puzzle \(instance.debugDescription) has no solution within its steps; give one that has."
        }
    }
}

extension PuzzleKind {
    /// The numbers of an instance where all are in their ranges.
    func checked(_ numbers: [Int], ranges: [ClosedRange<Int>]) throws(PuzzleError) -> [Int] {
        guard numbers.count == ranges.count, zip(numbers, ranges).allSatisfy({ $1.contains($0) }) else {
            throw .malformed(kind: self, instance: numbers.map(String.init).joined(separator: " "), expectation: form)
        }
        return numbers
    }

    func demandSolvable(_ puzzle: any Puzzle, _ numbers: [Int]) throws(PuzzleError) {
        guard puzzle.canFinish(puzzle.start, after: 0) else {
            throw .unsolvable(kind: self, instance: numbers.map(String.init).joined(separator: " "))
        }
    }
}
