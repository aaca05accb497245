import Testing

import Tensors

/// Attention over shared blocks against softmax(q·kᵀ)·v written out.
struct PagedCacheTests {
    static let shape = AttentionShape(heads: 6, keyValueHeads: 2, headSize: 32, scale: 0.2)

    /// Head sizes of whole vectors, with a rest, and of more numbers than one exact sum takes; with and without softcap.
    static let shapes = [
        AttentionShape(heads: 3, keyValueHeads: 1, headSize: 64, scale: 0.125),
        AttentionShape(heads: 4, keyValueHeads: 4, headSize: 24, scale: 0.2),
        AttentionShape(heads: 8, keyValueHeads: 1, headSize: 80, scale: 0.1, softcap: 20),
        AttentionShape(heads: 2, keyValueHeads: 1, headSize: 256, scale: 0.0625, softcap: 5),
    ]

    /// Sequences of several lengths, some sharing their first blocks, written into a cache.
    struct Setting {
        let cache: PagedCache
        let tables: [[Int32]]
        let lengths: [Int]
        let keys: [[Float]]
        let values: [[Float]]

        init(compact: Bool, lengths: [Int], sharedBlocks: Int) throws {
            cache = try #require(PagedCache(layers: 2, shape: PagedCacheTests.shape, capacity: 256, compact: compact))
            var random = TestRandom(seed: 9)
            var tables: [[Int32]] = []
            var keys: [[Float]] = []
            var values: [[Float]] = []
            let width = 64
            var next: Int32 = 0
            for (index, length) in lengths.enumerated() {
                var table: [Int32] = []
                var key: [Float] = []
                var value: [Float] = []
                if index > 0 {
                    table = Array(tables[0].prefix(sharedBlocks))
                    key = Array(keys[0].prefix(sharedBlocks * 16 * width))
                    value = Array(values[0].prefix(sharedBlocks * 16 * width))
                }
                while table.count * 16 < length {
                    table.append(next * 7 % 251)
                    next += 1
                }
                while key.count < length * width {
                    key.append(random.uniform(-1, 1))
                    value.append(random.uniform(-1, 1))
                }
                let places = (0..<length).map { Int64(table[$0 / 16]) * 16 + Int64($0 % 16) }
                cache.write(layer: 1, places: places, rows: length, keys: key, values: value, stride: width)
                tables.append(table)
                keys.append(key)
                values.append(value)
            }
            self.tables = tables
            self.keys = keys
            self.values = values
            self.lengths = lengths
        }

        func attend(
            _ rows: [(sequence: Int, length: Int)], queries: [Float], firsts: [Int32]? = nil,
            biases: [UnsafePointer<Float>?]? = nil
        ) -> [Float] {
            PagedCacheTests.attend(
                cache, layer: 1, tables: tables, rows, queries: queries, firsts: firsts, biases: biases)
        }

        /// The same in double precision, written out.
        func expected(
            _ sequence: Int, length: Int, query: [Float], first: Int = 0, bias: (Int, Int) -> Double = { _, _ in 0 }
        )
            -> [Double]
        {
            var out: [Double] = []
            for head in 0..<6 {
                let kv = head / 3
                var scores: [Double] = []
                for p in first..<length {
                    var dot = 0.0
                    for c in 0..<32 {
                        dot += Double(query[head * 32 + c]) * Double(keys[sequence][p * 64 + kv * 32 + c])
                    }
                    scores.append(dot * 0.2 + bias(head, p))
                }
                let peak = scores.max() ?? 0
                let weights = scores.map { exp($0 - peak) }
                let total = weights.reduce(0, +)
                for c in 0..<32 {
                    var sum = 0.0
                    for (i, weight) in weights.enumerated() {
                        sum += weight * Double(values[sequence][(first + i) * 64 + kv * 32 + c])
                    }
                    out.append(sum / total)
                }
            }
            return out
        }

        private func exp(_ x: Double) -> Double {
            // e^x by repeated squaring of the series at x / 2^20.
            var y = x / 1_048_576
            y = 1 + y + y * y / 2 + y * y * y / 6
            for _ in 0..<20 { y *= y }
            return y
        }
    }

    /// Attends to rows; each row's sequence names its table.
    static func attend(
        _ cache: PagedCache, layer: Int, tables: [[Int32]], _ rows: [(sequence: Int, length: Int)], queries: [Float],
        firsts: [Int32]? = nil, biases: [UnsafePointer<Float>?]? = nil, by path: PagedCache.Path = .fast
    ) -> [Float] {
        let width = queries.count / rows.count
        var out = [Float](repeating: .nan, count: queries.count)
        let pointers = tables.map { table in
            let copy = UnsafeMutablePointer<Int32>.allocate(capacity: table.count)
            copy.initialize(from: table, count: table.count)
            return copy
        }
        defer { pointers.forEach { $0.deallocate() } }
        let tablePointers = rows.map { UnsafePointer<Int32>?(UnsafePointer(pointers[$0.sequence])) }
        let lengths = rows.map { Int32($0.length) }
        func call(_ firsts: UnsafePointer<Int32>?, _ biases: UnsafePointer<UnsafePointer<Float>?>?) {
            tablePointers.withUnsafeBufferPointer { tables in
                lengths.withUnsafeBufferPointer { lengths in
                    out.withUnsafeMutableBufferPointer { out in
                        cache.attend(
                            layer: layer,
                            rows: PagedCache.Rows(
                                count: rows.count, tables: tables.baseAddress!, lengths: lengths.baseAddress!,
                                firsts: firsts, biases: biases), queries: queries, queryStride: width,
                            out: out.baseAddress!, outStride: width, by: path)
                    }
                }
            }
        }
        let firstValues = firsts ?? []
        let biasValues = biases ?? []
        firstValues.withUnsafeBufferPointer { first in
            biasValues.withUnsafeBufferPointer { bias in
                call(firsts == nil ? nil : first.baseAddress, biases == nil ? nil : bias.baseAddress)
            }
        }
        return out
    }

    static func queries(_ count: Int) -> [Float] {
        var random = TestRandom(seed: 77)
        return (0..<count * 192).map { _ in random.uniform(-2, 2) }
    }

    @Test("rows of several sequences", arguments: [false, true])
    func matchesDefinition(compact: Bool) throws {
        let setting = try Setting(compact: compact, lengths: [300, 290, 150, 17, 1], sharedBlocks: 0)
        var rows: [(sequence: Int, length: Int)] = [(0, 128), (0, 129), (1, 5)]
        for sequence in 0..<5 { rows.append((sequence, setting.lengths[sequence])) }
        let queries = Self.queries(rows.count)
        let out = setting.attend(rows, queries: queries)
        for (index, row) in rows.enumerated() {
            let query = Array(queries[index * 192..<(index + 1) * 192])
            let expected = setting.expected(row.sequence, length: row.length, query: query)
            var worst = 0.0
            for column in 0..<192 { worst = max(worst, abs(Double(out[index * 192 + column]) - expected[column])) }
            #expect(worst < (compact ? 1e-3 : 2e-6), "row \(index)")
        }
    }

    @Test("sharing blocks changes nothing, to the bit")
    func invariance() throws {
        let setting = try Setting(compact: true, lengths: [280, 270, 265, 275, 260], sharedBlocks: 16)
        var rows: [(sequence: Int, length: Int)] = []
        for sequence in 0..<5 { rows += [(sequence, setting.lengths[sequence]), (sequence, 100)] }
        let queries = Self.queries(rows.count)
        let together = setting.attend(rows, queries: queries)
        for (index, row) in rows.enumerated() {
            let alone = setting.attend([row], queries: Array(queries[index * 192..<(index + 1) * 192]))
            #expect(alone == Array(together[index * 192..<(index + 1) * 192]))
        }
    }

    @Test("windows and biases")
    func windowsAndBiases() throws {
        let setting = try Setting(compact: false, lengths: [300, 200], sharedBlocks: 3)
        let rows = [(sequence: 0, length: 300), (sequence: 1, length: 200)]
        let queries = Self.queries(2)
        let windowed = setting.attend(rows, queries: queries, firsts: [170, 0])
        let expected = setting.expected(0, length: 300, query: Array(queries[..<192]), first: 170)
        #expect(zip(windowed, expected).allSatisfy { abs(Double($0) - $1) < 2e-6 })

        var bias = [Float](repeating: 0, count: 300 + PagedCache.spanTokens)
        for p in 40..<60 { bias[p] = -4.6 }
        bias.withUnsafeBufferPointer { bias in
            var table = [UnsafePointer<Float>?](repeating: nil, count: 12)
            table[4] = bias.baseAddress
            let steered = setting.attend(rows, queries: queries, biases: table)
            let expected = setting.expected(0, length: 300, query: Array(queries[..<192])) { head, p in
                head == 4 && (40..<60).contains(p) ? Double(Float(-4.6)) : 0
            }
            #expect(zip(steered, expected).allSatisfy { abs(Double($0) - $1) < 2e-6 })
            // Other heads and rows are untouched, to the bit.
            let plain = setting.attend(rows, queries: queries)
            #expect(Array(steered[..<128]) == Array(plain[..<128]))
            #expect(Array(steered[160...]) == Array(plain[160...]))
        }
    }

    @Test("a window that leaves a span of keys in the midst of neighbouring rows")
    func movingWindow() throws {
        let setting = try Setting(compact: false, lengths: [300], sharedBlocks: 0)
        let lengths = Array(250..<290)
        let queries = Self.queries(lengths.count)
        // The first keys seen are 115 ... 154; a span ends at 128.
        let out = setting.attend(
            lengths.map { (0, $0) }, queries: queries, firsts: lengths.map { Int32($0 - 135) })
        for (index, length) in lengths.enumerated() {
            let rows = index * 192..<(index + 1) * 192
            let expected = setting.expected(0, length: length, query: Array(queries[rows]), first: length - 135)
            #expect(zip(out[rows], expected).allSatisfy { abs(Double($0) - $1) < 2e-6 }, "length \(length)")
        }
    }

    @Test("the fast path, the plain one and the definition agree", arguments: shapes, [false, true])
    func paths(shape: AttentionShape, compact: Bool) throws {
        let cache = try #require(PagedCache(layers: 1, shape: shape, capacity: 32, compact: compact))
        let (width, queryWidth) = (shape.keyValueHeads * shape.headSize, shape.heads * shape.headSize)
        var random = TestRandom(seed: 31)
        let keys = (0..<300 * width).map { _ in random.uniform(-2, 2) }
        let values = (0..<300 * width).map { _ in random.uniform(-1, 3) }
        let table = (0..<19).map { Int32($0 * 5 % 32) }
        let places = (0..<300).map { Int64(table[$0 / 16]) * 16 + Int64($0 % 16) }
        cache.write(layer: 0, places: places, rows: 300, keys: keys, values: values, stride: width)
        let rows = [1, 16, 100, 128, 129, 240, 299, 300].map { (sequence: 0, length: $0) }
        let firsts: [Int32] = [0, 3, 0, 0, 120, 0, 131, 0]
        let queries = (0..<rows.count * queryWidth).map { _ in random.uniform(-2, 2) }
        let bias = (0..<300 + PagedCache.spanTokens).map { $0 % 7 == 3 ? Float(-2.5) : 0 }
        func attend(_ path: PagedCache.Path) -> [Float] {
            bias.withUnsafeBufferPointer { bias in
                var biases = [UnsafePointer<Float>?](repeating: nil, count: rows.count * shape.heads)
                biases[7 * shape.heads + 1] = bias.baseAddress
                return Self.attend(
                    cache, layer: 0, tables: [table], rows, queries: queries, firsts: firsts, biases: biases, by: path)
            }
        }
        let (fast, plain, reference) = (attend(.fast), attend(.plain), attend(.reference))
        func worst(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).map { abs($0 - $1) }.max() ?? .infinity }
        #expect(worst(fast, plain) < 1e-5)
        #expect(worst(fast, reference) < (compact ? 2e-3 : 1e-5))
    }

    @Test("a query of zeros weighs all keys alike")
    func zeros() throws {
        let setting = try Setting(compact: true, lengths: [40], sharedBlocks: 0)
        let mean = setting.attend([(0, 40)], queries: [Float](repeating: 0, count: 192))
        let expected = setting.expected(0, length: 40, query: [Float](repeating: 0, count: 192))
        #expect(zip(mean, expected).allSatisfy { abs(Double($0) - $1) < 2e-4 })
    }
}
