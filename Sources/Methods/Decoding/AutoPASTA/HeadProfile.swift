import Foundation
import Inference
import Laboratory
import Text

/// Which heads of one model to steer, and how that was found: a file that can be used again with the same model.
struct HeadProfile: HeadFile, Hashable {
    static let noun = "head profile"
    static let remedy = "Leave --profile out to profile this model."

    /// The fingerprint of the model's weights. The profile is of no use to another model.
    var fingerprint: String
    var model: String
    var layers: Int
    var heads: Int
    var alpha: Double
    var scalePosition: ScalePosition
    var protectsFirstToken: Bool
    /// What the profiling items were, in words.
    var task: String
    var items: Int
    /// What a score is, in words.
    var metric: String
    /// The score without steering.
    var unsteered: Double
    /// One score a layer.
    var coarse: [Double]
    var fine: [HeadProfiler.Scored]
    var candidates: [HeadProfiler.Scored]
    var selected: [Head]

    init(
        _ result: HeadProfiler.Result, unsteered: Double, model: any OpenModel, steering: AttentionSteering,
        task: String, items: Int, metric: String
    ) {
        let identity = model.identity
        fingerprint = identity.fingerprint
        self.model = identity.name
        layers = model.architecture.layers
        heads = model.architecture.heads
        alpha = steering.alpha
        scalePosition = steering.position
        protectsFirstToken = steering.protectsFirstToken
        self.task = task
        self.items = items
        self.metric = metric
        self.unsteered = unsteered
        coarse = result.coarse
        fine = result.fine
        candidates = result.candidates
        selected = result.selected
    }

    /// The layer whose steering alone scores best.
    var bestLayer: Int { coarse.indices.max { coarse[$0] < coarse[$1] } ?? 0 }

    /// The middle score of all layers.
    var medianLayerScore: Double {
        let sorted = coarse.sorted()
        guard !sorted.isEmpty else { return .nan }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
