import Laboratory

/// Three numbers are written as products x·y one after another; the x are added to X, the y to Y, and X·Y must come out as small as
/// possible.
package struct NumberSplit: Puzzle {
    package let given: [Int]
    /// The smallest X·Y.
    package let least: Int

    package init(_ numbers: [Int]) throws(PuzzleError) {
        given = try PuzzleKind.numberSplit.checked(numbers, ranges: [1...100, 1...100, 1...100])
        let factors = given.map { number in (1...number).filter { number.isMultiple(of: $0) } }
        var least = Int.max
        for x in factors[0] {
            for y in factors[1] {
                for z in factors[2] {
                    least = min(least, (x + y + z) * (given[0] / x + given[1] / y + given[2] / z))
                }
            }
        }
        self.least = least
    }

    package var id: String { "number-split \(given.map(String.init).joined(separator: " "))" }
    package var steps: Int { 4 }
    package var start: PuzzleState { [0, 0] }
    package var stopsAtFirst: Bool { false }

    package func moves(from state: PuzzleState, after count: Int) -> [PuzzleMove] {
        let texts = state.map { PuzzleLine.text($0) }
        guard count < 3 else {
            return state.count == 2 ? [PuzzleMove("\(texts[0]) * \(texts[1])", [state[0] * state[1]])] : []
        }
        let number = given[count]
        return (1...number).filter { number.isMultiple(of: $0) }.map { x in
            PuzzleMove("\(number)=\(x)*\(number / x)", [state[0] + Double(x), state[1] + Double(number / x)])
        }
    }

    package func isSolved(_ state: PuzzleState, after count: Int) -> Bool { count == steps && state == [Double(least)] }

    package func text(_ state: PuzzleState) -> String {
        let texts = state.map { PuzzleLine.text($0) }
        return state.count == 1 ? texts[0] : "[\(texts.joined(separator: ", "))]"
    }

    package func state(_ text: String, after count: Int) -> PuzzleState? {
        PuzzleLine.list(text).flatMap { $0.count == (count == 4 ? 1 : 2) ? $0 : nil }
    }

    package func summary(_ path: [PuzzleMove]) -> String { "ans=\(text(state(after: path)))" }

    package func failure(_ state: PuzzleState) -> String {
        state.count == 1 ? "\(text(state)) can be made smaller" : "\(text(state)) doesn't lead to the smallest product"
    }

    /// The last number is the least product.
    package func accepts(_ answer: String) -> Bool {
        guard answer.utf8.count <= PuzzleLine.maximumLength else { return false }
        let last = answer.split { !$0.isNumber && $0 != "." && $0 != "-" }.last { $0.contains(where: \.isNumber) }
        return last.flatMap { PuzzleLine.number($0.hasSuffix(".") ? $0.dropLast() : $0) } == Double(least)
    }

    package var rules: String {
        "X and Y are 0 at first, written as [X, Y]. The numbers of a list are taken one after another; a step writes the next one "
            + "as a product x*y, adds x to X and y to Y, as in [5, 7] -> (12=4*3) [9, 10]. After the last number X and Y are "
            + "multiplied, as in [9, 10] -> (9 * 10) 90."
    }

    package var task: String {
        """
        \(rules)
        The list is \(given.map(String.init).joined(separator: ", ")). Make the product X*Y as small as possible. Solve this step by step.
        End with a summary as the last line: Summary: ans=product
        For the list 1, 6, 2, for example, it would be
        Summary: ans=24
        """
    }

    package func situation(_ state: PuzzleState, after count: Int) -> String {
        let left = given.dropFirst(count).map(String.init).joined(separator: ", ")
        return "\(text(state)) with \(left.isEmpty ? "no numbers" : left) left"
    }

    package func valueQuestion(_ state: PuzzleState, after count: Int) -> String {
        count == steps
            ? "The product is \(text(state)). What is the product?"
            : "How small can X*Y become from \(situation(state, after: count))?"
    }

    /// The least product that can still be reached.
    package func value(_ state: PuzzleState, after count: Int) -> Double {
        count == steps
            ? state[0] : moves(from: state, after: count).map { value($0.state, after: count + 1) }.min() ?? .infinity
    }

    package var valuesAreCosts: Bool { true }
}
