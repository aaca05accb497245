import Inference
import Laboratory
import Models
import Tensors
import Training

/// One run of unlearning: the objective, and how it trains. After each epoch the model can be looked at; the best epoch's numbers stay.
package struct UnlearningRun: Sendable {
    /// A GGUF file or a Hugging Face folder.
    package var model: String
    package var objective: ForgetAndRetain
    package var parameterisation: any Parameterisation = ChosenWeights.all
    package var rate = 1e-5
    package var decay = 0.01
    package var largestNorm: Double? = 1
    /// Epochs until the full rate is reached.
    package var warmUpEpochs = 0
    package var batch = 32
    package var epochs = 10
    package var tokensPerPass = 512
    package var precision = ComputePrecision.bf16
    package var format = WeightFormat.bf16
    package var output: String

    package init(model: String, objective: ForgetAndRetain, output: String) {
        self.model = model
        self.objective = objective
        self.output = output
    }

    /// The model during a run: for distributions, and for generation from the weights where they are.
    package struct View: Sendable {
        package let trained: DecoderModel
        package let engine: LocalModel
    }

    /// Trains, and writes the best epoch's model into the output folder.
    ///
    /// - Parameters:
    ///   - answers: what is to be forgotten, with refusals where the objective needs them.
    ///   - retain: what each of them is paired with, drawn anew every epoch.
    ///   - grade: looks at the model after each epoch, counted from 1; the larger its number, the better the epoch. The later of equals wins.
    /// - Returns: the best epoch.
    @discardableResult
    package func callAsFunction(
        _ answers: [(answer: TokenSequence, refusal: TokenSequence?)], retain: [TokenSequence], label: String,
        in lab: Lab,
        grade: (Int, View) async throws -> Double = { epoch, _ in Double(epoch) }
    ) async throws -> Int {
        let samples = ForgetSample.paired(
            forget: answers, retain: objective.usesRetain ? retain : [], epochs: epochs, seed: lab.seed("pairs"))
        let stepsPerEpoch = Double(answers.count) / Double(batch)
        var run = TrainingRun(
            model: model, objective: objective, parameterisation: parameterisation,
            optimisation: try Optimisation(
                AdamW(), rate: rate,
                schedule: LearningRateSchedule(warmUp: Int((Double(warmUpEpochs) * stepsPerEpoch).rounded())),
                decay: decay, largestNorm: largestNorm),
            samples: samples, output: output)
        run.settings.samplesPerStep = batch
        run.settings.tokensPerPass = tokensPerPass
        run.settings.seed = lab.seed("training")
        // The samples hold all epochs in their order.
        run.settings.shuffles = false
        run.precision = precision
        run.format = format
        let session = try run.open(writesCheckpoints: false)
        var options = LocalModel.Options()
        options.precision = precision == .f32 ? .f32 : .standard
        let engine = try LocalModel(
            session.trainable.model, from: session.source, reference: model, options: options)
        let view = View(trained: session.trainable.model, engine: engine)
        let progress = lab.progress(label, total: session.trainer.totalSteps)
        defer { progress.finish() }
        var best: (epoch: Int, grade: Double, numbers: [Tensor])?
        for epoch in 1...epochs {
            let last = min(session.trainer.totalSteps, Int((Double(epoch) * stepsPerEpoch).rounded(.up)))
            try await session.train(through: last) { event in
                guard case .step(let report) = event else { return }
                progress.note("loss \(NumberStyle.decimals(4).text(report.loss))")
                progress.advance()
            }
            await engine.forgetPrefixes()
            let found = try await grade(epoch, view)
            if found >= best?.grade ?? -.infinity {
                best = (epoch, found, session.trainable.parameters.map { $0.tensor.detached().copied() })
            }
        }
        guard let best else { return 0 }
        for (parameter, numbers) in zip(session.trainable.parameters, best.numbers) {
            parameter.tensor.detached().assign(numbers)
        }
        try session.write()
        return best.epoch
    }
}
