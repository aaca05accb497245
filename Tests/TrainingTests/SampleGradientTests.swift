import Models
import Tensors
import Testing
import Training

/// Gradients by sample, by input and to the second order, against direct computation on the tiny model.
@Suite struct SampleGradientTests {
    func batch<Training: Objective>(_ objective: Training, _ samples: [Training.Sample]) -> ObjectiveBatch<
        Training.Sample
    > {
        ObjectiveBatch(samples: samples, texts: samples.flatMap { objective.texts(of: $0) })
    }

    /// One backward pass a sample.
    func direct<Training: Objective>(
        _ objective: Training, _ samples: [Training.Sample], _ model: TrainableModel
    ) throws -> [[Tensor]] {
        try samples.map { sample in
            let found = try objective.loss(of: batch(objective, [sample]), policy: Policy(model.model)).total.backward()
            return model.parameters.map { found[$0.tensor] ?? .zeros($0.tensor.shape) }
        }
    }

    func expectSame<Training: Objective>(_ objective: Training, _ samples: [Training.Sample], _ model: TrainableModel)
        throws
    {
        let found = try SampleGradients(of: objective, batch: batch(objective, samples), model: model)
        let expected = try direct(objective, samples, model)
        let norms = expected.map { $0.reduce(0.0) { $0 + Double(dot($1, $1)) }.squareRoot() }
        for (norm, exact) in zip(found.norms, norms) { #expect(abs(norm - exact) <= 1e-4 * exact, "\(objective.name)") }
        let bound = norms.sorted()[norms.count / 2]
        let clipped = found.sum(clippedTo: bound)
        for index in model.parameters.indices {
            var sum = Tensor.zeros(model.parameters[index].tensor.shape)
            for (sample, norm) in zip(expected, norms) { sum = sum + sample[index] * Float(min(1, bound / norm)) }
            #expect(
                relativeError(try #require(clipped[index]).floats(), sum.floats()) <= 1e-3,
                "\(model.parameters[index].name)")
        }
        #expect(found.factors(bound: bound).contains(1) && found.factors(bound: bound).contains { $0 < 1 })
    }

    @Test func adaptersAndMatrices() throws {
        let texts = Array(TinyModel.samples[..<5])
        let adapters = try TinyModel.loraModel()
        for parameter in adapters.parameters where parameter.name.hasSuffix("lora_B.weight") {
            parameter.tensor.detached().assign(Golden.numbers(parameter.tensor.shape, 77) * 0.1)
        }
        try expectSame(Supervised(), texts, adapters)
        let pairs = (0..<3).map { PreferencePair(chosen: TinyModel.samples[$0], rejected: TinyModel.samples[$0 + 3]) }
        try expectSame(try SimPO(), pairs, adapters)
        try expectSame(Supervised(), texts, try TinyModel.load(ChosenWeights(["q_proj", "down_proj"])))
    }

    /// Embeddings and norms have no parts by sample here.
    @Test func refusesOtherParameters() throws {
        #expect {
            try SampleGradients(
                of: Supervised(), batch: batch(Supervised(), TinyModel.samples), model: try TinyModel.load())
        } throws: { "\($0)".contains("no weight of a linear layer") }
    }

    /// Moving one text's embeddings along the gradient changes the loss as the gradient says; the table's gradient is the sum over its tokens.
    @Test func inputs() throws {
        let model = try TinyModel.load(ChosenWeights.embeddings)
        let texts = Array(TinyModel.samples[..<3])
        let policy = Policy(model.model)
        // A loss without the output projection, which is tied to the table.
        func loss(_ hidden: Tensor, _ batch: PackedBatch) -> Tensor { (hidden * Golden.numbers(hidden.shape, 5)).sum() }
        let found = policy.inputGradients(texts) { loss($0, $1) }
        let batch = PackedBatch(texts)
        #expect(found.batch.tokens == batch.tokens && found.gradients.shape == [batch.rows, 32])
        let table = try #require(loss(policy.hiddenStates(batch), batch).backward()[model.parameters[0].tensor])
        var sums = [Float](repeating: 0, count: table.count)
        let rows = found.gradients.floats()
        for (row, token) in batch.tokens.enumerated() {
            for k in 0..<32 { sums[Int(token) * 32 + k] += rows[row * 32 + k] }
        }
        #expect(relativeError(sums, table.floats()) < 1e-4)
        // The default is the cross-entropy.
        let entropy = policy.inputGradients(texts)
        let explicit = policy.inputGradients(texts) {
            model.model.crossEntropy(of: $0, targets: $1.targets, weights: $1.weights)
        }
        #expect(entropy.gradients.floats() == explicit.gradients.floats())
        #expect(entropy.embeddings.floats() == found.embeddings.floats())
    }

    /// Of ½ θᵀAθ the product is A v.
    @Test func quadratic() throws {
        let half = Golden.numbers([6, 6], 3)
        let matrix = half + half.transposed()
        let parameter = Parameter(name: "x", tensor: Golden.numbers([6, 1], 4))
        let direction = Golden.numbers([6, 1], 5)
        let found = try hessianProduct([parameter], along: [direction]) {
            (matmul(parameter.tensor.transposed(), matmul(matrix, parameter.tensor)) * 0.5).sum().backward()
        }
        #expect(relativeError(found[0].floats(), matmul(matrix, direction).floats()) < 1e-3)
        #expect(parameter.tensor.floats() == Golden.numbers([6, 1], 4).floats())
        let none = try hessianProduct([parameter], along: [.zeros([6, 1])]) { Gradients() }
        #expect(none[0].floats().allSatisfy { $0 == 0 })
    }

    /// On the tiny model: vᵀHv is the second difference of the loss along v, and uᵀHv = vᵀHu.
    @Test func tinyModel() throws {
        let model = try TinyModel.load()
        let policy = Policy(model.model)
        let texts = TinyModel.samples
        func random(_ seed: UInt32) -> [Tensor] {
            model.parameters.enumerated().map { Golden.numbers($1.tensor.shape, seed + UInt32($0)) }
        }
        func product(_ a: [Tensor], _ b: [Tensor]) -> Double { zip(a, b).reduce(0) { $0 + Double(dot($1.0, $1.1)) } }
        func times(_ v: [Tensor]) throws -> [Tensor] {
            try hessianProduct(model.parameters, along: v, step: 1e-3) { policy.crossEntropy(texts).backward() }
        }
        // Along the gradient the curvature is large enough to be seen above rounding.
        let gradients = policy.crossEntropy(texts).backward()
        let v = model.parameters.map { gradients[$0.tensor] ?? .zeros($0.tensor.shape) }
        let u = random(400)
        let (hv, hu) = (try times(v), try times(u))
        #expect(abs(product(u, hv) - product(v, hu)) < 0.05 * (product(u, u) * product(hv, hv)).squareRoot())
        let length = product(v, v).squareRoot()
        func loss(_ shift: Double) -> Double {
            for (parameter, d) in zip(model.parameters, v) {
                parameter.tensor.detached().accumulate(d, scale: Float(shift / length))
            }
            defer {
                for (parameter, d) in zip(model.parameters, v) {
                    parameter.tensor.detached().accumulate(d, scale: Float(-shift / length))
                }
            }
            return Double(GradientMode.withoutGradients { policy.crossEntropy(texts).item })
        }
        // The loss bends fast here: a fourth-order difference, whose rounding is what the bound allows.
        func second(_ h: Double) -> Double { (loss(h) - 2 * loss(0) + loss(-h)) / (h * h) }
        let expected = (4 * second(0.02) - second(0.04)) / 3
        let along = product(v, hv) / (length * length)
        #expect(abs(expected - along) < 0.25 * abs(along), "\(expected) and \(along)")
    }
}
