import Laboratory

/// Two empty jugs and a tap: fill one, empty one, or pour one into the other until either is full or empty, so that one of them holds the
/// target within so many steps.
///
/// An operation that changes nothing is no step; the reference code takes it for one.
package struct DropWater: Puzzle {
    package let sizes: [Int]
    package let target: Int
    package let steps: Int

    package init(_ numbers: [Int]) throws(PuzzleError) {
        let numbers = try PuzzleKind.dropWater.checked(numbers, ranges: [1...1000, 1...1000, 1...1000, 1...6])
        sizes = Array(numbers[..<2])
        (target, steps) = (numbers[2], numbers[3])
        guard sizes[0] < sizes[1] else {
            throw .malformed(
                kind: .dropWater, instance: numbers.map(String.init).joined(separator: " "),
                expectation: PuzzleKind.dropWater.form)
        }
        try PuzzleKind.dropWater.demandSolvable(self, numbers)
    }

    package var id: String { "drop-water \(sizes[0]) \(sizes[1]) \(target) \(steps)" }
    package var start: PuzzleState { [0, 0] }
    package var returnsAreWaste: Bool { true }

    package func moves(from state: PuzzleState, after count: Int) -> [PuzzleMove] {
        let (x, y) = (state[0], state[1])
        let (a, b) = (Double(sizes[0]), Double(sizes[1]))
        let (there, back) = (min(x, b - y), min(y, a - x))
        return [
            PuzzleMove("fill the first", [a, y]), PuzzleMove("fill the second", [x, b]),
            PuzzleMove("empty the first", [0, y]), PuzzleMove("empty the second", [x, 0]),
            PuzzleMove("pour the first into the second", [x - there, y + there]),
            PuzzleMove("pour the second into the first", [x + back, y - back]),
        ].filter { $0.state != state }
    }

    package func isSolved(_ state: PuzzleState, after count: Int) -> Bool { state.contains(Double(target)) }

    package func text(_ state: PuzzleState) -> String {
        "[\(PuzzleLine.text(state[0])) / \(sizes[0]), \(PuzzleLine.text(state[1])) / \(sizes[1])]"
    }

    package func state(_ text: String, after count: Int) -> PuzzleState? {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return nil }
        let jugs = text.dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false).map { jug in
            jug.split(separator: "/", omittingEmptySubsequences: false).map { PuzzleLine.number($0.trimmingSpaces) }
        }
        guard jugs.count == 2, jugs.allSatisfy({ $0.count == 2 }), let x = jugs[0][0], let y = jugs[1][0],
            jugs.map({ $0[1] }) == sizes.map({ Double($0) })
        else { return nil }
        return [x, y]
    }

    package func failure(_ state: PuzzleState) -> String { "no jug holds \(target) in \(text(state))" }

    package func accepts(_ answer: String) -> Bool {
        guard let texts = PuzzleLine.states(of: answer), (2...steps + 1).contains(texts.count) else { return false }
        let states = texts.compactMap { state($0, after: 0) }
        guard states.count == texts.count, states[0] == start, let end = states.last, isSolved(end, after: 0) else {
            return false
        }
        return zip(states, states.dropFirst()).allSatisfy { before, next in
            moves(from: before, after: 0).contains { $0.state == next }
        }
    }

    package var rules: String {
        "There are two jugs of \(sizes[0]) and \(sizes[1]) litres and a tap. A step is one of these: fill a jug to the brim, "
            + "as in [0 / 7, 7 / 22] -> (fill the first) [7 / 7, 7 / 22]; empty a jug, as in [8 / 8, 11 / 19] -> (empty the "
            + "first) [0 / 8, 11 / 19]; or pour one jug into the other until the one is empty or the other full, as in "
            + "[0 / 7, 9 / 9] -> (pour the second into the first) [7 / 7, 2 / 9]."
    }

    package var task: String {
        """
        \(rules)
        Both jugs are empty. Get exactly \(target) litres into one of them in at most \(steps) steps. Solve this step by step.
        End with a summary as the last line, from \(text(start)) to a state with \(target) litres in a jug:
        Summary: [0 / \(sizes[0]), 0 / \(sizes[1])] -> [x / \(sizes[0]), y / \(sizes[1])] -> …
        To get 3 litres with jugs of 6 and 9 in 2 steps, for example, it would be
        Summary: [0 / 6, 0 / 9] -> [0 / 6, 9 / 9] -> [6 / 6, 3 / 9]
        """
    }

    package func valueQuestion(_ state: PuzzleState, after count: Int) -> String {
        "The jugs stand at \(text(state)). How many more steps does it take to have \(target) litres in one of them?"
    }

    /// The fewest steps; one more than are left where those don't suffice.
    package func value(_ state: PuzzleState, after count: Int) -> Double {
        Double(distance(from: state, after: count) ?? steps - count + 1)
    }

    package var valuesAreCosts: Bool { true }
}
