import Models

/// The low-rank changes of one adapter, layer by layer, with the settings that a PEFT folder records.
public struct AdapterSet: Sendable {
    /// The change of one layer.
    public struct Member: Sendable {
        /// The layer's module, such as `model.layers.0.self_attn.q_proj`.
        public var module: String
        public var adapter: LowRankAdapter
    }

    public var configuration: AdapterConfiguration
    public var members: [Member] = []

    public init(configuration: AdapterConfiguration) {
        self.configuration = configuration
    }

    /// The changes by module.
    public var changes: [String: LowRankAdapter] {
        Dictionary(members.map { ($0.module, $0.adapter) }, uniquingKeysWith: { $1 })
    }

    /// The same changes, each times a weight.
    public func scaled(by weight: Double) -> AdapterSet {
        var scaled = self
        for index in members.indices {
            scaled.members[index].adapter = members[index].adapter.scaled(by: Float(weight))
        }
        return scaled
    }

    /// A model with these changes beside its weights.
    /// - Throws: when a layer is missing or has another shape.
    public func applied(to model: DecoderModel) throws -> DecoderModel {
        var waiting = changes
        let changed = try model.replacingWeights { name, weight in
            guard let adapter = waiting.removeValue(forKey: NamePattern.module(of: name)) else { return weight }
            guard adapter.down.shape[1] == weight.shape[1], adapter.up.shape[0] == weight.shape[0] else {
                throw TrainingError.mismatch(
                    file: name,
                    reason: "is \(weight.shape), the adapter is made for "
                        + "[\(adapter.up.shape[0]), \(adapter.down.shape[1])]")
            }
            if case .adapted(let base, let others) = weight { return .adapted(base, others + [adapter]) }
            return .adapted(weight, [adapter])
        } vector: { _, tensor in
            tensor
        }
        if let missing = waiting.keys.min() {
            throw TrainingError.mismatch(file: missing, reason: "the adapter changes this layer, which the model lacks")
        }
        return changed
    }
}
