import CKernels

/// How the rows of a packed batch divide into sequences: sequence s holds the rows starts[s] ..< starts[s + 1].
///
/// A sequence may stand for several texts that begin alike: the rows of what they share come first, then each text's own rows, its branch. A
/// branch sees what is shared and itself, so that its rows are those of the whole text alone.
public struct PackedSequences: Sendable, Hashable {
    public let starts: [Int32]
    /// Rows that the texts of each sequence share, where any sequence has branches, else none.
    let shared: [Int32]
    /// Where each row's branch begins, counted from the start of its sequence, 0 for rows in no branch; as above.
    let branches: [Int32]

    public init(lengths: [Int]) {
        self.init(lengths.map { Part(shared: $0, branches: []) })
    }

    /// How many rows a sequence has.
    public struct Part: Sendable, Hashable {
        /// All rows of a sequence that is one text.
        public var shared: Int
        public var branches: [Int]

        public init(shared: Int, branches: [Int]) {
            precondition(
                shared >= (branches.isEmpty ? 0 : 1) && branches.allSatisfy { $0 >= 0 },
                "\(shared) shared rows and branches of \(branches)")
            self.shared = shared
            self.branches = branches
        }

        var count: Int { branches.reduce(shared, +) }
    }

    public init(_ sequences: [Part]) {
        var starts: [Int32] = [0]
        for sequence in sequences { starts.append(starts[starts.count - 1] + Int32(sequence.count)) }
        self.starts = starts
        guard sequences.contains(where: { !$0.branches.isEmpty }) else {
            (shared, branches) = ([], [])
            return
        }
        shared = sequences.map { Int32($0.shared) }
        var places: [Int32] = []
        for sequence in sequences {
            places += [Int32](repeating: 0, count: sequence.shared)
            var start = sequence.shared
            for branch in sequence.branches {
                places += [Int32](repeating: Int32(start), count: branch)
                start += branch
            }
        }
        branches = places
    }

    public var count: Int { starts.count - 1 }
    public var tokens: Int { Int(starts[starts.count - 1]) }
    var hasBranches: Bool { !branches.isEmpty }

    public func range(_ sequence: Int) -> Range<Int> { Int(starts[sequence])..<Int(starts[sequence + 1]) }

    /// The position of every row within its text.
    public var positions: [Int32] {
        (0..<count).flatMap { sequence in
            range(sequence).enumerated().map { place, row in
                let branch = hasBranches ? branches[row] : 0
                return branch > 0 ? shared[sequence] + Int32(place) - branch : Int32(place)
            }
        }
    }
}

/// Attention within each sequence of a packed batch, with grouped queries:
/// o_i = Σ_j softmax_j(scale · q_i · k_j) v_j over the keys j that i sees.
///
/// - Parameters:
///   - queries: [tokens, queryHeads, width]
///   - keys: [tokens, keyHeads, width]; query head h reads key head h / (queryHeads / keyHeads).
///   - values: [tokens, keyHeads, valueWidth]
///   - scale: usually 1 / √width
///   - causal: whether a token sees only itself and what is before it; false for encoders, whose sequences have no branches.
///   - window: when set, only keys with |i - j| < window are seen.
/// - Returns: [tokens, queryHeads, valueWidth]
public func attention(
    _ queries: Tensor, _ keys: Tensor, _ values: Tensor, sequences: PackedSequences, scale: Float, causal: Bool = true,
    window: Int? = nil
) -> Tensor {
    let tokens = sequences.tokens
    precondition(
        queries.rank == 3 && keys.rank == 3 && values.rank == 3 && queries.shape[0] == tokens && keys.shape[0] == tokens
            && values.shape[0] == tokens && queries.shape[2] == keys.shape[2] && keys.shape[1] == values.shape[1]
            && queries.shape[1] % keys.shape[1] == 0,
        "attention of \(queries.shape), \(keys.shape), \(values.shape) over \(tokens) tokens")
    precondition(queries.dtype == .f32 && keys.dtype == .f32 && values.dtype == .f32, "attention takes f32")
    precondition(causal || !sequences.hasBranches, "texts that begin alike differ all over where rows see what follows")
    let call = AttentionCall(
        queries: withAdjacentHeads(queries.detached()), keys: withAdjacentHeads(keys.detached()),
        values: withAdjacentHeads(values.detached()), sequences: sequences, scale: scale, causal: causal,
        window: window ?? 0)
    let (heads, valueWidth) = (queries.shape[1], values.shape[2])
    let output = Tensor(unfilled: [tokens, heads, valueWidth])
    let normaliser = Tensor(unfilled: [tokens, heads])
    withExtendedLifetime((call, output, normaliser)) {
        call.withKernelArguments { ck_attention_forward($0, output.floatAddress, normaliser.floatAddress) }
    }
    guard records(queries, keys, values) else { return output }
    let (qNeeds, kNeeds, vNeeds) = (queries.requiresGradient, keys.requiresGradient, values.requiresGradient)
    return output.recorded(from: [queries, keys, values]) { gradient in
        let keyHeads = call.keys.shape[1]
        let dq = Tensor(unfilled: call.queries.shape)
        let dk = Tensor(unfilled: call.queries.shape)
        let dv = Tensor(unfilled: gradient.shape)
        withExtendedLifetime((call, output, normaliser, gradient, dq, dk, dv)) {
            call.withKernelArguments {
                ck_attention_backward(
                    $0, output.floatAddress, normaliser.floatAddress, gradient.floatAddress, dq.floatAddress,
                    dk.floatAddress, dv.floatAddress)
            }
        }
        // The heads of a group share their key and value: [tokens, keyHeads, group, width] → [tokens, keyHeads, width]
        func overGroups(_ perHead: Tensor) -> Tensor {
            heads == keyHeads
                ? perHead : perHead.reshaped([tokens, keyHeads, heads / keyHeads, perHead.shape[2]]).sum(2)
        }
        return [qNeeds ? dq : nil, kNeeds ? overGroups(dk) : nil, vNeeds ? overGroups(dv) : nil]
    }
}

/// A tensor [tokens, heads, width] whose heads lie one after another; the rows may be apart.
private func withAdjacentHeads(_ x: Tensor) -> Tensor {
    x.strides[2] == 1 && x.strides[1] == x.shape[2] ? x : x.contiguous()
}

private struct AttentionCall: Sendable {
    let queries: Tensor
    let keys: Tensor
    let values: Tensor
    let sequences: PackedSequences
    let scale: Float
    let causal: Bool
    let window: Int

    func withKernelArguments(_ body: (UnsafePointer<ck_attention>) -> Void) {
        sequences.withPointers { starts, shared, branches in
            var arguments = ck_attention(
                q: UnsafePointer(queries.floatAddress), k: UnsafePointer(keys.floatAddress),
                v: UnsafePointer(values.floatAddress), q_row: Int64(queries.strides[0]), k_row: Int64(keys.strides[0]),
                v_row: Int64(values.strides[0]), starts: starts, shared: shared, branches: branches,
                sequences: Int64(sequences.count), query_heads: Int64(queries.shape[1]),
                key_heads: Int64(keys.shape[1]), width: Int64(queries.shape[2]), value_width: Int64(values.shape[2]),
                scale: scale, causal: causal ? 1 : 0, window: Int64(window))
            body(&arguments)
        }
    }
}

extension PackedSequences {
    fileprivate func withPointers(
        _ body: (_ starts: UnsafePointer<Int32>?, _ shared: UnsafePointer<Int32>?, _ branches: UnsafePointer<Int32>?) ->
            Void
    ) {
        starts.withUnsafeBufferPointer { starts in
            shared.withUnsafeBufferPointer { shared in
                branches.withUnsafeBufferPointer { branches in
                    body(starts.baseAddress, shared.baseAddress, hasBranches ? branches.baseAddress : nil)
                }
            }
        }
    }
}
