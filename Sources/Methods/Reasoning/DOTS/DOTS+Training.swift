import Foundation
import Inference
import Laboratory
import Models
import Text
import Training

extension DOTS {
    /// The file of a model that can be trained here.
    static func localPath(_ reference: String) throws -> String {
        let read = try ModelReference(reference)
        guard read.isLocal else { throw DOTSError.notLocal(reference) }
        return try read.localPath()
    }

    /// Opens a planner: a model, or an adapter's folder beside its base.
    static func opened(_ path: String, base: String) async throws -> TunedModel {
        guard FileManager.default.fileExists(atPath: path + "/adapter_config.json") else {
            return TunedModel(try LocalModel(path: path, reference: path))
        }
        let model = try LocalModel(path: localPath(base), reference: base)
        return TunedModel(model, adapter: try await add(path, to: model))
    }

    /// Puts an adapter beside a model, and gives its name.
    package static func add(_ folder: String, to model: LocalModel) async throws -> String {
        try await model.addAdapter(folder, AdapterFolder.read(folder, for: model.configuration).changes)
        return folder
    }

    /// Fine-tunes a model on what planners say, the loss on the reply alone, and gives the folder of the result.
    ///
    /// AdamW with β = (0.9, 0.95) and a decay of 0.02; the rate rises over 60 steps, or a tenth of a shorter run, and falls to a tenth.
    package static func train(
        _ name: String, _ lessons: [PlannerLesson], kind: Options.PlannerKind, base: String,
        wording: PlannerWording = PlannerWording(), _ options: Options, in lab: Lab
    ) async throws -> String {
        let repeated = PlannerLesson.repeated(
            lessons, lowResource: Set(options.lowResource), copies: options.repeats)
        var encoder = try SampleEncoder(ModelText(path: base), limit: options.maxLength)
        let samples = try repeated.map { try encoder.conversation($0.conversation(kind, wording)) }
        if encoder.cutCount > 0 {
            lab.tell("\(encoder.cutCount) lessons are longer than --max-length and were cut.")
        }
        let steps = DataOrder.steps(count: samples.count, perStep: options.batch, epochs: options.epochs)
        let parameterisation: any Parameterisation =
            options.tuning == .lora ? try LowRankAdaptation() : ChosenWeights.all
        var run = TrainingRun(
            model: base, objective: Supervised(), parameterisation: parameterisation,
            optimisation: try Optimisation(
                AdamW(beta2: 0.95), rate: options.rate ?? (options.tuning == .lora ? 2e-4 : 2e-5),
                schedule: .init(.cosine(end: 0.1), warmUp: min(60, max(1, steps / 10))), decay: 0.02),
            samples: samples, output: try lab.modelFolder(name))
        run.settings.samplesPerStep = options.batch
        run.settings.tokensPerPass = max(1_024, samples.map(\.count).max() ?? 0)
        run.settings.epochs = options.epochs
        run.settings.seed = lab.seed("\(name): order")
        try await lab.train(name, run)
        await lab.recorder.record(Artifact(kind: "planner", path: run.output))
        return run.output
    }
}
