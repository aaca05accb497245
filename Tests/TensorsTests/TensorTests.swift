import Tensors
import Testing

@Suite struct TensorTests {
    @Test func shapesCountAndStride() {
        let shape: Shape = [2, 3, 4]
        #expect(shape.rank == 3 && shape.count == 24 && shape[-1] == 4 && shape.last == 4)
        #expect(shape.rowMajorStrides == [12, 4, 1])
        #expect(Shape([]).count == 1 && Shape([]).rank == 0)
        #expect(shape != [2, 3, 4, 1])
    }

    @Test func viewsSeeTheSameNumbers() {
        let x = Tensor((0..<24).map(Float.init), [2, 3, 4])
        #expect(x.reshaped([6, -1]).shape == [6, 4])
        #expect(x.slice(1, 1..<3).floats() == [4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23])
        #expect(x.slice(-1, 1..<2).floats() == [1, 5, 9, 13, 17, 21])
        #expect(x.at(0, 1).transposed().floats() == [12, 16, 20, 13, 17, 21, 14, 18, 22, 15, 19, 23])
        #expect(x.transposed(0, 2).floats().prefix(6) == [0, 12, 4, 16, 8, 20])
        #expect(x.transposed(0, 1).reshaped([24]).floats().prefix(8) == [0, 1, 2, 3, 12, 13, 14, 15])
        #expect(x.slice(2, 0..<2).transposed(1, 2).floats() == [0, 4, 8, 1, 5, 9, 12, 16, 20, 13, 17, 21])
        #expect(x.rows(1..<2).storage === x.storage)
        #expect(x.expanded(-1).squeezed(-1).shape == x.shape)
        #expect(
            Tensor([1, 2] as [Float], [2, 1]).broadcast(to: [2, 2, 3]).floats() == [1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2])
    }

    @Test(arguments: [(37, 53), (16, 16), (1, 40), (40, 1), (129, 65)])
    func transposesOfAnySize(_ rows: Int, _ columns: Int) {
        let x = Tensor.normal([rows, columns], seed: 3)
        let expected = Reference.transpose(x.floats(), rows: rows, columns: columns)
        #expect(x.transposed().contiguous().floats() == expected)
        #expect(x.cast(to: .bf16).transposed().contiguous().cast(to: .f32).floats().count == rows * columns)
        #expect(x.cast(to: .bf16).transposed().floats() == Tensor(expected).cast(to: .bf16).floats())
    }

    @Test func joinsAndSplits() {
        let (x, y) = (Tensor([1, 2, 3, 4] as [Float], [2, 2]), Tensor([5, 6] as [Float], [2, 1]))
        let joined = concatenate([x, y], axis: -1)
        #expect(joined.floats() == [1, 2, 5, 3, 4, 6])
        #expect(joined.split([2, 1])[1].floats() == [5, 6])
        #expect(concatenate([x, x]).shape == [4, 2])
    }

    @Test func poolGivesBackTheSameBuffer() {
        // A size that nothing else asks for.
        let bytes = 3_333_333
        let first = Storage(byteCount: bytes).pointer
        let second = Storage(byteCount: bytes - 17).pointer
        #expect(first == second)
        #expect(Int(bitPattern: first) % BufferPool.alignment == 0)
    }

    @Test func sizeClassesHoldWhatTheyPromise() {
        for bytes in [0, 1, 255, 256, 257, 288, 289, 511, 512, 513, 1000, 4096, 4097, 1_000_000, 3 << 30] {
            let index = BufferPool.sizeClass(of: bytes)
            let size = BufferPool.byteCount(ofClass: index)
            #expect(size >= bytes && (size <= 256 || Double(size) <= Double(bytes) * 1.126), "\(bytes) in \(size)")
            if index > 0 { #expect(BufferPool.byteCount(ofClass: index - 1) < bytes) }
        }
    }

    /// Texts of ever new lengths ask for ever new sizes; those of the lengths before must not pile up.
    @Test func staleBuffersGoBack() throws {
        var idle = IdleBuffers(limit: .max)
        func use(_ bytes: Int) throws -> Bool {
            let index = BufferPool.sizeClass(of: bytes)
            let found = idle.take(index)
            let buffer = found ?? .allocate(byteCount: BufferPool.byteCount(ofClass: index), alignment: 64)
            idle.giveBack(buffer, index)
            return found != nil
        }
        for megabytes in 40..<120 { _ = try use(megabytes << 20) }
        // 120 MB were in use at once, and half as much and the slack may lie idle; buffers of 1,036 MB were made.
        #expect(idle.idleBytes <= 130 << 20 + 60 << 20 + IdleBuffers.slack)
        #expect(try use(119 << 20), "what was used last is still there")
        #expect(try !use(40 << 20), "what was used first is not")
        // Steps alike find all they need from the second on.
        for _ in 0..<3 { for megabytes in [90, 50, 70] { _ = try use(megabytes << 20) } }
        for megabytes in [90, 50, 70] { #expect(try use(megabytes << 20)) }
        idle.trim(to: 0)
        #expect(idle.idleBytes == 0 && idle.bytesInUse == 0)
    }

    @Test func foreignMemoryIsKeptAlive() {
        final class Owner: Sendable {
            nonisolated(unsafe) let memory = UnsafeMutableRawPointer.allocate(byteCount: 16, alignment: 64)
            deinit { memory.deallocate() }
        }
        weak var watched: Owner?
        var tensor: Tensor?
        do {
            let owner = Owner()
            watched = owner
            owner.memory.storeBytes(of: 7, toByteOffset: 8, as: Float.self)
            tensor = Tensor(
                storage: Storage(owner.memory, byteCount: 16, ownedBy: owner), byteOffset: 8, shape: [2], dtype: .f32)
        }
        #expect(watched != nil && tensor?.floats()[0] == 7)
        tensor = nil
        #expect(watched == nil)
    }

    @Test func conversionsRoundToNearestEven() {
        let x: [Float] = [
            0, -0, 1, -1.5, 65504, 65520, 1e-8, 6e-8, 3.14159, -2.7e-5, 1e30, .infinity, -.infinity, 5.96e-8,
        ]
        let half = Tensor(x).cast(to: .f16).floats()
        #expect(half == x.map { Float(Float16($0)) })
        #expect(Tensor([Float.nan]).cast(to: .f16).floats()[0].isNaN)
        #expect(Tensor([Float.nan]).cast(to: .bf16).floats()[0].isNaN)
        // Halfway between 1 and 1 + 2⁻⁷ goes to the even one; above it goes up.
        let ties: [Float] = [0x1.01p0, 0x1.01001p0, 0x1.03p0, -.infinity]
        let even: [Float] = [1, 0x1.02p0, 0x1.04p0, -.infinity]
        let bf16 = Tensor(ties).cast(to: .bf16).floats()
        #expect(bf16 == even)
        var generator = SplitMixGenerator(seed: 1)
        let halves = (0..<70_000).map { _ in UInt16(truncatingIfNeeded: generator.next()) }.filter {
            $0 & 0x7c00 != 0x7c00
        }
        let values = halves.map { Float(Float16(bitPattern: $0)) }
        #expect(Tensor(values).cast(to: .f16).floats() == values)
        let random = Tensor.normal([5000], deviation: 0.01, seed: 8)
        #expect(random.cast(to: .f16).floats() == random.floats().map { Float(Float16($0)) })
    }
}
