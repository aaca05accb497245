import Laboratory

/// An operation on a number.
package enum NumberOperation: Sendable, Hashable {
    case add(Int)
    case multiply(Int)

    package func callAsFunction(_ number: Double) -> Double {
        switch self {
        case .add(let other): number + Double(other)
        case .multiply(let factor): number * Double(factor)
        }
    }

    package var text: String {
        switch self {
        case .add(let other): other < 0 ? String(other) : "+\(other)"
        case .multiply(let factor): "x\(factor)"
        }
    }
}

/// From one number to another by exactly so many operations; no number on the way leaves 0 to 100.
package struct NumberPath: Puzzle {
    package let steps: Int
    package let from: Int
    package let goal: Int
    package let operations: [NumberOperation]

    package static let range = 0.0...100.0

    /// The paper's puzzle: doubling and adding one.
    package init(_ numbers: [Int]) throws(PuzzleError) {
        let numbers = try PuzzleKind.numberPath.checked(numbers, ranges: [1...6, 1...100, 1...100])
        self.init(steps: numbers[0], from: numbers[1], to: numbers[2])
        try PuzzleKind.numberPath.demandSolvable(self, numbers)
    }

    /// Any two numbers and operations, solvable or not.
    package init(
        steps: Int, from: Int, to goal: Int, operations: [NumberOperation] = [.multiply(2), .add(1)]
    ) {
        self.steps = steps
        self.from = from
        self.goal = goal
        self.operations = operations
    }

    package var id: String { "number-path \(steps) \(from) \(goal)" }
    package var start: PuzzleState { [Double(from)] }

    package func moves(from state: PuzzleState, after count: Int) -> [PuzzleMove] {
        operations.map { PuzzleMove($0.text, [$0(state[0])]) }.filter { Self.range.contains($0.state[0]) }
    }

    package func isSolved(_ state: PuzzleState, after count: Int) -> Bool { count == steps && state[0] == Double(goal) }

    package func text(_ state: PuzzleState) -> String { PuzzleLine.text(state[0]) }

    package func state(_ text: String, after count: Int) -> PuzzleState? {
        PuzzleLine.list(text).flatMap { $0.count == 1 ? $0 : nil }
    }

    package func failure(_ state: PuzzleState) -> String { "\(text(state)) is not \(goal)" }

    package func accepts(_ answer: String) -> Bool {
        guard let texts = PuzzleLine.states(of: answer), texts.count == steps + 1 else { return false }
        let states = texts.compactMap { state($0, after: 0) }
        guard states.count == texts.count, states[0] == start, states.last == [Double(goal)] else { return false }
        return zip(states, states.dropFirst()).allSatisfy { before, next in
            moves(from: before, after: 0).contains { $0.state == next }
        }
    }

    package var rules: String {
        "Numbers run from 1 to 100. Operation "
            + operations.map { operation in
                switch operation {
                case .add(let other): "\(operation.text) adds \(other)"
                case .multiply(let factor): "\(operation.text) multiplies a number by \(factor)"
                }
            }.joined(separator: ", operation ") + "."
    }

    package var task: String {
        """
        \(rules)
        Start from \(from) and reach \(goal) by exactly \(steps) operations, no more and no fewer. Solve this step by step.
        End with a summary as the last line, from \(from) to \(goal) with \(steps) arrows: Summary: number -> number -> …
        From 1 to 10 by exactly 4 operations, for example, it would be
        Summary: 1 -> 2 -> 4 -> 5 -> 10
        """
    }

    package func valueQuestion(_ state: PuzzleState, after count: Int) -> String {
        "How likely is it, from 0 to 100, that exactly \(steps - count) such operations lead from \(text(state)) to \(goal)?"
    }
}
