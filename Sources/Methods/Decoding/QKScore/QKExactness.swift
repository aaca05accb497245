import Foundation
import Inference
import Models
import Text

/// How exactly a model's queries and keys are what the method takes them for, measured on one prompt.
package struct QKExactness: Sendable {
    /// The largest difference between S_QK from the forward pass and W_Q x · W_K x recomputed in double precision from the weights and
    /// the hidden states, as a share of |q|·|k|.
    package let projectionError: Double
    /// The largest change of S_QK, as a share of |q|·|k| of its head, when all positions are moved on by masked tokens in front.
    package let shiftChange: Double
    /// The same of attention weights. Rotary attention sees differences of positions alone, so it doesn't change either.
    package let shiftAttentionChange: Double
    /// The largest change of S_QK in the first layer, as a share of |q|·|k|, when masked tokens come between the options and the end.
    package let gapChange: Double
    /// The same of attention weights: what the rotary embedding, which S_QK leaves out, does.
    package let gapAttentionChange: Double

    /// - Parameters:
    ///   - layers: whose projections are recomputed.
    ///   - masked: how many masked tokens are put in.
    package init(_ item: ChoiceItem, reader: ChoiceReader, layers: [Int], masked: Int = 37) async throws {
        let prompt = try reader.prompt(item)
        var request = reader.request(prompt)
        request.hidden = Set(layers)
        let plain = try await reader.model.trace(request)
        let scores = try reader.scores(plain, prompt)
        projectionError = try layers.reduce(0) { worst, layer in
            max(worst, try Self.projectionError(layer, plain, prompt, reader: reader))
        }
        let lengths = Self.lengths(plain, prompt, reader.model.architecture)

        let shifted = try await Self.read(prompt, insertingAt: 0, masked, reader: reader)
        shiftChange = Self.change(scores.qk, shifted.qk, lengths)
        shiftAttentionChange = Self.change(scores.attention, shifted.attention, nil)

        let afterOptions = (prompt.options.joined().max() ?? 0) + 1
        let parted = try await Self.read(prompt, insertingAt: afterOptions, masked, reader: reader)
        gapChange = Self.change(scores.qk, parted.qk, lengths, layers: 0..<1)
        gapAttentionChange = Self.change(scores.attention, parted.attention, nil, layers: 0..<1)
    }

    // MARK: Positions

    /// Reads a prompt with tokens put in that nothing attends to.
    private static func read(
        _ prompt: ChoicePrompt, insertingAt place: Int, _ count: Int, reader: ChoiceReader
    ) async throws -> (qk: HeadScores, attention: HeadScores) {
        let filler = [TokenID](repeating: prompt.ids.first ?? 0, count: count)
        let moved = ChoicePrompt(
            ids: prompt.ids[..<place] + filler + prompt.ids[place...],
            options: prompt.options.map { $0.map { $0 < place ? $0 : $0 + count } })
        var request = reader.request(moved)
        // Finite, so that the inserted tokens, which see nothing but one another, still have an attention of their own.
        request.interventions = [
            .attentionBias(heads: reader.model.architecture.allHeads, ranges: [place..<place + count], bias: -10_000)
        ]
        return try reader.scores(try await reader.model.trace(request), moved)
    }

    private static func change(
        _ a: HeadScores, _ b: HeadScores, _ lengths: HeadScores?, layers: Range<Int>? = nil
    ) -> Double {
        let perLayer = a.heads * a.options
        let range = (layers ?? 0..<a.layers)
        return (range.lowerBound * perLayer..<range.upperBound * perLayer).reduce(0) { worst, index in
            max(worst, abs(a.values[index] - b.values[index]) / (lengths?.values[index] ?? 1))
        }
    }

    /// |q|·|k| of every head and option.
    private static func lengths(
        _ trace: Trace, _ prompt: ChoicePrompt, _ architecture: ArchitectureSummary
    ) -> HeadScores {
        var lengths = HeadScores(
            layers: architecture.layers, heads: architecture.heads, options: prompt.options.count)
        let size = architecture.headSize
        func length(_ values: [Float]?, row: Int, heads: Int, head: Int) -> Double {
            guard let values else { return 1 }
            let start = (row * heads + head) * size
            return values[start..<start + size].reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        }
        let last = trace.positions.count - 1
        for head in lengths.all {
            let q = length(trace.queries[head.layer], row: last, heads: architecture.heads, head: head.head)
            let keyHead = HeadScores.keyHead(
                head.head, heads: architecture.heads, keyValueHeads: architecture.keyValueHeads)
            lengths[head] = prompt.options.map { tokens in
                let row = tokens.first.flatMap { trace.positions.firstIndex(of: $0) } ?? last
                return q
                    * length(trace.keys[head.layer], row: row, heads: architecture.keyValueHeads, head: keyHead)
            }
        }
        return lengths
    }

    // MARK: Projections

    private static func projectionError(
        _ layer: Int, _ trace: Trace, _ prompt: ChoicePrompt, reader: ChoiceReader
    ) throws -> Double {
        let architecture = reader.model.architecture
        let weights = try reader.model.queryKeyWeights(layer: layer)
        guard let hidden = trace.hidden[layer], let queries = trace.queries[layer], let keys = trace.keys[layer]
        else { throw QKScoreError.noQueriesAndKeys(layer: layer) }
        let width = architecture.hiddenSize
        let size = architecture.headSize
        let states = trace.positions.indices.map { row in
            normalised(hidden[row * width..<(row + 1) * width], weights)
        }
        guard let end = states.last else { return .infinity }
        let q = product(weights.queries, end, bias: weights.queryBias)
        let last = trace.positions.count - 1
        var worst = 0.0
        for tokens in prompt.options {
            guard let token = tokens.first, let row = trace.positions.firstIndex(of: token) else { return .infinity }
            let k = product(weights.keys, states[row], bias: weights.keyBias)
            for head in 0..<architecture.heads {
                let keyHead = HeadScores.keyHead(
                    head, heads: architecture.heads, keyValueHeads: architecture.keyValueHeads)
                var (exact, found, qq, kk): (Double, Double, Double, Double) = (0, 0, 0, 0)
                for index in 0..<size {
                    let (a, b) = (q[head * size + index], k[keyHead * size + index])
                    exact += a * b
                    qq += a * a
                    kk += b * b
                    found +=
                        Double(queries[(last * architecture.heads + head) * size + index])
                        * Double(keys[(row * architecture.keyValueHeads + keyHead) * size + index])
                }
                worst = max(worst, abs(exact - found) / (qq * kk).squareRoot())
            }
        }
        return worst
    }

    /// x / √(mean(x²) + ε) ⊙ norm
    private static func normalised(_ x: ArraySlice<Float>, _ weights: QueryKeyWeights) -> [Double] {
        let square = x.reduce(0) { $0 + Double($1) * Double($1) } / Double(x.count)
        let scale = 1 / (square + weights.epsilon).squareRoot()
        return zip(x, weights.norm).map { Double($0) * scale * Double($1) }
    }

    /// W x + bias for a matrix [bias.count × x.count].
    private static func product(_ matrix: [Float], _ x: [Double], bias: [Float]) -> [Double] {
        bias.indices.map { row in
            x.indices.reduce(Double(bias[row])) { $0 + Double(matrix[row * x.count + $1]) * x[$1] }
        }
    }
}
