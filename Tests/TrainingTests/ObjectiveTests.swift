import Tensors
import Testing
import Training

/// Losses and their gradients on given log-probabilities, against values made with PyTorch from the papers' and TRL's formulas.
@Suite struct ObjectiveTests {
    static let ratios = Golden.numbers([8], 31) * 8
    static let means = abs(Golden.numbers([8], 32)) * -3 - 0.05
    static let lengths: [Double] = [3, 5, 4, 4, 9, 2, 7, 6]

    func expect(_ name: String, _ x: Tensor, _ loss: (Tensor) throws -> ObjectiveLoss) throws {
        let golden = try #require(try Golden.values.get().objectives[name])
        let leaf = x.requiringGradient()
        let found = try loss(leaf)
        #expect(abs(Double(found.total.item) - golden.loss) <= 1e-5 * abs(golden.loss), "\(name)")
        let gradient = try #require(found.total.backward()[leaf])
        #expect(relativeError(gradient.floats(), golden.gradient) <= 1e-4, "\(name)")
    }

    @Test func preferences() throws {
        try expect("dpo", Self.ratios) { try DPO(beta: 0.3).loss(logRatios: $0, lengths: Self.lengths) }
        try expect("dpo smoothed", Self.ratios) {
            try DPO(beta: 0.3, loss: .sigmoid(labelSmoothing: 0.1)).loss(logRatios: $0, lengths: Self.lengths)
        }
        try expect("ipo", Self.ratios) {
            try DPO(beta: 0.3, loss: .identity).loss(logRatios: $0, lengths: Self.lengths)
        }
        try expect("simpo", Self.means) { try SimPO(beta: 2, margin: 0.7).loss(means: $0) }
        try expect("orpo", Self.means) { try ORPO(strength: 0.4).loss(means: $0) }
    }

    @Test func judgedAnswers() throws {
        try expect("kto", Self.ratios) {
            try KTO(beta: 0.2, desirableWeight: 1.5, undesirableWeight: 0.5).loss(
                logRatios: $0, isDesirable: [true, false, false, true, true, false, true, false], divergence: 0.6)
        }
    }

    @Test func unlikelihood() throws {
        // Two texts of four and six tokens: three wanted and five unwanted predictions, as in the golden case.
        let batch = PackedBatch([TokenSequence([0, 1, 2, 3]), TokenSequence([0, 1, 2, 3, 4, 5])])
        let places: [Int32] = [0, 1, 2, 8, 3, 4, 5, 6, 7, 8]
        try expect("unlikelihood", Self.means * (1.0 / 3)) { x in
            let rows = concatenate([abs(x) * -3, Tensor([Float(0)])])
            let values = takeRows(rows.reshaped([9, 1]), places).reshaped([10])
            return try Unlikelihood(strength: 0.7).loss(
                TokenLogProbabilities(batch: batch, values: values), isUnwanted: (0..<10).map { $0 >= 4 })
        }
    }

    /// Objectives with a reference start from log-ratios of zero, so DPO's loss is log 2 and its pairs have no margin.
    @Test func startsAtTheReference() throws {
        let samples = stride(from: 0, to: 12, by: 2).map {
            PreferencePair(chosen: TinyModel.samples[$0], rejected: TinyModel.samples[$0 + 1])
        }
        var settings = TrainerSettings()
        settings.samplesPerStep = 6
        settings.steps = 12
        let trainer = try Trainer(
            try TinyModel.loraModel(), objective: try DPO(), optimisation: try Optimisation(rate: 1e-2),
            samples: samples, settings: settings)
        let steps = try trainer.run().history.steps
        #expect(abs(steps[0].loss - 0.693147) < 1e-4)
        #expect(abs(try #require(steps[0].figures["margin"])) < 1e-4)
        #expect(try #require(steps.last).loss < 0.4)
        #expect(try #require(steps.last).figures["accuracy"] == 1)
    }

    /// Every other objective makes its loss smaller on the samples it sees.
    @Test func allLearn() throws {
        let pairs = stride(from: 0, to: 12, by: 2).map {
            PreferencePair(chosen: TinyModel.samples[$0], rejected: TinyModel.samples[$0 + 1])
        }
        func run<Training: Objective>(_ objective: Training, _ samples: [Training.Sample]) throws {
            var settings = TrainerSettings()
            settings.samplesPerStep = samples.count
            settings.steps = 10
            let trainer = try Trainer(
                try TinyModel.load(), objective: objective, optimisation: try Optimisation(rate: 3e-3),
                samples: samples, settings: settings)
            let losses = try trainer.run().history.steps.map(\.loss)
            #expect(losses[9] < losses[0], "\(objective.name): \(losses)")
        }
        try run(try SimPO(), pairs)
        try run(try ORPO(), pairs)
        try run(try DPO(loss: .identity), pairs)
        try run(try Unlikelihood(), pairs.map { UnlikelihoodSample(wanted: $0.chosen, unwanted: $0.rejected) })
        try run(
            try KTO(),
            pairs.enumerated().map {
                JudgedAnswer($1.chosen, isDesirable: $0 % 2 == 0, mismatched: $0 < 3 ? $1.rejected : nil)
            })
    }

    @Test func corpus() throws {
        let texts = try Corpus.texts(documents: [[1, 2, 3], [4, 5, 6, 7, 8]], length: 4, separator: 0)
        #expect(texts.map(\.tokens) == [[1, 2, 3, 0], [4, 5, 6, 7], [8, 0]])
        #expect(texts.allSatisfy { $0.weight == Double($0.count - 1) })
        #expect(throws: TrainingError.self) { try Corpus.texts(documents: [[1]], length: 1, separator: nil) }
    }
}
