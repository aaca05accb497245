import CKernels

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The shape of attention in one layer.
public struct AttentionShape: Sendable, Hashable {
    public var heads: Int
    public var keyValueHeads: Int
    /// Multiples of 16 are fastest.
    public var headSize: Int
    /// Multiplies the scores; usually 1/√headSize.
    public var scale: Float
    /// Scores become softcap · tanh(score / softcap); 0: off.
    public var softcap: Float

    public init(heads: Int, keyValueHeads: Int, headSize: Int, scale: Float, softcap: Float = 0) {
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.headSize = headSize
        self.scale = scale
        self.softcap = softcap
    }

    /// The bytes of one block of one layer.
    public func blockBytes(compact: Bool) -> Int {
        var native = native(compact: compact)
        return Int(ck_kv_block_bytes(&native))
    }

    fileprivate func native(compact: Bool) -> ck_attention_shape {
        ck_attention_shape(
            heads: Int32(heads), kv_heads: Int32(keyValueHeads), head_size: Int32(headSize), compact: compact ? 1 : 0,
            scale: scale, softcap: softcap)
    }
}

/// Keys and values of all layers in blocks of 16 tokens, which sequences share by number.
///
/// The memory is reserved at once and taken from the system only as blocks are first written. Not thread-safe: one engine
/// owns it.
public final class PagedCache {
    /// Tokens in a block.
    public static let blockTokens = Int(CK_KV_BLOCK)

    /// Keys that are scored at a time: bias arrays must be readable this far past the last key.
    public static let spanTokens = Int(CK_KV_SPAN)

    public let layers: Int
    public let capacity: Int
    /// Bytes of one block over all layers.
    public let bytesPerBlock: Int
    private let shape: ck_attention_shape
    private let base: UnsafeMutableRawPointer
    private let layerBytes: Int

    /// - Parameters:
    ///   - capacity: blocks.
    ///   - compact: store integers of 13 bits with a scale for each vector instead of f32; queries and weights are rounded alike.
    /// - Returns: nil when the system refuses the address space.
    public init?(layers: Int, shape: AttentionShape, capacity: Int, compact: Bool) {
        self.shape = shape.native(compact: compact)
        self.layers = layers
        self.capacity = capacity
        let blockBytes = shape.blockBytes(compact: compact)
        bytesPerBlock = blockBytes * layers
        layerBytes = (blockBytes * capacity + 4095) & ~4095
        #if os(Linux)
            let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        #else
            let flags = MAP_PRIVATE | MAP_ANON
        #endif
        let memory = mmap(nil, layerBytes * layers, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let memory, memory != MAP_FAILED else { return nil }
        base = memory
    }

    deinit {
        munmap(base, layerBytes * layers)
    }

    /// Gives the memory back to the system: what the blocks hold is lost. Nobody may use them meanwhile.
    public func discard() {
        #if os(Linux)
            let advice = MADV_DONTNEED
        #else
            let advice = MADV_FREE
        #endif
        madvise(base, layerBytes * layers, advice)
    }

    /// Stores keys and values of `rows` tokens at `places` (block · 16 + slot). Rows are `stride` floats apart.
    public func write(
        layer: Int, places: UnsafePointer<Int64>, rows: Int, keys: UnsafePointer<Float>, values: UnsafePointer<Float>,
        stride: Int
    ) {
        withUnsafePointer(to: shape) { shape in
            ck_kv_write(shape, base + layer * layerBytes, places, Int64(rows), keys, values, Int64(stride))
        }
    }

    /// The rows of one attention call: who sees which keys.
    public struct Rows {
        public var count: Int
        /// [rows] each row's block table.
        public var tables: UnsafePointer<UnsafePointer<Int32>?>
        /// [rows] keys 0 ..< length are seen.
        public var lengths: UnsafePointer<Int32>
        /// [rows] keys before this one are not seen.
        public var firsts: UnsafePointer<Int32>?
        /// [rows × heads] added to the score of each key position.
        public var biases: UnsafePointer<UnsafePointer<Float>?>?

        public init(
            count: Int, tables: UnsafePointer<UnsafePointer<Int32>?>, lengths: UnsafePointer<Int32>,
            firsts: UnsafePointer<Int32>? = nil, biases: UnsafePointer<UnsafePointer<Float>?>? = nil
        ) {
            self.count = count
            self.tables = tables
            self.lengths = lengths
            self.firsts = firsts
            self.biases = biases
        }

        fileprivate var native: ck_attention_batch {
            ck_attention_batch(
                rows: Int64(count), tables: tables, lengths: lengths, firsts: firsts, biases: biases)
        }
    }

    /// softmax(q·kᵀ·scale + bias)·v for each row. `queries` and `out` hold [heads, headSize] a row.
    public func attend(
        layer: Int, rows: Rows, queries: UnsafePointer<Float>, queryStride: Int, out: UnsafeMutablePointer<Float>,
        outStride: Int
    ) {
        attend(
            layer: layer, rows: rows, queries: queries, queryStride: queryStride, out: out, outStride: outStride,
            by: .fast)
    }

    /// Ways to the same result, for tests of one against another.
    package enum Path: Sendable {
        /// The best kernels for this processor.
        case fast
        /// Kernels that any processor can run.
        case plain
        /// The definition in double precision.
        case reference
    }

    package func attend(
        layer: Int, rows: Rows, queries: UnsafePointer<Float>, queryStride: Int, out: UnsafeMutablePointer<Float>,
        outStride: Int, by path: Path
    ) {
        let (queryStride, outStride) = (Int64(queryStride), Int64(outStride))
        let layer = base + layer * layerBytes
        withUnsafePointer(to: shape) { shape in
            withUnsafePointer(to: rows.native) { batch in
                switch path {
                case .fast: ck_attend(shape, layer, batch, queries, queryStride, out, outStride)
                case .plain: ck_attend_plainly(shape, layer, batch, queries, queryStride, out, outStride)
                case .reference:
                    ck_attend_reference(shape, layer, batch, queries, queryStride, out, outStride, nil, 0)
                }
            }
        }
    }

    /// The attention weights [rows, heads, stride] of each row over its keys, by the slow exact path.
    public func attentionWeights(
        layer: Int, rows: Rows, queries: UnsafePointer<Float>, queryStride: Int,
        weights: UnsafeMutablePointer<Float>, stride: Int
    ) {
        withUnsafePointer(to: shape) { shape in
            withUnsafePointer(to: rows.native) { batch in
                ck_attend_reference(
                    shape, base + layer * layerBytes, batch, queries, Int64(queryStride), nil, 0, weights,
                    Int64(stride))
            }
        }
    }
}
