import Laboratory

/// The checkers against exhaustive search: every solution that enumeration finds must be accepted; every path that takes all steps and ends
/// elsewhere, and every line made from a solution by a small change, must be rejected, unless it is a solution, too.
package struct PuzzleExactness: Sendable, Hashable {
    package var solutions = 0
    package var accepted = 0
    package var mutants = 0
    package var rejected = 0

    package init() {}

    package init(_ puzzle: any Puzzle) {
        let paths = puzzle.paths
        let isSolved = paths.map { puzzle.isSolved(puzzle.state(after: $0), after: $0.count) }
        func summaries(_ indices: [Int]) -> Set<String> {
            Set(indices.map { SearchTranscript.summary(paths[$0], of: puzzle) })
        }
        let lines = summaries(paths.indices.filter { isSolved[$0] })
        var changed = summaries(paths.indices.filter { !isSolved[$0] && paths[$0].count == puzzle.steps })
        for line in lines {
            solutions += 1
            if puzzle.accepts(line) { accepted += 1 }
            changed.formUnion(Self.changes(of: line))
        }
        for line in changed.subtracting(lines) {
            mutants += 1
            if !puzzle.accepts(line) { rejected += 1 }
        }
    }

    package static func + (a: PuzzleExactness, b: PuzzleExactness) -> PuzzleExactness {
        var sum = a
        sum.solutions += b.solutions
        sum.accepted += b.accepted
        sum.mutants += b.mutants
        sum.rejected += b.rejected
        return sum
    }

    /// The line with each of its numbers one more and one less, and with each of its parts left out, doubled, and exchanged for the next.
    package static func changes(of line: String) -> Set<String> {
        var changed: Set<String> = []
        var place = line.startIndex
        while place < line.endIndex {
            guard line[place].isNumber else {
                place = line.index(after: place)
                continue
            }
            let end = line[place...].firstIndex { !$0.isNumber && $0 != "." } ?? line.endIndex
            if let number = Double(line[place..<end]) {
                for other in [number - 1, number + 1] where other >= 0 {
                    changed.insert(line[..<place] + PuzzleLine.text(other) + line[end...])
                }
            }
            place = end
        }
        let parts = PuzzleLine.body(of: line).replacing(" -> ", with: "\n").split(separator: "\n").map(String.init)
        guard parts.count > 1 else { return changed }
        func add(_ parts: [String]) { changed.insert("Summary: " + parts.joined(separator: " -> ")) }
        for index in parts.indices {
            var (short, long, swapped) = (parts, parts, parts)
            short.remove(at: index)
            long.insert(parts[index], at: index)
            add(short)
            add(long)
            if index + 1 < parts.count {
                swapped.swapAt(index, index + 1)
                add(swapped)
            }
        }
        return changed
    }
}
