import Tensors
import Text

/// Several texts as the rows of one forward pass, one after another without padding. Row r stands for one token and predicts the next
/// one of its own text.
///
/// Texts that answer the same prompt may share the prompt's rows: see ``init(_:together:)``.
public struct PackedBatch: Sendable {
    public let sequences: PackedSequences
    /// [rows]
    public let tokens: [TokenID]
    /// [rows] The place of each token in its own text.
    public let positions: [Int32]
    /// i32 [rows]: the next token of the same text, -1 at its end and where predicting it counts nothing.
    public let targets: Tensor
    /// [rows] What predicting the target counts; 0 where there is none.
    public let weights: [Float]
    private let ownRows: [Range<Int>]

    /// - Parameter together: how many texts in a row belong together; of those, texts that begin with the same tokens up to the last one before what
    ///   counts go through the model as one prompt with branches. Every row that is left has the value, and in sums the gradient, that it would have
    ///   without that, but for rounding. A text's rows then are not all its own; 1: they are.
    public init(_ texts: [TokenSequence], together: Int = 1) {
        let groups = together > 1 ? Self.groups(texts, together) : texts.indices.map { Group(shared: 0, texts: [$0]) }
        let rows = groups.reduce(0) { $0 + $1.rows(texts) }
        var (tokens, targets, weights): ([TokenID], [Int32], [Float]) = ([], [], [])
        tokens.reserveCapacity(rows)
        targets.reserveCapacity(rows)
        weights.reserveCapacity(rows)
        var ownRows = [Range<Int>](repeating: 0..<0, count: texts.count)
        for group in groups {
            tokens += texts[group.texts[0]].tokens[..<group.shared]
            targets += [Int32](repeating: -1, count: group.shared)
            weights += [Float](repeating: 0, count: group.shared)
            for index in group.texts where texts[index].count > 0 {
                let text = texts[index]
                let start = tokens.count
                tokens += text.tokens[group.shared...]
                for next in group.shared + 1..<text.count {
                    let weight = text.weights[next]
                    targets.append(weight > 0 ? text.tokens[next] : -1)
                    weights.append(weight)
                }
                targets.append(-1)
                weights.append(0)
                ownRows[index] = start..<tokens.count
            }
        }
        sequences = PackedSequences(
            groups.map { group in
                let own = group.texts.map { texts[$0].count - group.shared }
                return group.shared > 0
                    ? .init(shared: group.shared, branches: own) : .init(shared: own[0], branches: [])
            })
        positions = sequences.positions
        self.tokens = tokens
        self.targets = Tensor(targets)
        self.weights = weights
        self.ownRows = ownRows
    }

    /// Texts whose first tokens are one sequence's shared rows; a text alone shares none.
    private struct Group {
        var shared: Int
        var texts: [Int]

        func rows(_ all: [TokenSequence]) -> Int {
            texts.reduce(shared) { $0 + all[$1].count - shared }
        }
    }

    /// In the order of their first texts.
    private static func groups(_ texts: [TokenSequence], _ together: Int) -> [Group] {
        var (groups, places): ([Group], [SharedPrompt: Int]) = ([], [:])
        for (index, prompt) in sharedPrompts(texts).enumerated() {
            if index % together == 0 { places = [:] }
            if let prompt, let place = places[prompt] {
                groups[place].texts.append(index)
                groups[place].shared = prompt.tokens
            } else {
                if let prompt { places[prompt] = groups.count }
                groups.append(Group(shared: 0, texts: [index]))
            }
        }
        return groups
    }

    /// The rows that are one text's alone, in order: all of them, or where its prompt is shared those from the prompt's last token on.
    public func rows(of text: Int) -> Range<Int> { ownRows[text] }

    public var texts: Int { ownRows.count }

    /// The row that predicts the first of a text's last `completion` tokens; the rows behind it predict the others.
    public func firstRow(of text: Int, completion: Int) -> Int { ownRows[text].upperBound - 1 - completion }

    public var rows: Int { tokens.count }

    /// Σ weights[r] · values[r] over the rows of each text, for values [rows]: [texts]. Differentiable.
    public func weightedSums(_ values: Tensor) -> Tensor {
        // One product with a sparse matrix [texts, rows] that holds each text's weights.
        let shares = Tensor.zeros([texts, rows])
        shares.withMutableFloats { shares in
            for text in 0..<texts {
                for row in self.rows(of: text) { shares[text * rows + row] = weights[row] }
            }
        }
        return matmul(shares, values.reshaped([rows, 1])).reshaped([texts])
    }

    /// The weighted mean of values [rows] over the rows of each text, 0 for a text of which nothing counts: [texts]. Differentiable.
    public func weightedMeans(_ values: Tensor) -> Tensor {
        let inverse = (0..<texts).map { text -> Float in
            let total = self.rows(of: text).reduce(Float(0)) { $0 + weights[$1] }
            return total > 0 ? 1 / total : 0
        }
        return weightedSums(values) * Tensor(inverse)
    }
}
