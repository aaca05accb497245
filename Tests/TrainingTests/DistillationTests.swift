import Models
import Tensors
import Testing
import Training

/// Objectives over whole distributions and over pooled states: worked-out values and central differences through the tiny model.
@Suite struct DistillationTests {
    /// A teacher that is not the learner: the tiny model with other weights.
    static func teacher() throws -> DecoderModel {
        try DecoderModel(TinyModel.source(), precision: .f32).replacingWeights { name, weight in
            guard case .dense(let tensor) = weight else { return weight }
            return .dense(tensor + Golden.numbers(tensor.shape, UInt32(300 + name.count)) * 0.05)
        } vector: { _, tensor in
            tensor
        }
    }

    static let texts = Array(TinyModel.samples[..<3])

    /// log softmax(logits / T) of every row, in f64.
    func logDistributions(_ model: DecoderModel, _ texts: [TokenSequence], _ temperature: Double) -> [[Double]] {
        let batch = PackedBatch(texts)
        let hidden = Policy(model).hiddenStates(batch)
        let logits = model.logits(of: hidden, rows: Array(0..<batch.rows))
        return (0..<batch.rows).map { row in
            logSoftmax(logits.slice(0, row..<row + 1) * Float(1 / temperature)).floats().map(Double.init)
        }
    }

    @Test(arguments: DivergenceDirection.allCases) func divergences(_ direction: DivergenceDirection) throws {
        let (learner, teacher) = (try TinyModel.load(), try Self.teacher())
        let found = Policy(learner.model).divergences(Self.texts, from: teacher, direction: direction, temperature: 2)
        let p = logDistributions(learner.model, Self.texts, 2)
        let q = logDistributions(teacher, Self.texts, 2)
        for (row, value) in found.values.floats().enumerated() {
            var expected = 0.0
            if found.batch.weights[row] > 0 {
                for (a, b) in zip(p[row], q[row]) {
                    let weight = Double(exp(Tensor(Float(direction == .forward ? b : a))).item)
                    expected += weight * (direction == .forward ? b - a : a - b)
                }
            }
            #expect(abs(Double(value) - expected) < 1e-5 + 1e-4 * abs(expected), "row \(row)")
        }
        let same = Policy(learner.model).divergences(Self.texts, from: learner.model, direction: direction)
        #expect(same.values.floats().allSatisfy { abs($0) < 1e-6 })
    }

    /// Central differences along each parameter's gradient.
    func expectSlopes<Training: Objective>(_ objective: Training, _ samples: [Training.Sample]) throws {
        let learner = try TinyModel.load()
        let batch = ObjectiveBatch(samples: samples, texts: samples.flatMap { objective.texts(of: $0) })
        func loss() throws -> Tensor { try objective.loss(of: batch, policy: Policy(learner.model)).total }
        let gradients = try loss().backward()
        for parameter in learner.parameters {
            guard let gradient = gradients[parameter.tensor] else {
                Issue.record("\(objective.name): no gradient of \(parameter.name)")
                continue
            }
            let length = dot(gradient, gradient).squareRoot()
            let (direction, numbers, step) = (gradient * (1 / length), parameter.tensor.detached(), Float(0.02))
            func moved(_ shift: Float) throws -> Double {
                numbers.accumulate(direction, scale: shift)
                defer { numbers.accumulate(direction, scale: -shift) }
                return Double(try GradientMode.withoutGradients { try loss().item })
            }
            let (near, far) = (try moved(step) - moved(-step), try moved(2 * step) - moved(-2 * step))
            let slope = (8 * near - far) / Double(12 * step)
            #expect(
                abs(slope - Double(length)) <= 1e-2 * Double(length) + 2e-4, "\(objective.name), \(parameter.name)")
        }
    }

    @Test func slopes() throws {
        let teacher = try Self.teacher()
        try expectSlopes(try Distillation(teacher: teacher, temperature: 2), Self.texts)
        try expectSlopes(try Distillation(teacher: teacher, direction: .reverse, dataShare: 0.3), Self.texts)
        try expectSlopes(
            try SoftLabelDistillation(), SoftLabelSample.make(Self.texts, teacher: teacher, k: 5, temperature: 1))
        try expectSlopes(try Contrastive(temperature: 0.5), Self.pairs)
    }

    static let pairs = (0..<3).map {
        ContrastiveSample(
            anchor: TinyModel.samples[$0], positive: TinyModel.samples[$0 + 3], negatives: [TinyModel.samples[$0 + 6]])
    }

    /// With labels of the whole vocabulary the stored form is the live one; a learner that is its teacher has nothing to learn.
    @Test func softLabelsAreTheTeachers() throws {
        let (learner, teacher) = (try TinyModel.load(), try Self.teacher())
        func total<Training: Objective>(_ objective: Training, _ samples: [Training.Sample]) throws -> Float {
            let batch = ObjectiveBatch(samples: samples, texts: samples.flatMap { objective.texts(of: $0) })
            return try objective.loss(of: batch, policy: Policy(learner.model)).total.item
        }
        let live = try total(try Distillation(teacher: teacher, temperature: 2), Self.texts)
        let all = try SoftLabelSample.make(Self.texts, teacher: teacher, k: 96, temperature: 2)
        #expect(abs(try total(try SoftLabelDistillation(temperature: 2), all) - live) < 1e-3 * live)
        let few = try SoftLabelSample.make(Self.texts, teacher: teacher, k: 3, temperature: 2)
        #expect(few.allSatisfy { $0.tokens.allSatisfy { $0.count == 3 } })
        #expect(abs(try total(try Distillation(teacher: learner.model), Self.texts)) < 1e-4)
        #expect(throws: TrainingError.self) { try SoftLabelSample(Self.texts[0], tokens: [], probabilities: []) }
        #expect(throws: TrainingError.self) { try Distillation(teacher: teacher, temperature: 0) }
    }

    /// Two anchors with cosines 1, 0 and 0, 1 and a temperature of 1: each loss is log(1 + e^-1).
    @Test func contrastiveByHand() throws {
        let objective = try Contrastive(temperature: 1)
        let found = objective.loss(
            anchors: Tensor([3, 0, 0, 2] as [Float], [2, 2]), candidates: Tensor([5, 0, 0, 1] as [Float], [2, 2]))
        #expect(abs(found.total.item - 2 * 0.313262) < 1e-5)
        #expect(found.sums["accuracy"] == 2)
        let batch = PackedBatch([TokenSequence([1, 2]), TokenSequence([3, 4, 5])])
        #expect(batch.pooled(Tensor([1, 3, 2, 4, 9] as [Float], [5, 1])).floats() == [2, 5])
    }

    /// A learner comes nearer to its teacher.
    @Test func learns() throws {
        var settings = TrainerSettings()
        settings.steps = 12
        settings.samplesPerStep = 3
        let steps = try Trainer(
            try TinyModel.load(), objective: try Distillation(teacher: try Self.teacher()),
            optimisation: try Optimisation(rate: 3e-3), samples: Self.texts, settings: settings
        ).run().history.steps
        let before = try #require(steps[0].figures["divergence"])
        #expect(try #require(steps[11].figures["divergence"]) < 0.7 * before)
    }
}
