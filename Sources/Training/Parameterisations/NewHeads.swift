import Models
import Tensors

/// Trains new heads on the hidden states, and what another parameterisation chooses with them; without one, the model itself stays
/// as it is. A head starts small and random (a value head at zero): normal with the deviation given.
public struct NewHeads: Parameterisation {
    public struct Specification: Sendable, Hashable {
        public var name: String
        public var outputs: Int
        /// Of starting weights; 0 starts at zero.
        public var deviation: Double
        /// What the outputs stand for; see ``Head/labels``.
        public var labels: [String] = []

        public init(_ name: String, outputs: Int = 1, deviation: Double = 0.02) {
            self.name = name
            self.outputs = outputs
            self.deviation = deviation
        }

        /// One output a label.
        public init(_ name: String, labels: [String], deviation: Double = 0.02) {
            self.init(name, outputs: labels.count, deviation: deviation)
            self.labels = labels
        }
    }

    public var heads: [Specification]
    public var body: (any Parameterisation)?

    public init(_ heads: [Specification], on body: (any Parameterisation)? = nil) throws {
        guard !heads.isEmpty, Set(heads.map(\.name)).count == heads.count else {
            throw TrainingError.badSetting("heads", reason: "name at least one, each by a name of its own")
        }
        for head in heads {
            guard head.outputs > 0, head.deviation >= 0, head.deviation.isFinite else {
                throw TrainingError.badSetting(
                    "head \(head.name)", reason: "has at least one output and a deviation of 0 or more")
            }
        }
        self.heads = heads
        self.body = body
    }

    public func form(of name: String, precision: ComputePrecision) -> WeightForm {
        body?.form(of: name, precision: precision) ?? precision.frozen
    }

    public func prepare(_ model: DecoderModel, seed: UInt64) throws -> TrainableModel {
        let inner = try body?.prepare(model, seed: seed)
        var parameters = inner?.parameters ?? []
        var made = inner?.heads ?? []
        for (index, specification) in heads.enumerated() {
            let shape: Shape = [specification.outputs, model.configuration.hiddenSize]
            let start = Tensor.normal(
                shape, deviation: Float(specification.deviation), seed: mixed(seed, UInt64(index) &+ 0x6865_6164))
            let name = Head.prefix + specification.name
            let weight = Parameter(name: name + ".weight", tensor: start)
            let bias = Parameter(name: name + ".bias", tensor: .zeros([specification.outputs]))
            parameters += [weight, bias]
            made.append(
                Head(
                    name: specification.name, weight: weight.tensor, bias: bias.tensor, labels: specification.labels))
        }
        return TrainableModel(
            model: inner?.model ?? model, parameters: parameters, adapters: inner?.adapters, heads: made,
            dropoutSeed: inner?.dropoutSeed ?? AdapterDropout.Seed())
    }
}
