import Laboratory

/// Writes searches as a perfect searcher would: demonstrations, training data, and what the prompts' skeletons look like filled in.
package struct SearchTranscript: Sendable {
    package let puzzle: any Puzzle
    /// The most lines of each step of a breadth-first search; later steps have the last one's. What is left out is what can't lead to a
    /// solution, as far as there is such.
    package var limits = [6, 8, 8, 16]
    /// How many hopeless states a depth-first search enters, in the order of moves, before it goes straight on.
    package var mistakes = 3

    package init(_ puzzle: any Puzzle) { self.puzzle = puzzle }

    package enum Kind: Sendable { case direct, breadthFirst, depthFirst }

    /// The whole reply.
    package func text(_ kind: Kind) -> String {
        switch kind {
        case .direct: direct()
        case .breadthFirst: breadthFirst()
        case .depthFirst: depthFirst()
        }
    }

    /// The path so far with its last operation: `3 -> 6 -> (+1) 7`.
    package static func line(_ path: [PuzzleMove], of puzzle: any Puzzle) -> String {
        guard let last = path.last else { return puzzle.text(puzzle.start) }
        let before = [puzzle.start] + path.dropLast().map(\.state)
        return before.map { puzzle.text($0) }.joined(separator: " -> ")
            + " -> (\(last.operation)) \(puzzle.text(last.state))"
    }

    package static func summary(_ path: [PuzzleMove], of puzzle: any Puzzle) -> String {
        "Summary: " + puzzle.summary(path)
    }

    private func isReturn(_ move: PuzzleMove, to path: [PuzzleMove]) -> Bool {
        puzzle.returnsAreWaste && (move.state == puzzle.start || path.contains { $0.state == move.state })
    }

    // MARK: Straight solutions

    private func direct() -> String {
        let path = puzzle.solution ?? []
        var lines: [String] = []
        var state = puzzle.start
        for (count, move) in path.enumerated() {
            lines.append("Step \(count + 1)")
            lines.append("\(puzzle.text(state)) -> (\(move.operation)) \(puzzle.text(move.state))")
            state = move.state
        }
        return (lines + [Self.summary(path, of: puzzle)]).joined(separator: "\n")
    }

    // MARK: Breadth first

    private struct Node {
        var label: String
        var path: [PuzzleMove]
    }

    private func breadthFirst() -> String {
        var lines: [String] = []
        var frontier = [Node(label: "", path: [])]
        var best: [PuzzleMove] = []
        search: for step in 1...puzzle.steps {
            lines.append("Step \(step)")
            frontier = expanded(frontier, step: step)
            for node in frontier {
                lines.append("\(node.label) \(Self.line(node.path, of: puzzle))")
                guard puzzle.isSolved(puzzle.state(after: node.path), after: step) else { continue }
                best = node.path
                if puzzle.stopsAtFirst { break search }
            }
        }
        return (lines + [Self.summary(best, of: puzzle)]).joined(separator: "\n")
    }

    /// The lines of a step: every new state behind every path, cut to the step's limit, numbered below their parents.
    private func expanded(_ frontier: [Node], step: Int) -> [Node] {
        var found: [(parent: Int, path: [PuzzleMove], isHopeful: Bool)] = []
        for (index, node) in frontier.enumerated() {
            let state = puzzle.state(after: node.path)
            for move in puzzle.moves(from: state, after: step - 1) {
                guard !isReturn(move, to: node.path) else { continue }
                found.append((index, node.path + [move], puzzle.canFinish(move.state, after: step)))
            }
        }
        let limit = limits.isEmpty ? Int.max : limits[min(step, limits.count) - 1]
        if found.count > limit {
            let kept = found.indices.sorted { (found[$0].isHopeful ? 0 : 1, $0) < (found[$1].isHopeful ? 0 : 1, $1) }
            found = kept.prefix(limit).sorted().map { found[$0] }
        }
        var counts = [Int](repeating: 0, count: frontier.count)
        return found.map { parent, path, _ in
            counts[parent] += 1
            return Node(label: "\(frontier[parent].label)\(counts[parent]).", path: path)
        }
    }

    // MARK: Depth first

    private func depthFirst() -> String {
        var lines: [String] = []
        var left = mistakes
        var visits: [Int: Int] = [:]

        /// Tries what is left to try behind a path; says whether it came to a solution.
        func search(_ path: [PuzzleMove]) -> [PuzzleMove]? {
            let state = puzzle.state(after: path)
            if puzzle.isSolved(state, after: path.count) { return path }
            guard path.count < puzzle.steps else {
                lines.append("\(puzzle.failure(state)): not the goal.")
                return nil
            }
            let step = path.count + 1
            for move in puzzle.moves(from: state, after: path.count) {
                guard !isReturn(move, to: path) else { continue }
                if !puzzle.canFinish(move.state, after: step) {
                    guard left > 0 else { continue }
                    left -= 1
                }
                visits[step, default: 0] += 1
                lines.append(visits[step] == 1 ? "Step \(step)" : "Step \(step) (revised)")
                lines.append(Self.line(path + [move], of: puzzle))
                if let found = search(path + [move]) { return found }
                lines.append("Step back to \(puzzle.text(state)).")
            }
            return nil
        }
        let found = search([]) ?? []
        return (lines + [Self.summary(found, of: puzzle)]).joined(separator: "\n")
    }
}
