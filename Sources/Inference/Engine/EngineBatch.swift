import Models
import Tensors
import Text

/// The rows of one forward pass and where they belong: each row is one token of one sequence.
///
/// To the model it is the attention context: keys and values go into the cache's blocks, queries see their own sequence.
final class EngineBatch: AttentionContext {
    struct Share {
        let sequence: EngineSequence
        let count: Int
    }

    /// A request whose next token can be chosen, with the rows of its sequences' logits.
    struct Stream {
        let request: EngineRequest
        var rows: [Int]
    }

    /// A row whose distribution gives the log-probability of the token after it.
    struct Target {
        let request: EngineRequest
        let row: Int
        let position: Int
        let token: TokenID
    }

    private(set) var tokens: [TokenID] = []
    private(set) var positions: [Int32] = []
    private(set) var shares: [Share] = []
    private(set) var generating: [Stream] = []
    private(set) var scoring: [Target] = []
    /// The sequence of each row, and the first row of each share.
    private var starts: [Int] = []
    private var places: [Int64] = []
    private var tables: [UnsafePointer<Int32>?] = []
    private var lengths: [Int32] = []
    private var hasEdits = false
    private let cache: PagedCache
    private let scratchBlock: Int32
    private let shape: AttentionShape
    private var heads: Int { shape.heads }
    /// What to look at, when the pass is a trace.
    var probe: TraceProbe?

    init(cache: PagedCache, shape: AttentionShape, scratchBlock: Int32) {
        self.cache = cache
        self.shape = shape
        self.scratchBlock = scratchBlock
    }

    var rowCount: Int { tokens.count }

    /// Adds the next `count` tokens of a sequence. `wanted` are the rows among them whose logits are needed.
    func add(
        _ sequence: EngineSequence, count: Int, of request: EngineRequest? = nil, wantsLogits wanted: Range<Int> = 0..<0
    ) {
        let first = tokens.count
        starts.append(first)
        shares.append(Share(sequence: sequence, count: count))
        hasEdits = hasEdits || sequence.edits.changesStates
        for offset in 0..<count {
            let position = sequence.computed + offset
            tokens.append(sequence.tokens[position])
            positions.append(Int32(position))
            lengths.append(Int32(position + 1))
            places.append(sequence.place(of: position, scratchBlock: scratchBlock))
        }
        guard let request, !wanted.isEmpty else { return }
        switch request.work {
        case .generate:
            if sequence === request.main {
                generating.append(Stream(request: request, rows: [first + count - 1]))
            } else if let index = generating.lastIndex(where: { $0.request === request }) {
                generating[index].rows.append(first + count - 1)
            }
        case .score:
            for offset in wanted {
                let position = sequence.computed + offset + 1
                scoring.append(
                    Target(
                        request: request, row: first + offset, position: position, token: sequence.tokens[position]))
            }
        }
    }

    /// Fixes the addresses of the block tables; no rows are added afterwards.
    func seal() {
        tables.reserveCapacity(tokens.count)
        for share in shares {
            for _ in 0..<share.count { tables.append(UnsafePointer(share.sequence.table)) }
        }
    }

    /// Changes to the forward pass, when any sequence asks for them.
    var observer: (any ForwardObserver)? { hasEdits || probe != nil ? self : nil }

    // MARK: Attention

    func attend(layer: Int, queries: Tensor, keys: Tensor, values: Tensor, window: Int?) -> Tensor {
        let width = shape.heads * shape.headSize
        let output = Tensor(unfilled: [rowCount, width])
        let firsts = window.map { window in lengths.map { max(0, $0 - Int32(window)) } }
        let biases = biasTable(layer: layer)
        keys.withFloatPointer { keys in
            values.withFloatPointer { values in
                cache.write(
                    layer: layer, places: places, rows: rowCount, keys: keys, values: values,
                    stride: shape.keyValueHeads * shape.headSize)
            }
        }
        queries.withFloatPointer { queries in
            withRows(firsts: firsts, biases: biases) { rows in
                output.withMutableFloatPointer { output in
                    cache.attend(
                        layer: layer, rows: rows, queries: queries, queryStride: width, out: output, outStride: width)
                }
                probe?.lookAt(layer: layer, queries: queries, rows: rows, cache: cache, shape: shape)
            }
        }
        return output
    }

    private func withRows(
        firsts: [Int32]?, biases: [UnsafePointer<Float>?]?, _ body: (PagedCache.Rows) -> Void
    ) {
        tables.withUnsafeBufferPointer { tables in
            lengths.withUnsafeBufferPointer { lengths in
                withOptionalPointer(firsts) { firsts in
                    withOptionalPointer(biases) { biases in
                        guard let tables = tables.baseAddress, let lengths = lengths.baseAddress else { return }
                        body(
                            PagedCache.Rows(
                                count: rowCount, tables: tables, lengths: lengths, firsts: firsts, biases: biases))
                    }
                }
            }
        }
    }

    /// [rows × heads] bias arrays of a layer; nil when no sequence has any there.
    private func biasTable(layer: Int) -> [UnsafePointer<Float>?]? {
        guard hasEdits, shares.contains(where: { $0.sequence.edits.biases[layer] != nil }) else { return nil }
        var table = [UnsafePointer<Float>?](repeating: nil, count: rowCount * heads)
        for (share, start) in zip(shares, starts) {
            guard let biases = share.sequence.edits.biases[layer] else { continue }
            for row in start..<start + share.count {
                for (head, bias) in biases { table[row * heads + head] = UnsafePointer(bias) }
            }
        }
        return table
    }
}

extension EngineBatch: ForwardObserver {
    func embedded(_ x: Tensor) -> Tensor {
        edit(x) { edits, position, row in
            guard let vector = edits.embeddings[position] else { return }
            for (index, value) in vector.enumerated() { row[index] = value }
        }
    }

    func entering(layer: Int, _ x: Tensor) -> Tensor {
        let x = edit(x) { edits, position, row in
            for (vector, scale, positions) in edits.hidden[layer] ?? [] where positions?.contains(position) ?? true {
                for (index, value) in vector.enumerated() { row[index] += scale * value }
            }
        }
        probe?.lookAt(layer: layer, hidden: x)
        return x
    }

    func projected(layer: Int, queries: Tensor, keys: Tensor) {
        probe?.lookAt(layer: layer, queries: queries, keys: keys)
    }

    func attended(layer: Int, _ x: Tensor) -> Tensor {
        let size = shape.headSize
        return edit(x) { edits, _, row in
            for head in edits.ablated[layer] ?? [] {
                for index in head * size..<(head + 1) * size { row[index] = 0 }
            }
        }
    }

    /// Applies a change to the rows of sequences that have edits. The tensor is the pass's own, so it is changed in place.
    private func edit(
        _ x: Tensor, _ change: (SequenceEdits, Int, UnsafeMutablePointer<Float>) -> Void
    ) -> Tensor {
        guard hasEdits else { return x }
        let width = x.shape[1]
        x.withMutableFloatPointer { base in
            for (share, start) in zip(shares, starts) where share.sequence.edits.changesStates {
                for row in start..<start + share.count {
                    change(share.sequence.edits, Int(positions[row]), base + row * width)
                }
            }
        }
        return x
    }
}

private func withOptionalPointer<Element, Result>(
    _ array: [Element]?, _ body: (UnsafePointer<Element>?) -> Result
) -> Result {
    guard let array else { return body(nil) }
    return array.withUnsafeBufferPointer { body($0.baseAddress) }
}
