import Inference
import Laboratory
import Text

/// The search outside the model that ATS is compared with: as many steps as the puzzle has, each a call per kept path that proposes next
/// states, one a line, and a call per proposal that values it; the best `width` paths stay.
///
/// Values are cached by their prompt within a puzzle. Taken otherwise than in the reference code: a proposal that occurs twice counts
/// once (there the second has the value 0, which is the best one where values are costs), lines without a state are dropped, and the
/// answer is the best path, not whichever kept one passes the checker.
///
/// Source of the baseline: Yao et al., "Tree of Thoughts" (2023), arXiv:2305.10601.
package struct TreeOfThoughts: ReasoningStrategy {
    package var width: Int
    /// How many values are averaged.
    package var evaluations = 1
    package var temperature = 0.7
    package var maxTokens = 1000
    /// Examples in the prompts.
    package var shot = 0
    /// What its text looks like as training data.
    package var form = TreeTranscriptForm.path

    package init(width: Int) { self.width = width }

    package var name: String { "tot, width \(width)" + (shot > 0 ? ", \(shot)-shot" : "") }

    package func solve(_ inquiry: Inquiry) async throws -> Solution {
        guard let puzzle = inquiry.question.check?.rule as? any Puzzle else {
            throw ATSError.noPuzzle(question: inquiry.question.id)
        }
        let examples = try SearchDemonstrations.puzzles(shot, for: inquiry.question)
        var kept: [[PuzzleMove]] = [[]]
        var layers: [[[PuzzleMove]]] = []
        var values: [String: Double] = [:]
        for step in 1...puzzle.steps {
            var proposed: [[PuzzleMove]] = []
            for path in kept {
                let reply = try await ask(
                    "propose", Self.proposalPrompt(path, of: puzzle, examples: examples), inquiry)
                for line in reply.split(whereSeparator: \.isNewline) {
                    guard let move = Self.move(in: String(line), of: puzzle, after: step - 1) else { continue }
                    if !proposed.contains(path + [move]) { proposed.append(path + [move]) }
                }
            }
            var ranked: [(place: Int, value: Double)] = []
            for (place, path) in proposed.enumerated() {
                let prompt = Self.valuePrompt(path, of: puzzle, examples: examples)
                let value: Double
                if let known = values[prompt] {
                    value = known
                } else {
                    value = try await self.value(prompt, of: puzzle, inquiry)
                    values[prompt] = value
                }
                ranked.append((place, value))
            }
            layers.append(proposed)
            kept = ranked.sorted { ($1.value, $0.place) < ($0.value, $1.place) }.prefix(width).map {
                proposed[$0.place]
            }
        }
        for path in kept { inquiry.note(SearchSamples.kept, SearchTranscript.summary(path, of: puzzle)) }
        guard let best = kept.first else { return Solution(answer: "", text: "") }
        let text = form == .path ? Self.text(of: best, puzzle) : Self.text(of: layers, best: best, puzzle)
        return Solution(answer: SearchTranscript.summary(best, of: puzzle), text: text)
    }

    private func ask(_ step: String, _ prompt: String, _ inquiry: Inquiry) async throws -> String {
        try await inquiry.ask(
            step, [.user(prompt)], maxTokens: maxTokens,
            sampling: temperature > 0 ? .random(temperature: temperature) : .greedy
        ).text
    }

    /// The mean of the last numbers of the replies, negated where they are costs; a reply without a number has the worst one.
    private func value(_ prompt: String, of puzzle: any Puzzle, _ inquiry: Inquiry) async throws -> Double {
        var numbers: [Double] = []
        for _ in 0..<max(1, evaluations) {
            let reply = try await ask("value", prompt, inquiry)
            let last = reply.split { !$0.isNumber && $0 != "." }.last { $0.contains(where: \.isNumber) }
            let number = last.flatMap { PuzzleLine.number($0.hasSuffix(".") ? $0.dropLast() : $0) }
            numbers.append(number ?? (puzzle.valuesAreCosts ? 1e9 : 0))
        }
        let mean = numbers.reduce(0, +) / Double(numbers.count)
        return puzzle.valuesAreCosts ? -mean : mean
    }

    // MARK: Prompts

    package static func proposalPrompt(
        _ path: [PuzzleMove], of puzzle: any Puzzle, examples: [any Puzzle] = []
    ) -> String {
        func block(_ puzzle: any Puzzle, _ path: [PuzzleMove]) -> String {
            "Input: \(puzzle.situation(puzzle.state(after: path), after: path.count))\nPossible next steps:"
        }
        let shown = examples.map { example in
            block(example, []) + "\n" + proposals(from: [], of: example) + "\n"
        }
        return """
            \(puzzle.rules)
            List the possible next states, one a line, each as
            \(puzzle.text(puzzle.state(after: path))) -> (operation) [new state]
            and nothing else.
            \(shown.joined())\(block(puzzle, path))
            """
    }

    package static func valuePrompt(_ path: [PuzzleMove], of puzzle: any Puzzle, examples: [any Puzzle] = []) -> String
    {
        let shown = examples.map { example in
            "Q: \(example.valueQuestion(example.start, after: 0))\nA: "
                + PuzzleLine.text(example.value(example.start, after: 0)) + "\n"
        }
        return """
            \(puzzle.rules)
            Answer with one number and nothing else.
            \(shown.joined())Q: \(puzzle.valueQuestion(puzzle.state(after: path), after: path.count))
            A:
            """
    }

    /// All next states as a perfect proposer lists them.
    package static func proposals(from path: [PuzzleMove], of puzzle: any Puzzle) -> String {
        let state = puzzle.state(after: path)
        return puzzle.moves(from: state, after: path.count).map {
            "\(puzzle.text(state)) -> (\($0.operation)) \(puzzle.text($0.state))"
        }.joined(separator: "\n")
    }

    /// The state that a proposal leads to.
    package static func move(in line: String, of puzzle: any Puzzle, after count: Int) -> PuzzleMove? {
        guard line.contains("->") || line.contains("→"), let parts = PuzzleLine.parts(of: line) else { return nil }
        var operation = ""
        var text: String?
        for part in parts {
            switch part {
            case .operation(let found): operation = found
            case .state(let found): text = found
            }
        }
        return text.flatMap { puzzle.state($0, after: count + 1) }.map { PuzzleMove(operation, $0) }
    }

    // MARK: Flattening

    private static func text(of path: [PuzzleMove], _ puzzle: any Puzzle) -> String {
        let steps = path.indices.map { "Step \($0 + 1)\n" + SearchTranscript.line(Array(path[...$0]), of: puzzle) }
        return (steps + [SearchTranscript.summary(path, of: puzzle)]).joined(separator: "\n")
    }

    private static func text(of layers: [[[PuzzleMove]]], best: [PuzzleMove], _ puzzle: any Puzzle) -> String {
        let steps = layers.enumerated().map { index, paths in
            (["Step \(index + 1)"] + paths.map { SearchTranscript.line($0, of: puzzle) }).joined(separator: "\n")
        }
        return (steps + [SearchTranscript.summary(best, of: puzzle)]).joined(separator: "\n")
    }
}

/// What a tree's transcript looks like as training data.
public enum TreeTranscriptForm: String, OptionChoice {
    /// The answer's path alone.
    case path
    /// Every proposal, step by step.
    case tree
}

/// Why ATS can't go on.
public enum ATSError: Error, Hashable, CustomStringConvertible {
    case noPuzzle(question: String)
    case noTranscripts(group: String, tried: Int)
    case notLocal(String)

    public var description: String {
        switch self {
        case .noPuzzle(let question):
            "Question \(question) is no puzzle, and Tree of Thoughts needs one: give --task, or records of task and instance."
        case .noTranscripts(let group, let tried):
            "None of \(tried) puzzles gave a transcript of \(group) that the checker accepts. A larger model or more --consistency "
                + "may; --teacher program writes them without a model."
        case .notLocal(let reference):
            "The model \(reference) runs elsewhere; tuning needs one whose weights are here."
        }
    }
}
