import Foundation
import Models
import Training

/// A trained reward model that judges places of texts: σ of the head `score` at each, from 0 to 1. At the ends of steps it is a process
/// reward model, at the end of a text an outcome reward model.
public struct StepScorer: Sendable {
    private let policy: Policy
    private let tokensPerPass: Int

    /// - Parameters:
    ///   - folder: of a run with the objective ``StepScores``.
    ///   - base: the model that it trained.
    public init(
        folder: String, base: String, precision: ComputePrecision = .bf16, tokensPerPass: Int = 2048
    ) throws {
        let trained = try TrainedFolder(folder, base: base)
        let loaded = try DecoderModel(openWeights(at: trained.model), forms: { _ in precision.frozen })
        policy = Policy(try trained.adding(to: loaded), heads: try Head.read(folder))
        self.tokensPerPass = tokensPerPass
        // A folder without the head is refused here, not at the first text.
        _ = try policy.head(StepScores.head)
    }

    /// The scores of the places of each text, counted from its start.
    public func scores(_ texts: [TokenSequence], places: [[Int]]) throws -> [[Double]] {
        try policy.scores(of: StepScores.head, texts, places: places, tokensPerPass: tokensPerPass).map {
            $0.map { 1 / (1 + exp(-Double($0))) }
        }
    }
}
