import Laboratory
import Text

/// What form the answer to a problem has, and when it is right.
package enum TacticAnswer: Sendable, Hashable {
    case number
    /// One of so many options, by its number from 1 on or its letter.
    case option(Int)
    /// What premises say of a statement: Agree, Contradict or Uncertain.
    case truth
    /// The edges of a directed graph, `a -> b` each; right when their F1 reaches the threshold.
    case edges(threshold: Double)
    /// Of the kind of a question in a benchmark.
    case other(AnswerKind)

    /// How the prompt asks for it.
    package var request: String {
        switch self {
        case .number: "a number in digits"
        case .option(let count): "the number of one option, 1 to \(count)"
        case .truth: "Agree, Contradict or Uncertain"
        case .edges: "the edges, written a -> b and separated by semicolons"
        case .other(let kind): kind.request
        }
    }

    /// The answer of an output in its normal form; nil where it has none of this form.
    package func read(_ output: String) -> String? {
        let output = output.trimmingSpaces
        switch self {
        case .number: return Self.filled(Grader(.number).answer(in: output))
        case .option(let count):
            let found = output.split { !$0.isLetter && !$0.isNumber }.compactMap { word -> Int? in
                if let number = Int(word) { return number }
                guard word.count == 1, let letter = word.uppercased().unicodeScalars.first else { return nil }
                // "A" and "I" are words of sentences too: a letter counts where it stands alone.
                guard word == output.filter({ $0.isLetter || $0.isNumber }) else { return nil }
                return Int(letter.value) - 64
            }
            guard let last = found.last, (1...max(1, count)).contains(last) else { return nil }
            return "\(last)"
        case .truth:
            let words = Set(output.lowercased().split { !$0.isLetter })
            let found = Entailment.answers.filter { words.contains($0[...]) }
            return found.count == 1 ? found[0].capitalized : nil
        case .edges:
            let edges = Self.edges(of: output)
            return edges.isEmpty ? nil : edges.map { "\($0.from) -> \($0.to)" }.joined(separator: " ; ")
        case .other(let kind): return Self.filled(Grader(kind).answer(in: output))
        }
    }

    /// Whether an answer in its normal form is right.
    package func isRight(_ answer: String, gold: String) -> Bool {
        switch self {
        case .number: Grader(.number).isSame(answer, gold)
        case .option, .truth: read(gold).map { $0 == answer } ?? false
        case .edges(let threshold): Self.edgeF1(answer, gold: gold) >= threshold
        case .other(let kind): Grader(kind).isRight(answer, golds: [gold])
        }
    }

    /// Whether a gold answer is one of this form.
    package func accepts(gold: String) -> Bool {
        switch self {
        case .number: Grader(.number).reads(gold: gold)
        case .other(let kind): Grader(kind).reads(gold: gold)
        default: read(gold) != nil
        }
    }

    /// An edge, its ends in lower case and with single spaces.
    package struct Edge: Sendable, Hashable {
        package var from: String
        package var to: String
    }

    /// The edges of a text, each once, in their order. Chains `a -> b -> c` are two edges.
    package static func edges(of text: String) -> [Edge] {
        var edges: [Edge] = []
        for part in text.split(whereSeparator: { $0.isNewline || $0 == ";" }) {
            let ends = part.split(separator: "->", omittingEmptySubsequences: false).map { name in
                name.lowercased().split { $0.isWhitespace || "\"'()[],".contains($0) }.joined(separator: " ")
            }
            for (from, to) in zip(ends, ends.dropFirst()) where !from.isEmpty && !to.isEmpty {
                let edge = Edge(from: from, to: to)
                if !edges.contains(edge) { edges.append(edge) }
            }
        }
        return edges
    }

    /// 2·shared / (edges of both); 0 where there are none.
    package static func edgeF1(_ answer: String, gold: String) -> Double {
        let (mine, theirs) = (Set(edges(of: answer)), Set(edges(of: gold)))
        let all = mine.count + theirs.count
        return all > 0 ? 2 * Double(mine.intersection(theirs).count) / Double(all) : 0
    }

    private static func filled(_ text: String) -> String? { text.isEmpty ? nil : text }
}

extension Entailment {
    /// The words of answers: what ReWild's logic problems are asked for.
    static let answers = ["agree", "contradict", "uncertain"]
}
