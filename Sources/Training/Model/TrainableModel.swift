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
    /// New layers on the hidden states, which train, too.
    public let heads: [Head]
    /// Decides what dropout drops; 0 outside training steps.
    package let dropoutSeed: AdapterDropout.Seed

    public init(
        model: DecoderModel, parameters: [Parameter], adapters: AdapterSet? = nil, heads: [Head] = [],
        dropoutSeed: AdapterDropout.Seed = AdapterDropout.Seed()
    ) {
        self.model = model
        self.parameters = parameters
        self.adapters = adapters
        self.heads = heads
        self.dropoutSeed = dropoutSeed
    }

    /// How many numbers train.
    public var trainedCount: Int { parameters.reduce(0) { $0 + $1.count } }

    /// Whether what a pass gives depends on the numbers that dropout draws for it.
    var usesDropout: Bool { adapters?.members.contains { $0.adapter.dropout != nil } ?? false }

    /// Refuses models with parts whose gradient isn't known here.
    static func check(_ configuration: ModelConfiguration) throws {
        guard configuration.attentionSoftcap == nil else {
            throw TrainingError.untrainable("its attention scores are capped, which has no gradient here")
        }
    }

    /// Writes what was trained: an adapter in PEFT's format, or the whole model in the kind of file it came from, with the heads beside it.
    func write(from source: any WeightSource, baseModel: String, format: WeightFormat, to folder: String) throws {
        let weights = parameters.filter { !$0.name.hasPrefix(Head.prefix) }
        if let adapters {
            try AdapterFolder.write(adapters, of: model.configuration, baseModel: baseModel, to: folder)
        } else if !weights.isEmpty {
            try ModelExport(source, trained: weights).write(to: folder, format: format)
        }
        if !heads.isEmpty { try Head.write(heads, to: folder) }
    }
}
