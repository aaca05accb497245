import Synchronization
import Tensors
import Testing

/// The gradient graph itself: what is recorded, what is pruned, where gradients arrive.
@Suite struct GraphTests {
    @Test func onlyWhatNeedsGradientsIsRecorded() {
        let (x, w) = (Tensor.normal([4, 3], seed: 1), Tensor.normal([2, 3], seed: 2))
        #expect(!linear(x, w).requiresGradient)
        let leaf = w.requiringGradient()
        let y = linear(x, leaf)
        #expect(y.requiresGradient && !y.detached().requiresGradient)
        #expect(!GradientMode.withoutGradients { linear(x, leaf) }.requiresGradient)
        let gradients = y.sum().backward()
        #expect(gradients[leaf]?.shape == [2, 3])
        #expect(gradients[x] == nil && gradients[w] == nil)
    }

    @Test func detachedPartsGetNothing() {
        let x = Tensor([3, 4] as [Float]).requiringGradient()
        let gradients = (x * x.detached()).sum().backward()
        #expect(gradients[x]?.floats() == [3, 4])
        #expect(Tensor(1).backward().isEmpty)
    }

    @Test func gradientsOfOneLeafAddUp() {
        let x = Tensor([2] as [Float]).requiringGradient()
        let y = x * x  // 2x
        let z = y * y + y * x + x  // x⁴ + x³ + x
        #expect(z.sum().backward()[x]?.floats() == [4 * 8 + 3 * 4 + 1])
    }

    @Test func accumulationNeverWritesOverSharedNumbers() {
        let x = Tensor([1, 2] as [Float]).requiringGradient()
        let seed = Tensor([10, 20] as [Float])
        // Both terms hand the same gradient tensor on; adding in place would change `seed`.
        let gradients = ((x + x) + x).backward(seed)
        #expect(gradients[x]?.floats() == [30, 60])
        #expect(seed.floats() == [10, 20])
        var total = gradients
        total.add(gradients, scale: 0.5)
        #expect(total[x]?.floats() == [45, 90] && gradients[x]?.floats() == [30, 60])
        total.scale(by: 2)
        #expect(total[x]?.floats() == [90, 180])
        #expect((total.norm - Float(90 * 90 + 180 * 180).squareRoot()).magnitude < 1e-3)
    }

    /// Each leaf is heard of once, when everything that reads it is behind the pass, with the sum of all parts; the later a leaf was read
    /// first, the earlier. What a part doesn't reach stays among the gradients.
    @Test func finalGradientsAreHandedOver() {
        let leaves = (0..<3).map { Tensor([Float($0 + 2)]).requiringGradient() }
        var gradients = Gradients()
        func part(_ used: [Tensor]) -> Tensor {
            // The first leaf is read twice, inside a checkpoint and outside.
            let first = checkpoint([used[0]]) { $0[0] * $0[0] } * used[0]
            return used.dropFirst().reduce(first) { $0 * $1 }.sum()
        }
        part(leaves).accumulateGradients(into: &gradients)
        var heard: [(place: Int, gradient: [Float])] = []
        let final = FinalGradients(of: leaves) { heard.append(($0, $1.floats())) }
        part(Array(leaves[..<2])).accumulateGradients(into: &gradients, final: final)
        // a³bc + a³b at a = 2, b = 3, c = 4.
        #expect(heard.map(\.place) == [1, 0])
        let expected: [[Float]] = [[32 + 8], [144 + 36]]
        #expect(heard.map(\.gradient) == expected)
        #expect(gradients[leaves[0]] == nil && gradients[leaves[1]] == nil)
        #expect(gradients.take(leaves[2])?.floats() == [24])
        #expect(gradients.isEmpty)
    }

    @Test func unsharedNumbersAreNotCopied() {
        let own = Tensor([1, 2, 3] as [Float])
        let copy = own.unshared()
        copy.withMutableFloats { $0[0] = 9 }
        #expect(own.floats() == [1, 2, 3] && copy.floats() == [9, 2, 3])
        let fresh = Tensor([1, 2, 3, 4] as [Float])
        let address = fresh.withFloats { Int(bitPattern: $0.baseAddress) }
        let same = (consume fresh).unshared()
        #expect(same.withFloats { Int(bitPattern: $0.baseAddress) } == address)
        // A part of other numbers is never its own.
        let part = same.rows(1..<3).unshared()
        #expect(part.withFloats { Int(bitPattern: $0.baseAddress) } != address + 4)
    }

    /// Parts of a batch add up in one set of gradients, and what a part saved is free afterwards.
    @Test func partsAccumulate() {
        let w = Tensor.normal([3, 4], seed: 3).requiringGradient()
        let parts = [Tensor.normal([5, 4], seed: 4), Tensor.normal([2, 4], seed: 5)]
        func loss(_ x: Tensor) -> Tensor {
            square(checkpoint([x]) { [w] in linear($0[0], w) + linear($0[0], w) }).sum()
        }
        var expected = loss(parts[0]).backward()
        expected.add(loss(parts[1]).backward())
        var found = Gradients()
        let losses = parts.map(loss)
        for loss in losses { loss.accumulateGradients(into: &found, factor: 0.5) }
        let (a, b) = (found[w]?.floats() ?? [], expected[w]?.floats() ?? [])
        #expect(a.count == 12 && zip(a, b).allSatisfy { ($0 * 2 - $1).magnitude <= 1e-4 * $1.magnitude })
        // The graph is spent: running it again finds nothing.
        var again = Gradients()
        losses[0].accumulateGradients(into: &again)
        #expect(again[w] == nil)
    }

    /// Later parts are added to the first one's gradients in place, by products, look-ups and the loss, inside checkpoints as outside; with
    /// few rows, whose logits' gradients wait for the backward pass, and with many. What somebody else looks at stays as it was.
    @Test(arguments: [3, 40], [nil, DType.bf16]) func gradientsAddUpInPlace(_ rows: Int, _ precision: DType?) {
        let table = Tensor.normal([64, 48], seed: 1).requiringGradient()
        let w = (Tensor.normal([48, 48], seed: 2) * 0.1).requiringGradient()
        func loss(_ part: Int) -> Tensor {
            let places = (0..<rows).map { Int32(($0 * 7 + part * 5) % 64) }
            let x = embedding(Tensor(places), table)
            let once = x + linear(x, w, precision: precision)
            let twice = checkpoint([once]) { [w] in $0[0] + linear($0[0], w, precision: precision) }
            let targets = places.enumerated().map { $0.offset % 4 == 1 ? -100 : ($0.element + 1) % 64 }
            return linearCrossEntropy(twice, table, Tensor(targets), precision: precision)
                - linearLogProbabilities(once, table, Tensor(targets), precision: precision).sum() * 0.5
        }
        func address(_ gradients: borrowing Gradients) -> [Int] {
            [table, w].map { gradients[$0]?.withFloats { Int(bitPattern: $0.baseAddress) } ?? 0 }
        }
        var expected = loss(0).backward()
        for part in 1..<3 { expected.add(loss(part).backward()) }
        var found = Gradients()
        loss(0).accumulateGradients(into: &found)
        let start = address(found)
        loss(1).accumulateGradients(into: &found)
        #expect(address(found) == start)
        let (held, before) = (found[table], found[table]?.floats())
        loss(2).accumulateGradients(into: &found)
        #expect(held?.floats() == before && address(found)[0] != start[0] && address(found)[1] == start[1])
        for leaf in [table, w] {
            #expect(relativeError(found[leaf] ?? table, expected[leaf]?.floats() ?? []) < 1e-5)
        }
    }

    @Test func intermediateGradientsOnRequest() {
        let x = Tensor([1, 2] as [Float]).requiringGradient()
        let hidden = x * 3
        let loss = square(hidden).sum()
        #expect(loss.backward()[hidden] == nil)
        #expect(loss.backward(retaining: [hidden])[hidden]?.floats() == [6, 12])
    }

    @Test func ownOperations() {
        let x = Tensor([2, 3] as [Float]).requiringGradient()
        let cubed = Tensor(x.floats().map { $0 * $0 * $0 }).recorded(from: [x]) { [square(x.detached()) * 3 * $0] }
        #expect(cubed.sum().backward()[x]?.floats() == [12, 27])
    }

    @Test func checkpointsGiveTheSameGradients() {
        let runs = Mutex(0)
        let x = Tensor.normal([5, 4], seed: 1).requiringGradient()
        let weights = (0..<3).map { Tensor.normal([4, 4], seed: 2 + $0).requiringGradient() }
        let before = tanh(x)  // a captured intermediate
        func layer(_ input: Tensor, _ weight: Tensor) -> Tensor { silu(linear(input, weight)) + before }
        var (plain, kept) = (before, before)
        for weight in weights {
            plain = layer(plain, weight)
            kept = checkpoint([kept]) { [weight] inputs in
                runs.withLock { $0 += 1 }
                return silu(linear(inputs[0], weight)) + before
            }
        }
        #expect(kept.floats() == plain.floats())
        #expect(runs.withLock { $0 } == 3)
        let (expected, found) = (square(plain).sum().backward(), square(kept).sum().backward())
        #expect(runs.withLock { $0 } == 6)
        for leaf in weights + [x] {
            let want = expected[leaf]?.floats() ?? []
            #expect(want.count == leaf.count && relativeError(found[leaf]?.floats() ?? [], want) < 1e-5)
        }
    }

    /// What a layer reads is not kept where a norm or a gate can make it again; the gradients are the same to the bit.
    @Test func cheapInputsAreMadeAgain() {
        let x = Tensor.normal([6, 8], seed: 1).requiringGradient()
        let scale = Tensor.normal([8], seed: 2).requiringGradient()
        let weight = Tensor.normal([3, 8], seed: 3).requiringGradient()
        let inputs: [(name: String, make: () -> Tensor)] = [
            ("norm", { rmsNorm(x, scale, eps: 1e-5) }), ("gate", { swiglu(gate: x, up: x * 2) }),
            ("gate and up", { swiglu(concatenate([x, x * 2], axis: 1)) }),
            ("rounded norm", { rmsNorm(x, scale, eps: 1e-5).cast(to: .bf16) }),
        ]
        for (name, make) in inputs {
            func gradients(viewed: Bool) -> (isKept: Bool, gradients: [[Float]?]) {
                var input: Tensor? = make()
                weak let storage = input?.storage
                // A view of another shape can't be made again.
                let output = input.map { linear(viewed ? $0.reshaped([2, 3, 8]) : $0, weight) }
                input = nil
                let isKept = storage != nil
                let found = output.map { square($0).sum().backward() }
                return (isKept, [x, scale, weight].map { found?[$0]?.floats() })
            }
            let (kept, remade) = (gradients(viewed: true), gradients(viewed: false))
            // Of what is rounded, the layer keeps the widened form.
            #expect(kept.isKept == (name != "rounded norm") && !remade.isKept, "\(name)")
            #expect(kept.gradients[2]?.isEmpty == false && kept.gradients == remade.gradients, "\(name)")
        }
    }

    @Test func observersSeeEachSamplesGradient() {
        let sequences = PackedSequences(lengths: [3, 0, 5])
        let x = Tensor.normal([8, 4], seed: 1)
        let w = Tensor.normal([6, 4], seed: 2).requiringGradient()
        let norms = Mutex<[Float]>([])
        _ = square(linear(x, w)).sum().backward { weight, input, gradient in
            #expect(weight.storage === w.storage)
            let found = squaredGradientNorms(input: input, outputGradient: gradient, sequences: sequences)
            norms.withLock { $0 = found }
        }
        let found = norms.withLock { $0 }
        for (sequence, rows) in [0..<3, 3..<3, 3..<8].enumerated() {
            let own = rows.isEmpty ? nil : square(linear(x.rows(rows), w)).sum().backward()[w]
            let exact = own.map { dot($0, $0) } ?? 0
            #expect((found[sequence] - exact).magnitude <= 1e-4 * exact)
        }
    }

    @Test func deepGraphsEndWithoutDeepStacks() {
        let x = Tensor(1).requiringGradient()
        var y = x
        for _ in 0..<200_000 { y = y + 0.001 }
        #expect(y.backward()[x]?.item == 1)
    }

    @Test func lowPrecisionWeightsGetFullPrecisionGradients() {
        let x = Tensor.normal([20, 16], seed: 1).requiringGradient()
        let master = Tensor.normal([8, 16], seed: 2).requiringGradient()
        let direction = Tensor.normal([20, 8], seed: 3)
        let exact = linear(x, master).backward(direction)
        let narrow = linear(x, master.cast(to: .bf16)).backward(direction)
        for leaf in [x, master] {
            #expect(narrow[leaf]?.dtype == .f32)
            #expect(relativeError(narrow[leaf]?.floats() ?? [], exact[leaf]?.floats() ?? [1]) < 2e-2)
        }
    }
}
