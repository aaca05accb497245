import Foundation
import Models
import Training

/// A model with a trained head, which says something about places of texts: a reward, a class, a score.
public struct TextRater: Sendable {
    /// A folder that can't rate texts.
    public struct Refusal: Error, Hashable, CustomStringConvertible {
        public let description: String

        public init(description: String) { self.description = description }
    }

    public let head: Head
    /// How the model reads texts.
    public let words: ModelText
    /// The most tokens of a text.
    public let contextLength: Int
    private let policy: Policy
    private let tokensPerPass: Int

    /// - Parameters:
    ///   - folder: of a run that trained a head.
    ///   - base: the model that it trained.
    ///   - head: the head's name, where the folder has several.
    public init(
        folder: String, base: String, head: String? = nil, precision: ComputePrecision = .bf16,
        tokensPerPass: Int = 2048
    ) throws {
        let trained = try TrainedFolder(folder, base: base)
        guard Head.isIn(folder) else {
            throw Refusal(description: "\(folder) has no trained head (heads.safetensors).")
        }
        let heads = try Head.read(folder)
        let named = heads.filter { head == nil || $0.name == head }
        guard named.count == 1 else {
            let names = heads.map(\.name).joined(separator: ", ")
            throw Refusal(
                description: head.map { "\(folder) has no head named \($0), but \(names)." }
                    ?? "\(folder) has the heads \(names); name one of them.")
        }
        let source = try openWeights(at: trained.model)
        let loaded = try DecoderModel(source, forms: { _ in precision.frozen })
        guard named[0].weight.shape[1] == loaded.configuration.hiddenSize else {
            throw Refusal(
                description: "\(folder) has a head for \(named[0].weight.shape[1]) numbers; the model's states have "
                    + "\(loaded.configuration.hiddenSize). Give the model that it was trained on.")
        }
        self.head = named[0]
        words = try ModelText(source)
        contextLength = loaded.configuration.contextLength
        policy = Policy(try trained.adding(to: loaded), heads: named)
        self.tokensPerPass = tokensPerPass
    }

    /// What the head says about the places of each text, counted from its start: [texts][places][outputs].
    public func outputs(_ texts: [TokenSequence], places: [[Int]]) throws -> [[[Float]]] {
        try policy.outputs(of: head.name, texts, places: places, tokensPerPass: tokensPerPass)
    }

    /// The first output at the end of each text.
    public func rewards(of texts: [TokenSequence]) throws -> [Double] {
        try outputs(texts, places: texts.map { [$0.count - 1] }).map { Double($0[0][0]) }
    }

    /// For scores that are probabilities: σ of the first output at each place, from 0 to 1. At the ends of steps the model is a process
    /// reward model, at the end of a text an outcome reward model.
    public func probabilities(_ texts: [TokenSequence], places: [[Int]]) throws -> [[Double]] {
        try outputs(texts, places: places).map { $0.map { 1 / (1 + exp(-Double($0[0]))) } }
    }
}
