import Inference
import Laboratory
import Models
import Text
import Training

/// Trains adapters of the solver and the router on the subject, from trajectories.
struct TacticTraining {
    var options: TacticPrograms.Options
    var lab: Lab

    func run() async throws -> Report {
        let model = try lab.languageModel()
        let reference = try ModelReference(model.identity.reference)
        guard reference.isLocal else { throw CapabilityError(slug: lab.slug, model: model, missing: .trainable) }
        let path = try reference.localPath()
        let trajectories = try lab.data().records.map { record throws(DataError) in
            try record.decode(TacticTrajectory.self)
        }
        let all = trajectories + trajectories.flatMap { $0.rounds.flatMap(\.subTrajectories) }
        let solver = TacticTrainingSet.samples(options.trainingSet, of: all)
        let routes = trajectories.compactMap(TacticTrainingSet.routing)
        guard !solver.isEmpty || !routes.isEmpty else { throw TacticError.nothingSolved }
        let router = routes.isEmpty ? [] : TacticTrainingSet.router(of: trajectories)
        var report = Report(
            "Adapters of tactic-guided programs",
            summary:
                "The solver has \(solver.count) samples of \(options.trainingSet.rawValue), the router \(router.count)."
        )
        for (role, samples) in [("solver", solver), ("router", router)] where !samples.isEmpty {
            try await TacticReport.keep(
                lines: samples.map(\.json),
                as: "\(role)-\(role == "router" ? "rpj" : options.trainingSet.rawValue).jsonl",
                kind: "training set", in: lab)
            report.add(try await train(role, samples, on: path))
        }
        return report
    }

    private func train(_ role: String, _ samples: [TacticSample], on path: String) async throws -> [Metric] {
        var encoder = try SampleEncoder(ModelText(path: path), limit: options.maxLength)
        let sequences = try samples.map { try encoder.conversation($0.messages, counting: $0.counting) }
            .filter { $0.weight > 0 }
        guard !sequences.isEmpty else { throw TacticError.nothingSolved }
        var run = TrainingRun(
            model: path, objective: Supervised(),
            parameterisation: try LowRankAdaptation(
                rank: options.rank, alpha: options.alpha, dropout: options.dropout, frozen: .asStored),
            optimisation: try Optimisation(
                AdamW(), rate: options.rate, schedule: .init(.linear(end: 0), warmUp: options.warmUp)),
            samples: sequences, output: try lab.modelFolder("\(role)-adapter"))
        run.settings.samplesPerStep = options.batch
        run.settings.tokensPerPass = options.maxLength
        run.settings.epochs = options.epochs
        run.settings.seed = lab.seed("\(role): order")
        let summary = try await lab.train(role, run)
        await lab.recorder.record(Artifact(kind: "adapter", path: run.output))
        var metrics = [
            Metric("\(role): samples", Double(sequences.count), style: .whole),
            Metric("\(role): tokens that count", sequences.reduce(0) { $0 + $1.weight }, style: .whole),
            Metric("\(role): samples cut", Double(encoder.cutCount), style: .whole),
        ]
        if let last = summary.history.steps.last { metrics.append(Metric("\(role): last loss", last.loss)) }
        return metrics
    }
}
