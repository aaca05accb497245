import Foundation
import Inference
import Models
import Training

extension Lab {
    /// The subject as a model whose weights can be trained, and its file or folder.
    public func trainableModel() throws -> (model: LocalModel, path: String) {
        let model = try languageModel()
        let reference = try ModelReference(model.identity.reference)
        guard reference.isLocal, let local = model as? LocalModel else {
            throw LabError.notLocal(slug: slug, reference: reference.description)
        }
        return (local, try reference.localPath())
    }

    /// An empty folder of this run for a model. What an earlier run left there is removed.
    public func modelFolder(_ name: String) throws -> String {
        let folder = try outputFile(name)
        if FileManager.default.fileExists(atPath: folder.path) { try FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder.path
    }

    /// Writes a model that has learnt nothing into a folder of this run, its weights drawn from the stream of its name.
    public func newModel(_ name: String, _ model: NewModel) throws -> String {
        let folder = try modelFolder(name)
        try model.write(to: folder, seed: seed(name))
        return folder
    }

    /// Trains under a progress line, and keeps how long it took. Cancelling the task stops after the step at hand and throws.
    @discardableResult
    public func train<Training: Objective>(
        _ label: String, _ run: TrainingRun<Training>
    ) async throws -> TrainingSummary {
        try await followed(label) { try await run.followed(onEvent: $0) }
    }

    /// The same for a run that learns from rewards.
    ///
    /// - Parameter onRound: sees the roll-outs of each round, counted from 1.
    @discardableResult
    public func train(
        _ label: String, _ run: OnPolicyRun<some OnPolicyObjective>,
        onRound: @escaping @Sendable (Int, [Rollout]) throws -> Void = { _, _ in }
    ) async throws -> TrainingSummary {
        try await followed(label) { try await run.followed(onRound: onRound, onEvent: $0) }
    }

    private func followed(
        _ label: String, _ run: (@escaping @Sendable (TrainingEvent) throws -> Void) async throws -> TrainingSummary
    ) async throws -> TrainingSummary {
        let progress = TrainingProgress(label, on: console)
        return try await time(label) {
            let summary = try await run { progress.show($0) }
            if summary.outcome == .interrupted { throw CancellationError() }
            return summary
        }
    }

    /// Opens what a training run wrote into a folder: a model, or an adapter beside the model that it was made for.
    public func open(_ folder: String, base: String) throws -> LocalModel {
        let trained = try TrainedFolder(folder, base: base)
        let source = try openWeights(at: trained.model)
        let model = try trained.adding(to: DecoderModel(source, precision: .standard))
        return try LocalModel(model, from: source, reference: folder)
    }

    /// Opens a model that this run made.
    public func open(_ path: String) throws -> LocalModel { try LocalModel(path: path, reference: path) }
}
