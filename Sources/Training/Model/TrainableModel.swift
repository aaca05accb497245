import Models
import Tensors

/// A model some of whose numbers train.
public struct TrainableModel: Sendable {
    /// The model whose forward pass is recorded; an engine may generate from it at the same time of day, never during a step.
    public let model: DecoderModel
    /// What trains, in the model's order, which is the same in every run.
    public let parameters: [Parameter]
    /// The low-rank changes beside frozen weights, where that is what trains.
    public let adapters: AdapterSet?
    /// Decides what dropout drops; 0 outside training steps.
    package let dropoutSeed: AdapterDropout.Seed

    public init(
        model: DecoderModel, parameters: [Parameter], adapters: AdapterSet? = nil,
        dropoutSeed: AdapterDropout.Seed = AdapterDropout.Seed()
    ) {
        self.model = model
        self.parameters = parameters
        self.adapters = adapters
        self.dropoutSeed = dropoutSeed
    }

    /// How many numbers train.
    public var trainedCount: Int { parameters.reduce(0) { $0 + $1.count } }

    /// Refuses models with parts whose gradient isn't known here.
    static func check(_ configuration: ModelConfiguration) throws {
        guard configuration.attentionSoftcap == nil else {
            throw TrainingError.untrainable("its attention scores are capped, which has no gradient here")
        }
    }
}
