import Tensors
import Text

/// Collects what a trace asked for while the forward pass runs. All positions of the prompt are rows of the pass.
final class TraceProbe {
    private let request: TraceRequest
    private let count: Int
    private let positions: [Int]
    private let queries: [Int]
    /// The positions whose logits are wanted.
    let logits: [Int]
    /// The rows of `logits` of each layer that the lens is on.
    private(set) var lens: [(layer: Int, rows: Tensor)] = []
    private(set) var trace: Trace

    init(_ request: TraceRequest, tokens: [TokenID]) throws {
        self.request = request
        count = tokens.count
        trace = Trace(tokens: tokens)
        positions = try request.positions?.map { try Self.resolve($0, count: tokens.count) } ?? Array(tokens.indices)
        queries = try request.attentionQueries.map { try Self.resolve($0, count: tokens.count) }
        logits = try request.logits.map { try Self.resolve($0, count: tokens.count) }
        trace.positions = positions
    }

    /// A position of the prompt; negative ones count from the end.
    static func resolve(_ position: Int, count: Int) throws -> Int {
        let resolved = position < 0 ? count + position : position
        guard (0..<count).contains(resolved) else {
            throw EngineError.badRequest("position \(position) is outside the prompt of \(count) tokens")
        }
        return resolved
    }

    func lookAt(layer: Int, hidden: Tensor) {
        // A copy: the layers add to the hidden state in place.
        if request.lens.contains(layer), !logits.isEmpty {
            lens.append((layer, takeRows(hidden, logits.map(Int32.init))))
        }
        guard request.hidden.contains(layer) else { return }
        trace.hidden[layer] = rows(of: hidden)
    }

    func lookAt(layer: Int, queries: Tensor, keys: Tensor) {
        guard request.queriesAndKeys.contains(layer) else { return }
        trace.queries[layer] = rows(of: queries)
        trace.keys[layer] = rows(of: keys)
    }

    func lookAt(
        layer: Int, queries values: UnsafePointer<Float>, rows: PagedCache.Rows, cache: PagedCache,
        shape: AttentionShape
    ) {
        let heads = request.attention.filter { $0.layer == layer }
        guard !heads.isEmpty else { return }
        let width = shape.heads * shape.headSize
        var weights = [Float](repeating: 0, count: shape.heads * count)
        for query in queries {
            var row = rows
            row.count = 1
            row.tables += query
            row.lengths += query
            row.firsts = rows.firsts.map { $0 + query }
            row.biases = rows.biases.map { $0 + query * shape.heads }
            weights.withUnsafeMutableBufferPointer { weights in
                guard let base = weights.baseAddress else { return }
                cache.attentionWeights(
                    layer: layer, rows: row, queries: values + query * width, queryStride: width, weights: base,
                    stride: count)
            }
            for head in heads {
                trace.attention[head, default: [:]][query] =
                    Array(weights[head.head * count..<head.head * count + query + 1])
            }
        }
    }

    /// Takes in the logits, and those of the lens in the order of its layers.
    func finish(logits: [[Float]], lens rows: [[Float]]) -> Trace {
        trace.logits = byPosition(logits[...])
        for (index, layer) in lens.map(\.layer).enumerated() {
            trace.lens[layer] = byPosition(rows[index * self.logits.count..<(index + 1) * self.logits.count])
        }
        return trace
    }

    private func byPosition(_ rows: ArraySlice<[Float]>) -> [Int: [Float]] {
        Dictionary(zip(logits, rows), uniquingKeysWith: { first, _ in first })
    }

    private func rows(of x: Tensor) -> [Float] {
        let width = x.count / self.count
        return x.withFloatPointer { base in
            positions.flatMap { position in
                Array(UnsafeBufferPointer(start: base + position * width, count: width))
            }
        }
    }
}
