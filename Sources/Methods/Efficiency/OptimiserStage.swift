import Laboratory
import Training

/// A training job that is done several times from the same start, on the same batches, with different optimisers.
struct OptimiserStage: Sendable {
    var model: String
    var samples: [TokenSequence]
    var heldOut: [TokenSequence]
    var rate: Double
    var decay = 0.0
    var largestNorm: Double?
    var batch: Int
    var epochs = 1.0
    var steps: Int?
    var schedule: LearningRateSchedule.Course
    var precision: ComputePrecision
    let lab: Lab

    /// - Parameter keeps: whether the model is wanted afterwards.
    func train(_ name: String, _ rule: any Optimiser, keeps: Bool = false) async throws -> OptimiserArm {
        let folder = try lab.modelFolder("trained-" + name.lowercased().filter { $0.isLetter || $0.isNumber })
        var run = TrainingRun(
            model: model, objective: Supervised(), parameterisation: ChosenWeights.all,
            optimisation: try Optimisation(
                rule, rate: rate, schedule: LearningRateSchedule(schedule), decay: decay, largestNorm: largestNorm),
            samples: samples, output: folder)
        run.heldOut = heldOut
        run.settings.samplesPerStep = batch
        run.settings.epochs = epochs
        run.settings.steps = steps
        run.settings.seed = lab.seed("training")
        run.precision = precision
        run.format = precision == .f32 ? .f32 : .bf16
        let summary = try await lab.train("Training with \(name)", run)
        return OptimiserArm(
            name: name, summary: summary, loss: summary.history.evaluations.last?.loss ?? .nan, folder: folder)
    }
}

/// What one optimiser made of the job.
struct OptimiserArm: Sendable {
    var name: String
    var summary: TrainingSummary
    /// Held out, in nats a token.
    var loss: Double
    var folder: String

    var stateBytes: Int { summary.optimiserBytes ?? 0 }

    private func figure(_ name: String) -> Double? {
        let values = summary.history.steps.compactMap { $0.figures[name] }
        return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }

    static func table(_ arms: [OptimiserArm]) -> Table {
        var table = Table(
            "The same job under each optimiser",
            columns: [.text("optimiser")]
                + ["held-out loss", "last training loss", "state, bytes", "mean φ", "residual norm", "limited"].map(
                    Table.Column.number))
        let four = NumberStyle.decimals(4)
        func text(_ value: Double?, _ style: NumberStyle = .decimals(3)) -> String { value.map(style.text) ?? "–" }
        for arm in arms {
            let recent = arm.summary.history.steps.suffix(20).map(\.loss)
            table.add(
                arm.name, four.text(arm.loss), four.text(recent.reduce(0, +) / Double(max(1, recent.count))),
                "\(arm.stateBytes)", text(arm.figure("scaling factor")), text(arm.figure("residual norm")),
                text(arm.figure("limited"), .percent), emphasised: arm.name.hasPrefix("Fira"))
        }
        return table
    }

    static func plot(_ arms: [OptimiserArm]) -> Plot {
        Plot(
            "Training loss", x: "step", y: "nats a token, mean over 10 steps",
            .lines(
                arms.map { arm in
                    let losses = arm.summary.history.steps.map(\.loss)
                    return Plot.Series(
                        arm.name,
                        stride(from: 0, to: losses.count, by: 10).map { start in
                            let part = losses[start..<min(start + 10, losses.count)]
                            return Plot.Point(Double(start + 1), part.reduce(0, +) / Double(part.count))
                        })
                }))
    }
}
