import Models
import Tensors
import Testing
import Training

/// Losses of unlearning: hand-worked values, gradients, and the joined objective on a tiny model.
@Suite struct UnlearningObjectiveTests {
    static let ratios: [Float] = [-3, -0.5, 0, 1, 2.5]

    func likelihoods(_ ratios: [Float], reference: Float = 0) -> AnswerLikelihoods {
        AnswerLikelihoods(
            sums: Tensor(ratios).requiringGradient(), reference: .full(reference, [ratios.count]),
            lengths: ratios.map { _ in 4 })
    }

    /// -(2/β) log σ(-β r), whose slope is W = 2 σ(β r).
    @Test func negativePreference() throws {
        let term = try Training.NegativePreference(beta: 0.5)
        let x = Tensor(Self.ratios).requiringGradient()
        let loss = term.loss(logRatios: x)
        let expected = Self.ratios.reduce(0.0) { $0 + 4 * Double(logistic(Double($1) * 0.5).negatedLogOfRest) }
        #expect(abs(Double(loss.item) - expected) < 1e-5)
        let slope = try #require(loss.backward()[x]).floats()
        for (r, found) in zip(Self.ratios, slope) {
            #expect(abs(Double(found) - 2 * logistic(Double(r) * 0.5).value) < 1e-6)
        }
        #expect(zip(term.weights(logRatios: Tensor(Self.ratios)).floats(), slope).allSatisfy { abs($0 - $1) < 1e-6 })
        // Far away nothing overflows: what is likely costs 2 r, what is forgotten nothing.
        let far = try Training.NegativePreference(beta: 1)
        #expect(abs(far.loss(logRatios: Tensor([Float(300)])).item - 600) < 1e-2)
        #expect(far.loss(logRatios: Tensor([Float(-300)])).item == 0)
        #expect(throws: TrainingError.self) { try Training.NegativePreference(beta: 0) }
    }

    @Test func baselines() throws {
        let answers = likelihoods(Self.ratios)
        let refusals = likelihoods([1, 1, 1, 1, 1])
        #expect(abs(GradientAscent().loss(answers: answers, refusals: nil).item) < 1e-6)
        #expect(GradientAscent(isPerToken: true).loss(answers: likelihoods([4, 8]), refusals: nil).item == 3)
        #expect(RefusalLearning().loss(answers: nil, refusals: likelihoods([-4, -8])).item == 3)
        func total(_ shift: Double) -> Double {
            Self.ratios.reduce(0.0) { $0 + 4 * logistic((Double($1) - shift) * 0.5).negatedLogOfRest }
        }
        // Refusals that became e times as likely shift every answer's ratio by one.
        let dpo = try RefusalPreference(beta: 0.5).loss(answers: answers, refusals: refusals)
        let kto = try UnwantedAnswer(beta: 0.5).loss(answers: answers, refusals: refusals)
        #expect(abs(Double(dpo.item) - total(1)) < 1e-5 && abs(Double(kto.item) - total(1)) < 1e-5)
        // KTO's estimate has no gradient and is never below 0; DPO's refusals have one.
        #expect(kto.backward()[refusals.sums] == nil && dpo.backward()[refusals.sums] != nil)
        let unsure = try UnwantedAnswer(beta: 0.5).loss(answers: answers, refusals: likelihoods([-9]))
        #expect(abs(Double(unsure.item) - total(0)) < 1e-5)
    }

    static var samples: [Training.ForgetSample] {
        (0..<4).map {
            Training.ForgetSample(
                forget: TinyModel.samples[$0], refusal: TinyModel.samples[8 + $0], retain: TinyModel.samples[4 + $0])
        }
    }

    func trained(_ objective: ForgetAndRetain, rate: Double = 3e-3) throws -> [StepReport] {
        var settings = TrainerSettings()
        settings.samplesPerStep = 4
        settings.tokensPerPass = 60
        settings.steps = 12
        return try Trainer(
            try TinyModel.load(), objective: objective, optimisation: try Optimisation(rate: rate),
            samples: Self.samples, settings: settings
        ).run().history.steps
    }

    /// Every combination lowers its loss; what it is to forget becomes less likely, what it keeps more.
    @Test func allCombinationsLearn() throws {
        let start = try DecoderModel(TinyModel.source(), precision: .f32)
        let terms: [any ForgetTerm] = [
            try Training.NegativePreference(beta: 0.5), GradientAscent(), RefusalLearning(),
            try RefusalPreference(beta: 0.5),
            try UnwantedAnswer(beta: 0.5),
        ]
        for term in terms {
            let steps = try trained(
                ForgetAndRetain(term, retainWeight: 0.5, divergence: .init(weight: 0.5, reference: start)))
            let (first, last) = (steps[0], steps[11])
            #expect(last.loss < first.loss, "\(term.name)")
            let (near, far) = (
                try #require(first.figures["divergence"]), try #require(last.figures["divergence"])
            )
            #expect(abs(near) < 1e-5 && far > 1e-5, "\(term.name)")
            if term.usesAnswers, !term.usesRefusals {
                let before = try #require(first.figures["forget log p"])
                #expect(try #require(last.figures["forget log p"]) < before)
            }
        }
        let first = try trained(ForgetAndRetain(Training.NegativePreference(beta: 0.5)))[0]
        #expect(abs(first.loss - 4 * 0.693147) < 1e-3)
    }

    /// The cut into passes changes nothing, and samples without what the objective needs are refused.
    @Test func cutsAndRefuses() throws {
        func loss(_ tokens: Int) throws -> Double {
            var settings = TrainerSettings()
            settings.samplesPerStep = 4
            settings.tokensPerPass = tokens
            settings.steps = 1
            return try Trainer(
                try TinyModel.load(), objective: ForgetAndRetain(Training.NegativePreference(), retainWeight: 1),
                optimisation: try Optimisation(rate: 1e-3), samples: Self.samples, settings: settings
            ).run().history.steps[0].loss
        }
        #expect(abs(try loss(30) - loss(1000)) < 1e-4)
        let bare = [Training.ForgetSample(forget: TinyModel.samples[0])]
        #expect {
            let trainer = try Trainer(
                try TinyModel.load(), objective: ForgetAndRetain(GradientAscent(), retainWeight: 1),
                optimisation: try Optimisation(rate: 1e-3), samples: bare)
            try trainer.run()
        } throws: { "\($0)".contains("needs a text to retain") }
    }

    /// Each epoch has every forget text once; retain texts are drawn anew; the trainer keeps the order.
    @Test func pairs() {
        let forget = TinyModel.samples[..<5].map { (answer: $0, refusal: TokenSequence?.none) }
        let samples = Training.ForgetSample.paired(
            forget: forget, retain: Array(TinyModel.samples[5...]), epochs: 3, seed: 7)
        #expect(samples.count == 15)
        for epoch in 0..<3 {
            let own = samples[epoch * 5..<epoch * 5 + 5]
            #expect(Set(own.map(\.forget)) == Set(TinyModel.samples[..<5]))
        }
        #expect(Set(samples.compactMap(\.retain)).count > 4)
        #expect(
            Training.ForgetSample.paired(forget: forget, retain: [], epochs: 1, seed: 7).allSatisfy { $0.retain == nil }
        )
        var order = DataOrder(count: 7, perStep: 3, seed: 5, shuffles: false)
        #expect((1...3).map { order.samples(ofStep: $0) } == [[0, 1, 2], [3, 4, 5], [6, 0, 1]])
    }

    /// A trainer that was stopped goes on where it was, to the same numbers.
    @Test func goesOnInParts() throws {
        func run(stoppingAt places: Set<Int>) throws -> [[Float]] {
            var settings = TrainerSettings()
            settings.steps = 6
            settings.samplesPerStep = 3
            let model = try TinyModel.load()
            let trainer = try Trainer(
                model, objective: Supervised(), optimisation: try Optimisation(rate: 1e-2), samples: TinyModel.samples,
                settings: settings)
            for _ in 0...places.count {
                let stop = TrainingStop()
                try trainer.run(stop: stop) { event in
                    if case .step(let report) = event, places.contains(report.step) { stop.request() }
                }
            }
            return model.parameters.map { $0.tensor.floats() }
        }
        #expect(try run(stoppingAt: [2, 5]) == run(stoppingAt: []))
    }

    private func logistic(_ x: Double) -> (value: Double, negatedLogOfRest: Double) {
        let value = Double(sigmoid(Tensor(Float(x))).item)
        return (value, -Double(logSigmoid(Tensor(Float(-x))).item))
    }
}
