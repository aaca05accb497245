import Laboratory

/// Three numbers are joined by two operations of arithmetic so that the goal is left.
package struct ArithmeticPuzzle: Puzzle {
    package let given: [Int]
    package let goal: Int

    /// How far a rounded number may be from the exact one.
    static let tolerance = 0.02

    package init(_ numbers: [Int]) throws(PuzzleError) {
        let range = 1...1000
        let numbers = try PuzzleKind.arithmetic.checked(numbers, ranges: [range, range, range, range])
        given = Array(numbers[..<3])
        goal = numbers[3]
        try PuzzleKind.arithmetic.demandSolvable(self, numbers)
    }

    package var id: String { "arithmetic \(given.map(String.init).joined(separator: " ")) \(goal)" }
    package var steps: Int { 2 }
    package var start: PuzzleState { given.map { Double($0) } }

    package func moves(from state: PuzzleState, after count: Int) -> [PuzzleMove] {
        var moves: [PuzzleMove] = []
        var known: Set<PuzzleState> = []
        for (i, first) in state.enumerated() {
            for (j, second) in state.enumerated() where i != j {
                let rest = state.enumerated().filter { $0.offset != i && $0.offset != j }.map(\.element)
                for symbol in "+-*/" {
                    guard let result = Self.result(first, symbol, second), j > i || "-/".contains(symbol) else {
                        continue
                    }
                    let next = (rest + [result]).sorted()
                    guard known.insert(next).inserted else { continue }
                    let texts = [first, second, result].map { PuzzleLine.text($0) }
                    moves.append(PuzzleMove("\(texts[0]) \(symbol) \(texts[1]) = \(texts[2])", next))
                }
            }
        }
        return moves
    }

    private static func result(_ first: Double, _ symbol: Character, _ second: Double) -> Double? {
        switch symbol {
        case "+": first + second
        case "-": first - second
        case "*": first * second
        default: second == 0 ? nil : first / second
        }
    }

    package func isSolved(_ state: PuzzleState, after count: Int) -> Bool {
        count == steps && state.count == 1 && abs(state[0] - Double(goal)) < 1e-9
    }

    package func text(_ state: PuzzleState) -> String {
        "[" + state.map { PuzzleLine.text($0) }.joined(separator: ", ") + "]"
    }

    package func state(_ text: String, after count: Int) -> PuzzleState? {
        PuzzleLine.list(text).flatMap { $0.count == 3 - count ? $0 : nil }
    }

    package func summary(_ path: [PuzzleMove]) -> String {
        text(start) + path.map { " -> (\($0.operation)) -> \(text($0.state))" }.joined()
    }

    package func failure(_ state: PuzzleState) -> String {
        state.count == 1 ? "\(text(state)) is not \(goal)" : "\(text(state)) can't give \(goal)"
    }

    /// Both equations hold, each takes two numbers of its state and leaves the rest with the result, and the goal is left.
    package func accepts(_ answer: String) -> Bool {
        guard let parts = PuzzleLine.parts(of: answer), parts.count == 5 else { return false }
        var state: PuzzleState?
        var used: (before: PuzzleState, operands: PuzzleState, result: Double)?
        for part in parts {
            switch part {
            case .operation(let text):
                guard used == nil, let before = state, let read = PuzzleLine.equation(text),
                    let exact = Self.result(read.first, read.symbol, read.second),
                    abs(exact - read.result) <= Self.tolerance
                else { return false }
                used = (before, [read.first, read.second], read.result)
            case .state(let text):
                guard let next = PuzzleLine.list(text) else { return false }
                if let used {
                    guard Self.areSame(used.before + [used.result], next + used.operands) else { return false }
                } else if state != nil || !Self.areSame(next, start) {
                    return false
                }
                (state, used) = (next, nil)
            }
        }
        guard used == nil, let state, state.count == 1 else { return false }
        return abs(state[0] - Double(goal)) <= Self.tolerance
    }

    /// The same numbers in any order, within the tolerance.
    private static func areSame(_ a: PuzzleState, _ b: PuzzleState) -> Bool {
        a.count == b.count && zip(a.sorted(), b.sorted()).allSatisfy { abs($0 - $1) <= tolerance }
    }

    package var rules: String {
        "There are some numbers. A step takes two of them and puts their sum, difference, product or quotient in their place, as "
            + "in [2, 3, 6] -> (2 + 6 = 8) [3, 8]."
    }

    package var task: String {
        """
        \(rules)
        Take two steps from \(text(start)) so that \(goal) alone is left. Solve this step by step.
        End with a summary as the last line: Summary: [a, b, c] -> (operation) -> [d, e] -> (operation) -> [\(goal)]
        To get 24 from 2, 3 and 6, for example, it would be
        Summary: [2, 3, 6] -> (2 + 6 = 8) -> [3, 8] -> (3 * 8 = 24) -> [24]
        """
    }

    package func valueQuestion(_ state: PuzzleState, after count: Int) -> String {
        "How likely is it, from 0 to 100, that \(goal) can be made of \(text(state)), every number used once?"
    }
}
