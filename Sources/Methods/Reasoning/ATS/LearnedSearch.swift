import Inference
import Laboratory

/// Number paths over two of eight operations: what a small model that starts from nothing can learn to search.
package enum LearnedSearch {
    package static let operations: [NumberOperation] = [
        .add(1), .add(3), .add(6), .add(10), .add(-2), .add(-4), .add(-7), .multiply(2),
    ]

    /// All puzzles of three operations from 1 to 60: every ordered pair of operations and every number that can be reached.
    package static func instances() -> [NumberPath] {
        var found: [NumberPath] = []
        for first in operations {
            for second in operations where second != first {
                for from in 1...60 {
                    let pair = [first, second]
                    var layer: Set<Double> = [Double(from)]
                    for _ in 1...3 {
                        layer = Set(
                            layer.flatMap { number in pair.map { $0(number) } }.filter(NumberPath.range.contains))
                    }
                    found += layer.sorted().map { NumberPath(steps: 3, from: from, to: Int($0), operations: pair) }
                }
            }
        }
        return found
    }

    /// Whether a puzzle is never trained on: 15 in 100, by the hash of its numbers and operations. The order of the operations doesn't
    /// count, so that no puzzle is held out whose mirror image is trained on.
    package static func isHeldOut(_ puzzle: NumberPath) -> Bool {
        let operations = puzzle.operations.map(\.text).sorted().joined(separator: " ")
        let hash = SHA256.hexadecimal(of: "\(puzzle.from) \(puzzle.goal) \(operations)".utf8)
        return (Int(hash.prefix(8), radix: 16) ?? 0) % 100 < 15
    }

    package static func prompt(_ puzzle: NumberPath) -> String {
        "from \(puzzle.from) to \(puzzle.goal) by \(puzzle.steps) of "
            + puzzle.operations.map { "(\($0.text))" }.joined(separator: " ")
    }

    /// The breadth-first transcript in one line of words.
    package static func reply(_ puzzle: NumberPath) -> String {
        var transcript = SearchTranscript(puzzle)
        transcript.limits = [8]
        return transcript.text(.breadthFirst).replacing("\n", with: " ")
    }

    /// A puzzle and its search. Whether the last line reached the goal is decided on a few of more than a hundred words, the next
    /// line's number or the summary's head: these weigh more.
    package static func sample(_ puzzle: NumberPath) -> WordChatModel.Sample {
        let reply = reply(puzzle)
        let lastLabels = reply.split(separator: " ").filter {
            isLabel($0) && $0.count(where: { $0 == "." }) == puzzle.steps
        }.map(String.init)
        let decisions = Set(lastLabels + ["Summary:"])
        return .init(
            [.user(prompt(puzzle)), .assistant(reply)],
            weights: Dictionary(uniqueKeysWithValues: decisions.map { ($0, 10) }))
    }

    /// Every word that a prompt or a reply can hold.
    static let words = (0...100).map(String.init)

    // MARK: Grading

    /// What a reply is worth.
    package struct Grade: Sendable, Hashable {
        package var isSolved = false
        /// The transitions on its scenario lines, and how many of them are legal. A line that is no path counts as one that isn't.
        package var transitions = 0
        package var legal = 0
        /// Whether the path of the summary is the path of a scenario line.
        package var isSummaryShown = false
    }

    package static func grade(_ reply: String, of puzzle: NumberPath) -> Grade {
        let (scenarios, summary) = lines(of: reply)
        var grade = Grade()
        var paths: Set<[String]> = []
        for line in scenarios {
            let parts = PuzzleLine.parts(of: line) ?? []
            let states = PuzzleLine.states(of: line) ?? []
            guard states.count >= 2 else {
                grade.transitions += 1
                continue
            }
            paths.insert(states)
            let numbers = states.map { puzzle.state($0, after: 0) }
            for place in 1..<numbers.count {
                grade.transitions += 1
                guard let before = numbers[place - 1], let next = numbers[place], place > 1 || before == puzzle.start
                else {
                    continue
                }
                // The last step of a line says which operation it takes.
                var named: String?
                if place == numbers.count - 1 {
                    guard parts.count == states.count + 1, case .operation(let text) = parts[parts.count - 2] else {
                        continue
                    }
                    named = text
                }
                if puzzle.moves(from: before, after: 0).contains(where: {
                    $0.state == next && (named ?? $0.operation) == $0.operation
                }) {
                    grade.legal += 1
                }
            }
        }
        grade.isSolved = puzzle.accepts(summary)
        grade.isSummaryShown = PuzzleLine.states(of: summary).map(paths.contains) ?? false
        return grade
    }

    /// Whether a word numbers a scenario line: "1.2.".
    private static func isLabel(_ word: Substring) -> Bool {
        word.hasSuffix(".") && word.allSatisfy { $0.isNumber || $0 == "." }
    }

    /// The scenario lines without their numbers, and the summary, of a reply whose line ends are lost.
    package static func lines(of reply: String) -> (scenarios: [String], summary: String) {
        var scenarios: [[Substring]] = []
        var summary: [Substring] = []
        enum Place { case scenario, summary, elsewhere }
        var place = Place.elsewhere
        for word in reply.split(whereSeparator: \.isWhitespace) {
            if word == "Step" {
                place = .elsewhere
            } else if word == "Summary:" {
                place = .summary
                summary = []
            } else if isLabel(word) {
                place = .scenario
                scenarios.append([])
            } else if place == .scenario {
                scenarios[scenarios.count - 1].append(word)
            } else if place == .summary {
                summary.append(word)
            }
        }
        return (scenarios.map { $0.joined(separator: " ") }, summary.joined(separator: " "))
    }

    /// The grades of a model's greedy replies.
    package static func grades(
        _ label: String, of model: any LanguageModel, on puzzles: [NumberPath], in lab: Lab
    ) async throws -> [Grade] {
        try await lab.forEach(label, puzzles) { puzzle in
            let request = CompletionRequest(
                .chat([.user(prompt(puzzle))]), sampling: .greedy, stop: StopRule(maxTokens: 160))
            return grade(try await model.complete(request).text, of: puzzle)
        }
    }
}
